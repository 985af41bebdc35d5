//! Formatting of times: `14:32`, `昨天`, `1月25日 星期日`.
//!
//! The server formats them in the zone of the cookie, UTC at first; a live page in the browser's zone.

use chat::model::Timestamp;
use leptos::prelude::*;
use time::{Date, Month, Weekday};

use super::erased::IntoErased;
use crate::{
    i18n::{Locale, td_string},
    preferences::{Preferences, preferences},
    state::local_time::LocalTime,
};

/// Text of a day separator, with the year if it is not `today`'s.
pub fn day_line(locale: Locale, day: Date, today: Date) -> String {
    if let Some(near) = near(locale, day, today) {
        return near.to_owned();
    }
    let (month, weekday, number) = (month(locale, day.month()), weekday(locale, day.weekday()), day.day());
    if day.year() == today.year() {
        td_string!(locale, date.day_line, month = month, day = number, weekday = weekday)
    } else {
        td_string!(
            locale,
            date.day_line_year,
            year = day.year(),
            month = month,
            day = number,
            weekday = weekday
        )
    }
}

/// A short time for lists: the time of day today, else the date.
pub fn brief(locale: Locale, at: LocalTime, today: Date) -> String {
    if at.date == today {
        return at.time();
    }
    if let Some(near) = near(locale, at.date, today) {
        return near.to_owned();
    }
    if at.date.year() == today.year() {
        let month = month(locale, at.date.month());
        // `Nov`; the Chinese names are as short already.
        td_string!(locale, date.short, month = month.get(..3).unwrap_or(month), day = at.date.day())
    } else {
        format!("{:04}-{:02}-{:02}", at.date.year(), u8::from(at.date.month()), at.date.day())
    }
}

fn near(locale: Locale, day: Date, today: Date) -> Option<&'static str> {
    if day == today {
        Some(td_string!(locale, date.today))
    } else if day.next_day() == Some(today) {
        Some(td_string!(locale, date.yesterday))
    } else {
        None
    }
}

fn month(locale: Locale, month: Month) -> &'static str {
    match month {
        Month::January => td_string!(locale, date.month_1),
        Month::February => td_string!(locale, date.month_2),
        Month::March => td_string!(locale, date.month_3),
        Month::April => td_string!(locale, date.month_4),
        Month::May => td_string!(locale, date.month_5),
        Month::June => td_string!(locale, date.month_6),
        Month::July => td_string!(locale, date.month_7),
        Month::August => td_string!(locale, date.month_8),
        Month::September => td_string!(locale, date.month_9),
        Month::October => td_string!(locale, date.month_10),
        Month::November => td_string!(locale, date.month_11),
        Month::December => td_string!(locale, date.month_12),
    }
}

fn weekday(locale: Locale, weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => td_string!(locale, date.weekday_1),
        Weekday::Tuesday => td_string!(locale, date.weekday_2),
        Weekday::Wednesday => td_string!(locale, date.weekday_3),
        Weekday::Thursday => td_string!(locale, date.weekday_4),
        Weekday::Friday => td_string!(locale, date.weekday_5),
        Weekday::Saturday => td_string!(locale, date.weekday_6),
        Weekday::Sunday => td_string!(locale, date.weekday_7),
    }
}

/// [`brief`] in the reader's zone. Subscribes to the zone and the current day.
pub fn brief_local(preferences: Preferences, at: Timestamp) -> String {
    brief(preferences.locale, LocalTime::new(at, preferences.zone.get()), preferences.today.get())
}

/// A time on a page that is rendered on the server only.
#[component]
pub fn BriefTime(class: &'static str, at: Timestamp) -> impl IntoView {
    let Preferences { locale, zone, today, .. } = preferences();
    let (local, today) = (LocalTime::new(at, zone.get_untracked()), today.get_untracked());
    let day = brief(locale, local, today);
    // There is room for the time too.
    let text = if local.date == today { day } else { format!("{day} {}", local.time()) };
    view! {
        <time class=class datetime=at.to_string()>
            {text}
        </time>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::local_time::Zone;

    fn local(text: &str) -> LocalTime {
        LocalTime::new(Timestamp::parse(text).expect("a time"), Zone::UTC)
    }

    #[test]
    fn day_line_is_relative_near_today() {
        let today = local("2026-01-25T12:00:00Z").date;
        for (at, zh, en) in [
            ("2026-01-25T01:00:00Z", "今天", "Today"),
            ("2026-01-24T23:00:00Z", "昨天", "Yesterday"),
            ("2026-01-05T01:00:00Z", "1月5日 星期一", "Monday, January 5"),
            ("2025-12-31T01:00:00Z", "2025年12月31日 星期三", "Wednesday, December 31, 2025"),
        ] {
            assert_eq!(day_line(Locale::zh, local(at).date, today), zh);
            assert_eq!(day_line(Locale::en, local(at).date, today), en);
        }
    }

    #[test]
    fn brief_time_is_the_time_of_day_or_the_date() {
        let today = local("2026-01-25T12:00:00Z").date;
        assert_eq!(brief(Locale::zh, local("2026-01-25T09:05:00Z"), today), "09:05");
        assert_eq!(brief(Locale::zh, local("2026-01-22T09:05:00Z"), today), "1月22日");
        assert_eq!(brief(Locale::en, local("2026-01-05T09:05:00Z"), today), "Jan 5");
        assert_eq!(brief(Locale::en, local("2025-01-22T09:05:00Z"), today), "2025-01-22");
    }
}
