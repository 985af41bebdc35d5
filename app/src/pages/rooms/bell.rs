//! What the frame does about what happens in other rooms: the list, the tab's icon, a word on the desk.

use chat::model::{Notification, RoomId};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{KnownRooms, room_at};
use crate::{
    browser::{alert, document},
    i18n::t,
    live::{
        bell,
        notices::{self, Last, Unread, Word},
    },
    server::rooms::{is_in, list_rooms, room_path},
    state::rooms::Rooms,
};

/// Keeps `known` as the server tells it, for as long as the page is.
pub(super) fn listen(known: KnownRooms) {
    let KnownRooms(rooms) = known;
    let pathname = use_location().pathname;
    let invited = t!(rooms.invited);
    bell::listen(move |word| match &word {
        // What was missed is not sent again.
        Word::Established => spawn_local(async move {
            if let Ok(list) = list_rooms().await {
                // The page may have gone meanwhile.
                let _ = rooms.try_set(list);
            }
        }),
        Word::New(_) | Word::Unread(_) | Word::Last(_) => {
            look(&word, rooms, room_at(&pathname.get_untracked()));
            let current = room_at(&pathname.get_untracked()).filter(|_| document::is_visible());
            rooms.update(|rooms| notices::apply(&word, rooms, current));
            match &word {
                Word::New(notification) if !document::is_visible() => tell(notification, invited),
                Word::Last(Last { message, .. }) => alert::take_back(message.id),
                Word::New(_) | Word::Unread(_) | Word::Established | Word::Other => {}
            }
        }
        Word::Other => {}
    });
    let has_unread = Memo::new(move |_| rooms.with(Rooms::unread) > 0);
    Effect::new(move |_| document::mark_icon(has_unread.get()));
}

/// Nothing is unread any more: it was read elsewhere, or one is not in that room any more. The socket says the same of
/// both, so the server is asked; of the room that is open (`here`), its own socket tells.
fn look(word: &Word, rooms: RwSignal<Rooms>, here: Option<RoomId>) {
    let Word::Unread(Unread { room_id, unread_count: 0 }) = *word else { return };
    if here == Some(room_id) || rooms.with_untracked(|rooms| rooms.find(room_id).is_none()) {
        return;
    }
    spawn_local(async move {
        if let Ok(false) = is_in(room_id).await {
            // The page may have gone meanwhile.
            let _ = rooms.try_update(|rooms| rooms.remove(room_id));
        }
    });
}

/// A word on the desk, if the reader allowed it. A room has one at a time.
fn tell(notification: &Notification, invited: &str) {
    let room = &notification.room;
    let message = notification.message.as_ref();
    let words = match (notification.sender(), message) {
        (Some(sender), Some(message)) => format!("{sender}: {}", message.content),
        _ => invited.to_owned(),
    };
    alert::show(&room.name, &words, &room_path(room.id), message.map(|message| message.id));
}
