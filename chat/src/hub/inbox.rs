//! One socket for notifications: what its user and the rooms it watches tell it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Hub, Lagged, RoomPosition, UserEvent};
use crate::{
    bus::Topic,
    model::{Notification, RoomId, UserId},
};

/// Signals that may wait for one socket. A client that takes none of so many is gone or
/// too slow; it comes back and is told the state instead.
const MAILBOX: usize = 512;

/// What an inbox is told.
#[derive(Clone, Debug)]
pub enum Signal {
    /// Somebody wrote in a watched room.
    Message(Arc<Arrival>),
    /// A frame that is the same for all who are in this room, JSON in UTF-8.
    Frame(RoomId, Bytes),
    /// Something of this watched room was not told: the database has it.
    Missed(RoomId),
    /// A watched room is no more.
    Closed(RoomId),
    /// Something about the user.
    User(UserEvent),
}

/// A new message, as all watchers of its room share it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The room.
    pub room: RoomId,
    /// The message's place.
    pub seq: i64,
    /// Who wrote it.
    pub sender: UserId,
    /// Whom it mentions.
    pub mentioned: Vec<UserId>,
    /// The notification of it, but for what differs from one to the other: its type, and
    /// the receiver's role and unread messages in the room.
    pub notification: Notification,
}

/// Where signals wait.
pub(super) struct Mailbox {
    sender: mpsc::Sender<Signal>,
    is_overfull: AtomicBool,
}

impl Mailbox {
    pub(super) fn put(&self, signal: Signal) {
        if self.sender.try_send(signal).is_err() {
            self.is_overfull.store(true, Ordering::Relaxed);
        }
    }
}

/// One socket's place. Dropping it leaves.
pub struct Inbox {
    hub: Hub,
    user: UserId,
    id: u64,
    mailbox: Arc<Mailbox>,
    receiver: mpsc::Receiver<Signal>,
    rooms: HashSet<RoomId>,
}

impl Inbox {
    pub(super) fn new(hub: Hub, user: UserId) -> Self {
        let (sender, receiver) = mpsc::channel(MAILBOX);
        let mailbox = Arc::new(Mailbox { sender, is_overfull: AtomicBool::new(false) });
        let id = hub.inner.watchers.enter(user, &mailbox);
        hub.want(Topic::User(user));
        Self { hub, user, id, mailbox, receiver, rooms: HashSet::new() }
    }

    /// Hears of `room` from now on; from other nodes once [`Self::settle`] returns.
    pub fn watch(&mut self, room: RoomId) {
        if self.rooms.insert(room) {
            self.hub.inner.watchers.watch(room, self.id, &self.mailbox);
            self.hub.want(Topic::Room(room));
        }
    }

    /// Waits until other nodes are heard of all watched rooms, while Redis is there at all.
    pub async fn settle(&self) {
        self.hub.until_heard(self.rooms.iter().copied().map(Topic::Room)).await;
    }

    /// Since it is watched, the room was read: so far it was. What comes later and is not heard of counts as missed.
    pub fn know(&self, room: RoomId, head: RoomPosition) {
        self.hub.inner.watchers.know(room, head);
    }

    /// Hears of `room` no more, but for what waits already.
    pub fn unwatch(&mut self, room: RoomId) {
        if self.rooms.remove(&room) {
            self.hub.inner.watchers.unwatch(room, self.id);
            self.hub.release(Topic::Room(room));
        }
    }

    /// The next signal. Cancel-safe.
    ///
    /// # Errors
    /// [`Lagged`] once a signal found the mailbox full.
    pub async fn next(&mut self) -> Result<Signal, Lagged> {
        if self.mailbox.is_overfull.load(Ordering::Relaxed) {
            return Err(Lagged);
        }
        // Closed cannot be: `mailbox` holds the sender.
        self.receiver.recv().await.ok_or(Lagged)
    }

    /// The same if it is there already; `None` when it has to be waited for.
    pub fn try_next(&mut self) -> Option<Result<Signal, Lagged>> {
        if self.mailbox.is_overfull.load(Ordering::Relaxed) {
            return Some(Err(Lagged));
        }
        self.receiver.try_recv().ok().map(Ok)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        for room in self.rooms.drain() {
            self.hub.inner.watchers.unwatch(room, self.id);
            self.hub.release(Topic::Room(room));
        }
        self.hub.inner.watchers.leave(self.user, self.id);
        self.hub.release(Topic::User(self.user));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::hub::Hub;

    #[tokio::test]
    async fn every_socket_of_a_user_is_told_and_nobody_elses() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
        let mut sockets = [hub.subscribe_user(UserId(1)).await, hub.subscribe_user(UserId(1)).await];
        let mut other = hub.subscribe_user(UserId(2)).await;
        hub.publish_user(UserId(1), UserEvent::Room(RoomId(3)));
        hub.publish_user(UserId(2), UserEvent::Rooms);
        for socket in &mut sockets {
            let signal = socket.next().await;
            assert!(matches!(signal, Ok(Signal::User(UserEvent::Room(RoomId(3))))), "{signal:?}");
        }
        assert!(matches!(other.next().await, Ok(Signal::User(UserEvent::Rooms))));
    }

    #[tokio::test]
    async fn a_socket_that_takes_nothing_is_told_that_it_lags() {
        let (hub, _errands) = Hub::new(16, Duration::ZERO);
        let mut inbox = hub.subscribe_user(UserId(1)).await;
        for _ in 0..MAILBOX {
            hub.publish_user(UserId(1), UserEvent::Rooms);
        }
        assert!(inbox.next().await.is_ok(), "it was just full");
        for _ in 0..2 {
            hub.publish_user(UserId(1), UserEvent::Rooms);
        }
        assert_eq!(inbox.next().await.err(), Some(Lagged));
    }
}
