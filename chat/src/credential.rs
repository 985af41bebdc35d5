//! Who acts, and the credential by which they proved it.
//!
//! A credential names what it belongs to: a session of the bundled UI, or the sign-in that a token was got by. When
//! that ends, everything opened with the credential ends with it (see [`crate::hub::OpenSockets`]).

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256};

use crate::model::{Timestamp, User, UserId};

/// Somebody who acts, as their credential proved it.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub user: User,
    /// What proved it.
    pub credential: Credential,
}

/// What somebody showed to prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session of the bundled UI.
    Session(SessionId),
    /// An access token.
    Token {
        /// The sign-in that it was got by.
        sign_in: SignInId,
        /// When it was issued; whole seconds.
        issued_at: Timestamp,
        /// From then on it is worth nothing.
        expires_at: Timestamp,
    },
}

/// The id of a session as the database has it: the SHA-256 of the secret in the cookie, in hex. Whoever reads the
/// database cannot use it as a cookie.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The id of the session whose cookie holds `secret`.
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

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell sessions apart in a log.
        write!(f, "SessionId({}…)", self.0.get(..8).unwrap_or_default())
    }
}

/// Names a sign-in by password: the id (`jti`) of the refresh token that it gave. All tokens got by that one, by
/// rotation too, belong to the same sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignInId(Arc<str>);

impl SignInId {
    /// The sign-in with this id, at most 64 characters.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a token whose signature is good says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    /// The token's own id.
    pub jti: String,
    /// The sign-in that it belongs to.
    pub sign_in: SignInId,
    /// Whose it is.
    pub user: UserId,
    /// When it was issued, to the second; the epoch where it does not say so.
    pub issued_at: Timestamp,
    /// From then on it is worth nothing.
    pub expires_at: Timestamp,
}

/// What a request proves without a look at the database: a token's signature, or a session's row that was read.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose it is.
    pub user: UserId,
    /// What was shown.
    pub credential: Credential,
}

impl From<TokenClaims> for Claim {
    fn from(token: TokenClaims) -> Self {
        let TokenClaims { sign_in, user, issued_at, expires_at, .. } = token;
        Self { user, credential: Credential::Token { sign_in, issued_at, expires_at } }
    }
}

/// That credentials of somebody have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialEnd {
    /// Whose.
    pub user: UserId,
    /// Which of theirs.
    pub what: Ended,
}

/// Which credentials of a person have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// One session.
    Session(SessionId),
    /// One sign-in.
    SignIn(SignInId),
    /// Some or all: what is left says the database.
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
