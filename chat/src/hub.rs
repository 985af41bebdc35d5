//! Who listens, and handing each event to all of them.
//!
//! A room in use has one ring of shared events; each socket reads it at its own
//! pace. A frame is serialised once, whatever the number of sockets. A reader that
//! falls a whole ring behind is told so ([`Lagged`]) and has to resume from the
//! database; nothing is skipped in silence. The hub knows no rules and no SQL.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::model::{Code, RoomId, ServerFrame, UserId, UserRef};

mod room;

pub use room::{Lagged, Subscription};

/// What is handed to the sockets of a room.
#[derive(Clone, Debug)]
pub enum Event {
    /// A frame to send.
    Frame(Frame),
    /// Sockets to close, with the reason to say first.
    Close {
        /// Whose; `None`: everyone's.
        user: Option<UserId>,
        /// The reason.
        code: Code,
    },
}

/// A frame, serialised.
#[derive(Clone, Debug)]
pub struct Frame {
    /// JSON in UTF-8.
    pub json: Bytes,
    /// The room's change number, for changes that are stored.
    pub rev: Option<i64>,
    /// Who gets it.
    pub audience: Audience,
}

/// Which sockets of the room get a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All of them.
    Everyone,
    /// Those of other users than this one.
    Others(UserId),
}

impl Frame {
    /// Serialises `frame`; `None` only if serde fails, which our own types do not.
    pub fn new(frame: &ServerFrame, rev: Option<i64>, audience: Audience) -> Option<Self> {
        match serde_json::to_vec(frame) {
            Ok(json) => Some(Self { json: Bytes::from(json), rev, audience }),
            Err(error) => {
                tracing::error!(%error, "a frame could not be serialised");
                None
            }
        }
    }
}

/// The rooms that have sockets on this node. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: Mutex<HashMap<RoomId, Arc<room::Channel>>>,
    ring: usize,
}

impl Hub {
    /// A hub whose rooms keep `ring` events for slow readers.
    pub fn new(ring: usize) -> Self {
        Self { inner: Arc::new(Inner { rooms: Mutex::default(), ring }) }
    }

    /// Listens to `room` on behalf of `user`. Nobody is told until
    /// [`Subscription::set_present`].
    pub fn subscribe(&self, room: RoomId, user: UserRef) -> Subscription {
        let mut rooms = self.rooms();
        let channel = rooms.entry(room).or_insert_with(|| Arc::new(room::Channel::new(self.inner.ring)));
        Subscription::new(self.clone(), room, user, Arc::clone(channel))
    }

    /// Hands `event` to everyone listening to `room`. Events of one room must be
    /// published in the order of their commits.
    pub fn publish(&self, room: RoomId, event: Event) {
        if let Some(channel) = self.channel(room) {
            channel.send(event);
        }
    }

    /// Serialises `frame` and publishes it, if anybody listens at all.
    pub fn publish_frame(&self, room: RoomId, frame: &ServerFrame, rev: Option<i64>, audience: Audience) {
        if let Some(channel) = self.channel(room)
            && let Some(frame) = Frame::new(frame, rev, audience)
        {
            channel.send(Event::Frame(frame));
        }
    }

    /// Does anybody on this node listen to `room`?
    pub fn is_listening(&self, room: RoomId) -> bool {
        self.rooms().contains_key(&room)
    }

    /// Closes every socket of `user` in every room of this node.
    pub fn close_user(&self, user: UserId, code: Code) {
        for channel in self.rooms().values() {
            channel.send(Event::Close { user: Some(user), code });
        }
    }

    /// How many sockets are open, and in how many rooms.
    pub fn counts(&self) -> (usize, usize) {
        let rooms = self.rooms();
        (rooms.values().map(|channel| channel.listeners()).sum(), rooms.len())
    }

    fn channel(&self, room: RoomId) -> Option<Arc<room::Channel>> {
        self.rooms().get(&room).cloned()
    }

    /// Forgets the room when its last listener has gone.
    fn unsubscribe(&self, room: RoomId, receiver: broadcast::Receiver<Event>) {
        let mut rooms = self.rooms();
        drop(receiver);
        if rooms.get(&room).is_some_and(|channel| channel.listeners() == 0) {
            rooms.remove(&room);
        }
    }

    /// A panic while the lock was held leaves the map as it was: it is never half changed.
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<room::Channel>>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
