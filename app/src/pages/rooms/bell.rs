//! What the frame does about what happens in other rooms: the list, the tab's icon, a word on the desk.

use chat::model::Notification;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{KnownRooms, room_at};
use crate::{
    browser::{alert, document},
    i18n::say,
    live::{
        bell,
        notices::{self, Word},
    },
    server::rooms::{list_rooms, room_path},
    state::rooms::Rooms,
};

/// Keeps `known` as the server tells it, for as long as the page is.
pub(super) fn listen(known: KnownRooms) {
    let KnownRooms(rooms) = known;
    let pathname = use_location().pathname;
    let invited = say!(rooms.invited);
    bell::listen(move |word| match &word {
        // What was missed is not sent again.
        Word::Established => spawn_local(async move {
            if let Ok(list) = list_rooms().await {
                // The page may have gone meanwhile.
                let _ = rooms.try_set(list);
            }
        }),
        Word::New(_) | Word::Unread(_) => {
            let current = room_at(&pathname.get_untracked()).filter(|_| document::is_visible());
            rooms.update(|rooms| notices::apply(&word, rooms, current));
            if let Word::New(notification) = &word
                && !document::is_visible()
            {
                tell(notification, invited);
            }
        }
        Word::Other => {}
    });
    let has_unread = Memo::new(move |_| rooms.with(Rooms::unread) > 0);
    Effect::new(move |_| document::mark_icon(has_unread.get()));
}

/// A word on the desk, if the reader allowed it. A room has one at a time.
fn tell(notification: &Notification, invited: &str) {
    let room = &notification.room;
    let words = match (notification.sender(), &notification.message) {
        (Some(sender), Some(message)) => format!("{sender}: {}", message.content),
        _ => invited.to_owned(),
    };
    alert::show(&room.name, &words, &room_path(room.id));
}
