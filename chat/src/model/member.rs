//! A user's place in a room.

use serde::{Deserialize, Serialize};

use super::{room::RoomRef, timestamp::Timestamp, user::User};

// The table of what each may do is in `service::access`.
/// What a member may do beyond speaking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything in the room.
    Admin,
    /// May also moderate members and messages.
    Moderator,
    /// May read and write. Also what an unknown role of a newer server is taken for.
    #[default]
    #[serde(other)]
    Member,
}

impl Role {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// Reads a word that a person sent; `None` when it is none of the three.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "admin" => Some(Self::Admin),
            "moderator" => Some(Self::Moderator),
            "member" => Some(Self::Member),
            _ => None,
        }
    }

    /// Reads the word; an unknown one is the least powerful role.
    pub fn from_word(word: &str) -> Self {
        Self::parse(word).unwrap_or_default()
    }
}

/// A member as `GET /api/chat/rooms/{id}/members/` shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The membership's own id.
    pub id: i64,
    /// Which room.
    pub room: RoomRef,
    /// Who.
    pub user: User,
    /// Their role there.
    pub role: Role,
    /// When they (last) came in.
    pub joined_at: Timestamp,
    /// When they last marked something read; null before the first time.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_read_at: Option<Timestamp>,
    /// May they not write?
    pub is_muted: bool,
    /// Are they shut out?
    pub is_banned: bool,
}

/// What to change of a membership, not yet checked; what is missing stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberPatch {
    /// `admin`, `moderator` or `member`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>, nullable = false))]
    pub role: Option<String>,
    /// Mute them, or let them write again.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub is_muted: Option<bool>,
    /// Shut them out, or let them in again.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub is_banned: Option<bool>,
}

/// What somebody may do in a room beyond speaking, so that nothing else is offered to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a right of its own, and any of them may be missing"
)]
pub struct Powers {
    /// Bring somebody in.
    pub invite: bool,
    /// Mute, shut out or put out those whom they may act on.
    pub moderate: bool,
    /// Give those another role.
    pub set_role: bool,
    /// Change or delete the room.
    pub govern: bool,
}

/// What happened to a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    /// They came in, or were brought in.
    Joined,
    /// They went.
    Left,
    /// Somebody put them out.
    Removed,
    /// They were shut out.
    Banned,
    /// They may come in again; who was shut out while in the room is in it again.
    Unbanned,
    /// They may no longer write.
    Muted,
    /// They may write again.
    Unmuted,
    /// They have another role.
    Role,
    /// Something that only a newer server does.
    #[serde(other)]
    Unknown,
}
