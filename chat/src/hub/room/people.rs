//! Announcing who comes and goes: to the sockets here, and to the other nodes.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
};

use super::{Channel, turns, volatile::Slot};
use crate::{
    bus::{
        Bus, Topic,
        wire::{Message, NodeId, Signal},
    },
    hub::{
        Audience, Frame, Hub,
        presence::{Heard, Move, Presence},
    },
    model::{ServerFrame, UserId, UserRef},
};

impl Channel {
    /// Asks the other nodes who is there, the first time.
    pub(in crate::hub) fn ask_first(&self, bus: Option<&Bus>) {
        if let Some(bus) = bus
            && !self.has_asked.swap(true, Ordering::Relaxed)
        {
            let ask = Signal::Ask { is_newcomer: true };
            bus.publish(Topic::Room(self.room), Message::Signal(ask));
        }
    }

    /// Tells the other nodes who is here, and asks them, now that they can hear each other.
    /// `is_newcomer`: they never could before, so that those who are there do not come now.
    pub(in crate::hub) fn ask_again(&self, is_newcomer: bool, bus: Option<&Bus>) {
        if let Some(bus) = bus
            && self.has_asked.load(Ordering::Relaxed)
        {
            let presence = self.presence();
            let roster = presence.roster(None);
            for signal in roster.into_iter().chain([Signal::Ask { is_newcomer }]) {
                bus.publish(Topic::Room(self.room), Message::Signal(signal));
            }
        }
    }

    /// Another node says something about its people, or asks about ours.
    pub(in crate::hub) fn hear(self: &Arc<Self>, sender: NodeId, signal: Signal, hub: &Hub) {
        let mut presence = self.presence();
        let heard = match signal {
            Signal::Came { version, user } => presence.hear_came(sender, version, user),
            Signal::Went { version, user } => presence.hear_went(sender, version, user),
            Signal::Roster(roster) => presence.hear_roster(sender, roster),
            Signal::Pulse { version } => presence.hear_pulse(sender, version),
            Signal::Ask { is_newcomer } => {
                Heard { moves: Vec::new(), reply: presence.roster(is_newcomer.then_some(sender)) }
            }
            // Not of a room's people.
            Signal::Close { .. }
            | Signal::Read { .. }
            | Signal::Typing { .. }
            | Signal::User { .. }
            | Signal::CredentialEnded
            | Signal::Alive
            | Signal::Bye
            | Signal::Unknown => {
                return;
            }
        };
        self.pass_on(heard, hub);
        drop(presence);
    }

    /// `node` is gone, and so are its people.
    pub(in crate::hub) fn forget(self: &Arc<Self>, node: NodeId, hub: &Hub) {
        let mut presence = self.presence();
        let moves = presence.forget(node);
        self.pass_on(Heard { moves, reply: None }, hub);
        drop(presence);
    }

    /// From time to time: forgets nodes that say nothing of this room any more, and lets the
    /// others see whether they missed something of ours.
    pub(in crate::hub) fn end_round(self: &Arc<Self>, hub: &Hub) {
        let mut presence = self.presence();
        let moves = presence.end_round();
        let reply = presence.pulse();
        self.pass_on(Heard { moves, reply }, hub);
        drop(presence);
    }

    /// Who of these is in the room, on any node as far as this one knows.
    pub(in crate::hub) fn present(&self, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        let presence = self.presence();
        people.filter(|user| presence.is_here(*user)).collect()
    }

    /// One more socket of `user` counts as here.
    pub(super) fn arrive(self: &Arc<Self>, user: &UserRef, hub: &Hub) {
        let is_change = self.presence().enter(user);
        self.announce_presence(is_change, user.id, hub);
    }

    /// One less.
    pub(super) fn depart(self: &Arc<Self>, user: &UserRef, hub: &Hub) {
        let is_change = self.presence().exit(user.id);
        self.announce_presence(is_change, user.id, hub);
    }

    fn announce_presence(self: &Arc<Self>, is_change: bool, user: UserId, hub: &Hub) {
        if is_change {
            self.announce(turns::Signal::Presence(user), hub);
        }
    }

    /// Tells whether `user` is here, if that is not what was told last.
    pub(super) fn settle(self: &Arc<Self>, user: UserId, hub: &Hub) {
        let mut presence = self.presence();
        let heard = presence.settle(user);
        self.pass_on(heard, hub);
        drop(presence);
    }

    /// To be called while [`Self::presence`] is held, so that a coming and a going cannot overtake each other.
    fn pass_on(self: &Arc<Self>, heard: Heard, hub: &Hub) {
        for change in heard.moves {
            let (user, frame) = match change {
                Move::Came(user) => (user.id, ServerFrame::UserJoin { user }),
                Move::Went(user) => (user.id, ServerFrame::UserLeave { user }),
            };
            if let Some(frame) = Frame::new(&frame, None, Audience::Others(user)) {
                self.show(Slot::Presence(user), 0, frame, hub);
            }
        }
        if let (Some(signal), Some(bus)) = (heard.reply, hub.bus()) {
            bus.publish(Topic::Room(self.room), Message::Signal(signal));
        }
    }

    /// A panic while the lock was held leaves at worst somebody who seems to be here.
    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
