//! What the hub and the database say to each other, by way of the watch: how far rooms are, and
//! what is missing.

use std::collections::BTreeSet;

use super::{Filling, Hub, Tidings};
use crate::model::RoomId;

/// How far a room is in the database.
#[derive(Clone, Copy, Debug)]
pub struct RoomPosition {
    /// Its change number.
    pub rev: i64,
    /// Its newest message's place.
    pub seq: i64,
    /// How many times somebody lost the right to listen.
    pub access_rev: i64,
}

/// Something that only the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Changes are missing: fetch them.
    Fill(RoomId),
    /// Messages may have been missed: look how far the room is.
    Look(RoomId),
    /// Credentials have ended on another node: look which.
    Credentials,
}

impl Hub {
    /// The rooms that somebody on this node listens to or watches.
    pub(crate) fn listened(&self) -> Vec<RoomId> {
        let rooms: BTreeSet<RoomId> = self.rooms().keys().copied().collect();
        rooms.into_iter().chain(self.inner.watchers.watched()).collect()
    }

    /// Does anybody on this node know how far `room` is, and could have missed something?
    pub(super) fn is_followed(&self, room: RoomId) -> bool {
        self.channel(room).is_some_and(|channel| channel.is_started()) || self.inner.watchers.is_watched(room)
    }

    /// The database is so far with the room. Gives the number up to which those who lost the
    /// right to listen were closed here, if there are later ones.
    pub(crate) fn learn(&self, room: RoomId, head: RoomPosition) -> Option<i64> {
        let listeners = self.channel(room).and_then(|channel| channel.learn(head));
        let watchers = self.inner.watchers.learn(room, head);
        if watchers.has_missed_change {
            self.tell_watchers(room, Tidings::Changed { frame: None });
        }
        match (listeners, watchers.unchecked) {
            (Some(listeners), Some(watchers)) => Some(listeners.min(watchers)),
            (one, other) => one.or(other),
        }
    }

    /// Everybody who lost the right to listen to the room by then was closed here.
    pub(crate) fn set_checked(&self, room: RoomId, head: RoomPosition) {
        if let Some(channel) = self.channel(room) {
            channel.set_checked(head.access_rev);
        }
        self.inner.watchers.set_checked(room, head.access_rev);
    }

    /// Begins to fill the hole in the room's changes here, if there is one.
    pub(crate) fn filling(&self, room: RoomId) -> Option<Filling> {
        Filling::begin(self.channel(room)?)
    }
}
