//! New messages and read receipts, the user's own and those of others.

use std::time::Duration;

use chat::model::{MessageId, RoomMessage};
use leptos::{prelude::*, task::spawn_local};

use super::{RoomContext, RoomController};
use crate::{
    browser::{clock::now_ms, document::is_visible, row_elements},
    live::{ConnectionState, client_frames::ClientFrame},
    server::messages::{quoted, readers},
    state::{rooms as room_list, timeline::Timeline},
};

/// How often unread messages are reported as read: the user may have come back to the tab, or a report may have been
/// delayed by [`READ_PAUSE_MS`].
pub(super) const READ_CHECK_EVERY: Duration = Duration::from_secs(2);
/// Minimum time between two reports, since in a busy room each member would otherwise send a frame for each message.
const READ_PAUSE_MS: f64 = 1_000.0;
/// Readers of the own last message are loaded in rooms of up to this many members.
pub(super) const RECEIPTS_MAX_MEMBERS: i64 = 200;

impl RoomController {
    /// A message that was not known before.
    pub(super) fn on_new_message(self, message: &RoomMessage) {
        let RoomContext { timeline, unseen, .. } = self.context;
        let me = timeline.with_untracked(Timeline::me);
        let is_seen = self.at_end.get_value() && is_visible() && !self.context.skips_unread.get_untracked();
        self.rooms.0.update(|all| room_list::receive_message(all, self.context.room, message, me, is_seen));
        if !self.at_end.get_value() {
            unseen.update(|unseen| *unseen += 1);
        }
        self.fetch_quoted(message.reply_to);
        self.mark_read();
    }

    /// A message was edited or deleted: updates the list of rooms, which may show it.
    pub(super) fn on_message_changed(self, id: MessageId, content: &str) {
        self.rooms.0.maybe_update(|all| all.update_message(self.context.room, id, content));
    }

    /// Loads the message that a new one replies to, if it is not in the window.
    fn fetch_quoted(self, id: Option<MessageId>) {
        let Some(id) =
            id.filter(|id| !self.context.timeline.with_untracked(|timeline| timeline.has_quoted(*id)))
        else {
            return;
        };
        spawn_local(async move {
            if let Ok(Some(message)) = quoted(self.context.room, id).await {
                let _ = self.context.timeline.try_update(|timeline| timeline.add_quoted(vec![message]));
            }
        });
    }

    /// Another visit of a room that was followed meanwhile.
    pub(super) fn on_revisited(self) {
        self.refresh_permissions();
        for id in self.context.timeline.with_untracked(Timeline::missing_quotes) {
            self.fetch_quoted(Some(id));
        }
    }

    /// Connected, or connected again.
    pub(super) fn on_connected(self, is_first: bool) {
        if is_first {
            row_elements::leave_tab_order();
        } else {
            self.refresh_permissions();
        }
        self.mark_read();
        let own = self.context.timeline.with_untracked(Timeline::last_own);
        let Some(own) = own.filter(|_| self.has_receipts) else { return };
        spawn_local(async move {
            if let Ok(people) = readers(own).await {
                let _ = self.context.timeline.try_update(|timeline| {
                    for person in people {
                        timeline.read_by(own, person);
                    }
                });
            }
        });
    }

    /// Reports the last message as read, once, if it is visible.
    pub(super) fn mark_read(self) {
        let Some(last) = self.context.timeline.with_untracked(Timeline::last_id) else { return };
        let is_open = self.context.connection.get_untracked() == ConnectionState::Open;
        if !is_open
            || self.context.skips_unread.get_untracked()
            || !self.at_end.get_value()
            || !is_visible()
            || last <= self.read_to.get_value()
        {
            return;
        }
        if now_ms() - self.read_sent_at.get_value() < READ_PAUSE_MS {
            return;
        }
        self.read_sent_at.set_value(now_ms());
        self.read_to.set_value(last);
        self.context.timeline.update_untracked(|timeline| timeline.mark_read(last));
        self.store.send(&ClientFrame::MessageRead { room_id: self.context.room, message_id: last });
        self.rooms.0.update(|all| room_list::mark_read(all, self.context.room));
    }
}
