//! One's own account: names, password, and what it is open with.

use leptos::prelude::*;

use crate::error::AppError;

/// Takes other names.
#[server(prefix = "/ui", endpoint = "rename")]
pub async fn rename(
    /// Given name.
    #[server(default)]
    first_name: String,
    /// Family name.
    #[server(default)]
    last_name: String,
) -> Result<(), AppError> {
    let result = door::rename(&first_name, &last_name).await.map(|()| done("names"));
    let typed = [("first_name", first_name.as_str()), ("last_name", &last_name)];
    super::forms::answer(result, super::forms::Form::Profile, PATH, typed)
}

/// Takes another password, for whoever knows the old one. Everything else that the account is open with ends.
#[server(prefix = "/ui", endpoint = "change_password")]
pub async fn change_password(
    /// The password until now.
    #[server(default)]
    old_password: String,
    /// The password from now on.
    #[server(default)]
    password: String,
) -> Result<(), AppError> {
    let result = door::change_password(&old_password, &password).await.map(|()| done("password"));
    super::forms::answer(result, super::forms::Form::Password, PATH, [])
}

/// Ends one of one's sessions.
#[server(prefix = "/ui", endpoint = "end_session")]
pub async fn end_session(
    /// Its [`Device::handle`](super::identity::Device).
    #[server(default)]
    session: String,
) -> Result<(), AppError> {
    let result = door::end_session(&session).await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

/// Ends the sign-in of one of one's refresh tokens.
#[server(prefix = "/ui", endpoint = "end_token")]
pub async fn end_token(
    /// Its id.
    #[server(default)]
    token: String,
) -> Result<(), AppError> {
    let result = door::end_token(&token).await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

/// Ends all of one's sessions but this one, and all tokens.
#[server(prefix = "/ui", endpoint = "sign_out_elsewhere")]
pub async fn sign_out_elsewhere() -> Result<(), AppError> {
    let result = door::sign_out_elsewhere().await.map(|()| done("ended"));
    super::forms::answer(result, super::forms::Form::Access, PATH, [])
}

/// The page of the settings.
#[cfg(feature = "ssr")]
pub const PATH: &str = "/settings";

/// The same, which then says that `what` was done.
#[cfg(feature = "ssr")]
fn done(what: &str) -> String {
    format!("{PATH}?done={what}")
}

#[cfg(feature = "ssr")]
pub use door::{Account, OpenSession, account};

#[cfg(feature = "ssr")]
mod door {
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
            identity::{self, DEVICE_KEY, Device, SEEN_KEY, context, signed_in},
            request,
        },
    };

    /// One's own account, and what it is open with.
    pub struct Account {
        /// Whose.
        pub me: User,
        /// In browsers; this one first.
        pub sessions: Vec<OpenSession>,
        /// In programs.
        pub tokens: Vec<IssuedToken>,
    }

    /// A browser in which one is signed in.
    #[derive(Clone, Debug)]
    pub struct OpenSession {
        /// What it can be ended by; none before its first page.
        pub handle: Option<String>,
        /// What the browser calls itself.
        pub agent: String,
        /// When it was last used, to some minutes.
        pub seen_at: Option<Timestamp>,
        /// Is it this one?
        pub is_this: bool,
        id: SessionId,
    }

    /// One's own account.
    pub async fn account() -> Result<Account, AppError> {
        let read = async {
            let (me, chat) = (signed_in().await?, context()?.chat);
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
        Ok(context()?.chat.rename(&signed_in().await?, first_name, last_name).await?)
    }

    pub(super) async fn change_password(old: &str, new: &str) -> Result<(), AppError> {
        let me = signed_in().await?;
        let Context { chat, sign_in, .. } = context()?;
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        // As signing in does, so that guessing here is as slow.
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
        let me = signed_in().await?;
        let open = sessions(&me).await?.into_iter().find(|open| open.handle.as_deref() == Some(handle));
        let open = open.ok_or(Code::NotFound)?;
        Ok(context()?.chat.end_session(&me, &open.id).await?)
    }

    pub(super) async fn end_token(jti: &str) -> Result<(), AppError> {
        Ok(context()?.chat.end_token(&signed_in().await?, jti).await?)
    }

    pub(super) async fn sign_out_elsewhere() -> Result<(), AppError> {
        let me = signed_in().await?;
        let this = identity::session_id().await?.ok_or(Code::NotAuthenticated)?;
        Ok(context()?.chat.sign_out_elsewhere(&me, &this).await?)
    }
}
