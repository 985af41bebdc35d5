//! Who it is: by token or by session, and how often one may guess a password.
//!
//! Whether an account exists, is active or may chat, the domain says; this module
//! only finds out whose claim it is. Read [`extract`] for where credentials stand in
//! a request, [`jwt`] for tokens, [`session`] for the bundled UI's cookie and
//! [`throttle`] for failed sign-ins.

use std::sync::Arc;

use app::server::NewAccount;
use chat::{
    Chat,
    model::{Code, User},
    service::Clock,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Config, error::ApiError, middleware::client::ClientAddr};

pub mod extract;
pub mod jwt;
pub mod session;
pub mod throttle;

pub use extract::{Caller, SignedIn, Visitor};

use jwt::{Claims, MintError, TokenError, TokenType, Tokens};
use throttle::{Limits, Throttle, TooMany};

/// What the doors need to know people again. Cheap to clone.
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

/// What a refresh token is exchanged for.
pub struct Refreshed {
    /// A new access token.
    pub access: String,
    /// A new refresh token, where the settings say that each is good once.
    pub refresh: Option<String>,
}

impl Auth {
    /// What tells this server's secret key from others without telling it.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn key_check(&self) -> Result<String, MintError> {
        self.inner.tokens.check()
    }

    /// By the settings, with the secret that signs tokens.
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
        };
        let throttle = Throttle::new(limits, clock.clone());
        let rotates = config.rotate_refresh_tokens;
        Self { inner: Arc::new(Inner { tokens, rotates, throttle, clock }) }
    }

    /// Who this is, if the password is theirs and there were not too many wrong ones.
    ///
    /// # Errors
    /// [`chat::Error::Throttled`], and as [`Chat::sign_in`].
    pub async fn sign_in(
        &self,
        chat: &Chat,
        username: &str,
        password: &str,
        from: ClientAddr,
    ) -> chat::Result<User> {
        let attempt = self.inner.throttle.attempt(username, from, chat.sign_in(username, password));
        attempt.await.unwrap_or_else(|TooMany(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// Makes an account for a stranger, if not too many were made from their address.
    ///
    /// # Errors
    /// [`chat::Error::Throttled`], and as [`Chat::register`].
    pub async fn sign_up(&self, chat: &Chat, new: &NewAccount, from: ClientAddr) -> chat::Result<User> {
        let made = self
            .inner
            .throttle
            .sign_up(from, chat.register(&new.username, &new.password, &new.first_name, &new.last_name));
        made.await.unwrap_or_else(|TooMany(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// A new access token for `user`, and a refresh token.
    ///
    /// # Errors
    /// `internal`.
    pub fn tokens_for(&self, user: &User) -> Result<(String, String), ApiError> {
        let now = self.inner.clock.now();
        let access = self.inner.tokens.access(user.id, now).map_err(not_minted)?;
        let refresh = self.inner.tokens.refresh(user.id, now).map_err(not_minted)?;
        Ok((access, refresh))
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// `token_not_valid`; `no_active_account` when its user is gone or deactivated.
    pub async fn refresh(&self, chat: &Chat, token: &str) -> Result<Refreshed, ApiError> {
        let claims = self.read_refresh(chat, token).await?;
        let user = chat.authenticate(claims.user).await.map_err(|error| match error.code() {
            Code::UserInactive | Code::UserNotFound => ApiError::from(Code::NoActiveAccount)
                .with_detail("No active account found for the given token."),
            _ => error.into(),
        })?;
        let (access, refresh) = self.tokens_for(&user)?;
        if !self.inner.rotates {
            return Ok(Refreshed { access, refresh: None });
        }
        // Of two who use it up at once, one gets the next token; the other may be a thief.
        if chat.blacklist_token(&claims.jti, claims.expires_at).await? {
            Ok(Refreshed { access, refresh: Some(refresh) })
        } else {
            Err(refused(TokenError::Blacklisted))
        }
    }

    /// Is this token, of either type, good now?
    ///
    /// # Errors
    /// `token_not_valid`.
    pub async fn verify(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, None).map_err(refused)?;
        must_live(chat, &claims).await
    }

    /// Ends a refresh token before its time.
    ///
    /// # Errors
    /// `token_not_valid`, also when it was ended already.
    pub async fn blacklist(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(refused)?;
        let is_new = chat.blacklist_token(&claims.jti, claims.expires_at).await?;
        if is_new { Ok(()) } else { Err(refused(TokenError::Blacklisted)) }
    }

    /// Whoever shows this access token, if they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`, `not_in_group`.
    pub async fn admit(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        let claims = self.read_access(access)?;
        Ok(chat.admit(claims.user).await?)
    }

    fn read_access(&self, token: &str) -> Result<Claims, ApiError> {
        self.read(token, Some(TokenType::Access))
            .map_err(|error| ApiError::from(Code::TokenNotValid).with_token_message(error.words()))
    }

    async fn read_refresh(&self, chat: &Chat, token: &str) -> Result<Claims, ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(refused)?;
        must_live(chat, &claims).await?;
        Ok(claims)
    }

    fn read(&self, token: &str, wanted: Option<TokenType>) -> Result<Claims, TokenError> {
        self.inner.tokens.read(token, wanted, self.inner.clock.now())
    }
}

async fn must_live(chat: &Chat, claims: &Claims) -> Result<(), ApiError> {
    if chat.is_blacklisted(&claims.jti).await? { Err(refused(TokenError::Blacklisted)) } else { Ok(()) }
}

/// A token that is shown to be exchanged, verified or ended, unlike one that is to open a door.
fn refused(error: TokenError) -> ApiError {
    ApiError::from(Code::TokenNotValid).with_detail(error.words())
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn not_minted(error: MintError) -> ApiError {
    tracing::error!(%error, "a call failed");
    Code::Internal.into()
}
