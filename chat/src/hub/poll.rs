//! The hub's side of polling the database: requests, and applying the results.

use std::collections::BTreeSet;

use super::{GapBackfill, Hub, RoomNews};
use crate::model::RoomId;

/// The counters of a room in the database. All only increase.
#[derive(Clone, Copy, Debug)]
pub struct RoomCounters {
    /// The room's latest change.
    pub rev: i64,
    /// The room's newest message.
    pub seq: i64,
    /// The number of revocations: members who lost the right to read the room's events.
    pub access_rev: i64,
}

/// Work that needs the database, done by `service::poll`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubRequest {
    /// Changes of the room are missing: fetch them.
    BackfillGap(RoomId),
    /// Events of the room may have been missed: read its counters.
    PollRoom(RoomId),
    /// Credentials ended on another node: read which.
    PollCredentials,
}

impl Hub {
    /// The rooms that somebody on this node is subscribed to or watches.
    pub(crate) fn rooms_in_use(&self) -> Vec<RoomId> {
        let rooms: BTreeSet<RoomId> = self.rooms().keys().copied().collect();
        rooms.into_iter().chain(self.inner.watchers.watched()).collect()
    }

    /// Whether this node knows the counters of `room`, so that it can have missed something.
    pub(super) fn is_followed(&self, room: RoomId) -> bool {
        self.channel(room).is_some_and(|channel| channel.is_started()) || self.inner.watchers.is_watched(room)
    }

    /// Applies the counters read from the database. If there are revocations that were not applied yet, returns the
    /// number up to which they were.
    pub(crate) fn apply_poll(&self, room: RoomId, counters: RoomCounters) -> Option<i64> {
        let listeners = self.channel(room).and_then(|channel| channel.apply_poll(counters));
        let watchers = self.inner.watchers.apply_poll(room, counters);
        if watchers.has_missed_change {
            self.notify_watchers(room, RoomNews::Changed { frame: None });
        }
        match (listeners, watchers.revocations_after) {
            (Some(listeners), Some(watchers)) => Some(listeners.min(watchers)),
            (one, other) => one.or(other),
        }
    }

    /// All revocations of the room up to these counters were applied.
    pub(crate) fn set_revocations_upto(&self, room: RoomId, counters: RoomCounters) {
        if let Some(channel) = self.channel(room) {
            channel.set_revocations_upto(counters.access_rev);
        }
        self.inner.watchers.set_revocations_upto(room, counters.access_rev);
    }

    /// Starts a backfill of the gap in the room's changes, if there is one.
    pub(crate) fn begin_backfill(&self, room: RoomId) -> Option<GapBackfill> {
        GapBackfill::begin(self.channel(room)?)
    }
}
