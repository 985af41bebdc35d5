//! The user's own account: names, password, sessions and tokens.

use leptos::prelude::*;

use crate::error::AppError;

#[server(prefix = "/ui", endpoint = "rename")]
pub async fn rename(
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
) -> Result<(), AppError> {
    let result = handler::rename(&first_name, &last_name).await.map(|()| done("names"));
    let typed = [("first_name", first_name.as_str()), ("last_name", &last_name)];
    super::forms::answer(result, super::forms::Form::Profile, PATH, typed)
}

/// Changes the password. All other sessions and tokens of the user end.
#[server(prefix = "/ui", endpoint = "change_password")]
pub async fn change_password(
    #[server(default)] old_password: String,
    #[server(default)] password: String,
) -> Result<(), AppError> {
    let result = handler::change_password(&old_password, &password).await.map(|()| done("password"));
    super::forms::answer(result, super::forms::Form::Password, PATH, [])
}

#[server(prefix = "/ui", endpoint = "end_session")]
pub async fn end_session(
    /// [`Device::handle`](super::identity::Device).
    #[server(default)]
    session: String,
) -> Result<(), AppError> {
    let result = handler::end_session(&session).await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

/// Ends the sign-in that a refresh token belongs to.
#[server(prefix = "/ui", endpoint = "end_token")]
pub async fn end_token(#[server(default)] token: String) -> Result<(), AppError> {
    let result = handler::end_token(&token).await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

/// Ends all sessions of the user except this one, and all tokens.
#[server(prefix = "/ui", endpoint = "sign_out_elsewhere")]
pub async fn sign_out_elsewhere() -> Result<(), AppError> {
    let result = handler::sign_out_elsewhere().await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

#[cfg(feature = "ssr")]
pub const PATH: &str = "/settings";

/// The settings page with a confirmation.
#[cfg(feature = "ssr")]
fn done(what: &str) -> String {
    format!("{PATH}?done={what}")
}

#[cfg(feature = "ssr")]
pub use handler::{Account, OpenSession, account};

#[cfg(feature = "ssr")]
mod handler {
    use axum::http::request::Parts;
    use chat::{
        credential::SessionId,
        model::{Code, Failure, FieldError, Problem, Timestamp, User},
        service::accounts::IssuedToken,
    };
    use leptos::prelude::use_context;
    use serde_json::Value;

    use crate::{
        error::AppError,
        server::{
            Context,
            identity::{self, DEVICE_KEY, Device, SEEN_KEY, context, require_user},
            request,
        },
    };

    /// The user's account with its sessions and tokens.
    pub struct Account {
        pub me: User,
        /// Sessions of browsers, this one first.
        pub sessions: Vec<OpenSession>,
        /// Refresh tokens of API clients.
        pub tokens: Vec<IssuedToken>,
    }

    /// A session of the user.
    #[derive(Clone, Debug)]
    pub struct OpenSession {
        /// Identifies the session when ending it; `None` before its first page.
        pub handle: Option<String>,
        /// `User-Agent` of the browser.
        pub agent: String,
        /// Time of the last use, to within some minutes.
        pub seen_at: Option<Timestamp>,
        pub is_this: bool,
        id: SessionId,
    }

    pub async fn account() -> Result<Account, AppError> {
        let read = async {
            let (me, chat) = (require_user().await?, context()?.chat);
            let sessions = sessions(&me).await?;
            let tokens = chat.tokens_of(&me).await?;
            Ok(Account { me, sessions, tokens })
        };
        read.await.inspect_err(|error: &AppError| request::set_status(error.0.code))
    }

    async fn sessions(me: &User) -> Result<Vec<OpenSession>, AppError> {
        let this = identity::session_id().await?;
        let stored = context()?.chat.sessions_of(me).await?;
        let mut sessions: Vec<OpenSession> = stored
            .into_iter()
            .map(|session| {
                let data: Value = serde_json::from_str(&session.data).unwrap_or_default();
                let device = serde_json::from_value::<Device>(data[DEVICE_KEY].clone()).ok();
                let seen = data[SEEN_KEY].as_i64();
                OpenSession {
                    handle: device.as_ref().map(|device| device.handle.clone()),
                    agent: device.map(|device| device.agent).unwrap_or_default(),
                    seen_at: seen.map(|seconds| Timestamp(seconds.saturating_mul(1_000_000))),
                    is_this: this.as_ref() == Some(&session.id),
                    id: session.id,
                }
            })
            .collect();
        sessions.sort_by_key(|session| (!session.is_this, std::cmp::Reverse(session.seen_at)));
        Ok(sessions)
    }

    pub(super) async fn rename(first_name: &str, last_name: &str) -> Result<(), AppError> {
        Ok(context()?.chat.rename(&require_user().await?, first_name, last_name).await?)
    }

    pub(super) async fn change_password(old: &str, new: &str) -> Result<(), AppError> {
        let me = require_user().await?;
        let Context { chat, sign_in, .. } = context()?;
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        // Through `sign_in`, so that the same rate limits apply.
        sign_in(parts, me.username.clone(), old.to_owned()).await.map_err(|error| match error.code() {
            Code::NoActiveAccount | Code::Invalid => {
                let problem = FieldError::new("old_password", Problem::WrongPassword);
                AppError(Failure { fields: vec![problem], ..Failure::new(Code::Invalid) })
            }
            _ => error.into(),
        })?;
        Ok(chat.replace_password(&me, new, identity::session_id().await?.as_ref()).await?)
    }

    pub(super) async fn end_session(handle: &str) -> Result<(), AppError> {
        let me = require_user().await?;
        let open = sessions(&me).await?.into_iter().find(|open| open.handle.as_deref() == Some(handle));
        let open = open.ok_or(Code::NotFound)?;
        Ok(context()?.chat.end_session(&me, &open.id).await?)
    }

    pub(super) async fn end_token(jti: &str) -> Result<(), AppError> {
        Ok(context()?.chat.end_token(&require_user().await?, jti).await?)
    }

    pub(super) async fn sign_out_elsewhere() -> Result<(), AppError> {
        let me = require_user().await?;
        let this = identity::session_id().await?.ok_or(Code::NotAuthenticated)?;
        Ok(context()?.chat.sign_out_elsewhere(&me, &this).await?)
    }
}
