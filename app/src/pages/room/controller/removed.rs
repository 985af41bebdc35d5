//! The user was removed from the room while its page is open.

use chat::model::{Code, Failure};
use leptos::prelude::*;

use super::RoomController;
use crate::{error::error_message, i18n::td_string};

impl RoomController {
    /// Shows the reason, removes the room from the list and loads the page again: the server decides what of the room
    /// is still visible.
    pub(super) fn on_removed(self, code: Code) {
        let locale = self.preferences.locale;
        let text = match code {
            Code::NotAMember => td_string!(locale, room.out).to_owned(),
            Code::NotFound => td_string!(locale, room.gone).to_owned(),
            Code::Banned => error_message(locale, &Failure::new(code)),
            // The connection notice gives the reason.
            _ => return,
        };
        self.rooms.0.update(|rooms| rooms.remove(self.context.room));
        self.notice.show(text);
        self.refetch.0.run(());
    }
}
