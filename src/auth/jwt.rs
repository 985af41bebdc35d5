//! JSON Web Tokens compatible with djangorestframework-simplejwt: HS256 only, with the claims `token_type`, `exp`,
//! `iat`, `jti` and `user_id`.
//!
//! Nothing here reads the database: whether the user exists and whether a token was ended early is checked elsewhere.
//! There is no leeway: a token is invalid from the second `exp` on, on every node.

pub mod hmac;

use std::time::Duration;

use chat::{
    credential::{SignInId, TokenClaims},
    model::{Timestamp, UserId},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// The width of the columns that store the ids of ended tokens and sign-ins, in characters.
const ID_MAX: usize = 64;

/// The `token_type` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenType {
    /// Authenticates API calls.
    Access,
    /// Is exchanged for new access tokens.
    Refresh,
    /// Any other type, such as Simple JWT's sliding tokens.
    #[serde(other)]
    Other,
}

/// A new token.
pub struct Minted {
    /// The encoded token.
    pub token: String,
    /// The token's id.
    pub jti: String,
    /// The sign-in that it belongs to.
    pub sign_in: SignInId,
    /// The time from which the token is invalid.
    pub expires_at: Timestamp,
}

/// Why a token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not a JWT, another algorithm, or not signed with our secret.
    Invalid,
    /// It has expired.
    Expired,
    /// It has no `exp`.
    NoExpiry,
    /// It has no `jti`.
    NoId,
    /// It has no `token_type`.
    NoType,
    /// It has another type than the expected one.
    WrongType,
    /// It has no valid `user_id`.
    NoUser,
    /// It was ended before its `exp`.
    Blacklisted,
}

impl TokenError {
    /// Simple JWT's text for the error, which clients compare.
    pub fn message(self) -> &'static str {
        match self {
            Self::Invalid => "Token is invalid",
            Self::Expired => "Token is expired",
            Self::NoExpiry => "Token has no 'exp' claim",
            Self::NoId => "Token has no id",
            Self::NoType => "Token has no type",
            Self::WrongType => "Token has wrong type",
            Self::NoUser => "Token contained no recognizable user identification",
            Self::Blacklisted => "Token is blacklisted",
        }
    }
}

/// A token could not be made, for example because the system has no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be made: {0}")]
pub struct MintError(String);

/// Issues and verifies tokens with one secret.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    access_lifetime: Duration,
    refresh_lifetime: Duration,
}

#[derive(Serialize)]
struct IssuedClaims<'a> {
    token_type: TokenType,
    exp: i64,
    iat: i64,
    jti: &'a str,
    user_id: String,
    /// Our own claim. Simple JWT ignores it.
    sign_in: &'a str,
}

#[derive(Deserialize)]
struct PresentedClaims {
    token_type: Option<TokenType>,
    exp: Option<Number>,
    iat: Option<Number>,
    nbf: Option<Number>,
    jti: Option<String>,
    user_id: Option<UserIdClaim>,
    sign_in: Option<String>,
}

/// Simple JWT writes a string since version 5.4, and an integer before.
#[derive(Deserialize)]
#[serde(untagged)]
enum UserIdClaim {
    Text(String),
    Number(i64),
}

impl Tokens {
    /// For tokens signed with `secret`, which Simple JWT calls `SIGNING_KEY`.
    pub fn new(secret: &[u8], access_lifetime: Duration, refresh_lifetime: Duration) -> Self {
        hmac::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are checked below, with the domain's clock. Like Simple JWT by default, no audience is required, and
        // one that is present is ignored.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
            validation,
            access_lifetime,
            refresh_lifetime,
        }
    }

    /// The signature of a fixed text that is not a token: equal on all servers with this secret, and of no use for an
    /// attacker.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn fingerprint(&self) -> Result<String, MintError> {
        jsonwebtoken::crypto::sign(b"liao: the same secret key?", &self.signing, Algorithm::HS256)
            .map_err(|error| MintError(error.to_string()))
    }

    /// A new access token of this sign-in for `user`, issued at `now`.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn access(&self, user: UserId, sign_in: &SignInId, now: Timestamp) -> Result<String, MintError> {
        let minted = self.mint(TokenType::Access, self.access_lifetime, user, Some(sign_in), now);
        minted.map(|minted| minted.token)
    }

    /// A new refresh token for `user`, issued at `now`: of this sign-in, or the first one of a new sign-in.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn refresh(
        &self,
        user: UserId,
        sign_in: Option<&SignInId>,
        now: Timestamp,
    ) -> Result<Minted, MintError> {
        self.mint(TokenType::Refresh, self.refresh_lifetime, user, sign_in, now)
    }

    fn mint(
        &self,
        token_type: TokenType,
        lifetime: Duration,
        user: UserId,
        sign_in: Option<&SignInId>,
        now: Timestamp,
    ) -> Result<Minted, MintError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| MintError(error.to_string()))?;
        let jti = format!("{:032x}", u128::from_be_bytes(id));
        let iat = now.unix_seconds();
        let exp = iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
        let sign_in = sign_in.cloned().unwrap_or_else(|| SignInId::new(&jti));
        let user_id = user.to_string();
        let claims = IssuedClaims { token_type, exp, iat, jti: &jti, user_id, sign_in: sign_in.as_str() };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| MintError(error.to_string()))?;
        Ok(Minted { token, jti, sign_in, expires_at: Timestamp(exp.saturating_mul(1_000_000)) })
    }

    /// Verifies a token at the time `now` and returns its claims. With `wanted`, the token must have that type.
    ///
    /// # Errors
    /// The first [`TokenError`] that applies, in Simple JWT's order.
    pub fn read(
        &self,
        token: &str,
        wanted: Option<TokenType>,
        now: Timestamp,
    ) -> Result<TokenClaims, TokenError> {
        let presented = jsonwebtoken::decode::<PresentedClaims>(token, &self.verifying, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let seconds = |number: Number| number.as_i64().ok_or(TokenError::Invalid);
        let now = now.unix_seconds();
        if presented.nbf.map(seconds).transpose()?.is_some_and(|nbf| nbf > now) {
            return Err(TokenError::Invalid);
        }
        let exp = seconds(presented.exp.ok_or(TokenError::NoExpiry)?)?;
        if exp <= now {
            return Err(TokenError::Expired);
        }
        let jti = presented.jti.filter(|jti| !jti.is_empty()).ok_or(TokenError::NoId)?;
        // Tokens of another issuer have no such claim. Such a token is a sign-in of its own.
        let sign_in = presented.sign_in.unwrap_or_else(|| jti.clone());
        if ![&jti, &sign_in].into_iter().all(|id| is_storable(id)) {
            return Err(TokenError::Invalid);
        }
        if let Some(wanted) = wanted
            && presented.token_type.ok_or(TokenError::NoType)? != wanted
        {
            return Err(TokenError::WrongType);
        }
        let user = match presented.user_id.ok_or(TokenError::NoUser)? {
            UserIdClaim::Number(id) => UserId::checked(id),
            UserIdClaim::Text(text) => text.parse().ok().and_then(|UserId(id)| UserId::checked(id)),
        };
        Ok(TokenClaims {
            jti,
            sign_in: SignInId::new(&sign_in),
            user: user.ok_or(TokenError::NoUser)?,
            issued_at: Timestamp(
                presented.iat.and_then(|iat| iat.as_i64()).unwrap_or(0).saturating_mul(1_000_000),
            ),
            expires_at: Timestamp(exp.saturating_mul(1_000_000)),
        })
    }
}

/// Can the database store this id and compare it exactly? MySQL ignores trailing spaces.
fn is_storable(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && !id.contains('\0') && id.trim() == id
}

#[cfg(test)]
mod tests;
