//! Language, theme and the key that sends, without scripts: sets a cookie and shows the same page again.

#![allow(
    clippy::unused_async,
    reason = "a server function is async; the macro hides which of its forms awaits"
)]

use leptos::prelude::*;

use crate::error::AppError;

/// Sets the language; an unknown one is ignored.
#[server(prefix = "/ui", endpoint = "set_language")]
pub async fn set_language(
    /// `zh` or `en`.
    #[server(default)]
    language: String,
) -> Result<(), AppError> {
    use crate::i18n::{code, from_tag};

    if let Some(locale) = from_tag(&language) {
        cookie::set(crate::preferences::LANGUAGE_COOKIE, code(locale));
    }
    Ok(())
}

#[server(prefix = "/ui", endpoint = "set_theme")]
pub async fn set_theme(
    /// `system`, `light` or `dark`.
    #[server(default)]
    theme: String,
) -> Result<(), AppError> {
    use crate::preferences::{THEME_COOKIE, Theme};

    cookie::set(THEME_COOKIE, Theme::parse(&theme).as_str());
    Ok(())
}

/// Sets the key that sends a message.
#[server(prefix = "/ui", endpoint = "set_send_key")]
pub async fn set_send_key(
    /// `ctrl-enter`, or anything else for Enter.
    #[server(default)]
    key: String,
) -> Result<(), AppError> {
    use crate::preferences::{CTRL_ENTER, SEND_KEY_COOKIE};

    cookie::set(SEND_KEY_COOKIE, if key == CTRL_ENTER { CTRL_ENTER } else { "enter" });
    Ok(())
}

#[cfg(feature = "ssr")]
mod cookie {
    use tower_sessions::cookie::{Cookie, SameSite, time::Duration};

    use crate::server::request;

    pub(super) fn set(name: &'static str, value: &'static str) {
        let cookie =
            Cookie::build((name, value)).path("/").same_site(SameSite::Lax).max_age(Duration::days(365));
        request::set_cookie(&cookie.build());
    }
}
