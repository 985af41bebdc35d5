//! The inbox of one notification socket: events of its user and of the rooms it watches.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Hub, Lagged, RoomCounters};
use crate::{
    bus::Topic,
    event::{MentionNotice, UserEvent},
    model::{Notification, RoomId, User, UserId},
};

/// Events that may wait for one socket. A client that reads too slowly for this is disconnected; when it comes back
/// it gets the current state.
const MAILBOX_CAPACITY: usize = 512;

/// An event for a notification socket.
#[derive(Clone, Debug)]
pub enum InboxEvent {
    /// A new message in a watched room.
    Message(Arc<MessageNotification>),
    /// A frame for all members of this room, JSON in UTF-8.
    Frame(RoomId, Bytes),
    /// Events of this watched room were missed; read its state from the database.
    Missed(RoomId),
    /// A watched room was deleted.
    Closed(RoomId),
    /// A member of a watched room has new names.
    Renamed(Arc<User>),
    /// An event of the socket's user.
    User(UserEvent),
}

/// A new message, shared by all watchers of its room.
#[derive(Clone, Debug)]
pub struct MessageNotification {
    /// The room.
    pub room: RoomId,
    /// The message's `seq`.
    pub seq: i64,
    /// The author.
    pub sender: UserId,
    /// The users it mentions.
    pub mentioned: Vec<MentionNotice>,
    /// The notification, except for the fields that differ per receiver: its type and reason, and the receiver's role and
    /// unread count in the room.
    pub notification: Notification,
}

/// The bounded queue of one inbox.
pub(super) struct Mailbox {
    sender: mpsc::Sender<InboxEvent>,
    has_overflowed: AtomicBool,
}

impl Mailbox {
    pub(super) fn put(&self, event: InboxEvent) {
        if self.sender.try_send(event).is_err() {
            self.has_overflowed.store(true, Ordering::Relaxed);
        }
    }
}

/// The inbox of one socket. Dropping it unsubscribes.
pub struct Inbox {
    hub: Hub,
    user: UserId,
    id: u64,
    mailbox: Arc<Mailbox>,
    receiver: mpsc::Receiver<InboxEvent>,
    rooms: HashSet<RoomId>,
}

impl Inbox {
    pub(super) fn new(hub: Hub, user: UserId) -> Self {
        let (sender, receiver) = mpsc::channel(MAILBOX_CAPACITY);
        let mailbox = Arc::new(Mailbox { sender, has_overflowed: AtomicBool::new(false) });
        let id = hub.inner.watchers.enter(user, &mailbox);
        hub.subscribe_topic(Topic::User(user));
        Self { hub, user, id, mailbox, receiver, rooms: HashSet::new() }
    }

    /// Watches `room`. Call [`Self::wait_until_subscribed`] before relying on events of other nodes.
    pub fn watch(&mut self, room: RoomId) {
        if self.rooms.insert(room) {
            self.hub.inner.watchers.watch(room, self.id, &self.mailbox);
            self.hub.subscribe_topic(Topic::Room(room));
        }
    }

    /// Waits until the bus is subscribed to all watched rooms, for a bounded time, and not while Redis is away.
    pub async fn wait_until_subscribed(&self) {
        self.hub.wait_until_subscribed(self.rooms.iter().copied().map(Topic::Room)).await;
    }

    /// The room's counters, read after it was watched. Later changes of which no event arrives count as missed.
    pub fn set_position(&self, room: RoomId, counters: RoomCounters) {
        self.hub.inner.watchers.set_position(room, counters);
    }

    /// Stops watching `room`. Events already queued are still returned.
    pub fn unwatch(&mut self, room: RoomId) {
        if self.rooms.remove(&room) {
            self.hub.inner.watchers.unwatch(room, self.id);
            self.hub.unsubscribe_topic(Topic::Room(room));
        }
    }

    /// The next event. Cancel-safe.
    ///
    /// # Errors
    /// [`Lagged`] if the mailbox overflowed.
    pub async fn next(&mut self) -> Result<InboxEvent, Lagged> {
        if self.mailbox.has_overflowed.load(Ordering::Relaxed) {
            return Err(Lagged);
        }
        // It cannot be closed: `mailbox` holds the sender.
        self.receiver.recv().await.ok_or(Lagged)
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<InboxEvent, Lagged>> {
        if self.mailbox.has_overflowed.load(Ordering::Relaxed) {
            return Some(Err(Lagged));
        }
        self.receiver.try_recv().ok().map(Ok)
    }
}

impl Inbox {
    /// Discards what is queued, after [`Lagged`]. The state has to be read from the database after this.
    pub fn restart(&mut self) {
        // First, so that an event that does not fit while the queue is emptied counts as missed.
        self.mailbox.has_overflowed.store(false, Ordering::Relaxed);
        while self.receiver.try_recv().is_ok() {}
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        for room in self.rooms.drain() {
            self.hub.inner.watchers.unwatch(room, self.id);
            self.hub.unsubscribe_topic(Topic::Room(room));
        }
        self.hub.inner.watchers.leave(self.user, self.id);
        self.hub.unsubscribe_topic(Topic::User(self.user));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{event::UserChange, hub::Hub};

    fn event(change: UserChange) -> UserEvent {
        UserEvent { rev: Some(1), change }
    }

    #[tokio::test]
    async fn every_socket_of_the_user_is_notified_and_no_other() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut sockets = [hub.subscribe_user(UserId(1)).await, hub.subscribe_user(UserId(1)).await];
        let mut other = hub.subscribe_user(UserId(2)).await;
        hub.publish_user(UserId(1), event(UserChange::Room(RoomId(3))));
        hub.publish_user(UserId(2), event(UserChange::Unknown));
        for socket in &mut sockets {
            let received = socket.next().await;
            assert!(
                matches!(received, Ok(InboxEvent::User(found)) if found == event(UserChange::Room(RoomId(3)))),
                "{received:?}"
            );
        }
        assert!(
            matches!(other.next().await, Ok(InboxEvent::User(found)) if found == event(UserChange::Unknown))
        );
    }

    #[tokio::test]
    async fn overflowing_mailbox_returns_lagged() {
        let (hub, _requests) = Hub::new(16, Duration::ZERO);
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        for _ in 0..MAILBOX_CAPACITY {
            hub.publish_user(UserId(1), event(UserChange::Unknown));
        }
        assert!(inbox.next().await.is_ok(), "it was just full");
        for _ in 0..2 {
            hub.publish_user(UserId(1), event(UserChange::Unknown));
        }
        assert_eq!(inbox.next().await.err(), Some(Lagged));
    }
}
