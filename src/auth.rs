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
    credential::{Claim, SignInId, TokenClaims},
    model::{Code, Timestamp, User, UserId},
    service::{
        Clock,
        accounts::{IssuedToken, SignIn},
    },
};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Config, error::ApiError, middleware::client::ClientAddr};

pub mod extract;
pub mod jwt;
pub mod session;
pub mod throttle;

pub use extract::{Caller, Claimed, SignedIn, SocketClaim};

use jwt::{MintError, Minted, TokenError, TokenType, Tokens};
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
            sign_up_failures_per_address: config.sign_up_failures_per_address.0,
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
    ) -> chat::Result<SignIn> {
        let attempt = self.inner.throttle.attempt(username, from, chat.sign_in(username, password));
        attempt.await.unwrap_or_else(|TooMany(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// Makes an account for a stranger, if not too many were made from their address.
    ///
    /// # Errors
    /// [`chat::Error::Throttled`], and as [`Chat::register`].
    pub async fn sign_up(&self, chat: &Chat, new: &NewAccount, from: ClientAddr) -> chat::Result<User> {
        // In memory of its own, as large as it is.
        let make = Box::pin(chat.register(&new.username, &new.password, &new.first_name, &new.last_name));
        let attempt = self.inner.throttle.sign_up(from, make);
        attempt.await.unwrap_or_else(|TooMany(retry_after)| Err(chat::Error::Throttled { retry_after }))
    }

    /// A new access token and a new refresh token for whoever signs in, noted as given to `agent`.
    ///
    /// # Errors
    /// `no_active_account` when the password was changed since it was checked; `internal`, `unavailable`.
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
    /// `token_not_valid`; `no_active_account` when its user is gone or deactivated.
    pub async fn refresh(&self, chat: &Chat, token: &str, agent: &str) -> Result<Refreshed, ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(refused)?;
        let unusable = |error: chat::Error| match error.code() {
            Code::TokenNotValid => refused(TokenError::Blacklisted),
            Code::UserInactive | Code::UserNotFound => ApiError::from(Code::NoActiveAccount)
                .with_detail("No active account found for the given token."),
            _ => error.into(),
        };
        if self.inner.rotates {
            let make = |now| self.make_pair(claims.user, Some(&claims.sign_in), agent, now);
            let (access, refresh) = chat.rotate_token(&claims, make).await.map_err(unusable)?;
            return Ok(Refreshed { access, refresh: Some(refresh) });
        }
        let user = chat.check_refresh_token(&claims).await.map_err(unusable)?;
        // Not dated before what it was exchanged for (see `Chat::issue_token`).
        let now = self.inner.clock.now().max(claims.issued_at);
        let access = self.inner.tokens.access(user.id, &claims.sign_in, now).map_err(not_minted)?;
        Ok(Refreshed { access, refresh: None })
    }

    /// An access token and a refresh token of a sign-in, or of a new one, and what is noted of the second.
    fn make_pair(
        &self,
        user: UserId,
        sign_in: Option<&SignInId>,
        agent: &str,
        now: Timestamp,
    ) -> chat::Result<(IssuedToken, (String, String))> {
        let tokens = &self.inner.tokens;
        let Minted { token, jti, sign_in, expires_at } =
            tokens.refresh(user, sign_in, now).map_err(not_minted)?;
        let access = tokens.access(user, &sign_in, now).map_err(not_minted)?;
        let agent = agent.chars().take(AGENT_MAX).collect();
        Ok((IssuedToken { jti, sign_in, user, agent, created_at: now, expires_at }, (access, token)))
    }

    /// Is this token, of either type, good now?
    ///
    /// # Errors
    /// `token_not_valid`.
    pub async fn verify(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, None).map_err(refused)?;
        let has_ended = claims.issued_at < chat.tokens_from(claims.user).await?;
        if has_ended || chat.is_blacklisted(&claims).await? {
            return Err(refused(TokenError::Blacklisted));
        }
        Ok(())
    }

    /// Ends the sign-in that a refresh token belongs to, or the token alone where it was rotated away.
    ///
    /// # Errors
    /// `token_not_valid`, also when it was ended already.
    pub async fn blacklist(&self, chat: &Chat, token: &str) -> Result<(), ApiError> {
        let claims = self.read(token, Some(TokenType::Refresh)).map_err(refused)?;
        let is_new = chat.blacklist_token(&claims).await?;
        if is_new { Ok(()) } else { Err(refused(TokenError::Blacklisted)) }
    }

    /// Whoever shows this access token, if they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`, `not_in_group`.
    pub async fn admit(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        chat.authorize_claim(&self.claim(access)?).await.map_err(shown_in_vain)
    }

    /// What this access token proves; who that is now, nobody has looked up.
    ///
    /// # Errors
    /// `token_not_valid`.
    pub fn claim(&self, access: &str) -> Result<Claim, ApiError> {
        self.read_access(access).map(Claim::from)
    }

    /// The outcome of a call that was made on a claim alone. Where it was refused, the refusal of the person comes
    /// before that of what they asked for.
    ///
    /// # Errors
    /// As [`Self::admit`]; else the call's own.
    pub async fn settle<T>(
        &self,
        chat: &Chat,
        claim: &Claim,
        outcome: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Err(error) = outcome else { return outcome };
        chat.authorize_claim(claim).await.map_err(shown_in_vain)?;
        Err(error)
    }

    /// Whoever shows this access token, whether or not they may chat.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`.
    pub async fn authenticate(&self, chat: &Chat, access: &str) -> Result<User, ApiError> {
        chat.authenticate_claim(&self.claim(access)?).await.map_err(shown_in_vain)
    }

    fn read_access(&self, token: &str) -> Result<TokenClaims, ApiError> {
        self.read(token, Some(TokenType::Access))
            .map_err(|error| ApiError::from(Code::TokenNotValid).with_token_message(error.words()))
    }

    fn read(&self, token: &str, wanted: Option<TokenType>) -> Result<TokenClaims, TokenError> {
        self.inner.tokens.read(token, wanted, self.inner.clock.now())
    }
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
fn not_minted(error: MintError) -> chat::Error {
    tracing::error!(%error, "a call failed");
    Code::Internal.into()
}
