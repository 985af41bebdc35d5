//! Signing in, up and out, and what every page asks first: who is here.

use chat::model::User;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Who is here, as a live page needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Who is signed in.
    pub user: Option<User>,
    /// Why joining or leaving a room, or sending without a script, was refused just before this page.
    pub notice: Option<String>,
}

/// Who is here.
#[server(prefix = "/ui", endpoint = "visit", input = GetUrl)]
pub async fn read_visit() -> Result<Visit, AppError> {
    use super::{
        forms::{Form, take_refusal},
        request,
    };

    let user = super::identity::visitor().await.inspect_err(|error| request::set_status(error.0.code))?;
    let refusal = take_refusal().filter(|refusal| matches!(refusal.form, Form::Membership | Form::Message));
    let notice = refusal.map(|refusal| crate::error::notice(request::locale(), &refusal.failure));
    Ok(Visit { user, notice })
}

/// What a page for strangers needs to know.
#[cfg(feature = "ssr")]
pub struct Door {
    /// Is somebody signed in already?
    pub is_signed_in: bool,
    /// Does one click sign in the demo account?
    pub demo: bool,
    /// May one make an account?
    pub signup_open: bool,
}

/// What a page for strangers needs to know.
#[cfg(feature = "ssr")]
pub async fn read_door() -> Result<Door, AppError> {
    let context = super::identity::context()?;
    let visitor = super::identity::visitor().await;
    let visitor = visitor.inspect_err(|error| super::request::set_status(error.0.code))?;
    Ok(Door { is_signed_in: visitor.is_some(), demo: context.demo, signup_open: context.signup_open })
}

/// Signs in, and goes on to `next` or to the rooms.
#[server(prefix = "/ui", endpoint = "sign_in")]
pub async fn sign_in(
    /// Who.
    #[server(default)]
    username: String,
    /// Their password.
    #[server(default)]
    password: String,
    /// Where to afterwards.
    #[server(default)]
    next: String,
) -> Result<(), AppError> {
    let back = door::sign_in_path(&next);
    let result = door::enter(&username, &password).await.map(|()| door::onward(next));
    super::forms::answer(result, super::forms::Form::SignIn, &back, [("username", &username)])
}

/// Signs in the demo account, where this is a demo.
#[server(prefix = "/ui", endpoint = "sign_in_demo")]
pub async fn sign_in_demo(
    /// Where to afterwards.
    #[server(default)]
    next: String,
) -> Result<(), AppError> {
    let back = door::sign_in_path(&next);
    let result = door::enter_demo().await.map(|()| door::onward(next));
    super::forms::answer(result, super::forms::Form::SignIn, &back, [])
}

/// Makes an account and signs it in.
#[server(prefix = "/ui", endpoint = "sign_up")]
pub async fn sign_up(
    /// The name to sign in with.
    #[server(default)]
    username: String,
    /// The password.
    #[server(default)]
    password: String,
    /// Given name.
    #[server(default)]
    first_name: String,
    /// Family name.
    #[server(default)]
    last_name: String,
) -> Result<(), AppError> {
    let new = super::NewAccount {
        // A phone's keyboard puts a space after a word that it completed.
        username: username.trim().to_owned(),
        password,
        first_name: first_name.clone(),
        last_name: last_name.clone(),
    };
    let result = door::make_account(new).await;
    super::forms::answer(
        result.map(|()| door::onward(String::new())),
        super::forms::Form::SignUp,
        "/sign-up",
        [("username", &username), ("first_name", &first_name), ("last_name", &last_name)],
    )
}

/// Signs out.
#[server(prefix = "/ui", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    let result = super::identity::leave().await.map(|()| "/sign-in".to_owned());
    super::forms::answer(result, super::forms::Form::SignIn, "/rooms", [])
}

/// Is `path` one of this site, so that a link to the sign-in page cannot lead elsewhere?
pub fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.chars().all(|letter| !letter.is_control())
}

#[cfg(feature = "ssr")]
mod door {
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

    pub(super) async fn enter(username: &str, password: &str) -> Result<(), AppError> {
        let Context { chat, sign_in, .. } = context()?;
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        let signed_in = sign_in(parts, username.to_owned(), password.to_owned()).await?;
        // Somebody outside the group that may chat here is told so now, and not page by page.
        chat.authorize(signed_in.user.id).await?;
        identity::enter(&signed_in).await
    }

    pub(super) async fn enter_demo() -> Result<(), AppError> {
        if !context()?.demo {
            return Err(Code::PermissionDenied.into());
        }
        enter(DEVELOPER, DEVELOPER_PASSWORD).await
    }

    pub(super) async fn make_account(new: NewAccount) -> Result<(), AppError> {
        let parts = use_context::<Parts>().ok_or(Code::Internal)?;
        let user = (context()?.sign_up)(parts, new).await?;
        // Nothing of theirs has ended yet.
        identity::enter(&SignIn { user, tokens_from: Timestamp(0) }).await
    }

    pub(super) fn onward(next: String) -> String {
        if super::is_own_path(&next) { next } else { "/rooms".to_owned() }
    }

    pub(super) fn sign_in_path(next: &str) -> String {
        if super::is_own_path(next) { super::sign_in_path(next) } else { "/sign-in".to_owned() }
    }
}

/// The sign-in page, from which one goes on to `next`.
pub fn sign_in_path(next: &str) -> String {
    format!("/sign-in?next={}", super::escaped(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
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
    fn where_one_wanted_to_go_survives_the_way_through_an_address() {
        assert_eq!(sign_in_path("/rooms/5?before=3"), "/sign-in?next=/rooms/5%3Fbefore%3D3");
    }
}
