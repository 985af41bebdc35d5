//! Put out of the room while one looks at it.

use chat::model::{Code, Failure};
use leptos::prelude::*;

use super::RoomController;
use crate::{browser::document::reload, error::error_message, i18n::td_string, state::timeline::Timeline};

impl RoomController {
    /// Says so, takes the room out of the list, and asks for the page anew: what of the room is still shown, and the
    /// way back where there is one, is the server's to say.
    pub(super) fn on_removed(self, code: Code) {
        let locale = self.preferences.locale;
        let words = match code {
            Code::NotAMember => td_string!(locale, room.out).to_owned(),
            Code::NotFound => td_string!(locale, room.gone).to_owned(),
            Code::Banned => error_message(locale, &Failure::new(code)),
            // Signed out elsewhere: the server leads to the sign-in, and from there back here. The line says why, to
            // whoever has something unsent that would be lost with the page.
            Code::NotAuthenticated | Code::TokenNotValid | Code::UserInactive | Code::UserNotFound => {
                if self.context.timeline.with_untracked(Timeline::is_all_sent) {
                    reload();
                }
                return;
            }
            // The line says why.
            _ => return,
        };
        self.rooms.0.update(|rooms| rooms.remove(self.context.room));
        self.notice.show(words);
        self.refetch.0.run(());
    }
}
