//! Who asks: the browser's session and the user it belongs to.

use chat::{
    credential::SessionId,
    model::{Code, User, UserId},
    service::accounts::SignIn,
};
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Id};

use super::{Context, request};
use crate::error::AppError;

/// Where the session keeps the id of whoever signed in.
pub const USER_ID_KEY: &str = "user_id";

/// Where the session keeps [`SignIn::tokens_from`], by which its storing is refused where all credentials of the account
/// have ended meanwhile.
pub const TOKENS_FROM_KEY: &str = "tokens_from";

/// Where the session keeps when it was last used, in seconds since the epoch.
pub const SEEN_KEY: &str = "seen";

/// Where the session keeps the [`Device`] that it is used in.
pub const DEVICE_KEY: &str = "device";

/// The browser of a session, for its owner's list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What the session can be ended by. Not its id, which is as good as a password.
    pub handle: String,
    /// What the browser calls itself.
    pub agent: String,
}

impl Device {
    /// How much of what a browser calls itself is kept, in characters.
    const AGENT_MAX: usize = 250;

    /// A browser not known before.
    pub fn new(agent: &str) -> Self {
        Self { handle: Id::default().to_string(), agent: agent.chars().take(Self::AGENT_MAX).collect() }
    }
}

impl From<chat::Error> for AppError {
    fn from(error: chat::Error) -> Self {
        Self(error.failure())
    }
}

/// The process's part of the context.
pub(super) fn context() -> Result<Context, AppError> {
    Ok(use_context::<Context>().ok_or(Code::Internal)?)
}

/// Who is signed in; `None` for a stranger, for a session whose account is gone, and for one that may not chat here.
pub(super) async fn visitor() -> Result<Option<User>, AppError> {
    let Some(id) = session().await?.get::<i64>(USER_ID_KEY).await.map_err(unavailable)? else {
        return Ok(None);
    };
    match context()?.chat.authorize(UserId(id)).await {
        Ok(user) => Ok(Some(user)),
        Err(error) => match error.code() {
            Code::UserNotFound | Code::UserInactive | Code::NotInGroup => Ok(None),
            _ => Err(error.into()),
        },
    }
}

/// Who is signed in, for what needs somebody.
pub(super) async fn signed_in() -> Result<User, AppError> {
    Ok(visitor().await?.ok_or(Code::NotAuthenticated)?)
}

/// From now on this browser is theirs who signed in. Its session gets a new id, so that one planted before is worth
/// nothing.
pub(super) async fn enter(sign_in: &SignIn) -> Result<(), AppError> {
    let session = session().await?;
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(USER_ID_KEY, sign_in.user.id.0).await.map_err(unavailable)?;
    session.insert(TOKENS_FROM_KEY, sign_in.tokens_from.0).await.map_err(unavailable)?;
    // Now, and not with the answer: a password that changed meanwhile is said here.
    if let Err(error) = session.save().await {
        session.clear().await;
        context()?.chat.confirm_sign_in(sign_in).await?;
        return Err(unavailable(error));
    }
    Ok(())
}

/// This browser is nobody's.
pub(super) async fn leave() -> Result<(), AppError> {
    session().await?.flush().await.map_err(unavailable)
}

/// The id of this browser's session, once it is stored.
pub(super) async fn session_id() -> Result<Option<SessionId>, AppError> {
    Ok(session().await?.id().map(|id| SessionId::of_secret(&id.to_string())))
}

async fn session() -> Result<Session, AppError> {
    leptos_axum::extract::<Session>().await.map_err(|_| {
        request::set_status(Code::Internal);
        AppError::from(Code::Internal)
    })
}

fn unavailable(error: tower_sessions::session::Error) -> AppError {
    leptos::logging::error!("the session store failed: {error}");
    AppError::from(Code::Unavailable)
}
