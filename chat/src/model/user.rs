//! People, as others see them.

use serde::{Deserialize, Serialize};

use super::id::UserId;

/// A user as the contract shows one everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name they sign in with and are mentioned by.
    pub username: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
}

impl User {
    /// The short form that typing and presence frames carry.
    pub fn to_ref(&self) -> UserRef {
        UserRef { id: self.id, username: self.username.clone() }
    }
}

/// Who, in the frames that need no more than that.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRef {
    /// The user's id.
    pub id: UserId,
    /// Their username.
    pub username: String,
}
