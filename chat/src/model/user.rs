//! Users as in the REST API.

use serde::{Deserialize, Serialize};

use super::id::UserId;

/// A user's public profile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name used to sign in and in mentions.
    pub username: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
}

impl User {
    /// The short form used by typing and presence frames.
    pub fn to_ref(&self) -> UserRef {
        UserRef { id: self.id, username: self.username.clone() }
    }
}

/// The id and name of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRef {
    /// The user's id.
    pub id: UserId,
    /// The username.
    pub username: String,
}
