//! Which sockets for notifications follow which rooms and which user.
//!
//! A room may have thousands of them, and telling each takes a moment that a commit must
//! not wait for. So the news of watched rooms goes into one queue, and a task of its own
//! ([`WatchedRooms`]) tells the watchers. When the queue is full the room is noted
//! instead, and its watchers are told that they have missed something.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;

use super::{
    Event, News, RoomPosition, UserEvent,
    inbox::{Mailbox, Signal},
};
use crate::{
    metrics::Metrics,
    model::{RoomId, UserId},
    queue,
};

/// News that may wait to be handed on. A room's share of it is small: one entry a message.
pub(super) const TIDINGS: usize = 4_096;
/// And their bytes.
pub(super) const TIDINGS_BYTES: u32 = 16 * 1024 * 1024;
/// News handed on at once: one look-up of their rooms serves them all.
const BATCH: usize = 64;

/// What watchers of a room may want to know.
#[derive(Clone, Debug)]
pub enum Tidings {
    /// Somebody wrote.
    Message {
        /// The room's own frame, JSON in UTF-8.
        frame: Bytes,
        /// What it is to the watchers.
        news: Arc<News>,
    },
    /// A message was changed: perhaps the newest one, which lists of rooms show.
    Changed {
        /// The room's own frame, JSON in UTF-8; `None` when a change was missed, so that it may be any message.
        frame: Option<Bytes>,
    },
    /// The room is no more.
    Closed,
}

impl Tidings {
    /// What there is for watchers in an event of a room.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Frame(frame) => match &frame.news {
                Some(news) => Some(Self::Message { frame: frame.json.clone(), news: Arc::clone(news) }),
                // What is stored and not new is a change. What has no number is typing and the like.
                None => frame.rev.map(|_| Self::Changed { frame: Some(frame.json.clone()) }),
            },
            Event::Close { user: None, .. } => Some(Self::Closed),
            Event::Close { user: Some(_), .. } => None,
        }
    }
}

impl Tidings {
    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Message { frame, .. } => frame.len(),
            Self::Changed { frame } => frame.as_ref().map_or(0, Bytes::len),
            Self::Closed => 0,
        }
    }
}

type Mailboxes = HashMap<u64, Arc<Mailbox>>;

/// A room that somebody watches, and how far they have been told.
#[derive(Default)]
struct Watched {
    mailboxes: Mailboxes,
    /// The newest message's place that was heard of here; `None` until somebody has read it.
    seq: Option<i64>,
    /// Where the database was at the last look, if that was further: it may have been on its way.
    suspected: Option<i64>,
    /// The latest change that was heard of here.
    rev: i64,
    /// The same for changes as `suspected` for messages.
    suspected_rev: Option<i64>,
    /// Those who lost the right to listen, up to this number, have been told.
    checked: i64,
}

/// What a look at the database says of a watched room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    /// The number up to which those who lost the right to listen were told, if there are later ones.
    pub(super) unchecked: Option<i64>,
    /// A message was changed and nobody told of it.
    pub(super) has_missed_change: bool,
}

/// Everybody who follows something.
#[derive(Default)]
pub(super) struct Watchers {
    next: AtomicU64,
    /// Each room's own lock is held while its watchers are told, the map's is not.
    rooms: Mutex<HashMap<RoomId, Arc<Mutex<Watched>>>>,
    users: Mutex<HashMap<UserId, Mailboxes>>,
    /// Rooms with news that found the queue full.
    behind: Mutex<HashSet<RoomId>>,
    metrics: Metrics,
}

/// A panic leaves these maps as they were: none is ever half changed.
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

    /// The rooms that are watched.
    pub(super) fn watched(&self) -> Vec<RoomId> {
        lock(&self.rooms).keys().copied().collect()
    }

    /// Takes note of the event, if anybody watches the room.
    pub(super) fn hears(&self, room: RoomId, event: &Event) -> bool {
        let Some(watched) = self.room(room) else { return false };
        if let Event::Frame(frame) = event
            && let Some(rev) = frame.rev
        {
            let mut watched = lock(&watched);
            watched.rev = watched.rev.max(rev);
            if let Some(news) = &frame.news {
                watched.seq = watched.seq.map(|seq| seq.max(news.seq));
            }
        }
        true
    }

    /// One of the room's watchers has read, since it watches, how far the room was.
    pub(super) fn know(&self, room: RoomId, head: RoomPosition) {
        if let Some(watched) = self.room(room) {
            let mut watched = lock(&watched);
            if watched.seq.is_none() {
                (watched.seq, watched.checked) = (Some(head.seq), head.access_rev);
                watched.rev = watched.rev.max(head.rev);
            }
        }
    }

    /// The database is so far. What it had at the last look and is not heard of yet was
    /// missed: of messages, the watchers are told here.
    pub(super) fn learn(&self, room: RoomId, head: RoomPosition) -> Learned {
        let Some(watched) = self.room(room) else { return Learned::default() };
        let mut watched = lock(&watched);
        let Some(told) = watched.seq else { return Learned::default() };
        let mut has_missed_change = false;
        if watched.suspected.is_some_and(|suspected| suspected > told) {
            // Whoever looks for the messages sees the room's last state, changes and all.
            (watched.seq, watched.suspected) = (Some(head.seq.max(told)), None);
            (watched.rev, watched.suspected_rev) = (head.rev.max(watched.rev), None);
            watched.mailboxes.values().for_each(|mailbox| mailbox.put(Signal::Missed(room)));
        } else if watched.suspected_rev.is_some_and(|suspected| suspected > watched.rev) && head.seq == told {
            has_missed_change = true;
            (watched.rev, watched.suspected_rev) = (head.rev, None);
        } else {
            watched.suspected = (head.seq > told).then_some(head.seq);
            watched.suspected_rev = (head.rev > watched.rev).then_some(head.rev);
        }
        let unchecked = (head.access_rev > watched.checked).then_some(watched.checked);
        Learned { unchecked, has_missed_change }
    }

    /// Everybody who lost the right to listen up to this number was told.
    pub(super) fn set_checked(&self, room: RoomId, access_rev: i64) {
        if let Some(watched) = self.room(room) {
            let mut watched = lock(&watched);
            watched.checked = watched.checked.max(access_rev);
        }
    }

    fn room(&self, room: RoomId) -> Option<Arc<Mutex<Watched>>> {
        lock(&self.rooms).get(&room).cloned()
    }

    pub(super) fn tell_user(&self, user: UserId, event: UserEvent) {
        for mailbox in lock(&self.users).get(&user).into_iter().flat_map(HashMap::values) {
            mailbox.put(Signal::User(event));
        }
    }

    fn tell_room(&self, room: RoomId, signal: &Signal) {
        if let Some(watched) = self.room(room) {
            lock(&watched).mailboxes.values().for_each(|mailbox| mailbox.put(signal.clone()));
        }
    }

    pub(super) fn fall_behind(&self, room: RoomId) {
        lock(&self.behind).insert(room);
    }
}

/// The news of all watched rooms, in each room's order, for the task that tells the watchers.
pub struct WatchedRooms {
    queue: queue::Receiver<(RoomId, Tidings)>,
    watchers: Arc<Watchers>,
}

impl WatchedRooms {
    pub(super) fn new(queue: queue::Receiver<(RoomId, Tidings)>, watchers: Arc<Watchers>) -> Self {
        Self { queue, watchers }
    }

    /// What has come since the last call, waiting for the first; `None` once the hub is gone.
    pub async fn next(&mut self) -> Option<Vec<(RoomId, Tidings)>> {
        let mut news = vec![self.queue.recv().await?];
        while news.len() < BATCH
            && let Some(more) = self.queue.try_recv()
        {
            news.push(more);
        }
        for room in std::mem::take(&mut *lock(&self.watchers.behind)) {
            self.tell(room, &Signal::Missed(room));
            news.push((room, Tidings::Changed { frame: None }));
        }
        Some(news)
    }

    /// Tells everyone who watches `room`.
    pub fn tell(&self, room: RoomId, signal: &Signal) {
        self.watchers.tell_room(room, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;

    use super::*;
    use crate::{
        hub::{Audience, Frame, Hub},
        model::{Code, UserId},
    };

    fn closed() -> Event {
        Event::Close { user: None, code: Code::NotFound }
    }

    #[tokio::test]
    async fn watchers_that_the_queue_has_no_place_for_are_told_that_they_missed_something() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
        let mut rooms = hub.watched_rooms();
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        inbox.watch(RoomId(2));
        for _ in 0..TIDINGS {
            hub.publish(RoomId(1), closed());
        }
        hub.publish(RoomId(2), closed());
        let news = rooms.next().await.expect("news");
        assert_eq!(news.len(), BATCH + 1);
        let last = news.last().expect("news");
        assert!(matches!(last, (RoomId(2), Tidings::Changed { frame: None })), "it may have been a change");
        assert!(matches!(inbox.next().await, Ok(Signal::Missed(RoomId(2)))));
    }

    #[tokio::test]
    async fn what_the_database_had_at_the_last_look_and_nobody_told_of_was_missed() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        let head = |seq| RoomPosition { rev: seq, seq, access_rev: 3 };
        assert_eq!(hub.learn(RoomId(1), head(9)), None, "nobody has read how far it is");
        inbox.know(RoomId(1), RoomPosition { rev: 4, seq: 4, access_rev: 2 });
        assert_eq!(hub.learn(RoomId(1), head(4)), Some(2), "somebody lost the right to listen");
        hub.set_checked(RoomId(1), head(4));
        // On its way at the first look, not at the second.
        assert_eq!(hub.learn(RoomId(1), head(5)), None);
        let mut arrived = Frame::serialised(Bytes::new(), Some(5), Audience::Everyone);
        arrived.news = Some(Arc::new(News { seq: 5, mentioned: Vec::new() }));
        hub.publish(RoomId(1), Event::Frame(arrived));
        hub.learn(RoomId(1), head(6));
        assert!(inbox.next().now_or_never().is_none(), "it may be on its way");
        hub.learn(RoomId(1), head(7));
        assert!(matches!(inbox.next().now_or_never(), Some(Ok(Signal::Missed(RoomId(1))))));
        hub.learn(RoomId(1), head(7));
        assert!(inbox.next().now_or_never().is_none(), "told once");
    }

    #[tokio::test]
    async fn a_change_that_the_database_had_at_the_last_look_and_nobody_told_of_is_news() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
        let mut rooms = hub.watched_rooms();
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        inbox.watch(RoomId(1));
        let head = |rev| RoomPosition { rev, seq: 4, access_rev: 0 };
        inbox.know(RoomId(1), head(5));
        hub.learn(RoomId(1), head(6));
        assert!(rooms.next().now_or_never().is_none(), "it may be on its way");
        let told = Frame::serialised(Bytes::from_static(b"{}"), Some(6), Audience::Everyone);
        hub.publish(RoomId(1), Event::Frame(told));
        let news = rooms.next().now_or_never().flatten().expect("news");
        assert!(matches!(news[..], [(RoomId(1), Tidings::Changed { frame: Some(_) })]), "{news:?}");
        hub.learn(RoomId(1), head(6));
        assert!(rooms.next().now_or_never().is_none(), "it was told");
        hub.learn(RoomId(1), head(7));
        hub.learn(RoomId(1), head(7));
        let news = rooms.next().now_or_never().flatten().expect("news");
        assert!(matches!(news[..], [(RoomId(1), Tidings::Changed { frame: None })]), "{news:?}");
        hub.learn(RoomId(1), head(7));
        assert!(rooms.next().now_or_never().is_none(), "once");
    }

    #[tokio::test]
    async fn only_watched_rooms_make_news() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
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
