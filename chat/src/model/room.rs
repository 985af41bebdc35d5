//! Rooms as in the REST API.

use serde::{Deserialize, Serialize};

use super::{
    id::{MessageId, RoomId},
    role::Role,
    timestamp::Timestamp,
    user::User,
};

/// Who can find and join a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomType {
    /// Listed for all users; anyone can join.
    Public,
    /// Same rules as `private`; the React client displays it as a group.
    Group,
    /// Visible to its members only. Unknown types of a newer server are decoded to this one, the safe choice.
    #[default]
    #[serde(other)]
    Private,
}

impl RoomType {
    /// The type's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Group => "group",
        }
    }

    /// Parses a type's name in user input; `None` if unknown.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "public" => Some(Self::Public),
            "private" => Some(Self::Private),
            "group" => Some(Self::Group),
            _ => None,
        }
    }
}

/// The id and name of a room, inside messages and memberships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomRef {
    /// The room's id.
    pub id: RoomId,
    /// Its current name.
    pub name: String,
}

/// The newest message of a room, in a room list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastMessage {
    /// The message's id.
    pub id: MessageId,
    /// The message's text.
    pub content: String,
    /// The sender's username.
    pub sender: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A room as seen by one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Room {
    /// The room's id.
    pub id: RoomId,
    /// 1 to 100 characters.
    pub name: String,
    /// May be empty.
    pub description: String,
    /// Who can find and join it.
    pub room_type: RoomType,
    /// The creator.
    pub created_by: User,
    /// Number of members.
    pub member_count: i64,
    /// False if the room was deleted.
    pub is_active: bool,
    /// Maximum number of members.
    pub max_members: i64,
    /// When the room was created.
    pub created_at: Timestamp,
    /// When its own fields last changed.
    pub updated_at: Timestamp,
    /// The newest message; null in an empty room, and for users who may not read its messages.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_message: Option<LastMessage>,
    /// Whether the caller is a member.
    pub is_member: bool,
    /// The caller's role; null if not a member.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub my_role: Option<Role>,
    /// Number of messages of others that the caller has not read.
    pub unread_count: i64,
    /// The first members; only in a room's detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub members: Option<Vec<User>>,
}

/// A room's own fields, as frames show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomInfo {
    /// The room's id.
    pub id: RoomId,
    /// 1 to 100 characters.
    pub name: String,
    /// May be empty.
    pub description: String,
    /// Who can find and join it.
    pub room_type: RoomType,
    /// Maximum number of members.
    pub max_members: i64,
    /// False if the room was deleted.
    pub is_active: bool,
    /// When these fields last changed.
    pub updated_at: Timestamp,
}

/// A room to create, not yet validated.
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
    /// 2 to 100,000; default 50.
    #[serde(default)]
    pub max_members: Option<i64>,
}

/// Changes to a room, not yet validated. Missing fields stay unchanged.
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
    /// 2 to 100,000, and at least the current number of members.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub max_members: Option<i64>,
}
