//! Which notification sockets watch which rooms and users.
//!
//! A room may have thousands of watchers, and a commit must not wait while they are notified. So the news of watched
//! rooms goes into one queue, and a separate task ([`WatchedRooms`]) notifies the watchers. If the queue is full, the
//! room is marked as lagging, and its watchers are notified that they missed something.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{
    RoomCounters,
    inbox::{InboxEvent, Mailbox},
};
use crate::{
    event::{Event, NewMessageNotice, UserEvent},
    metrics::Metrics,
    model::{RoomId, UserId},
    queue,
};

/// Capacity of the news queue. A message takes one entry, whatever the number of watchers.
pub(super) const NEWS_QUEUE: usize = 4_096;
/// Capacity of the news queue in bytes.
pub(super) const NEWS_QUEUE_BYTES: u32 = 16 * 1024 * 1024;
/// News taken at once; their rooms are then read with one query.
const BATCH: usize = 64;

/// An event of a room that watchers may need.
#[derive(Clone, Debug)]
pub enum RoomNews {
    /// A new message.
    Message {
        /// The room's frame, JSON in UTF-8.
        frame: Bytes,
        /// The data watchers need beside the frame.
        message: Arc<NewMessageNotice>,
    },
    /// A message was edited or deleted. Relevant if it is the newest one, which room lists show.
    Changed {
        /// The room's frame, JSON in UTF-8; `None` when the change was missed, so that it may be any message.
        frame: Option<Bytes>,
    },
    /// The room was deleted.
    Closed,
}

impl RoomNews {
    /// The news in an event of a room, if any.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Frame(frame) => match &frame.new_message {
                Some(message) => {
                    Some(Self::Message { frame: frame.json.clone(), message: Arc::clone(message) })
                }
                // A stored frame that is not a new message is a change of one. Volatile frames have no `rev`.
                None => frame.rev.map(|_| Self::Changed { frame: Some(frame.json.clone()) }),
            },
            Event::Close { user: None, .. } => Some(Self::Closed),
            Event::Close { user: Some(_), .. } => None,
        }
    }
}

impl RoomNews {
    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Message { frame, .. } => frame.len(),
            Self::Changed { frame } => frame.as_ref().map_or(0, Bytes::len),
            Self::Closed => 0,
        }
    }
}

type Mailboxes = HashMap<u64, Arc<Mailbox>>;

/// A watched room, and up to where its watchers were notified.
#[derive(Default)]
struct Watched {
    mailboxes: Mailboxes,
    /// The newest message seen here; `None` until the room's counters were read.
    seq: Option<i64>,
    /// The newest message in the database at the last poll, if it was not seen here by then: it may still have been
    /// in flight.
    unconfirmed_seq: Option<i64>,
    /// The latest change seen here.
    rev: i64,
    /// Like `unconfirmed_seq`, for changes.
    unconfirmed_rev: Option<i64>,
    /// Revocations up to this number were applied.
    revocations_upto: i64,
}

/// The result of applying a poll to a watched room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PollOutcome {
    /// The number up to which revocations were applied, if there are later ones.
    pub(super) revocations_after: Option<i64>,
    /// A message was changed, and no event of it arrived.
    pub(super) has_missed_change: bool,
}

/// All watchers of this node.
#[derive(Default)]
pub(super) struct Watchers {
    next: AtomicU64,
    /// Each room has a lock of its own, held while its watchers are notified. The map's lock is not held then.
    rooms: Mutex<HashMap<RoomId, Arc<Mutex<Watched>>>>,
    users: Mutex<HashMap<UserId, Mailboxes>>,
    /// Rooms whose news did not fit into the queue.
    lagging: Mutex<HashSet<RoomId>>,
    metrics: Metrics,
}

/// Each change of the maps is a single operation, so a panic under the lock leaves them consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchers {
    pub(super) fn enter(&self, user: UserId, mailbox: &Arc<Mailbox>) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.users).entry(user).or_default().insert(id, Arc::clone(mailbox));
        id
    }

    pub(super) fn leave(&self, user: UserId, id: u64) {
        let mut users = lock(&self.users);
        if let Some(mailboxes) = users.get_mut(&user) {
            mailboxes.remove(&id);
            if mailboxes.is_empty() {
                users.remove(&user);
            }
        }
    }

    pub(super) fn watch(&self, room: RoomId, id: u64, mailbox: &Arc<Mailbox>) {
        let mut rooms = lock(&self.rooms);
        let watched = rooms.entry(room).or_insert_with(|| {
            self.metrics.followed.increment(1);
            Arc::default()
        });
        lock(watched).mailboxes.insert(id, Arc::clone(mailbox));
    }

    pub(super) fn unwatch(&self, room: RoomId, id: u64) {
        let mut rooms = lock(&self.rooms);
        let is_last = rooms.get(&room).is_some_and(|watched| {
            let mut watched = lock(watched);
            watched.mailboxes.remove(&id);
            watched.mailboxes.is_empty()
        });
        if is_last {
            rooms.remove(&room);
            self.metrics.followed.decrement(1);
        }
    }

    pub(super) fn is_watched(&self, room: RoomId) -> bool {
        lock(&self.rooms).contains_key(&room)
    }

    pub(super) fn watched(&self) -> Vec<RoomId> {
        lock(&self.rooms).keys().copied().collect()
    }

    /// Records the position of an event. True if the room is watched.
    pub(super) fn observe(&self, room: RoomId, event: &Event) -> bool {
        let Some(watched) = self.room(room) else { return false };
        if let Event::Frame(frame) = event
            && let Some(rev) = frame.rev
        {
            let mut watched = lock(&watched);
            watched.rev = watched.rev.max(rev);
            if let Some(message) = &frame.new_message {
                watched.seq = watched.seq.map(|seq| seq.max(message.seq));
            }
        }
        true
    }

    /// Sets the position of a room, from counters read since it is watched.
    pub(super) fn set_position(&self, room: RoomId, counters: RoomCounters) {
        if let Some(watched) = self.room(room) {
            let mut watched = lock(&watched);
            if watched.seq.is_none() {
                (watched.seq, watched.revocations_upto) = (Some(counters.seq), counters.access_rev);
                watched.rev = watched.rev.max(counters.rev);
            }
        }
    }

    /// Applies the counters of a poll. Anything that the previous poll had found and that has not been seen since was
    /// missed; for messages, the watchers are notified here.
    pub(super) fn apply_poll(&self, room: RoomId, counters: RoomCounters) -> PollOutcome {
        let Some(watched) = self.room(room) else { return PollOutcome::default() };
        let mut watched = lock(&watched);
        let Some(seen) = watched.seq else { return PollOutcome::default() };
        let mut has_missed_change = false;
        if watched.unconfirmed_seq.is_some_and(|unconfirmed| unconfirmed > seen) {
            // A watcher that reads the missed messages gets the room's current state, changes included.
            (watched.seq, watched.unconfirmed_seq) = (Some(counters.seq.max(seen)), None);
            (watched.rev, watched.unconfirmed_rev) = (counters.rev.max(watched.rev), None);
            watched.mailboxes.values().for_each(|mailbox| mailbox.put(InboxEvent::Missed(room)));
        } else if watched.unconfirmed_rev.is_some_and(|unconfirmed| unconfirmed > watched.rev)
            && counters.seq == seen
        {
            has_missed_change = true;
            (watched.rev, watched.unconfirmed_rev) = (counters.rev, None);
        } else {
            watched.unconfirmed_seq = (counters.seq > seen).then_some(counters.seq);
            watched.unconfirmed_rev = (counters.rev > watched.rev).then_some(counters.rev);
        }
        let revocations_after =
            (counters.access_rev > watched.revocations_upto).then_some(watched.revocations_upto);
        PollOutcome { revocations_after, has_missed_change }
    }

    /// Revocations up to this number were applied.
    pub(super) fn set_revocations_upto(&self, room: RoomId, access_rev: i64) {
        if let Some(watched) = self.room(room) {
            let mut watched = lock(&watched);
            watched.revocations_upto = watched.revocations_upto.max(access_rev);
        }
    }

    fn room(&self, room: RoomId) -> Option<Arc<Mutex<Watched>>> {
        lock(&self.rooms).get(&room).cloned()
    }

    pub(super) fn notify_user(&self, user: UserId, event: UserEvent) {
        for mailbox in lock(&self.users).get(&user).into_iter().flat_map(HashMap::values) {
            mailbox.put(InboxEvent::User(event));
        }
    }

    fn notify_room(&self, room: RoomId, event: &InboxEvent) {
        if let Some(watched) = self.room(room) {
            lock(&watched).mailboxes.values().for_each(|mailbox| mailbox.put(event.clone()));
        }
    }

    pub(super) fn mark_lagging(&self, room: RoomId) {
        lock(&self.lagging).insert(room);
    }
}

/// The news of all watched rooms, ordered within each room, for the task that notifies the watchers.
pub struct WatchedRooms {
    queue: queue::Receiver<(RoomId, RoomNews)>,
    watchers: Arc<Watchers>,
}

impl WatchedRooms {
    pub(super) fn new(queue: queue::Receiver<(RoomId, RoomNews)>, watchers: Arc<Watchers>) -> Self {
        Self { queue, watchers }
    }

    /// The news since the last call; waits for the first. `None` once the hub is gone.
    pub async fn next(&mut self) -> Option<Vec<(RoomId, RoomNews)>> {
        let mut news = vec![self.queue.recv().await?];
        while news.len() < BATCH
            && let Some(more) = self.queue.try_recv()
        {
            news.push(more);
        }
        for room in std::mem::take(&mut *lock(&self.watchers.lagging)) {
            self.notify(room, &InboxEvent::Missed(room));
            news.push((room, RoomNews::Changed { frame: None }));
        }
        Some(news)
    }

    /// Notifies all watchers of `room`.
    pub fn notify(&self, room: RoomId, event: &InboxEvent) {
        self.watchers.notify_room(room, event);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;

    use super::*;
    use crate::{
        event::{Audience, Frame},
        hub::Hub,
        model::{Code, UserId},
    };

    fn closed() -> Event {
        Event::Close { user: None, code: Code::NotFound }
    }

    #[tokio::test]
    async fn full_news_queue_notifies_watchers_of_missed_events() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut rooms = hub.watched_rooms();
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        inbox.watch(RoomId(2));
        for _ in 0..NEWS_QUEUE {
            hub.publish(RoomId(1), closed());
        }
        hub.publish(RoomId(2), closed());
        let news = rooms.next().await.expect("news");
        assert_eq!(news.len(), BATCH + 1);
        let last = news.last().expect("news");
        assert!(matches!(last, (RoomId(2), RoomNews::Changed { frame: None })), "it may have been a change");
        assert!(matches!(inbox.next().await, Ok(InboxEvent::Missed(RoomId(2)))));
    }

    #[tokio::test]
    async fn message_not_seen_since_the_previous_poll_was_missed() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        let counters = |seq| RoomCounters { rev: seq, seq, access_rev: 3 };
        assert_eq!(hub.apply_poll(RoomId(1), counters(9)), None, "the position is not known yet");
        inbox.set_position(RoomId(1), RoomCounters { rev: 4, seq: 4, access_rev: 2 });
        assert_eq!(hub.apply_poll(RoomId(1), counters(4)), Some(2), "there is a revocation");
        hub.set_revocations_upto(RoomId(1), counters(4));
        // In flight at the first poll, arrived before the second.
        assert_eq!(hub.apply_poll(RoomId(1), counters(5)), None);
        let mut arrived = Frame::serialised(Bytes::new(), Some(5), Audience::Everyone);
        arrived.new_message =
            Some(Arc::new(NewMessageNotice { seq: 5, mentioned: Vec::new(), replied_to: None }));
        hub.publish(RoomId(1), Event::Frame(arrived));
        hub.apply_poll(RoomId(1), counters(6));
        assert!(inbox.next().now_or_never().is_none(), "it may be in flight");
        hub.apply_poll(RoomId(1), counters(7));
        assert!(matches!(inbox.next().now_or_never(), Some(Ok(InboxEvent::Missed(RoomId(1))))));
        hub.apply_poll(RoomId(1), counters(7));
        assert!(inbox.next().now_or_never().is_none(), "notified once");
    }

    #[tokio::test]
    async fn change_not_seen_since_the_previous_poll_is_news() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut rooms = hub.watched_rooms();
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        let counters = |rev| RoomCounters { rev, seq: 4, access_rev: 0 };
        inbox.set_position(RoomId(1), counters(5));
        hub.apply_poll(RoomId(1), counters(6));
        assert!(rooms.next().now_or_never().is_none(), "it may be in flight");
        let changed = Frame::serialised(Bytes::from_static(b"{}"), Some(6), Audience::Everyone);
        hub.publish(RoomId(1), Event::Frame(changed));
        let news = rooms.next().now_or_never().flatten().expect("news");
        assert!(matches!(news[..], [(RoomId(1), RoomNews::Changed { frame: Some(_) })]), "{news:?}");
        hub.apply_poll(RoomId(1), counters(6));
        assert!(rooms.next().now_or_never().is_none(), "it was seen");
        hub.apply_poll(RoomId(1), counters(7));
        hub.apply_poll(RoomId(1), counters(7));
        let news = rooms.next().now_or_never().flatten().expect("news");
        assert!(matches!(news[..], [(RoomId(1), RoomNews::Changed { frame: None })]), "{news:?}");
        hub.apply_poll(RoomId(1), counters(7));
        assert!(rooms.next().now_or_never().is_none(), "once");
    }

    #[tokio::test]
    async fn only_watched_rooms_produce_news() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut rooms = hub.watched_rooms();
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        inbox.watch(RoomId(2));
        inbox.unwatch(RoomId(1));
        for room in [1, 2, 3] {
            hub.publish(RoomId(room), closed());
        }
        let news = rooms.next().await.expect("news");
        assert_eq!(news.iter().map(|(room, _)| *room).collect::<Vec<_>>(), [RoomId(2)]);
        drop(inbox);
        assert!(!hub.is_listening(RoomId(2)));
    }
}
