//! Permissions of the current user in the room.

use leptos::{prelude::*, task::spawn_local};

use super::RoomController;
use crate::{server::members::read_roster, state::composer_mode::ComposerMode};

impl RoomController {
    /// Loads roster and permissions. Changes while the room was not shown or followed may not have been told one by one, so
    /// this runs on each return to it, and whenever the user's own membership changes.
    pub(super) fn refresh_permissions(self) {
        let request = self.roster_requests.get_value() + 1;
        self.roster_requests.set_value(request);
        spawn_local(async move {
            let Ok(now) = read_roster(self.context.room).await else { return };
            // The page may have been closed, or a newer request sent.
            if self.roster_requests.try_get_value() != Some(request) {
                return;
            }
            if self.context.rights.get_untracked() != now.rights {
                self.context.rights.set(now.rights);
                // The current mode may no longer be allowed.
                if !self.can(self.context.mode.get_untracked()) {
                    self.context.mode.set(ComposerMode::Writing);
                }
            }
            self.signals.roster.set(now);
        });
    }

    /// Whether the user may use this mode with its message.
    pub(super) fn can(self, mode: ComposerMode) -> bool {
        let rights = self.context.rights.get_untracked();
        let Some(id) = mode.message() else { return true };
        self.context.timeline.with_untracked(|timeline| {
            timeline.message(id).is_some_and(|message| mode.is_allowed(&message, timeline.me(), rights))
        })
    }
}
