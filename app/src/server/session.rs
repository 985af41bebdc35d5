//! Sign in, sign up, sign out, and the current session.

use chat::model::User;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The current user, and the error of the last form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub user: Option<User>,
    /// Why joining, leaving or sending by form failed just before this page.
    pub notice: Option<String>,
}

/// Loaded by each page of the frame.
#[server(prefix = "/ui", endpoint = "visit", input = GetUrl)]
pub async fn read_session() -> Result<SessionInfo, AppError> {
    use super::{
        forms::{Form, take_form_error},
        request,
    };

    let user =
        super::identity::current_user().await.inspect_err(|error| request::set_status(error.0.code))?;
    let form_error =
        take_form_error().filter(|form_error| matches!(form_error.form, Form::Membership | Form::Message));
    let notice =
        form_error.map(|form_error| crate::error::form_error_message(request::locale(), &form_error.failure));
    Ok(SessionInfo { user, notice })
}

/// What the sign-in and sign-up pages show.
#[cfg(feature = "ssr")]
pub struct AuthPageData {
    pub is_signed_in: bool,
    /// Whether to offer the demo account.
    pub demo: bool,
    pub signup_open: bool,
}

#[cfg(feature = "ssr")]
pub async fn auth_page_data() -> Result<AuthPageData, AppError> {
    let context = super::identity::context()?;
    let user = super::identity::current_user().await;
    let user = user.inspect_err(|error| super::request::set_status(error.0.code))?;
    Ok(AuthPageData { is_signed_in: user.is_some(), demo: context.demo, signup_open: context.signup_open })
}

/// Signs in and goes to `next` or to the rooms.
#[server(prefix = "/ui", endpoint = "sign_in")]
pub async fn sign_in(
    #[server(default)] username: String,
    #[server(default)] password: String,
    #[server(default)] next: String,
) -> Result<(), AppError> {
    let back = handler::sign_in_path(&next);
    let result = handler::password_sign_in(&username, &password).await.map(|()| handler::next_path(next));
    super::forms::answer(result, super::forms::Form::SignIn, &back, [("username", &username)])
}

/// Signs in the demo account, if there is one.
#[server(prefix = "/ui", endpoint = "sign_in_demo")]
pub async fn sign_in_demo(#[server(default)] next: String) -> Result<(), AppError> {
    let back = handler::sign_in_path(&next);
    let result = handler::demo_sign_in().await.map(|()| handler::next_path(next));
    super::forms::answer(result, super::forms::Form::SignIn, &back, [])
}

/// Creates an account and signs it in.
#[server(prefix = "/ui", endpoint = "sign_up")]
pub async fn sign_up(
    /// The name to sign in with.
    #[server(default)]
    username: String,
    #[server(default)] password: String,
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
) -> Result<(), AppError> {
    let new = super::NewAccount {
        // Phone keyboards add a space after a completed word.
        username: username.trim().to_owned(),
        password,
        first_name: first_name.clone(),
        last_name: last_name.clone(),
    };
    let result = handler::create_account(new).await;
    super::forms::answer(
        result.map(|()| handler::next_path(String::new())),
        super::forms::Form::SignUp,
        "/sign-up",
        [("username", &username), ("first_name", &first_name), ("last_name", &last_name)],
    )
}

#[server(prefix = "/ui", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    let result = super::identity::end_session().await.map(|()| "/sign-in".to_owned());
    super::forms::answer(result, super::forms::Form::SignIn, "/rooms", [])
}

/// Whether `path` is on this site, so that `next` cannot redirect elsewhere.
pub fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.chars().all(|letter| !letter.is_control())
}

#[cfg(feature = "ssr")]
mod handler {
    use axum::http::request::Parts;
    use chat::{
        model::{Code, Timestamp},
        service::accounts::{DEVELOPER, DEVELOPER_PASSWORD, SignIn},
    };
    use leptos::prelude::use_context;

    use crate::{
        error::AppError,
        server::{
            Context, NewAccount,
            identity::{self, context},
        },
    };

    pub(super) async fn password_sign_in(username: &str, password: &str) -> Result<(), AppError> {
        let Context { chat, sign_in, .. } = context()?;
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        let signed_in = sign_in(parts, username.to_owned(), password.to_owned()).await?;
        // Users outside of the allowed group get the error here, and not on each page.
        chat.authorize(signed_in.user.id).await?;
        identity::start_session(&signed_in).await
    }

    pub(super) async fn demo_sign_in() -> Result<(), AppError> {
        if !context()?.demo {
            return Err(Code::PermissionDenied.into());
        }
        password_sign_in(DEVELOPER, DEVELOPER_PASSWORD).await
    }

    pub(super) async fn create_account(new: NewAccount) -> Result<(), AppError> {
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        let user = (context()?.sign_up)(parts, new).await?;
        // A new account has no ended credentials.
        identity::start_session(&SignIn { user, tokens_from: Timestamp(0) }).await
    }

    pub(super) fn next_path(next: String) -> String {
        if super::is_own_path(&next) { next } else { "/rooms".to_owned() }
    }

    pub(super) fn sign_in_path(next: &str) -> String {
        if super::is_own_path(next) { super::sign_in_path(next) } else { "/sign-in".to_owned() }
    }
}

/// The path of the sign-in page, which then goes to `next`.
pub fn sign_in_path(next: &str) -> String {
    format!("/sign-in?next={}", super::escaped(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_accepted() {
        for own in ["/rooms", "/rooms/5?before=3", "/"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in
            ["", "rooms", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: b"]
        {
            assert!(!is_own_path(other), "{other}");
        }
    }

    #[test]
    fn next_is_percent_encoded() {
        assert_eq!(sign_in_path("/rooms/5?before=3"), "/sign-in?next=/rooms/5%3Fbefore%3D3");
    }
}
