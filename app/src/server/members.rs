//! Who is in a room: read a page at a time, brought in, and acted on.

use chat::model::{RoomId, User, UserId};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{error::AppError, state::roster::Roster};

/// The first members, as the room's details show them.
#[server(prefix = "/ui", endpoint = "roster", input = GetUrl)]
pub async fn read_roster(
    /// Of which room.
    room: RoomId,
) -> Result<Roster, AppError> {
    door::roster(room).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// People whom one could bring into a room, by a part of their names.
#[server(prefix = "/ui", endpoint = "candidates", input = GetUrl)]
pub async fn candidates(
    /// Which room.
    room: RoomId,
    /// The part.
    #[server(default)]
    text: String,
) -> Result<Vec<User>, AppError> {
    door::candidates(room, &text).await.inspect_err(|error| super::request::set_status(error.0.code))
}

/// Brings somebody in.
#[server(prefix = "/ui", endpoint = "invite_member")]
pub async fn invite_member(
    /// Into which room.
    room: RoomId,
    /// Whom.
    #[server(default)]
    username: String,
) -> Result<(), AppError> {
    let back = members_path(room);
    let result = door::invite(room, &username).await.map(|()| back.clone());
    super::forms::answer(result, super::forms::Form::Invitation, &back, [("username", &username)])
}

/// Acts on a member.
#[server(prefix = "/ui", endpoint = "change_member")]
pub async fn change_member(
    /// In which room.
    room: RoomId,
    /// On whom.
    user: UserId,
    /// How: a word of [`Act`].
    #[server(default)]
    act: String,
) -> Result<(), AppError> {
    let back = members_path(room);
    let result = door::change(room, user, &act).await.map(|()| back.clone());
    super::forms::answer(result, super::forms::Form::Member, &back, [])
}

/// The page with all members of a room.
pub fn members_path(room: RoomId) -> String {
    format!("/rooms/{room}/members")
}

/// What can be done to a member.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Make them an admin.
    Admin,
    /// Make them a moderator.
    Moderator,
    /// Make them a plain member.
    Plain,
    /// No longer let them write.
    Mute,
    /// Let them write again.
    Unmute,
    /// Shut them out.
    Ban,
    /// Let them in again.
    Unban,
    /// Put them out.
    Remove,
}

#[cfg(feature = "ssr")]
impl Act {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Moderator,
        Self::Plain,
        Self::Mute,
        Self::Unmute,
        Self::Ban,
        Self::Unban,
        Self::Remove,
    ];

    /// The word in the form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderator => "moderator",
            Self::Plain => "member",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Remove => "remove",
        }
    }
}

#[cfg(feature = "ssr")]
pub use door::page;

#[cfg(feature = "ssr")]
mod door {
    use chat::{
        model::{Code, MemberPatch, RoomId, User, UserId},
        service::roster::{RosterEntry, RosterQuery},
    };

    use super::Act;
    use crate::{
        error::AppError,
        server::{
            identity::{context, signed_in},
            request,
        },
        state::roster::{Roster, Seat},
    };

    /// How many members the details of a room show.
    const SEATS: usize = 60;
    /// How many a page of all of them shows.
    const PAGE: usize = 50;

    /// A page of all members of a room.
    pub async fn page(
        room: RoomId,
        search: Option<String>,
        after: Option<UserId>,
    ) -> Result<chat::service::roster::RosterPage, AppError> {
        let query = RosterQuery { search, after, limit: PAGE };
        let read = async { Ok(context()?.chat.roster(&signed_in().await?, room, &query).await?) };
        read.await.inspect_err(|error: &AppError| request::set_status(error.0.code))
    }

    pub(super) async fn roster(room: RoomId) -> Result<Roster, AppError> {
        first(&signed_in().await?, room).await.map(|(_, roster)| roster)
    }

    /// The room as `viewer` sees it, and its first members.
    pub(in crate::server) async fn first(
        viewer: &User,
        id: RoomId,
    ) -> Result<(chat::model::Room, Roster), AppError> {
        let query = RosterQuery { limit: SEATS, ..RosterQuery::default() };
        let found = context()?.chat.roster(viewer, id, &query).await?;
        let seats = found
            .entries
            .into_iter()
            .filter(|place| !place.member.is_banned)
            .map(|RosterEntry { member, is_here, .. }| Seat { user: member.user, role: member.role, is_here })
            .collect();
        let count = found.room.member_count;
        Ok((found.room, Roster { seats, count, powers: found.powers, rights: found.rights }))
    }

    pub(super) async fn candidates(room: RoomId, text: &str) -> Result<Vec<User>, AppError> {
        Ok(context()?.chat.candidates(&signed_in().await?, room, text).await?)
    }

    pub(super) async fn invite(room: RoomId, username: &str) -> Result<(), AppError> {
        // As people write it of others.
        let username = username.trim().trim_start_matches('@');
        context()?.chat.invite(&signed_in().await?, room, username).await?;
        Ok(())
    }

    pub(super) async fn change(room: RoomId, user: UserId, act: &str) -> Result<(), AppError> {
        let act = Act::ALL.into_iter().find(|known| known.word() == act).ok_or(Code::Invalid)?;
        let (me, chat) = (signed_in().await?, context()?.chat);
        let patch = match act {
            Act::Admin | Act::Moderator | Act::Plain => {
                MemberPatch { role: Some(act.word().to_owned()), ..MemberPatch::default() }
            }
            Act::Mute | Act::Unmute => {
                MemberPatch { is_muted: Some(act == Act::Mute), ..MemberPatch::default() }
            }
            Act::Ban | Act::Unban => {
                MemberPatch { is_banned: Some(act == Act::Ban), ..MemberPatch::default() }
            }
            Act::Remove => return Ok(chat.remove_member(&me, room, user).await?),
        };
        chat.change_member(&me, room, user, patch).await?;
        Ok(())
    }
}

#[cfg(feature = "ssr")]
pub(super) use door::first;
