//! The hub's side of polling the database: requests, and applying the results.

use std::collections::BTreeSet;

use super::{GapBackfill, Hub};
use crate::{
    event::{Publication, UserChange, UserEvent},
    model::{RoomId, UserId},
};

/// The counters of a room in the database. They only increase.
#[derive(Clone, Copy, Debug)]
pub struct RoomCounters {
    /// The room's latest change.
    pub rev: i64,
    /// The room's newest message.
    pub seq: i64,
    /// The latest change of the room itself.
    pub info_rev: i64,
}

/// Work that needs the database, done by `service::poll`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubRequest {
    /// Changes of the room are missing: fetch them.
    BackfillGap(RoomId),
    /// Events of the room may have been missed: read its counters.
    PollRoom(RoomId),
    /// Events of the user may have been missed: read the number of their stream.
    PollUser(UserId),
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

    /// The users with a notification socket on this node.
    pub(crate) fn users_in_use(&self) -> Vec<UserId> {
        self.inner.watchers.users()
    }

    /// Applies the counters read from the database.
    pub(crate) fn apply_poll(&self, room: RoomId, counters: RoomCounters) {
        if let Some(channel) = self.channel(room) {
            channel.observe(counters.rev, self);
        }
        if let Some(news) = self.inner.watchers.apply_poll(room, counters) {
            self.notify_watchers(room, news);
        }
    }

    /// Applies the number of a user's stream read from the database.
    pub(crate) fn apply_user_poll(&self, user: UserId, rev: i64) {
        self.deliver(Publication::User(user, UserEvent { rev: Some(rev), change: UserChange::Unknown }));
    }

    /// Starts a backfill of the gap in the room's changes, if there is one.
    pub(crate) fn begin_backfill(&self, room: RoomId) -> Option<GapBackfill> {
        GapBackfill::begin(self.channel(room)?, self.clone())
    }
}
