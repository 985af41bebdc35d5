//! Current time and time zone of the browser.

use std::time::Duration;

use chat::model::Timestamp;
use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*};

use super::document::set_cookie;
use crate::{
    preferences::{Preferences, ZONE_COOKIE},
    state::local_time::Zone,
};

/// Milliseconds since the epoch.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of any real clock fit")]
pub fn now() -> Timestamp {
    Timestamp(now_ms() as i64 * 1_000)
}

/// Minutes east of UTC at `at`, daylight saving time included.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a date needs no more")]
pub fn minutes_east(at: Timestamp) -> i32 {
    let date = js_sys::Date::new(&(at.0 as f64 / 1_000.0).into());
    -(date.get_timezone_offset() as i32)
}

/// Switches the page to the browser's time zone, stores that zone in a cookie for the next request, and updates `now`
/// every minute.
pub fn sync_preferences(preferences: Preferences) {
    const MINUTE: Duration = Duration::from_mins(1);
    // In an effect, so that hydration sees the times that the server rendered.
    Effect::new(move |_| {
        preferences.zone.set(Zone::Local(minutes_east));
        preferences.now.set(now());
        set_cookie(ZONE_COOKIE, &minutes_east(now()).to_string());
        if let Ok(minutes) = set_interval_with_handle(move || preferences.now.set(now()), MINUTE) {
            on_cleanup(move || minutes.clear());
        }
    });
}
