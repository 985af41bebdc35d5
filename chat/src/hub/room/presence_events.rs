//! Announces who joins and leaves the room, to the sockets of this node and to the other nodes.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
};

use super::{Channel, signal_limiter, volatile::Slot};
use crate::{
    bus::{
        Bus, Topic,
        wire::{BusMessage, NodeId, NodeSignal},
    },
    event::{Audience, Frame},
    hub::{
        Hub,
        presence::{Presence, PresenceChange, PresenceUpdate},
    },
    model::{ServerFrame, UserId, UserRef},
};

impl Channel {
    /// Requests the rosters of the other nodes, once.
    pub(in crate::hub) fn request_rosters(&self, bus: Option<&Bus>) {
        if let Some(bus) = bus
            && !self.has_requested_rosters.swap(true, Ordering::Relaxed)
        {
            let ask = NodeSignal::RosterRequest { is_newcomer: true };
            bus.publish(Topic::Room(self.room), BusMessage::Signal(ask));
        }
    }

    /// Exchanges rosters with the other nodes after a (re)subscription. `is_newcomer`: there was no subscription
    /// before, so users who are already present are not announced as joining.
    pub(in crate::hub) fn resync_presence(&self, is_newcomer: bool, bus: Option<&Bus>) {
        if let Some(bus) = bus
            && self.has_requested_rosters.load(Ordering::Relaxed)
        {
            let presence = self.presence();
            let roster = presence.roster(None);
            for signal in roster.into_iter().chain([NodeSignal::RosterRequest { is_newcomer }]) {
                bus.publish(Topic::Room(self.room), BusMessage::Signal(signal));
            }
        }
    }

    /// Handles a presence message of another node.
    pub(in crate::hub) fn receive_presence(self: &Arc<Self>, sender: NodeId, signal: NodeSignal, hub: &Hub) {
        let mut presence = self.presence();
        let update = presence.on_signal(sender, signal);
        self.publish_presence(update, hub);
        drop(presence);
    }

    /// Removes a dead node and its users.
    pub(in crate::hub) fn remove_node(self: &Arc<Self>, node: NodeId, hub: &Hub) {
        let mut presence = self.presence();
        let changes = presence.remove_node(node);
        self.publish_presence(PresenceUpdate { changes, ..PresenceUpdate::default() }, hub);
        drop(presence);
    }

    /// Removes nodes that were silent for too many ticks, and sends a digest, by which others detect lost messages.
    pub(in crate::hub) fn end_tick(self: &Arc<Self>, hub: &Hub) {
        let mut presence = self.presence();
        let changes = presence.end_tick();
        let reply = presence.digest();
        self.publish_presence(PresenceUpdate { changes, reply, ..PresenceUpdate::default() }, hub);
        drop(presence);
    }

    /// Those of `people` who are present on any known node.
    pub(in crate::hub) fn present(&self, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        let presence = self.presence();
        people.filter(|user| presence.is_here(*user)).collect()
    }

    /// The ids of up to `limit` users who are present on any known node. If `first` is, they are the first.
    pub(super) fn present_ids(&self, first: UserId, limit: usize) -> Vec<UserId> {
        let presence = self.presence();
        let own = Some(first).filter(|own| presence.is_here(*own));
        own.into_iter().chain(presence.here().filter(|user| *user != first)).take(limit).collect()
    }

    /// Adds a present socket of `user`.
    pub(super) fn add_socket(self: &Arc<Self>, user: &UserRef, hub: &Hub) {
        let is_change = self.presence().add_socket(user);
        self.queue_presence_change(is_change, user.id, hub);
    }

    /// Removes a present socket of `user`.
    pub(super) fn remove_socket(self: &Arc<Self>, user: &UserRef, hub: &Hub) {
        let is_change = self.presence().remove_socket(user.id);
        self.queue_presence_change(is_change, user.id, hub);
    }

    fn queue_presence_change(self: &Arc<Self>, is_change: bool, user: UserId, hub: &Hub) {
        if is_change {
            self.submit_signal(signal_limiter::UserSignal::Presence(user), hub);
        }
    }

    /// Announces whether `user` is present, if that differs from the last announcement.
    pub(super) fn announce_presence(self: &Arc<Self>, user: UserId, hub: &Hub) {
        let mut presence = self.presence();
        let update = presence.announce_change(user);
        self.publish_presence(update, hub);
        drop(presence);
    }

    /// Call it while [`Self::presence`] is locked, so that a join and a leave cannot overtake each other.
    fn publish_presence(self: &Arc<Self>, update: PresenceUpdate, hub: &Hub) {
        let room_id = self.room;
        for change in update.changes {
            let (user, frame) = match change {
                PresenceChange::Joined(user) => (user.id, ServerFrame::UserJoin { room_id, user }),
                PresenceChange::Left(user) => (user.id, ServerFrame::UserLeave { room_id, user }),
            };
            if let Some(frame) = Frame::volatile(&frame, Audience::Others(user)) {
                self.put_volatile(Slot::Presence(user), 0, frame, hub);
            }
        }
        for user in update.found {
            let id = user.id;
            if let Some(frame) =
                Frame::volatile(&ServerFrame::UserJoin { room_id, user }, Audience::Others(id))
            {
                self.put_for_subscriptions(Slot::Presence(id), frame, hub);
            }
        }
        if let (Some(signal), Some(bus)) = (update.reply, hub.bus()) {
            bus.publish(Topic::Room(self.room), BusMessage::Signal(signal));
        }
    }

    /// A panic under the lock leaves at worst a user who seems to be present.
    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
