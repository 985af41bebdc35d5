//! Language and theme, for pages without a script: a cookie, and the same page again.

#![allow(
    clippy::unused_async,
    reason = "a server function is async; the macro hides which of its forms awaits"
)]

use leptos::prelude::*;

use crate::error::AppError;

/// Reads on in this language; an unknown one changes nothing.
#[server(prefix = "/ui", endpoint = "set_language")]
pub async fn set_language(
    /// `zh` or `en`.
    #[server(default)]
    language: String,
) -> Result<(), AppError> {
    use crate::i18n::{from_tag, word};

    if let Some(locale) = from_tag(&language) {
        cookie::keep(crate::preferences::LANGUAGE_COOKIE, word(locale));
    }
    Ok(())
}

/// Reads on in this theme.
#[server(prefix = "/ui", endpoint = "set_theme")]
pub async fn set_theme(
    /// `system`, `light` or `dark`.
    #[server(default)]
    theme: String,
) -> Result<(), AppError> {
    use crate::preferences::{THEME_COOKIE, Theme};

    cookie::keep(THEME_COOKIE, Theme::from_word(&theme).word());
    Ok(())
}

#[cfg(feature = "ssr")]
mod cookie {
    use tower_sessions::cookie::{Cookie, SameSite, time::Duration};

    use crate::server::request;

    pub(super) fn keep(name: &'static str, word: &'static str) {
        let cookie =
            Cookie::build((name, word)).path("/").same_site(SameSite::Lax).max_age(Duration::days(365));
        request::set_cookie(&cookie.build());
    }
}
