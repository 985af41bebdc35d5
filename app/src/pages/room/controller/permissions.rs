//! The reader's own place in the room: what they may do there.

use leptos::{prelude::*, task::spawn_local};

use super::RoomController;
use crate::{server::members::read_roster, state::composer_mode::ComposerMode};

impl RoomController {
    /// Asks who is in the room and what the reader may do. What changed while the line did not stand is not told
    /// later, so this is asked each time it stands (again), and whenever the reader's own place is another.
    pub(super) fn refresh_permissions(self) {
        let asked = self.roster_requests.get_value() + 1;
        self.roster_requests.set_value(asked);
        spawn_local(async move {
            let Ok(now) = read_roster(self.context.room).await else { return };
            // The page may have gone meanwhile, or a newer answer be on its way.
            if self.roster_requests.try_get_value() != Some(asked) {
                return;
            }
            if self.context.rights.get_untracked() != now.rights {
                self.context.rights.set(now.rights);
                // What one was about to do one may not any more.
                if !self.can(self.context.mode.get_untracked()) {
                    self.context.mode.set(ComposerMode::Writing);
                }
            }
            self.roster.set(now);
        });
    }

    /// May the reader do this with the message it is about?
    pub(super) fn can(self, mode: ComposerMode) -> bool {
        let rights = self.context.rights.get_untracked();
        let Some(id) = mode.message() else { return true };
        self.context.timeline.with_untracked(|timeline| {
            timeline.message(id).is_some_and(|message| mode.is_allowed(&message, timeline.me(), rights))
        })
    }
}
