//! Rooms, as the contract shows them.

use serde::{Deserialize, Serialize};

use super::{
    id::{MessageId, RoomId},
    member::Role,
    timestamp::Timestamp,
    user::User,
};

/// Who can find a room and come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomType {
    /// Listed for everyone signed in; anyone may join.
    Public,
    /// Like private; the React client shows it as a group.
    Group,
    /// Exists only for those who are in it. Also what a newer server's unknown
    /// type is taken for: showing less is the safe side.
    #[default]
    #[serde(other)]
    Private,
}

impl RoomType {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Group => "group",
        }
    }

    /// Reads a word that a person sent; `None` when it is none of the three.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "public" => Some(Self::Public),
            "private" => Some(Self::Private),
            "group" => Some(Self::Group),
            _ => None,
        }
    }
}

/// A room's name tag, inside messages and memberships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomRef {
    /// The room's id.
    pub id: RoomId,
    /// Its name now.
    pub name: String,
}

/// The newest message, in a room list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastMessage {
    /// Its id.
    pub id: MessageId,
    /// Its text.
    pub content: String,
    /// The sender's username.
    pub sender: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A room as one user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Room {
    /// The room's id.
    pub id: RoomId,
    /// 1 to 100 characters.
    pub name: String,
    /// May be empty.
    pub description: String,
    /// Who can find it.
    pub room_type: RoomType,
    /// Its maker.
    pub created_by: User,
    /// How many are in it.
    pub member_count: i64,
    /// False once it was deleted.
    pub is_active: bool,
    /// How many fit.
    pub max_members: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its own fields last changed.
    pub updated_at: Timestamp,
    /// The newest message; null in an empty room, and for whoever may not read its messages.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_message: Option<LastMessage>,
    /// Is the asking user in it?
    pub is_member: bool,
    /// Their role in it; null when they are not.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub my_role: Option<Role>,
    /// Messages of others that they have not read.
    pub unread_count: i64,
    /// Some of its members; only in a room's detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub members: Option<Vec<User>>,
}

/// What is asked for when a room is made, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewRoom {
    /// 1 to 100 characters, not blank.
    pub name: String,
    /// May be empty.
    #[serde(default)]
    pub description: String,
    /// `public`, `private` or `group`.
    #[cfg_attr(feature = "openapi", schema(value_type = RoomType))]
    pub room_type: String,
    /// 2 to 100,000; 50 when nothing is said.
    #[serde(default)]
    pub max_members: Option<i64>,
}

/// What to change of a room, not yet checked; what is missing stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomPatch {
    /// 1 to 100 characters, not blank.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// May be empty.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// 2 to 100,000, and not fewer than are in it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub max_members: Option<i64>,
}
