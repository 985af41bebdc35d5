//! Memberships.

use serde::{Deserialize, Serialize};

use super::{role::Role, room::RoomRef, timestamp::Timestamp, user::User};

/// A member as `GET /api/chat/rooms/{id}/members/` shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The membership's id.
    pub id: i64,
    /// The room of the membership.
    pub room: RoomRef,
    /// The user.
    pub user: User,
    /// Their role in the room.
    pub role: Role,
    /// When they last joined.
    pub joined_at: Timestamp,
    /// When they last marked a message as read; null if never.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_read_at: Option<Timestamp>,
    /// Whether they are muted.
    pub is_muted: bool,
    /// Whether they are banned.
    pub is_banned: bool,
}

/// Changes to a membership, not yet validated. Missing fields stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberPatch {
    /// `admin`, `moderator` or `member`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>, nullable = false))]
    pub role: Option<String>,
    /// Mutes or unmutes the member.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub is_muted: Option<bool>,
    /// Bans or unbans the member.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub is_banned: Option<bool>,
}

/// What a user may do in a room beyond writing. The UI hides everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "the permissions are independent of each other")]
pub struct RoomPermissions {
    /// Add members.
    pub invite: bool,
    /// Mute, ban or remove members of a lower role.
    pub moderate: bool,
    /// Change the role of members.
    pub set_role: bool,
    /// Edit or delete the room.
    #[serde(rename = "govern")]
    pub manage_room: bool,
}

/// What changed about a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    /// The user joined or was added.
    Joined,
    /// The user left.
    Left,
    /// The user was removed.
    Removed,
    /// The user was banned.
    Banned,
    /// The ban was lifted. A user who was a member when banned is a member again.
    Unbanned,
    /// The member was muted.
    Muted,
    /// The member was unmuted.
    Unmuted,
    /// The member's role changed.
    Role,
    /// What changed is not known; the frame has the current state.
    State,
    /// A change that only a newer server knows.
    #[serde(other)]
    Unknown,
}
