//! Where one may want to go: rooms by name, and rooms that one shares with somebody.

use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Somewhere to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The address.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// What else there is to say.
    pub note: String,
    /// Unread messages there.
    pub unread: i64,
    /// Is it somebody, rather than a room?
    pub is_person: bool,
    /// The colour of its face, as `avatar.css` numbers them.
    pub hue: i64,
}

/// The places that fit `text`, the best first; with nothing typed, one's rooms as the list has them.
#[server(prefix = "/ui", endpoint = "find_places", input = GetUrl)]
pub async fn find_places(
    /// What was typed.
    #[server(default)]
    text: String,
) -> Result<Vec<Found>, AppError> {
    door::find(&text).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
mod door {
    use std::cmp::Reverse;

    use chat::{
        model::{Room, RoomType},
        service::{rooms::RoomFilter, shared_rooms::Contact},
    };

    use super::Found;
    use crate::{
        error::AppError,
        i18n::td_string,
        server::{
            identity::{context, signed_in},
            request,
            rooms::{list_rooms, room_path},
        },
        state::fuzzy::score,
        ui::{avatar::hue, person::display_name},
    };

    /// Rooms shown at most.
    const ROOMS: usize = 8;
    /// Public rooms that are looked at, beside one's own.
    const PUBLIC: i64 = 20;

    pub(super) async fn find(text: &str) -> Result<Vec<Found>, AppError> {
        let (me, chat, locale) = (signed_in().await?, context()?.chat, request::locale());
        let text = text.trim();
        let mine = list_rooms().await?;
        // In the order of the list, which decides among equals.
        let mut rooms: Vec<Room> = mine.order().into_iter().filter_map(|id| mine.find(id).cloned()).collect();
        if text.is_empty() {
            rooms.truncate(ROOMS);
            return Ok(rooms.into_iter().map(|room| of_room(room, String::new())).collect());
        }
        let search = Some(text.to_owned());
        let public =
            RoomFilter { search, room_type: Some(RoomType::Public), limit: PUBLIC, ..RoomFilter::default() };
        let others = chat.rooms(&me, &public).await?;
        rooms.extend(others.into_iter().filter(|room| !room.is_member));
        let mut fitting: Vec<(u32, Room)> =
            rooms.into_iter().filter_map(|room| Some((score(text, &room.name)?, room))).collect();
        fitting.sort_by_key(|(score, room)| (Reverse(*score), !room.is_member));
        fitting.truncate(ROOMS);
        let mut found: Vec<Found> = fitting
            .into_iter()
            .map(|(_, room)| {
                let note = if room.is_member { "" } else { td_string!(locale, switcher.not_joined) };
                of_room(room, note.to_owned())
            })
            .collect();
        let people = chat.contacts(&me, text).await?;
        found.extend(people.into_iter().map(|Contact { user, room }| Found {
            path: room_path(room.id),
            title: display_name(&user),
            note: td_string!(locale, switcher.with_person, username = user.username, room = room.name),
            unread: 0,
            is_person: true,
            hue: hue(user.id.0),
        }));
        Ok(found)
    }

    fn of_room(room: Room, note: String) -> Found {
        Found {
            path: room_path(room.id),
            title: room.name,
            note,
            unread: room.unread_count,
            is_person: false,
            hue: hue(room.id.0),
        }
    }
}
