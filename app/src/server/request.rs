//! Access to the request and the response of a page or server function.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use chat::model::{Code, Timestamp};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use tower_sessions::cookie::Cookie;

use super::Context;
use crate::{
    error::status,
    i18n::{Locale, from_accept_language, from_tag},
    navigation::Location,
    preferences::{
        CTRL_ENTER, InitialPreferences, LANGUAGE_COOKIE, SEND_KEY_COOKIE, THEME_COOKIE, Theme, ZONE_COOKIE,
    },
    state::user_agent::is_phone,
};

/// Maximum offset from UTC, in minutes.
const FARTHEST_ZONE: i32 = 14 * 60;

/// The language of a request: from the cookie, else from `Accept-Language`, else Chinese.
pub fn locale_of(headers: &HeaderMap) -> Locale {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    cookie_of(headers, LANGUAGE_COOKIE)
        .and_then(|value| from_tag(&value))
        .or_else(|| accepted.map(from_accept_language))
        .unwrap_or(Locale::zh)
}

pub fn locale() -> Locale {
    use_context::<Parts>().map_or(Locale::zh, |parts| locale_of(&parts.headers))
}

pub fn path() -> String {
    location().path
}

/// Where the page of this request is.
pub fn location() -> Location {
    let Some(parts) = use_context::<Parts>() else { return Location::default() };
    Location { path: parts.uri.path().to_owned(), query: parts.uri.query().unwrap_or_default().to_owned() }
}

/// The preferences for rendering this request's page.
pub fn initial_preferences() -> InitialPreferences {
    let Some(parts) = use_context::<Parts>() else { return InitialPreferences::default() };
    let zone = cookie_of(&parts.headers, ZONE_COOKIE).and_then(|minutes| minutes.parse().ok());
    InitialPreferences {
        locale: locale_of(&parts.headers),
        sends_by_ctrl: cookie_of(&parts.headers, SEND_KEY_COOKIE).as_deref() == Some(CTRL_ENTER),
        theme: cookie_of(&parts.headers, THEME_COOKIE).map_or(Theme::System, |value| Theme::parse(&value)),
        zone: zone.filter(|minutes: &i32| minutes.abs() <= FARTHEST_ZONE).unwrap_or(0),
        now: use_context::<Context>().map_or(Timestamp(0), |context| context.chat.clock().now()),
    }
}

/// Whether the `User-Agent` is a phone's.
pub fn is_from_phone() -> bool {
    let agent = use_context::<Parts>().and_then(|parts| parts.headers.get(header::USER_AGENT).cloned());
    agent.is_some_and(|agent| agent.to_str().is_ok_and(is_phone))
}

/// Whether this is the submission of a form, and not a call by a script.
pub fn is_form() -> bool {
    use_context::<Parts>().is_some_and(|parts| wants_page(&parts.headers))
}

/// Whether the response is to be shown as a page.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// The value of a cookie of this request.
pub fn cookie(name: &str) -> Option<String> {
    use_context::<Parts>().and_then(|parts| cookie_of(&parts.headers, name))
}

pub fn set_cookie(cookie: &Cookie<'_>) {
    if let (Ok(value), Some(response)) =
        (HeaderValue::from_str(&cookie.to_string()), use_context::<ResponseOptions>())
    {
        response.append_header(header::SET_COOKIE, value);
    }
}

/// Sets a header of the response.
pub fn insert_header(name: HeaderName, value: HeaderValue) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(name, value);
    }
}

/// Redirects to `path`, for forms and scripts alike.
pub fn redirect(path: &str) {
    if let (Ok(path), Some(response)) = (HeaderValue::from_str(path), use_context::<ResponseOptions>()) {
        response.insert_header(header::LOCATION, path);
        response.set_status(StatusCode::FOUND);
    }
}

/// Sets the response's status to that of the error.
pub fn set_status(code: Code) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status(code));
    }
}

fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}
