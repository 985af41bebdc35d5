//! Search of the quick switcher: rooms by name, and contacts, who are users in a room with the current user.

use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A room or a contact to switch to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchTarget {
    pub path: String,
    pub title: String,
    /// Additional text.
    pub note: String,
    pub unread: i64,
    /// A contact, not a room.
    pub is_person: bool,
    /// The avatar's colour, see `avatar.css`.
    pub hue: i64,
}

/// The targets that match `text`, the best first; for an empty text the user's rooms in the order of the list.
#[server(prefix = "/ui", endpoint = "find_places", input = GetUrl)]
pub async fn quick_switch(#[server(default)] text: String) -> Result<Vec<SwitchTarget>, AppError> {
    handler::search(&text).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[cfg(feature = "ssr")]
mod handler {
    use std::cmp::Reverse;

    use chat::{
        fold::fold,
        model::{Room, RoomType},
        service::{rooms::RoomFilter, shared_rooms::Contact},
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

    const ROOMS_MAX: usize = 8;
    /// Public rooms searched, in addition to the user's own.
    const PUBLIC_ROOMS_MAX: i64 = 20;

    pub(super) async fn search(text: &str) -> Result<Vec<SwitchTarget>, AppError> {
        let (me, chat, locale) = (require_user().await?, context()?.chat, request::locale());
        let text = text.trim();
        let mine = list_rooms().await?;
        // In the order of the list, which breaks ties.
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
        let others = chat.rooms(&me, &public).await?.to_rooms();
        rooms.extend(others.into_iter().filter(|room| !room.is_member));
        let typed = fold(text);
        let mut matching: Vec<(u32, Room)> =
            rooms.into_iter().filter_map(|room| Some((score(&typed, &fold(&room.name))?, room))).collect();
        matching.sort_by_key(|(score, room)| (Reverse(*score), !room.is_member));
        matching.truncate(ROOMS_MAX);
        let mut targets: Vec<SwitchTarget> = matching
            .into_iter()
            .map(|(_, room)| {
                let note = if room.is_member { "" } else { td_string!(locale, switcher.not_joined) };
                room_target(room, note.to_owned())
            })
            .collect();
        let people = chat.contacts(&me, text).await?;
        targets.extend(people.into_iter().map(|Contact { user, room }| SwitchTarget {
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
