//! The current user: the browser's session and its user.

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

/// Session key of the user's id.
pub const USER_ID_KEY: &str = "user_id";

/// Session key of [`SignIn::tokens_from`]. The session is not stored if all credentials of the user have ended since.
pub const TOKENS_FROM_KEY: &str = "tokens_from";

/// Session key of the time of the last use, in seconds since the epoch.
pub const SEEN_KEY: &str = "seen";

/// Session key of the [`Device`].
pub const DEVICE_KEY: &str = "device";

/// The browser of a session, as the user's list of sessions shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Identifies the session when ending it. It is not the session's id, which is a secret.
    pub handle: String,
    /// `User-Agent`, truncated.
    pub agent: String,
}

impl Device {
    /// Maximum length of `agent` in characters.
    const AGENT_MAX: usize = 250;

    pub fn new(agent: &str) -> Self {
        Self { handle: Id::default().to_string(), agent: agent.chars().take(Self::AGENT_MAX).collect() }
    }
}

impl From<chat::Error> for AppError {
    fn from(error: chat::Error) -> Self {
        Self(error.failure())
    }
}

/// The context that the server provides.
pub(super) fn context() -> Result<Context, AppError> {
    Ok(use_context::<Context>().ok_or(Code::Internal)?)
}

/// The signed-in user; `None` without a session, and where the account was removed, was deactivated or may not use
/// the chat.
pub(super) async fn current_user() -> Result<Option<User>, AppError> {
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

/// The signed-in user, or the error `not_authenticated`.
pub(super) async fn require_user() -> Result<User, AppError> {
    Ok(current_user().await?.ok_or(Code::NotAuthenticated)?)
}

/// Signs the user in to this browser's session. The session gets a new id, against session fixation.
pub(super) async fn start_session(sign_in: &SignIn) -> Result<(), AppError> {
    let session = session().await?;
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(USER_ID_KEY, sign_in.user.id.0).await.map_err(unavailable)?;
    session.insert(TOKENS_FROM_KEY, sign_in.tokens_from.0).await.map_err(unavailable)?;
    // Saved now and not with the response, so that a password changed meanwhile is an error here.
    if let Err(error) = session.save().await {
        session.clear().await;
        context()?.chat.confirm_sign_in(sign_in).await?;
        return Err(unavailable(error));
    }
    Ok(())
}

pub(super) async fn end_session() -> Result<(), AppError> {
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
