//! Who listens, and handing each event to all of them.
//!
//! A room in use has one ring of shared events; each socket reads it at its own
//! pace. A frame is serialised once, whatever the number of sockets. A reader that
//! falls a whole ring behind is told so ([`Lagged`]) and has to resume from the
//! database; nothing is skipped in silence. Sockets for notifications follow many rooms,
//! and hear of each only what concerns those who do not look at it: see [`Inbox`].
//!
//! Every event, of rooms and of users, goes out through [`Hub::send`], and comes in to
//! this node's listeners through [`Hub::hand_out`]. The hub knows no rules and no SQL.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc};

use crate::{
    figures::Figures,
    model::{Code, ReadMark, RoomId, ServerFrame, UserId, UserRef},
};

mod inbox;
mod reads;
mod room;
mod watchers;

pub use inbox::{Arrival, Inbox, Signal};
pub use room::{Lagged, Subscription};
pub use watchers::{Tidings, WatchedRooms};

/// An event, and whom it is for.
#[derive(Clone, Debug)]
pub enum Publication {
    /// Those who listen to a room.
    Room(RoomId, Event),
    /// The same, of somebody who has read up to here.
    Read(RoomId, ReadMark),
    /// All sockets of a user.
    User(UserId, UserEvent),
}

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

/// What is told to a user wherever they are. It says where to look, not what is there:
/// the database has that, and what was read there later is never older than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserEvent {
    /// Their place in this room has changed: membership, role, what they have read.
    Room(RoomId),
    /// They have read everything everywhere.
    Rooms,
    /// They have a new notification that is a row, of this number.
    Notice(i64),
    /// Their sockets are to be closed, all of them, with the reason to say first.
    Close(Code),
}

/// What a new message is to those who do not look at its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its place.
    pub seq: i64,
    /// Whom it mentions.
    pub mentioned: Vec<UserId>,
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
    /// With a new message alone.
    pub news: Option<Arc<News>>,
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
            Ok(json) => Some(Self { json: Bytes::from(json), rev, audience, news: None }),
            Err(error) => {
                tracing::error!(%error, "a frame could not be serialised");
                None
            }
        }
    }
}

/// Who has sockets on this node. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: Mutex<HashMap<RoomId, Arc<room::Channel>>>,
    watchers: Arc<watchers::Watchers>,
    /// Where the news of watched rooms goes, once somebody reads it.
    tidings: OnceLock<mpsc::Sender<(RoomId, Tidings)>>,
    ring: usize,
    figures: Figures,
}

impl Hub {
    /// A hub whose rooms keep `ring` events for slow readers.
    pub fn new(ring: usize) -> Self {
        let inner = Inner {
            rooms: Mutex::default(),
            watchers: Arc::default(),
            tidings: OnceLock::new(),
            ring,
            figures: Figures::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Listens to `room` on behalf of `user`. Nobody is told until
    /// [`Subscription::set_present`].
    pub fn subscribe(&self, room: RoomId, user: UserRef) -> Subscription {
        let mut rooms = self.rooms();
        let channel = rooms.entry(room).or_insert_with(|| {
            self.inner.figures.rooms.increment(1);
            Arc::new(room::Channel::new(self.inner.ring))
        });
        Subscription::new(self.clone(), room, user, Arc::clone(channel))
    }

    /// Listens to what is told to `user`, and to the rooms that it will [`Inbox::watch`].
    pub fn subscribe_user(&self, user: UserId) -> Inbox {
        Inbox::new(Arc::clone(&self.inner.watchers), user)
    }

    /// What happens in the rooms that somebody watches. To be called once, by whoever
    /// hands it on to the watchers.
    pub fn watched_rooms(&self) -> WatchedRooms {
        let (sender, receiver) = mpsc::channel(watchers::TIDINGS);
        // The queue of a second caller is closed from the start.
        let _ = self.inner.tidings.set(sender);
        WatchedRooms::new(receiver, Arc::clone(&self.inner.watchers))
    }

    /// Publishes `event` to everyone listening to `room`. Events of one room must be
    /// published in the order of their commits.
    pub fn publish(&self, room: RoomId, event: Event) {
        self.send(Publication::Room(room, event));
    }

    /// Publishes to everyone listening to `room` how far somebody has read; in a room of
    /// many a moment later, and of several marks of one reader only the last.
    pub fn publish_read(&self, room: RoomId, mark: ReadMark) {
        self.send(Publication::Read(room, mark));
    }

    /// Publishes `event` to all sockets of `user`, after its commit.
    pub fn publish_user(&self, user: UserId, event: UserEvent) {
        self.send(Publication::User(user, event));
    }

    /// Serialises `frame` and publishes it, if anybody listens at all.
    pub fn publish_frame(&self, room: RoomId, frame: &ServerFrame, rev: Option<i64>, audience: Audience) {
        if self.rooms().contains_key(&room)
            && let Some(frame) = Frame::new(frame, rev, audience)
        {
            self.publish(room, Event::Frame(frame));
        }
    }

    /// The way out, which every publication takes.
    fn send(&self, publication: Publication) {
        self.hand_out(publication);
    }

    /// Hands a publication to those on this node whom it is for.
    fn hand_out(&self, publication: Publication) {
        match publication {
            Publication::Room(room, event) => {
                if self.inner.watchers.is_watched(room)
                    && let Some(tidings) = Tidings::of(&event)
                    && let Some(queue) = self.inner.tidings.get()
                    && queue.try_send((room, tidings)).is_err()
                {
                    self.inner.figures.overlooked.increment(1);
                    self.inner.watchers.fall_behind(room);
                }
                if let Some(channel) = self.channel(room) {
                    channel.send(event);
                }
            }
            Publication::Read(room, mark) => {
                if let Some(channel) = self.channel(room) {
                    channel.read(mark);
                }
            }
            Publication::User(user, event) => {
                self.inner.watchers.tell_user(user, event);
                if let UserEvent::Close(code) = event {
                    for channel in self.rooms().values() {
                        channel.send(Event::Close { user: Some(user), code });
                    }
                }
            }
        }
    }

    /// Does anybody on this node listen to `room`, or watch it?
    pub fn is_listening(&self, room: RoomId) -> bool {
        self.rooms().contains_key(&room) || self.inner.watchers.is_watched(room)
    }

    /// Who of these is here, in `room`.
    pub fn present(&self, room: RoomId, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        self.channel(room).map(|channel| channel.present(people)).unwrap_or_default()
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
            self.inner.figures.rooms.decrement(1);
        }
    }

    /// A panic while the lock was held leaves the map as it was: it is never half changed.
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<room::Channel>>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
