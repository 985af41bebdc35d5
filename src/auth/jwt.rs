//! JSON Web Tokens, such as djangorestframework-simplejwt mints and reads them:
//! HS256 alone, claims `token_type`, `exp`, `iat`, `jti` and `user_id`.
//!
//! Whether the user still exists and whether a refresh token was ended early is for
//! others to ask; nothing here reads the database. No leeway: `exp` is the moment
//! from which a token is worth nothing, to the second, on whichever node it is shown.

pub mod hmac;

use std::time::Duration;

use chat::{
    credential::{SignInId, TokenClaims},
    model::{Timestamp, UserId},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// Tokens and sign-ins that have ended are remembered by their ids, in columns of this many characters.
const ID_MAX: usize = 64;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenType {
    /// Calls of the API.
    Access,
    /// New access tokens.
    Refresh,
    /// Some use that is not ours, such as Simple JWT's sliding tokens.
    #[serde(other)]
    Other,
}

/// A token just made.
pub struct Minted {
    /// The token.
    pub token: String,
    /// Its own id.
    pub jti: String,
    /// The sign-in that it belongs to.
    pub sign_in: SignInId,
    /// From then on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not a token, of another algorithm, or not signed with our secret.
    Invalid,
    /// Its time is over.
    Expired,
    /// It would be good for ever.
    NoExpiry,
    /// It cannot be told from others.
    NoId,
    /// It does not say what it is good for.
    NoType,
    /// It is good for something else.
    WrongType,
    /// It names nobody.
    NoUser,
    /// It was ended before its time.
    Blacklisted,
}

impl TokenError {
    /// Simple JWT's words for it, which clients compare.
    pub fn words(self) -> &'static str {
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

/// Why a token could not be made: the machine has no randomness or no memory.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be made: {0}")]
pub struct MintError(String);

/// Makes tokens and reads them, with one secret.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    access_lifetime: Duration,
    refresh_lifetime: Duration,
}

#[derive(Serialize)]
struct Written<'a> {
    token_type: TokenType,
    exp: i64,
    iat: i64,
    jti: &'a str,
    user_id: String,
    /// Ours: Simple JWT passes over it.
    sign_in: &'a str,
}

#[derive(Deserialize)]
struct Shown {
    token_type: Option<TokenType>,
    exp: Option<Number>,
    iat: Option<Number>,
    nbf: Option<Number>,
    jti: Option<String>,
    user_id: Option<ShownUser>,
    sign_in: Option<String>,
}

/// Simple JWT writes a string since 5.4, and wrote an integer before.
#[derive(Deserialize)]
#[serde(untagged)]
enum ShownUser {
    Text(String),
    Number(i64),
}

impl Tokens {
    /// Tokens signed with `secret`, which Simple JWT calls `SIGNING_KEY`.
    pub fn new(secret: &[u8], access_lifetime: Duration, refresh_lifetime: Duration) -> Self {
        hmac::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Times are checked here, by the domain's clock. An audience is Simple JWT's to
        // demand; a token that names one is no worse for that.
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

    /// What the secret makes of a text that is no token: the same on every server with that secret, and no help to
    /// whoever reads it.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn check(&self) -> Result<String, MintError> {
        jsonwebtoken::crypto::sign(b"liao: the same secret key?", &self.signing, Algorithm::HS256)
            .map_err(|error| MintError(error.to_string()))
    }

    /// A new access token of this sign-in for `user`, good from `now`.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn access(&self, user: UserId, sign_in: &SignInId, now: Timestamp) -> Result<String, MintError> {
        let minted = self.mint(TokenType::Access, self.access_lifetime, user, Some(sign_in), now);
        minted.map(|minted| minted.token)
    }

    /// A new refresh token for `user`, good from `now`: of this sign-in, or the first of a new one.
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
        let claims = Written { token_type, exp, iat, jti: &jti, user_id, sign_in: sign_in.as_str() };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| MintError(error.to_string()))?;
        Ok(Minted { token, jti, sign_in, expires_at: Timestamp(exp.saturating_mul(1_000_000)) })
    }

    /// What `token` says, if it is good now and for `wanted`; `None`: for whatever it is.
    ///
    /// # Errors
    /// [`TokenError`], the first that applies, in Simple JWT's order.
    pub fn read(
        &self,
        token: &str,
        wanted: Option<TokenType>,
        now: Timestamp,
    ) -> Result<TokenClaims, TokenError> {
        let shown = jsonwebtoken::decode::<Shown>(token, &self.verifying, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let seconds = |number: Number| number.as_i64().ok_or(TokenError::Invalid);
        let now = now.unix_seconds();
        if shown.nbf.map(seconds).transpose()?.is_some_and(|nbf| nbf > now) {
            return Err(TokenError::Invalid);
        }
        let exp = seconds(shown.exp.ok_or(TokenError::NoExpiry)?)?;
        if exp <= now {
            return Err(TokenError::Expired);
        }
        let jti = shown.jti.filter(|jti| !jti.is_empty()).ok_or(TokenError::NoId)?;
        // One without the claim is of another issuer: it belongs to no other token than those got by it.
        let sign_in = shown.sign_in.unwrap_or_else(|| jti.clone());
        if ![&jti, &sign_in].into_iter().all(|id| is_storable(id)) {
            return Err(TokenError::Invalid);
        }
        if let Some(wanted) = wanted
            && shown.token_type.ok_or(TokenError::NoType)? != wanted
        {
            return Err(TokenError::WrongType);
        }
        let user = match shown.user_id.ok_or(TokenError::NoUser)? {
            ShownUser::Number(id) => UserId::checked(id),
            ShownUser::Text(text) => text.parse().ok().and_then(|UserId(id)| UserId::checked(id)),
        };
        Ok(TokenClaims {
            jti,
            sign_in: SignInId::new(&sign_in),
            user: user.ok_or(TokenError::NoUser)?,
            issued_at: Timestamp(
                shown.iat.and_then(|iat| iat.as_i64()).unwrap_or(0).saturating_mul(1_000_000),
            ),
            expires_at: Timestamp(exp.saturating_mul(1_000_000)),
        })
    }
}

/// Can the database keep this id, and tell it from every other? MySQL takes blanks at the end for none.
fn is_storable(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && !id.contains('\0') && id.trim() == id
}

#[cfg(test)]
mod tests;
