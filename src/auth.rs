//! Authentication by token or session, and the throttling of sign-ins.
//!
//! This module only reads and verifies credentials. Whether the account exists, is active or may chat is decided by the
//! domain. See [`extract`] for the extractors, [`jwt`] for tokens, [`session`] for the session cookie of the bundled UI
//! and [`throttle`] for failed sign-ins.

use std::sync::Arc;

use app::server::NewAccount;
use chat::{
    Chat,
    clock::Clock,
    credential::{Claim, SignInId, TokenClaims},
    model::{Code, Timestamp, User, UserId},
    service::accounts::{IssuedToken, SignIn},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Config, error::ApiError, middleware::client::ClientAddr};

pub mod extract;
pub mod jwt;
pub mod session;
pub mod throttle;

pub use extract::{AnyUser, ChatUser, SocketIdentity};

use jwt::{MintError, Minted, TokenError, TokenType, Tokens};
use throttle::{Limits, Throttle, Throttled};

/// The stored length of a `User-Agent`, in characters.
const USER_AGENT_MAX: usize = 250;

/// Authentication for all handlers. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

struct Inner {
    tokens: Tokens,
    rotates: bool,
    throttle: Throttle,
    clock: Clock,
}

/// The tokens that a refresh token is exchanged for.
pub struct RefreshedTokens {
    /// The new access token.
    pub access: String,
    /// The new refresh token, if `rotate_refresh_tokens` is on.
    pub refresh: Option<String>,
}

impl Auth {
    /// A fingerprint of the secret key: equal for equal keys, and it does not reveal the key.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn key_fingerprint(&self) -> Result<String, MintError> {
        self.inner.tokens.fingerprint()
    }

    /// With these settings and the secret key that signs tokens.
    pub fn new(config: &Config, secret: &SecretString, clock: Clock) -> Self {
        let tokens = Tokens::new(
            secret.expose_secret().as_bytes(),
            config.access_token_lifetime,
            config.refresh_token_lifetime,
        );
        let limits = Limits {
            per_account: config.signin_failures_per_account.0,
            per_address: config.signin_failures_per_address.0,
            sign_ups_per_address: config.sign_ups_per_address.0,
            sign_up_failures_per_address: config.sign_up_failures_per_address.0,
        };
        let throttle = Throttle::new(limits, clock.clone());
        let rotates = config.rotate_refresh_tokens;
        Self { inner: Arc::new(Inner { tokens, rotates, throttle, clock }) }
    }

    /// Checks a password, unless there were too many failures for the account or the address.
    ///
    /// # Errors
    /// [`chat::Error::Throttled`], and as [`Chat::sign_in`].
    pub async fn sign_in(
        &self,
        chat: &Chat,
        username: &str,
        password: &str,
        from: ClientAddr,
    ) -> chat::Result<SignIn> {
        let attempt = self.inner.throttle.attempt(username, from, chat.sign_in(username, password));
        attempt.await.unwrap_or_else(|Throttled(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// Creates an account, unless too many were created from this address.
    ///
    /// # Errors
    /// [`chat::Error::Throttled`], and as [`Chat::register`].
    pub async fn sign_up(&self, chat: &Chat, new: &NewAccount, from: ClientAddr) -> chat::Result<User> {
        // Boxed, since the future is large.
        let make = Box::pin(chat.register(&new.username, &new.password, &new.first_name, &new.last_name));
        let attempt = self.inner.throttle.sign_up(from, make);
        attempt.await.unwrap_or_else(|Throttled(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// Issues an access token and a refresh token for a sign-in. The refresh token is stored with the user agent.
    ///
    /// # Errors
    /// `no_active_account` if the password was changed since it was checked; `internal`, `unavailable`.
    pub async fn tokens_for(
        &self,
        chat: &Chat,
        sign_in: &SignIn,
        agent: &str,
    ) -> Result<(String, String), ApiError> {
        let make = |now| self.make_pair(sign_in.user.id, None, agent, now);
        Ok(chat.issue_token(sign_in, make).await?)
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// `token_not_valid`; `no_active_account` if its user is missing or deactivated.
    pub async fn refresh(&self, chat: &Chat, token: &str, agent: &str) -> Result<RefreshedTokens, ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(token_not_valid)?;
        let unusable = |error: chat::Error| match error.code() {
            Code::TokenNotValid => token_not_valid(TokenError::Blacklisted),
            Code::UserInactive | Code::UserNotFound => ApiError::from(Code::NoActiveAccount)
                .with_detail("No active account found for the given token."),
            _ => error.into(),
        };
        if self.inner.rotates {
            let make = |now| self.make_pair(claims.user, Some(&claims.sign_in), agent, now);
            let (access, refresh) = chat.rotate_token(&claims, make).await.map_err(unusable)?;
            return Ok(RefreshedTokens { access, refresh: Some(refresh) });
        }
        let user = chat.check_refresh_token(&claims).await.map_err(unusable)?;
        // Not issued before the refresh token (see `Chat::issue_token`).
        let now = self.inner.clock.now().max(claims.issued_at);
        let access = self.inner.tokens.access(user.id, &claims.sign_in, now).map_err(minting_failed)?;
        Ok(RefreshedTokens { access, refresh: None })
    }

    /// Makes an access token and a refresh token of this sign-in, or of a new one, and the record of the refresh token.
    fn make_pair(
        &self,
        user: UserId,
        sign_in: Option<&SignInId>,
        agent: &str,
        now: Timestamp,
    ) -> chat::Result<(IssuedToken, (String, String))> {
        let tokens = &self.inner.tokens;
        let Minted { token, jti, sign_in, expires_at } =
            tokens.refresh(user, sign_in, now).map_err(minting_failed)?;
        let access = tokens.access(user, &sign_in, now).map_err(minting_failed)?;
        let agent = agent.chars().take(USER_AGENT_MAX).collect();
        Ok((IssuedToken { jti, sign_in, user, agent, created_at: now, expires_at }, (access, token)))
    }

    /// Verifies a token of either type.
    ///
    /// # Errors
    /// `token_not_valid`.
    pub async fn verify(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, None).map_err(token_not_valid)?;
        if chat.is_blacklisted(&claims).await? {
            return Err(token_not_valid(TokenError::Blacklisted));
        }
        Ok(())
    }

    /// Ends the sign-in that a refresh token belongs to, or only the token if it was rotated away.
    ///
    /// # Errors
    /// `token_not_valid`, also if it was blacklisted already.
    pub async fn blacklist(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(token_not_valid)?;
        let is_new = chat.blacklist_token(&claims).await?;
        if is_new { Ok(()) } else { Err(token_not_valid(TokenError::Blacklisted)) }
    }

    /// The user of an access token, if they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`, `not_in_group`.
    pub async fn authorize(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        chat.authorize_claim(&self.claim(access)?).await.map_err(token_error)
    }

    /// The verified claim of an access token. The user is not looked up.
    ///
    /// # Errors
    /// `token_not_valid`.
    pub fn claim(&self, access: &str) -> Result<Claim, ApiError> {
        self.read_access(access).map(Claim::from)
    }

    /// The user of an access token, whether or not they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`.
    pub async fn authenticate(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        chat.authenticate_claim(&self.claim(access)?).await.map_err(token_error)
    }

    fn read_access(&self, token: &str) -> Result<TokenClaims, ApiError> {
        self.read(token, Some(TokenType::Access))
            .map_err(|error| ApiError::from(Code::TokenNotValid).with_token_message(error.message()))
    }

    fn read(&self, token: &str, wanted: Option<TokenType>) -> Result<TokenClaims, TokenError> {
        self.inner.tokens.read(token, wanted, self.inner.clock.now())
    }
}

/// The error for a token in a request body, unlike [`token_error`] for the token that authenticates a call.
fn token_not_valid(error: TokenError) -> ApiError {
    ApiError::from(Code::TokenNotValid).with_detail(error.message())
}

/// The error for a call whose access token does not authenticate it.
fn token_error(error: chat::Error) -> ApiError {
    match error.code() {
        Code::TokenNotValid => {
            ApiError::from(Code::TokenNotValid).with_token_message(TokenError::Blacklisted.message())
        }
        _ => error.into(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn minting_failed(error: MintError) -> chat::Error {
    tracing::error!(%error, "a call failed");
    Code::Internal.into()
}
