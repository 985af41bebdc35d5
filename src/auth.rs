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
    service::{Claim, Clock, accounts::IssuedToken},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Config, error::ApiError, middleware::client::ClientAddr};

pub mod extract;
pub mod jwt;
pub mod session;
pub mod throttle;

pub use extract::{Caller, Claimed, SignedIn, Visitor};

use jwt::{Claims, MintError, Minted, TokenError, TokenType, Tokens};
use throttle::{Limits, Throttle, TooMany};

/// How much of what a client calls itself is kept, in characters: more than any list shows.
const AGENT_MAX: usize = 250;

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

    /// A new access token for `user`, and a refresh token, which is noted as given to `agent`.
    ///
    /// # Errors
    /// `internal`, `unavailable`.
    pub async fn tokens_for(
        &self,
        chat: &Chat,
        user: &User,
        agent: &str,
    ) -> Result<(String, String), ApiError> {
        // In the second in which tokens were ended, new ones are dated to the next.
        let created_at = self.inner.clock.now().max(chat.tokens_from(user.id).await?);
        let access = self.inner.tokens.access(user.id, created_at).map_err(not_minted)?;
        let Minted { token, jti, expires_at } =
            self.inner.tokens.refresh(user.id, created_at).map_err(not_minted)?;
        let agent = agent.chars().take(AGENT_MAX).collect();
        chat.note_token(&IssuedToken { jti, user: user.id, agent, created_at, expires_at }).await?;
        Ok((access, token))
    }

    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// `token_not_valid`; `no_active_account` when its user is gone or deactivated.
    pub async fn refresh(&self, chat: &Chat, token: &str, agent: &str) -> Result<Refreshed, ApiError> {
        let claims = self.read_refresh(chat, token).await?;
        let known = chat.authenticate_token(claims.user, claims.issued_at).await;
        let user = known.map_err(|error| match error.code() {
            Code::TokenNotValid => refused(TokenError::Blacklisted),
            Code::UserInactive | Code::UserNotFound => ApiError::from(Code::NoActiveAccount)
                .with_detail("No active account found for the given token."),
            _ => error.into(),
        })?;
        if !self.inner.rotates {
            // Not dated before what it was exchanged for (see `tokens_for`).
            let now = self.inner.clock.now().max(claims.issued_at);
            let access = self.inner.tokens.access(user.id, now).map_err(not_minted)?;
            return Ok(Refreshed { access, refresh: None });
        }
        let (access, refresh) = self.tokens_for(chat, &user, agent).await?;
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
        if claims.issued_at < chat.tokens_from(claims.user).await? {
            return Err(refused(TokenError::Blacklisted));
        }
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
        chat.admit_token(claims.user, claims.issued_at).await.map_err(shown_in_vain)
    }

    /// What this access token proves; who that is now, nobody has looked up.
    ///
    /// # Errors
    /// `token_not_valid`.
    pub fn claim(&self, access: &str) -> Result<Claim, ApiError> {
        let claims = self.read_access(access)?;
        Ok(Claim { user: claims.user, issued_at: claims.issued_at })
    }

    /// The outcome of a call that was made on a claim alone. Where it was refused, the refusal of the person comes
    /// before that of what they asked for.
    ///
    /// # Errors
    /// As [`Self::admit`]; else the call's own.
    pub async fn settle<T>(
        &self,
        chat: &Chat,
        claim: Claim,
        outcome: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Err(error) = outcome else { return outcome };
        chat.admit_token(claim.user, claim.issued_at).await.map_err(shown_in_vain)?;
        Err(error)
    }

    /// Whoever shows this access token, whether or not they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`.
    pub async fn authenticate(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        let claims = self.read_access(access)?;
        chat.authenticate_token(claims.user, claims.issued_at).await.map_err(shown_in_vain)
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

/// An access token that was ended before its time opens nothing.
fn shown_in_vain(error: chat::Error) -> ApiError {
    match error.code() {
        Code::TokenNotValid => {
            ApiError::from(Code::TokenNotValid).with_token_message(TokenError::Blacklisted.words())
        }
        _ => error.into(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn not_minted(error: MintError) -> ApiError {
    tracing::error!(%error, "a call failed");
    Code::Internal.into()
}
