//! A subscription of a combined socket to a room, and the echoes that its client waits for.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    hub::OnlineReader,
    model::MessageId,
    service::{backfill::Resume, room_feed::RoomFeed},
};

pub(super) struct RoomSubscription {
    pub(super) feed: RoomFeed,
    pub(super) online: OnlineReader,
    /// Whether the user is present while the client is active.
    pub(super) here: bool,
    /// The feed returns what comes after this.
    pub(super) after: Resume,
    /// Echoes of messages that the client sent, until the feed has returned them.
    pub(super) awaited: VecDeque<Echo>,
}

/// A message that the client sent, as it receives it.
pub(super) struct Echo {
    pub(super) rev: i64,
    pub(super) id: MessageId,
    pub(super) json: Bytes,
}

impl RoomSubscription {
    /// Takes over an echo. Gives it back if the feed does not return that message.
    pub(super) fn take(&mut self, echo: Echo) -> Option<Echo> {
        let is_returned = match self.after {
            Resume::AfterRev(rev) => echo.rev > rev,
            Resume::AfterId(id) => echo.id.0 > id,
        };
        if !is_returned {
            return Some(echo);
        }
        self.awaited.push_back(echo);
        self.forget_returned();
        None
    }

    pub(super) fn forget_returned(&mut self) {
        let returned = self.feed.returned_rev();
        while self.awaited.front().is_some_and(|echo| echo.rev <= returned) {
            self.awaited.pop_front();
        }
    }
}
