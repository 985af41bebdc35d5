//! The authenticated user and the credential that authenticated them.
//!
//! A credential belongs to a session of the web UI or to a sign-in that issued tokens. When that ends, every socket
//! opened with the credential is closed (see [`crate::hub::OpenSockets`]).

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256};

use crate::model::{Timestamp, User, UserId};

/// An authenticated user.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub user: User,
    /// The credential used.
    pub credential: Credential,
}

/// A credential, as verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session of the web UI.
    Session(SessionId),
    /// An access token.
    Token {
        /// The sign-in that issued it.
        sign_in: SignInId,
        /// When it was issued, in whole seconds.
        issued_at: Timestamp,
        /// When it expires.
        expires_at: Timestamp,
    },
}

/// The id of a session in the database: the SHA-256 of the cookie's secret, in hex.
///
/// A reader of the database cannot derive the cookie from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The id of the session whose cookie contains `secret`.
    pub fn of_secret(secret: &str) -> Self {
        let hash = Sha256::digest(secret.as_bytes());
        let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
        Self(hex.into())
    }

    /// An id read from the database.
    pub(crate) fn stored(id: &str) -> Self {
        Self(id.into())
    }

    /// The id: 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A prefix is enough to distinguish sessions in a log.
        write!(f, "SessionId({}…)", self.0.get(..8).unwrap_or_default())
    }
}

/// A sign-in by password: the id (`jti`) of the refresh token it issued.
///
/// All tokens obtained with that token, also by rotation, belong to the same sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignInId(Arc<str>);

impl SignInId {
    /// Wraps an id of at most 64 characters.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The claims of a token with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    /// The token's id.
    pub jti: String,
    /// The sign-in it belongs to.
    pub sign_in: SignInId,
    /// The user.
    pub user: UserId,
    /// When it was issued, in whole seconds; the epoch if the token does not say.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// An identity not yet checked against the database.
///
/// It comes from a token's signature or from a session's row.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The user.
    pub user: UserId,
    /// The credential presented.
    pub credential: Credential,
}

impl From<TokenClaims> for Claim {
    fn from(token: TokenClaims) -> Self {
        let TokenClaims { sign_in, user, issued_at, expires_at, .. } = token;
        Self { user, credential: Credential::Token { sign_in, issued_at, expires_at } }
    }
}

/// The end of one or all credentials of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialEnd {
    /// The user.
    pub user: UserId,
    /// Which credentials ended.
    pub what: Ended,
}

/// Which credentials of a user ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// One session.
    Session(SessionId),
    /// One sign-in.
    SignIn(SignInId),
    /// Some or all. The database has those that are still valid.
    Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sessions_id_is_the_sha_256_of_its_secret() {
        let id = SessionId::of_secret("abc");
        assert_eq!(id.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(format!("{id:?}"), "SessionId(ba7816bf…)");
    }
}
