//! The roles of members.

use serde::{Deserialize, Serialize};

// The permissions of each role are in `rules::access`.
/// A member's role in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has all permissions in the room.
    Admin,
    /// Can also moderate members and messages.
    Moderator,
    /// Can read and write. Unknown roles of a newer server are decoded to this one.
    #[default]
    #[serde(other)]
    Member,
}

impl Role {
    /// The role's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// Parses a role's name in user input; `None` if unknown.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "admin" => Some(Self::Admin),
            "moderator" => Some(Self::Moderator),
            "member" => Some(Self::Member),
            _ => None,
        }
    }

    /// Parses a role's name in the database; an unknown one becomes the least privileged role.
    pub fn from_stored(word: &str) -> Self {
        Self::parse(word).unwrap_or_default()
    }
}
