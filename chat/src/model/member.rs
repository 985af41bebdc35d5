//! A user's place in a room.

use serde::{Deserialize, Serialize};

use super::{room::RoomRef, timestamp::Timestamp, user::User};

/// What a member may do beyond speaking; the table itself is in `service::access`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    /// Reads the word; an unknown one is the least powerful role.
    pub fn from_word(word: &str) -> Self {
        match word {
            "admin" => Self::Admin,
            "moderator" => Self::Moderator,
            _ => Self::Member,
        }
    }
}

/// A member as `GET /api/chat/rooms/{id}/members/` shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub last_read_at: Option<Timestamp>,
    /// May they not write?
    pub is_muted: bool,
    /// Are they shut out?
    pub is_banned: bool,
}
