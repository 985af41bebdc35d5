//! Where one may want to go: rooms by name, and rooms that one shares with somebody.

use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Somewhere to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchTarget {
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
pub async fn quick_switch(
    /// What was typed.
    #[server(default)]
    text: String,
) -> Result<Vec<SwitchTarget>, AppError> {
    handler::search(&text).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
mod handler {
    use std::cmp::Reverse;

    use chat::{
        model::{Room, RoomType},
        service::{companions::Companion, rooms::RoomFilter},
    };

    use super::SwitchTarget;
    use crate::{
        error::AppError,
        i18n::td_string,
        server::{
            identity::{context, require_user},
            request,
            rooms::{list_rooms, room_path},
        },
        state::fuzzy::score,
        ui::{avatar::hue, person::display_name},
    };

    /// Rooms shown at most.
    const ROOMS_MAX: usize = 8;
    /// Public rooms that are looked at, beside one's own.
    const PUBLIC_ROOMS_MAX: i64 = 20;

    pub(super) async fn search(text: &str) -> Result<Vec<SwitchTarget>, AppError> {
        let (me, chat, locale) = (require_user().await?, context()?.chat, request::locale());
        let text = text.trim();
        let mine = list_rooms().await?;
        // In the order of the list, which decides among equals.
        let mut rooms: Vec<Room> = mine.order().into_iter().filter_map(|id| mine.find(id).cloned()).collect();
        if text.is_empty() {
            rooms.truncate(ROOMS_MAX);
            return Ok(rooms.into_iter().map(|room| room_target(room, String::new())).collect());
        }
        let search = Some(text.to_owned());
        let public = RoomFilter {
            search,
            room_type: Some(RoomType::Public),
            limit: PUBLIC_ROOMS_MAX,
            ..RoomFilter::default()
        };
        let others = chat.rooms(&me, &public).await?;
        rooms.extend(others.into_iter().filter(|room| !room.is_member));
        let mut matching: Vec<(u32, Room)> =
            rooms.into_iter().filter_map(|room| Some((score(text, &room.name)?, room))).collect();
        matching.sort_by_key(|(score, room)| (Reverse(*score), !room.is_member));
        matching.truncate(ROOMS_MAX);
        let mut targets: Vec<SwitchTarget> = matching
            .into_iter()
            .map(|(_, room)| {
                let note = if room.is_member { "" } else { td_string!(locale, switcher.not_joined) };
                room_target(room, note.to_owned())
            })
            .collect();
        let people = chat.companions(&me, text).await?;
        targets.extend(people.into_iter().map(|Companion { user, room }| SwitchTarget {
            path: room_path(room.id),
            title: display_name(&user),
            note: td_string!(locale, switcher.with_person, username = user.username, room = room.name),
            unread: 0,
            is_person: true,
            hue: hue(user.id.0),
        }));
        Ok(targets)
    }

    fn room_target(room: Room, note: String) -> SwitchTarget {
        SwitchTarget {
            path: room_path(room.id),
            title: room.name,
            note,
            unread: room.unread_count,
            is_person: false,
            hue: hue(room.id.0),
        }
    }
}
