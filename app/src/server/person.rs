//! What the card of a person shows.

use chat::model::RoomId;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A member of a room, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCard {
    pub name: String,
    pub username: String,
    /// The colour of the avatar.
    pub hue: i64,
    /// What there is to say: role, presence, mute.
    pub notes: Vec<String>,
}

/// The member of this username; `None` for anybody else.
#[server(prefix = "/ui", endpoint = "person", input = GetUrl)]
pub async fn person(room: RoomId, username: String) -> Result<Option<PersonCard>, AppError> {
    handler::card(room, &username).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Where the members of a room are found by a name, for pages without a script.
pub fn person_path(room: RoomId, username: &str) -> String {
    format!("{}?search={}", super::members::members_path(room), super::escaped(username))
}

#[cfg(feature = "ssr")]
mod handler {
    use chat::{
        fold::fold,
        model::{Role, RoomId},
        service::roster::RosterQuery,
    };

    use super::PersonCard;
    use crate::{
        error::AppError,
        i18n::td_string,
        server::{
            identity::{context, require_user},
            request,
        },
        ui::{avatar::hue, person::display_name},
    };

    /// Number of members whose names may contain the username.
    const LOOKED_AT: usize = 100;

    pub(super) async fn card(room: RoomId, username: &str) -> Result<Option<PersonCard>, AppError> {
        let (me, locale) = (require_user().await?, request::locale());
        let query = RosterQuery { search: Some(username.to_owned()), limit: LOOKED_AT, after: None };
        let found = context()?.chat.roster(&me, room, &query).await?;
        let wanted = fold(username);
        let mut entries = found.entries.into_iter();
        let Some(entry) = entries.find(|entry| fold(&entry.member.user.username) == wanted) else {
            return Ok(None);
        };
        let role = match entry.member.role {
            Role::Admin => Some(td_string!(locale, room.role_admin)),
            Role::Moderator => Some(td_string!(locale, room.role_moderator)),
            Role::Member => None,
        };
        let here = entry.is_here.then(|| td_string!(locale, room.is_here));
        let muted = entry.member.is_muted.then(|| td_string!(locale, members.is_muted));
        let banned = entry.member.is_banned.then(|| td_string!(locale, members.is_banned));
        let notes = [role, here, muted, banned].into_iter().flatten().map(str::to_owned).collect();
        let user = entry.member.user;
        Ok(Some(PersonCard {
            name: display_name(&user),
            hue: hue(user.id.0),
            username: user.username,
            notes,
        }))
    }
}
