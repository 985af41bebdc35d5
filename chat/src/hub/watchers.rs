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
    event::{ChangeKind, NewMessageNotice, StoredChange, UserEvent},
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
    MessageChanged {
        /// The room's frame, JSON in UTF-8.
        frame: Bytes,
    },
    /// The room itself changed.
    Room {
        /// The room's frame, JSON in UTF-8.
        frame: Bytes,
    },
    /// Changes were missed that are not new messages.
    Missed {
        /// Whether one may be of the newest message.
        has_message: bool,
        /// Whether one may be of the room itself.
        has_room: bool,
    },
    /// The room was deleted.
    Closed,
}

impl RoomNews {
    /// The news in a change of a room, if any.
    pub(super) fn of(change: &StoredChange) -> Option<Self> {
        let frame = || change.json.clone();
        match &change.kind {
            ChangeKind::NewMessage(message) => {
                Some(Self::Message { frame: frame(), message: Arc::clone(message) })
            }
            ChangeKind::MessageChanged => Some(Self::MessageChanged { frame: frame() }),
            ChangeKind::Room { closes: None } => Some(Self::Room { frame: frame() }),
            ChangeKind::Room { closes: Some(_) } => Some(Self::Closed),
            // A user learns of their own memberships from their own stream.
            ChangeKind::Member(_) | ChangeKind::Resync => None,
        }
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Message { frame, .. } | Self::MessageChanged { frame } | Self::Room { frame } => {
                frame.len()
            }
            Self::Missed { .. } | Self::Closed => 0,
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
    /// The latest change of the room itself seen here.
    info_rev: i64,
    /// Like `unconfirmed_seq`, for changes of the room itself.
    unconfirmed_info_rev: Option<i64>,
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

    /// The users with a notification socket.
    pub(super) fn users(&self) -> Vec<UserId> {
        lock(&self.users).keys().copied().collect()
    }

    /// Records the position of a change. True if the room is watched.
    pub(super) fn observe(&self, room: RoomId, change: &StoredChange) -> bool {
        let Some(watched) = self.room(room) else { return false };
        let mut watched = lock(&watched);
        watched.rev = watched.rev.max(change.rev);
        match &change.kind {
            ChangeKind::NewMessage(message) => {
                watched.seq = watched.seq.map(|seq| seq.max(message.seq));
            }
            ChangeKind::Room { .. } => watched.info_rev = watched.info_rev.max(change.rev),
            ChangeKind::MessageChanged | ChangeKind::Member(_) | ChangeKind::Resync => {}
        }
        true
    }

    /// Sets the position of a room, from counters read since it is watched.
    pub(super) fn set_position(&self, room: RoomId, counters: RoomCounters) {
        if let Some(watched) = self.room(room) {
            let mut watched = lock(&watched);
            if watched.seq.is_none() {
                watched.seq = Some(counters.seq);
                watched.rev = watched.rev.max(counters.rev);
                watched.info_rev = watched.info_rev.max(counters.info_rev);
            }
        }
    }

    /// Applies the counters of a poll. Anything that the previous poll had found and that has not been seen since was
    /// missed. For messages, the watchers are notified here; the news is of other changes.
    pub(super) fn apply_poll(&self, room: RoomId, counters: RoomCounters) -> Option<RoomNews> {
        let watched = self.room(room)?;
        let mut watched = lock(&watched);
        let seen = watched.seq?;
        let was_missed = |unconfirmed: Option<i64>, seen: i64| unconfirmed.is_some_and(|rev| rev > seen);
        let has_room = was_missed(watched.unconfirmed_info_rev, watched.info_rev);
        watched.unconfirmed_info_rev = (counters.info_rev > watched.info_rev).then_some(counters.info_rev);
        if has_room {
            (watched.info_rev, watched.unconfirmed_info_rev) = (counters.info_rev, None);
        }
        let mut has_message = false;
        if was_missed(watched.unconfirmed_seq, seen) {
            // Each message has one change. One more may be of a message that the user's own stream has told of.
            has_message = counters.rev - watched.rev != counters.seq - seen;
            (watched.seq, watched.unconfirmed_seq) = (Some(counters.seq.max(seen)), None);
            (watched.rev, watched.unconfirmed_rev) = (counters.rev.max(watched.rev), None);
            watched.mailboxes.values().for_each(|mailbox| mailbox.put(InboxEvent::Missed(room)));
        } else if was_missed(watched.unconfirmed_rev, watched.rev) && counters.seq == seen {
            has_message = true;
            (watched.rev, watched.unconfirmed_rev) = (counters.rev, None);
        } else {
            watched.unconfirmed_seq = (counters.seq > seen).then_some(counters.seq);
            watched.unconfirmed_rev = (counters.rev > watched.rev).then_some(counters.rev);
        }
        (has_message || has_room).then_some(RoomNews::Missed { has_message, has_room })
    }

    fn room(&self, room: RoomId) -> Option<Arc<Mutex<Watched>>> {
        lock(&self.rooms).get(&room).cloned()
    }

    pub(super) fn notify_user(&self, user: UserId, event: UserEvent) {
        for mailbox in lock(&self.users).get(&user).into_iter().flat_map(HashMap::values) {
            mailbox.put(InboxEvent::User(event));
        }
    }

    pub(super) fn notify_room(&self, room: RoomId, event: &InboxEvent) {
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
            news.push((room, RoomNews::Missed { has_message: true, has_room: true }));
        }
        Some(news)
    }

    /// Notifies all watchers of `room`.
    pub fn notify(&self, room: RoomId, event: &InboxEvent) {
        self.watchers.notify_room(room, event);
    }
}

#[cfg(test)]
mod tests;
