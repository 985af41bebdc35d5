//! Who listens, and handing each event to all of them, on this node and on the others.
//!
//! A room in use has one ring of shared events; each socket reads it at its own
//! pace. A frame is serialised once, whatever the number of sockets and nodes. Stored changes
//! enter the ring in their order, each once ([`sequence`]). A reader that
//! falls a whole ring behind is told so ([`Lagged`]) and has to resume from the
//! database; no stored change is skipped in silence. What is volatile (typing, presence, read
//! receipts) has a lane of its own beside the ring (`room/volatile.rs`), in which a newer frame replaces an older one. Sockets for notifications follow many rooms,
//! and hear of each only what concerns those who do not look at it: see [`Inbox`].
//!
//! Every event, of rooms and of users, goes out through [`Hub::send`], and comes in to
//! this node's listeners through [`Hub::hand_out`], from here or from another node. The hub
//! knows no rules and no SQL: what takes the database is an [`Errand`].

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    bus::{
        Addresses, Bus, Topic,
        wire::{self, Message, NodeId},
    },
    metrics::Metrics,
    model::{ReadMark, RoomId, ServerFrame, UserId, UserRef},
    queue,
};

mod event;
mod exchange;
mod inbox;
mod look;
mod open_sockets;
mod peers;
mod presence;
mod reads;
mod room;
mod sequence;
mod watchers;

pub use event::{Audience, Event, Frame, Known, News, Publication, UserEvent};
pub use inbox::{Arrival, Inbox, Signal};
pub use look::{Errand, RoomPosition};
pub use open_sockets::{OpenSocket, OpenSockets};
use room::volatile::Slot;
pub use room::{Filling, Lagged, Subscription};
pub use watchers::{Tidings, WatchedRooms};

/// Who has sockets on this node, and the way to the other nodes. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: Mutex<HashMap<RoomId, Arc<room::Channel>>>,
    watchers: Arc<watchers::Watchers>,
    /// Where the news of watched rooms goes, once somebody reads it.
    tidings: OnceLock<queue::Sender<(RoomId, Tidings)>>,
    ring: usize,
    signal_interval: Duration,
    metrics: Metrics,
    /// Whoever runs the errands. Never full for long: each room has at most one of a kind.
    errands: mpsc::UnboundedSender<Errand>,
    /// Not there where one node is the whole system.
    bus: OnceLock<Bus>,
    node: NodeId,
    open_sockets: OpenSockets,
    /// How many times a room came into use.
    lives: AtomicU32,
    peers: peers::Peers,
}

impl Hub {
    /// A hub whose rooms keep `ring` events for slow readers, and its errands. Of each user's typing in a
    /// room and of their comings and goings one is told in a `signal_interval`.
    pub fn new(ring: usize, signal_interval: Duration) -> (Self, mpsc::UnboundedReceiver<Errand>) {
        let (errands, receiver) = mpsc::unbounded_channel();
        let inner = Inner {
            rooms: Mutex::default(),
            watchers: Arc::default(),
            tidings: OnceLock::new(),
            ring,
            signal_interval,
            metrics: Metrics::default(),
            errands,
            bus: OnceLock::new(),
            node: NodeId::random(),
            open_sockets: OpenSockets::default(),
            lives: AtomicU32::new(0),
            peers: peers::Peers::default(),
        };
        (Self { inner: Arc::new(inner) }, receiver)
    }

    /// Joins the other nodes of the system called `system`.
    pub(crate) fn join(&self, addresses: Addresses, system: &str) {
        let start = || Bus::start(addresses, system, self.inner.node, Arc::new(self.clone()));
        let bus = self.inner.bus.get_or_init(start);
        bus.want(Topic::Nodes);
    }

    /// The way to the other nodes, where there are any.
    pub fn bus(&self) -> Option<&Bus> {
        self.inner.bus.get()
    }

    /// Listens to `room` on behalf of `user`, from the return on to other nodes too. Stored
    /// changes come after [`Subscription::begin`]. Nobody is told
    /// until [`Subscription::set_present`].
    pub async fn subscribe(&self, room: RoomId, user: UserRef) -> Subscription {
        let subscription = {
            let mut rooms = self.rooms();
            let channel = rooms.entry(room).or_insert_with(|| {
                self.want(Topic::Room(room));
                self.inner.metrics.rooms.increment(1);
                let life = self.inner.lives.fetch_add(1, Ordering::Relaxed) + 1;
                let presence = presence::Presence::new(self.inner.node, life);
                let Inner { ring, signal_interval, errands, .. } = &*self.inner;
                Arc::new(room::Channel::new(room, *ring, *signal_interval, errands.clone(), presence))
            });
            Subscription::new(self.clone(), user, Arc::clone(channel))
        };
        self.until_heard([Topic::Room(room)]).await;
        subscription.ask_first();
        subscription
    }

    /// Listens to what is told to `user`, from the return on to other nodes too, and to the
    /// rooms that it will [`Inbox::watch`].
    pub async fn subscribe_user(&self, user: UserId) -> Inbox {
        let inbox = Inbox::new(self.clone(), user);
        self.until_heard([Topic::User(user)]).await;
        inbox
    }

    /// What happens in the rooms that somebody watches. To be called once, by whoever
    /// hands it on to the watchers.
    pub fn watched_rooms(&self) -> WatchedRooms {
        let (sender, receiver) = queue::bounded(watchers::TIDINGS, watchers::TIDINGS_BYTES);
        // The queue of a second caller is closed from the start.
        let _ = self.inner.tidings.set(sender);
        WatchedRooms::new(receiver, Arc::clone(&self.inner.watchers))
    }

    /// Publishes `event` to everyone listening to `room`, after its commit.
    pub fn publish(&self, room: RoomId, event: Event) {
        self.send(Publication::Room(room, event));
    }

    /// Publishes to everyone listening to `room` how far somebody has read; in a room of
    /// many a moment later, and of several marks of one reader only the last.
    pub fn publish_read(&self, room: RoomId, mark: ReadMark) {
        self.send(Publication::Read(room, mark));
    }

    /// Publishes to everyone else who listens to `room` that `user` begins or ceases to type.
    pub(super) fn publish_typing(&self, room: RoomId, user: UserRef, is_typing: bool) {
        self.send(Publication::Typing { room, user, is_typing });
    }

    /// Publishes `event` to all sockets of `user`, after its commit.
    pub fn publish_user(&self, user: UserId, event: UserEvent) {
        self.send(Publication::User(user, event));
    }

    /// Lets the other nodes look at once which credentials have ended; without it they do so within a second.
    pub fn publish_credential_end(&self) {
        if let Some(bus) = self.bus() {
            bus.publish(Topic::Nodes, Message::Signal(wire::Signal::CredentialEnded));
        }
    }

    /// The open sockets of this node, by credential.
    pub fn open_sockets(&self) -> &OpenSockets {
        &self.inner.open_sockets
    }

    /// Serialises `frame` and publishes it, if anybody may listen at all.
    pub fn publish_frame(&self, room: RoomId, frame: &ServerFrame, rev: Option<i64>, audience: Audience) {
        if self.is_wanted(room)
            && let Some(frame) = Frame::new(frame, rev, audience)
        {
            self.publish(room, Event::Frame(frame));
        }
    }

    /// The way out, which every publication takes.
    fn send(&self, publication: Publication) {
        if let Some(bus) = self.bus() {
            let (topic, message) = exchange::parcel(&publication);
            bus.publish(topic, message);
        }
        self.hand_out(publication);
    }

    /// Hands a publication to those on this node whom it is for.
    pub(crate) fn hand_out(&self, publication: Publication) {
        match publication {
            Publication::Room(room, mut event) => {
                if self.inner.watchers.hears(room, &event)
                    && let Some(tidings) = Tidings::of(&event)
                {
                    self.tell_watchers(room, tidings);
                }
                if let Some(channel) = self.channel(room) {
                    // Every socket would count it, and none looks at it.
                    if let Event::Frame(frame) = &mut event {
                        frame.news = None;
                    }
                    channel.send(event);
                }
            }
            Publication::Read(room, mark) => {
                if let Some(channel) = self.channel(room) {
                    channel.read(mark, self);
                }
            }
            Publication::Typing { room, user, is_typing } => {
                let (slot, audience) = (Slot::Typing(user.id), Audience::Others(user.id));
                if let Some(channel) = self.channel(room)
                    && let Some(frame) = Frame::new(&ServerFrame::Typing { user, is_typing }, None, audience)
                {
                    channel.show(slot, 0, frame, self);
                }
            }
            Publication::User(user, event) => self.inner.watchers.tell_user(user, event),
        }
    }

    /// Queues what those who watch `room` are told. Waits for nothing: where the queue is full they are told later
    /// that they have missed something.
    fn tell_watchers(&self, room: RoomId, tidings: Tidings) {
        let bytes = tidings.bytes();
        if let Some(queue) = self.inner.tidings.get()
            && queue.try_send((room, tidings), bytes).is_err()
        {
            self.inner.metrics.overlooked.increment(1);
            self.inner.watchers.fall_behind(room);
        }
    }

    /// May anybody listen to `room`, here or on another node?
    pub fn is_wanted(&self, room: RoomId) -> bool {
        self.bus().is_some_and(Bus::is_up) || self.is_listening(room)
    }

    /// Does anybody on this node listen to `room`, or watch it?
    pub fn is_listening(&self, room: RoomId) -> bool {
        self.rooms().contains_key(&room) || self.inner.watchers.is_watched(room)
    }

    /// Who of these is here, in `room`, on any node as far as this one knows.
    pub fn present(&self, room: RoomId, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        self.channel(room).map(|channel| channel.present(people)).unwrap_or_default()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
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
    fn unsubscribe(&self, room: RoomId, receiver: room::Reader) {
        let mut rooms = self.rooms();
        drop(receiver);
        self.forget_if_over(&mut rooms, room);
    }

    /// Forgets the room if nobody listens to it any more and nothing is left to announce.
    fn forget_unused(&self, room: RoomId) {
        self.forget_if_over(&mut self.rooms(), room);
    }

    fn forget_if_over(&self, rooms: &mut HashMap<RoomId, Arc<room::Channel>>, room: RoomId) {
        if rooms.get(&room).is_some_and(|channel| channel.is_over()) {
            rooms.remove(&room);
            self.inner.metrics.rooms.decrement(1);
            self.release(Topic::Room(room));
        }
    }

    /// Listens to what other nodes say of the topic, until as many calls of [`Self::release`].
    fn want(&self, topic: Topic) {
        if let Some(bus) = self.bus() {
            bus.want(topic);
        }
    }

    fn release(&self, topic: Topic) {
        if let Some(bus) = self.bus() {
            bus.release(topic);
        }
    }

    async fn until_heard(&self, topics: impl IntoIterator<Item = Topic>) {
        if let Some(bus) = self.bus() {
            bus.until_heard(topics).await;
        }
    }

    /// A panic while the lock was held leaves the map as it was: it is never half changed.
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<room::Channel>>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
