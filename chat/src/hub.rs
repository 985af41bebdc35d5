//! Fan-out: delivers each event to the sockets of this node, and forwards it to the other nodes.
//!
//! Each room in use has one ring of shared events, which every socket reads at its own pace. A frame is serialised
//! once, whatever the number of sockets and nodes. Stored changes enter the ring in order, each once ([`sequence`]).
//! A reader that falls a whole ring behind gets [`Lagged`] and must resume from the database; no stored change is
//! skipped silently. Volatile events (typing, presence, read receipts) use a separate lane (`room/volatile.rs`), in
//! which a newer frame replaces an older one. Notification sockets follow many rooms and receive only what concerns a
//! user who does not have the room open: see [`Inbox`].
//!
//! Every event, of a room or of a user, is sent with [`Hub::send`], and reaches the sockets of this node through
//! [`Hub::deliver`], whichever node it comes from. The hub knows no rules and no SQL: work that needs the database is
//! a [`HubRequest`].

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
        wire::{self, BusMessage, NodeId},
    },
    event::{Audience, Frame, Publication, StoredChange, UserEvent},
    metrics::Metrics,
    model::{ReadMark, RoomId, ServerFrame, User, UserId, UserRef},
    queue,
};

mod bus_bridge;
mod identities;
mod inbox;
mod online;
mod open_sockets;
mod peers;
mod poll;
mod presence;
mod room;
mod sequence;
mod watchers;

pub use identities::Identities;
pub use inbox::{Inbox, InboxEvent, MessageNotification};
pub use online::{OnlineReader, OnlineSocket};
pub use open_sockets::{OpenSocket, OpenSockets};
pub use poll::{HubRequest, RoomCounters};
use room::volatile::Slot;
pub use room::{DirectSink, DirectWrite, FrameBatch, GapBackfill, Lagged, Subscription};
pub use watchers::{RoomNews, WatchedRooms};

/// The sockets of this node and the bus to the other nodes. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: Mutex<HashMap<RoomId, Arc<room::Channel>>>,
    watchers: Arc<watchers::Watchers>,
    /// The queue of news of watched rooms; set by [`Hub::watched_rooms`].
    news: OnceLock<queue::Sender<(RoomId, RoomNews)>>,
    ring: usize,
    signal_interval: Duration,
    metrics: Metrics,
    /// Unbounded, but small: each room has at most one pending request of a kind.
    requests: mpsc::UnboundedSender<HubRequest>,
    /// Unset when this is the only node.
    bus: OnceLock<Bus>,
    node: NodeId,
    open_sockets: OpenSockets,
    online: online::Online,
    identities: Identities,
    /// Counts how many times a room came into use; source of [`wire::Version::epoch`].
    epochs: AtomicU32,
    peers: peers::Peers,
}

impl Hub {
    /// A hub whose rooms keep `ring` events for slow readers, and the receiver of its requests. Typing and presence
    /// changes of one user in one room are each announced at most once per `signal_interval`.
    pub fn new(ring: usize, signal_interval: Duration) -> (Self, mpsc::UnboundedReceiver<HubRequest>) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let node = NodeId::random();
        let inner = Inner {
            rooms: Mutex::default(),
            watchers: Arc::default(),
            news: OnceLock::new(),
            ring,
            signal_interval,
            metrics: Metrics::default(),
            requests,
            bus: OnceLock::new(),
            node,
            open_sockets: OpenSockets::default(),
            online: online::Online::new(node),
            identities: Identities::default(),
            epochs: AtomicU32::new(0),
            peers: peers::Peers::default(),
        };
        (Self { inner: Arc::new(inner) }, receiver)
    }

    /// Connects to the other nodes of the system named `system`.
    pub(crate) fn join(&self, addresses: Addresses, system: &str) {
        let start = || Bus::start(addresses, system, self.inner.node, Arc::new(self.clone()));
        let bus = self.inner.bus.get_or_init(start);
        bus.subscribe(Topic::Nodes);
    }

    /// The bus to the other nodes; `None` when this is the only node.
    pub fn bus(&self) -> Option<&Bus> {
        self.inner.bus.get()
    }

    /// Subscribes `user` to `room`. Waits, for a bounded time, until the bus is subscribed too. Stored changes are
    /// delivered only after [`Subscription::start`]; the user is not announced as present before
    /// [`Subscription::set_present`].
    pub async fn subscribe(&self, room: RoomId, user: UserRef) -> Subscription {
        let subscription = {
            let mut rooms = self.rooms();
            let channel = rooms.entry(room).or_insert_with(|| {
                self.subscribe_topic(Topic::Room(room));
                self.inner.metrics.rooms.increment(1);
                let epoch = self.inner.epochs.fetch_add(1, Ordering::Relaxed) + 1;
                let presence = presence::Presence::new(self.inner.node, epoch);
                let Inner { ring, signal_interval, requests, .. } = &*self.inner;
                Arc::new(room::Channel::new(room, *ring, *signal_interval, requests.clone(), presence))
            });
            Subscription::new(self.clone(), user, Arc::clone(channel))
        };
        self.wait_until_subscribed([Topic::Room(room)]).await;
        subscription.request_rosters();
        subscription
    }

    /// Subscribes to the events of `user` and, later, to the rooms passed to [`Inbox::watch`]. Waits, for a bounded
    /// time, until the bus is subscribed too.
    pub async fn subscribe_user(&self, user: UserId) -> Inbox {
        let inbox = Inbox::new(self.clone(), user);
        self.wait_until_subscribed([Topic::User(user)]).await;
        inbox
    }

    /// The news of watched rooms. Call it once; the caller forwards the news to the watchers.
    pub fn watched_rooms(&self) -> WatchedRooms {
        let (sender, receiver) = queue::bounded(watchers::NEWS_QUEUE, watchers::NEWS_QUEUE_BYTES);
        // If this is called twice, the second queue is closed from the start.
        let _ = self.inner.news.set(sender);
        WatchedRooms::new(receiver, Arc::clone(&self.inner.watchers))
    }

    /// Publishes a stored change to all sockets of `room`. Call it after the commit.
    pub fn publish(&self, room: RoomId, change: StoredChange) {
        self.send(Publication::Change(room, change));
    }

    /// Publishes a read mark to all sockets of `room`. In a large room it is delayed, and only the last mark of each
    /// reader is sent.
    pub fn publish_read(&self, room: RoomId, mark: ReadMark) {
        self.send(Publication::Read(room, mark));
    }

    /// Publishes to all other users in `room` that `user` started or stopped typing.
    pub(super) fn publish_typing(&self, room: RoomId, user: UserRef, is_typing: bool) {
        self.send(Publication::Typing { room, user, is_typing });
    }

    /// Publishes `event` to all sockets of `user`. Call it after the commit.
    pub fn publish_user(&self, user: UserId, event: UserEvent) {
        self.send(Publication::User(user, event));
    }

    /// Publishes to the notification sockets of the members of `room` that this member has new names.
    pub fn publish_renamed(&self, room: RoomId, user: User) {
        self.send(Publication::Renamed(room, user));
    }

    /// Makes the other nodes poll for ended credentials at once. Without this they notice within a second.
    pub fn publish_credential_end(&self) {
        if let Some(bus) = self.bus() {
            bus.publish(Topic::Nodes, BusMessage::Signal(wire::NodeSignal::CredentialEnded));
        }
    }

    /// The open sockets of this node, by credential.
    pub fn open_sockets(&self) -> &OpenSockets {
        &self.inner.open_sockets
    }

    /// The cached identities of this node.
    pub fn identities(&self) -> &Identities {
        &self.inner.identities
    }

    /// Sends a publication to the other nodes and to the sockets of this node.
    fn send(&self, publication: Publication) {
        if let Some(bus) = self.bus() {
            let (topic, message) = bus_bridge::to_bus_message(&publication);
            bus.publish(topic, message);
        }
        self.deliver(publication);
    }

    /// Delivers a publication to the sockets of this node.
    pub(crate) fn deliver(&self, publication: Publication) {
        match publication {
            Publication::Change(room, change) => {
                if self.inner.watchers.observe(room, &change)
                    && let Some(news) = RoomNews::of(&change)
                {
                    self.notify_watchers(room, news);
                }
                if let Some(channel) = self.channel(room) {
                    channel.send(change, self);
                }
            }
            Publication::Read(room, mark) => {
                if let Some(channel) = self.channel(room) {
                    channel.mark_read(mark, self);
                }
            }
            Publication::Typing { room, user, is_typing } => {
                let (slot, audience) = (Slot::Typing(user.id), Audience::Others(user.id));
                let typing = ServerFrame::Typing { room_id: room, user, is_typing };
                if let Some(channel) = self.channel(room)
                    && let Some(frame) = Frame::volatile(&typing, audience)
                {
                    channel.put_volatile(slot, 0, frame, self);
                }
            }
            Publication::User(user, event) => self.inner.watchers.notify_user(user, event),
            Publication::Renamed(room, user) => {
                self.inner.identities.forget(user.id);
                let user = Arc::new(user);
                self.inner.open_sockets.rename(&user);
                self.inner.watchers.notify_room(room, &InboxEvent::Renamed(user));
            }
        }
    }

    /// Queues news for the watchers of `room`. Never blocks: if the queue is full, the room is marked as lagging and
    /// its watchers get [`InboxEvent::Missed`] later.
    fn notify_watchers(&self, room: RoomId, news: RoomNews) {
        let bytes = news.bytes();
        if let Some(queue) = self.inner.news.get()
            && queue.try_send((room, news), bytes).is_err()
        {
            self.inner.metrics.overlooked.increment(1);
            self.inner.watchers.mark_lagging(room);
        }
    }

    /// Whether anybody can be subscribed to `room`, on this node or another.
    pub fn may_have_listeners(&self, room: RoomId) -> bool {
        self.bus().is_some_and(Bus::is_up) || self.is_listening(room)
    }

    /// Whether anybody on this node is subscribed to `room` or watches it.
    pub fn is_listening(&self, room: RoomId) -> bool {
        self.rooms().contains_key(&room) || self.inner.watchers.is_watched(room)
    }

    /// Those of `people` who are present in `room`, on any node as far as this one knows.
    pub fn present(&self, room: RoomId, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        self.channel(room).map(|channel| channel.present(people)).unwrap_or_default()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The number of open room sockets, and of rooms in use.
    pub fn counts(&self) -> (usize, usize) {
        let rooms = self.rooms();
        (rooms.values().map(|channel| channel.listeners()).sum(), rooms.len())
    }

    fn channel(&self, room: RoomId) -> Option<Arc<room::Channel>> {
        self.rooms().get(&room).cloned()
    }

    /// Drops a subscription's reader of the ring, and the room with the last one.
    fn unsubscribe(&self, room: RoomId, reader: impl Send) {
        let mut rooms = self.rooms();
        drop(reader);
        self.remove_if_unused(&mut rooms, room);
    }

    /// Removes the room if it has no subscription and no pending signal.
    fn remove_unused_room(&self, room: RoomId) {
        self.remove_if_unused(&mut self.rooms(), room);
    }

    fn remove_if_unused(&self, rooms: &mut HashMap<RoomId, Arc<room::Channel>>, room: RoomId) {
        if rooms.get(&room).is_some_and(|channel| channel.is_unused()) {
            rooms.remove(&room);
            self.inner.metrics.rooms.decrement(1);
            self.unsubscribe_topic(Topic::Room(room));
        }
    }

    /// Subscribes to the topic on the bus; ref-counted, undone by [`Self::unsubscribe_topic`].
    fn subscribe_topic(&self, topic: Topic) {
        if let Some(bus) = self.bus() {
            bus.subscribe(topic);
        }
    }

    fn unsubscribe_topic(&self, topic: Topic) {
        if let Some(bus) = self.bus() {
            bus.unsubscribe(topic);
        }
    }

    async fn wait_until_subscribed(&self, topics: impl IntoIterator<Item = Topic>) {
        if let Some(bus) = self.bus() {
            bus.wait_until_subscribed(topics).await;
        }
    }

    /// Each change of the map is a single operation, so a panic under the lock leaves it consistent.
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<room::Channel>>> {
        self.inner.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
