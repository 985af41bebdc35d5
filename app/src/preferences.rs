//! The reader's preferences: language, theme, time zone.
//!
//! The server reads them from cookies and `Accept-Language` and writes the values used into attributes of `<html>`.
//! The browser starts from those, so that hydration renders the same page. Later the theme switch changes signal,
//! attribute and cookie.

use chat::model::Timestamp;
use leptos::prelude::*;
use time::Date;

use crate::{
    i18n::{Locale, from_tag},
    state::local_time::{LocalTime, Zone},
};

/// Cookie with the language, `zh` or `en`.
pub const LANGUAGE_COOKIE: &str = "liao_language";
/// Cookie with the theme, `light` or `dark`; absent where the operating system decides.
pub const THEME_COOKIE: &str = "liao_theme";
/// Cookie with the key that sends a message: [`CTRL_ENTER`]; absent for Enter.
pub const SEND_KEY_COOKIE: &str = "liao_send_key";
/// Ctrl+Enter sends, and Enter breaks the line.
pub const CTRL_ENTER: &str = "ctrl-enter";
/// Cookie with the browser's offset from UTC in minutes, so that the server renders local times.
pub const ZONE_COOKIE: &str = "liao_zone";

/// Light, dark, or as the operating system is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// All themes, in the order in which the switch shows them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value in forms and cookies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The value of `data-theme`; none where the operating system decides.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }

    /// Parses the value; anything else is [`Theme::System`].
    pub fn parse(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// Preferences as plain values, before there are signals.
#[derive(Clone, Copy, Debug)]
pub struct InitialPreferences {
    pub locale: Locale,
    pub theme: Theme,
    /// Whether only Ctrl+Enter sends a message.
    pub sends_by_ctrl: bool,
    /// Minutes east of UTC; 0 at the first visit.
    pub zone: i32,
    /// The server's time of rendering.
    pub now: Timestamp,
}

impl Default for InitialPreferences {
    fn default() -> Self {
        Self { locale: Locale::zh, theme: Theme::System, sends_by_ctrl: false, zone: 0, now: Timestamp(0) }
    }
}

impl InitialPreferences {
    /// Reads `lang`, `data-theme`, `data-send-key`, `data-zone` and `data-now` through `read`.
    pub fn from_attributes(read: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            locale: read("lang").and_then(|tag| from_tag(&tag)).unwrap_or(Locale::zh),
            theme: read("data-theme").map_or(Theme::System, |value| Theme::parse(&value)),
            sends_by_ctrl: read("data-send-key").is_some(),
            zone: read("data-zone").and_then(|minutes| minutes.parse().ok()).unwrap_or(0),
            now: read("data-now").and_then(|micros| micros.parse().ok()).map_or(Timestamp(0), Timestamp),
        }
    }
}

/// Preferences of a page, provided as context; those that can change are signals.
#[derive(Clone, Copy)]
pub struct Preferences {
    pub locale: Locale,
    pub theme: RwSignal<Theme>,
    /// Whether only Ctrl+Enter sends a message.
    pub sends_by_ctrl: bool,
    pub zone: RwSignal<Zone>,
    /// The current time, updated every minute.
    pub now: RwSignal<Timestamp>,
    /// The current date in the reader's time zone.
    pub today: Memo<Date>,
}

impl Preferences {
    /// Provides `initial` as context.
    pub fn provide(initial: InitialPreferences) -> Self {
        let (zone, now) = (RwSignal::new(Zone::Fixed(initial.zone)), RwSignal::new(initial.now));
        let preferences = Self {
            locale: initial.locale,
            theme: RwSignal::new(initial.theme),
            sends_by_ctrl: initial.sends_by_ctrl,
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

pub fn locale() -> Locale {
    preferences().locale
}
