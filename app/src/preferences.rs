//! How somebody likes to read: language, theme, time zone.
//!
//! The server takes them from the request (cookies, `Accept-Language`) and writes what it used on `<html>`; the
//! browser starts from there, so that both render the same page. Then the theme's switch changes the signal, the
//! attribute of `<html>` and the cookie.

use chat::model::Timestamp;
use leptos::prelude::*;
use time::Date;

use crate::{
    i18n::{Locale, from_tag},
    state::local_time::{LocalTime, Zone},
};

/// The cookie with the language, `zh` or `en`.
pub const LANGUAGE_COOKIE: &str = "liao_language";
/// The cookie with the theme, `light` or `dark`; none where the system decides.
pub const THEME_COOKIE: &str = "liao_theme";
/// The cookie with the browser's minutes east of UTC, so that the next page has its times right at once.
pub const ZONE_COOKIE: &str = "liao_zone";

/// Light or dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, as a switch shows them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms and cookies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The word on `<html>`: none where the system decides.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }

    /// Reads the word; anything else is the system's choice.
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// What a page starts with: plain values, before there are signals.
#[derive(Clone, Copy, Debug)]
pub struct InitialPreferences {
    /// The language.
    pub locale: Locale,
    /// The theme.
    pub theme: Theme,
    /// Minutes east of UTC; 0 at the first visit.
    pub zone: i32,
    /// The server's time when it rendered.
    pub now: Timestamp,
}

impl Default for InitialPreferences {
    fn default() -> Self {
        Self { locale: Locale::zh, theme: Theme::System, zone: 0, now: Timestamp(0) }
    }
}

impl InitialPreferences {
    /// Reads them from wherever `read` finds `lang`, `data-theme`, `data-zone` and `data-now`.
    pub fn from_attributes(read: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            locale: read("lang").and_then(|tag| from_tag(&tag)).unwrap_or(Locale::zh),
            theme: read("data-theme").map_or(Theme::System, |word| Theme::parse(&word)),
            zone: read("data-zone").and_then(|minutes| minutes.parse().ok()).unwrap_or(0),
            now: read("data-now").and_then(|micros| micros.parse().ok()).map_or(Timestamp(0), Timestamp),
        }
    }
}

/// The same, what may change as signals, in the context of every page.
#[derive(Clone, Copy)]
pub struct Preferences {
    /// The language.
    pub locale: Locale,
    /// The theme.
    pub theme: RwSignal<Theme>,
    /// The time zone.
    pub zone: RwSignal<Zone>,
    /// The time, as of the last minute.
    pub now: RwSignal<Timestamp>,
    /// The day it is where the reader is.
    pub today: Memo<Date>,
}

impl Preferences {
    /// Puts `chosen` into the context.
    pub fn provide(initial: InitialPreferences) -> Self {
        let (zone, now) = (RwSignal::new(Zone::Fixed(initial.zone)), RwSignal::new(initial.now));
        let preferences = Self {
            locale: initial.locale,
            theme: RwSignal::new(initial.theme),
            zone,
            now,
            today: Memo::new(move |_| LocalTime::new(now.get(), zone.get()).date),
        };
        provide_context(preferences);
        preferences
    }
}

/// The page's preferences.
///
/// # Panics
/// Outside of [`crate::App`].
pub fn preferences() -> Preferences {
    expect_context()
}

/// The page's language.
pub fn locale() -> Locale {
    preferences().locale
}
