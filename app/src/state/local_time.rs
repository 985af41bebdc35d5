//! Local date and time in a reader's time zone.

use chat::model::Timestamp;
use time::{Date, OffsetDateTime, UtcOffset};

/// An offset from UTC.
#[derive(Clone, Copy, Debug)]
pub enum Zone {
    /// A constant offset in minutes east of UTC, as the server knows it.
    Fixed(i32),
    /// Minutes east of UTC at a given time, as the browser knows it.
    Local(fn(Timestamp) -> i32),
}

impl Zone {
    pub const UTC: Self = Self::Fixed(0);

    /// Minutes east of UTC at `at`.
    pub fn minutes_east(self, at: Timestamp) -> i32 {
        match self {
            Self::Fixed(minutes) => minutes,
            Self::Local(at_moment) => at_moment(at),
        }
    }
}

/// A local date and time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl LocalTime {
    /// `at` in `zone`. A time or offset out of range becomes the epoch in UTC.
    pub fn new(at: Timestamp, zone: Zone) -> Self {
        let moment =
            OffsetDateTime::from_unix_timestamp(at.unix_seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let offset = UtcOffset::from_whole_seconds(zone.minutes_east(at) * 60).unwrap_or(UtcOffset::UTC);
        let local = moment.checked_to_offset(offset).unwrap_or(moment);
        Self { date: local.date(), hour: local.hour(), minute: local.minute() }
    }

    /// `09:05`.
    pub fn time(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn local_date_depends_on_the_zone() {
        let moment = at("2026-01-25T18:05:00Z");
        let (london, shanghai) =
            (LocalTime::new(moment, Zone::UTC), LocalTime::new(moment, Zone::Fixed(480)));
        assert_eq!((london.date.day(), london.time()), (25, "18:05".to_owned()));
        assert_eq!((shanghai.date.day(), shanghai.time()), (26, "02:05".to_owned()));
    }

    #[test]
    fn a_zone_may_change_with_the_seasons() {
        let paris = Zone::Local(|at| if at < Timestamp(1_774_746_000_000_000) { 60 } else { 120 });
        assert_eq!(LocalTime::new(at("2026-01-25T12:00:00Z"), paris).time(), "13:00");
        assert_eq!(LocalTime::new(at("2026-06-25T12:00:00Z"), paris).time(), "14:00");
    }

    #[test]
    fn times_out_of_range_do_not_panic() {
        let _ = LocalTime::new(Timestamp(i64::MAX), Zone::Fixed(i32::MAX / 60));
        let _ = LocalTime::new(Timestamp(i64::MIN), Zone::UTC);
    }
}
