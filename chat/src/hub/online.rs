//! Who is online: has a socket of any kind, on any node.
//!
//! Between nodes this works as the presence in a room does ([`Presence`]), on the topic of all nodes. Within a node,
//! changes are gathered for a moment, so that a socket that reconnects changes nothing, and are then put into the rooms
//! of the user, for the subscriptions that follow them. All of it is volatile.

use std::{
    collections::{HashMap, HashSet},
    mem::take,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::sleep};

use super::{
    Hub,
    presence::{Presence, PresenceChange, PresenceUpdate},
    room::volatile::{LaneReader, Slot},
};
use crate::{
    bus::{
        Topic,
        wire::{BusMessage, NodeId, NodeSignal},
    },
    event::{Audience, Frame},
    model::{RoomId, ServerFrame, UserId, UserRef},
};

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(500);

/// Who is online, and what is not announced yet.
pub(super) struct Online {
    /// Users by id; the names are not needed.
    presence: Mutex<Presence>,
    pending: Mutex<Pending>,
    has_pending: Notify,
    /// Subscriptions on this node that follow who is online.
    followers: AtomicUsize,
}

#[derive(Default)]
struct Pending {
    /// Users of this node whose first socket opened or whose last one closed.
    local: HashSet<UserId>,
    /// Changes on other nodes.
    remote: HashMap<UserId, bool>,
}

/// Counts an open socket of its user until it is dropped.
pub struct OnlineSocket {
    hub: Hub,
    user: UserId,
}

/// Follows who of a room's members is online. Frames of the user's own are left out.
pub struct OnlineReader {
    hub: Hub,
    reader: LaneReader,
    user: UserId,
}

impl Online {
    pub(super) fn new(node: NodeId) -> Self {
        Self {
            // A node has one epoch: its id is new with each start.
            presence: Mutex::new(Presence::new(node, 1)),
            pending: Mutex::default(),
            has_pending: Notify::new(),
            followers: AtomicUsize::new(0),
        }
    }

    fn set_local(&self, user: UserId, is_change: bool) {
        if is_change {
            self.pending().local.insert(user);
            self.has_pending.notify_one();
        }
    }

    fn set_remote(&self, changes: Vec<PresenceChange>) {
        if !changes.is_empty() {
            self.pending().remote.extend(changes.into_iter().map(online_change));
            self.has_pending.notify_one();
        }
    }

    /// A panic under the lock leaves at worst a user who seems to be online.
    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn online_change(change: PresenceChange) -> (UserId, bool) {
    match change {
        PresenceChange::Joined(user) => (user.id, true),
        PresenceChange::Left(user) => (user.id, false),
    }
}

impl Hub {
    /// Counts an open socket of `user`, of any kind.
    pub fn open_online(&self, user: UserId) -> OnlineSocket {
        let online = &self.inner.online;
        let is_change = online.presence().add_socket(&UserRef { id: user, username: String::new() });
        online.set_local(user, is_change);
        OnlineSocket { hub: self.clone(), user }
    }

    /// Waits for users who went online or offline, gathers them for a moment, and tells the other nodes. Returns those
    /// that followers on this node have to be told of.
    pub(crate) async fn online_changes(&self) -> Vec<(UserId, bool)> {
        let online = &self.inner.online;
        loop {
            online.has_pending.notified().await;
            sleep(GATHER).await;
            let Pending { local, remote: mut changes } = take(&mut *online.pending());
            for user in local {
                let mut presence = online.presence();
                let PresenceUpdate { changes: own, reply, .. } = presence.announce_change(user);
                // Under the lock, so that the changes of this node keep their order.
                self.publish_online(reply);
                drop(presence);
                changes.extend(own.into_iter().map(online_change));
            }
            if !changes.is_empty() && online.followers.load(Ordering::Relaxed) > 0 {
                return changes.into_iter().collect();
            }
        }
    }

    /// Tells the followers in `room` on this node whether this member is online.
    pub(crate) fn put_online(&self, room: RoomId, user_id: UserId, is_online: bool) {
        let frame = ServerFrame::Presence { user_id, is_online };
        if let Some(channel) = self.channel(room)
            && let Some(frame) = Frame::volatile(&frame, Audience::Others(user_id))
        {
            channel.put_for_subscriptions(Slot::Online(user_id), frame, self);
        }
    }

    /// Handles a message of another node about its users.
    pub(super) fn receive_online(&self, sender: NodeId, signal: NodeSignal) {
        let online = &self.inner.online;
        let mut presence = online.presence();
        let PresenceUpdate { changes, reply, .. } = presence.on_signal(sender, signal);
        self.publish_online(reply);
        drop(presence);
        online.set_remote(changes);
    }

    /// Exchanges rosters with the other nodes after a (re)subscription.
    pub(super) fn resync_online(&self, is_newcomer: bool) {
        let presence = self.inner.online.presence();
        self.publish_online(presence.roster(None));
        self.publish_online(Some(NodeSignal::RosterRequest { is_newcomer }));
        drop(presence);
    }

    /// Removes a dead node and its users.
    pub(super) fn remove_online_node(&self, node: NodeId) {
        let changes = self.inner.online.presence().remove_node(node);
        self.inner.online.set_remote(changes);
    }

    /// Removes nodes that were silent for too many ticks, and sends a digest.
    pub(super) fn end_online_tick(&self) {
        let mut presence = self.inner.online.presence();
        let changes = presence.end_tick();
        self.publish_online(presence.digest());
        drop(presence);
        self.inner.online.set_remote(changes);
    }

    fn publish_online(&self, signal: Option<NodeSignal>) {
        if let (Some(signal), Some(bus)) = (signal, self.bus()) {
            bus.publish(Topic::Nodes, BusMessage::Signal(signal));
        }
    }
}

impl Drop for OnlineSocket {
    fn drop(&mut self) {
        let online = &self.hub.inner.online;
        let is_change = online.presence().remove_socket(self.user);
        online.set_local(self.user, is_change);
    }
}

impl OnlineReader {
    pub(super) fn new(hub: Hub, reader: LaneReader, user: UserId) -> Self {
        hub.inner.online.followers.fetch_add(1, Ordering::Relaxed);
        Self { hub, reader, user }
    }

    /// Waits for the next frame, JSON in UTF-8.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        self.reader.poll_next(context, self.user).map(|frame| frame.json)
    }
}

impl Drop for OnlineReader {
    fn drop(&mut self) {
        self.hub.inner.online.followers.fetch_sub(1, Ordering::Relaxed);
    }
}
