//! Members of a room: list, invite, moderate.

use chat::model::{RoomId, User, UserId};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{error::AppError, state::roster::Roster};

/// The first members, for the room's details.
#[server(prefix = "/ui", endpoint = "roster", input = GetUrl)]
pub async fn read_roster(room: RoomId) -> Result<Roster, AppError> {
    handler::roster(room).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Users who can be invited to a room, by part of their name.
#[server(prefix = "/ui", endpoint = "candidates", input = GetUrl)]
pub async fn candidates(room: RoomId, #[server(default)] text: String) -> Result<Vec<User>, AppError> {
    handler::candidates(room, &text).await.inspect_err(|error| super::request::set_status(error.0.code))
}

#[server(prefix = "/ui", endpoint = "invite_member")]
pub async fn invite_member(room: RoomId, #[server(default)] username: String) -> Result<(), AppError> {
    let back = members_path(room);
    let result = handler::invite(room, &username).await.map(|()| format!("{back}?done=invite"));
    super::forms::answer(result, super::forms::Form::Invitation, &back, [("username", &username)])
}

#[server(prefix = "/ui", endpoint = "change_member")]
pub async fn change_member(
    room: RoomId,
    user: UserId,
    /// The value of a [`MemberAction`].
    #[server(default)]
    act: String,
) -> Result<(), AppError> {
    let back = members_path(room);
    let result = handler::change(room, user, &act).await.map(|()| format!("{back}?done={act}&who={user}"));
    super::forms::answer(result, super::forms::Form::Member, &back, [])
}

/// The path of the members page.
pub fn members_path(room: RoomId) -> String {
    format!("/rooms/{room}/members")
}

/// What can be done with a member.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberAction {
    Admin,
    Moderator,
    Member,
    Mute,
    Unmute,
    Ban,
    Unban,
    Remove,
}

#[cfg(feature = "ssr")]
impl MemberAction {
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Moderator,
        Self::Member,
        Self::Mute,
        Self::Unmute,
        Self::Ban,
        Self::Unban,
        Self::Remove,
    ];

    /// What undoes it; `None` where that depends on what was before.
    pub fn reverse(self) -> Option<Self> {
        match self {
            Self::Mute => Some(Self::Unmute),
            Self::Unmute => Some(Self::Mute),
            Self::Ban => Some(Self::Unban),
            Self::Unban => Some(Self::Ban),
            Self::Admin | Self::Moderator | Self::Member | Self::Remove => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderator => "moderator",
            Self::Member => "member",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Remove => "remove",
        }
    }
}

#[cfg(feature = "ssr")]
pub use handler::page;

#[cfg(feature = "ssr")]
mod handler {
    use chat::{
        model::{Code, MemberPatch, RoomId, User, UserId},
        service::roster::RosterQuery,
    };

    use super::MemberAction;
    use crate::{
        error::AppError,
        server::{
            identity::{context, require_user},
            request,
        },
        state::roster::{MemberEntry, Roster},
    };

    /// Number of members in a room's details.
    const ROSTER_SIZE: usize = 60;
    /// Number of members on a page of the members page.
    const PAGE: usize = 50;

    /// A page of members.
    pub async fn page(
        room: RoomId,
        search: Option<String>,
        after: Option<UserId>,
    ) -> Result<chat::service::roster::RosterPage, AppError> {
        let query = RosterQuery { search, after, limit: PAGE };
        let read = async { Ok(context()?.chat.roster(&require_user().await?, room, &query).await?) };
        read.await.inspect_err(|error: &AppError| request::set_status(error.0.code))
    }

    pub(super) async fn roster(room: RoomId) -> Result<Roster, AppError> {
        first(&require_user().await?, room).await.map(|(_, roster)| roster)
    }

    /// The room as `viewer` sees it, and its first members.
    pub(in crate::server) async fn first(
        viewer: &User,
        id: RoomId,
    ) -> Result<(chat::model::Room, Roster), AppError> {
        let query = RosterQuery { limit: ROSTER_SIZE, ..RosterQuery::default() };
        let found = context()?.chat.roster(viewer, id, &query).await?;
        let members = found
            .entries
            .into_iter()
            .filter(|entry| !entry.member.is_banned)
            .map(|entry| MemberEntry {
                user: entry.member.user,
                role: entry.member.role,
                is_here: entry.is_here,
            })
            .collect();
        let count = found.room.member_count;
        Ok((found.room, Roster { members, count, powers: found.powers, rights: found.rights }))
    }

    pub(super) async fn candidates(room: RoomId, text: &str) -> Result<Vec<User>, AppError> {
        Ok(context()?.chat.candidates(&require_user().await?, room, text).await?)
    }

    pub(super) async fn invite(room: RoomId, username: &str) -> Result<(), AppError> {
        // Accept the username in the form of a mention.
        let username = username.trim().trim_start_matches('@');
        context()?.chat.invite(&require_user().await?, room, username).await?;
        Ok(())
    }

    pub(super) async fn change(room: RoomId, user: UserId, act: &str) -> Result<(), AppError> {
        let act = MemberAction::ALL.into_iter().find(|known| known.as_str() == act).ok_or(Code::Invalid)?;
        let (me, chat) = (require_user().await?, context()?.chat);
        let patch = match act {
            MemberAction::Admin | MemberAction::Moderator | MemberAction::Member => {
                MemberPatch { role: Some(act.as_str().to_owned()), ..MemberPatch::default() }
            }
            MemberAction::Mute | MemberAction::Unmute => {
                MemberPatch { is_muted: Some(act == MemberAction::Mute), ..MemberPatch::default() }
            }
            MemberAction::Ban | MemberAction::Unban => {
                MemberPatch { is_banned: Some(act == MemberAction::Ban), ..MemberPatch::default() }
            }
            MemberAction::Remove => return Ok(chat.remove_member(&me, room, user).await?),
        };
        chat.change_member(&me, room, user, patch).await?;
        Ok(())
    }
}

#[cfg(feature = "ssr")]
pub(super) use handler::first;
