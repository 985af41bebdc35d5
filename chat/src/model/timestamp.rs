//! Timestamps: microseconds since the Unix epoch, RFC 3339 in UTC on the wire.
//!
//! Formatting and parsing are written by hand: the format descriptions of the `time` crate would add 40 KB to the
//! wasm.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Seconds since the epoch, rounded down, as in JWT claims.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The timestamp `micros` microseconds later.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The start of the next second.
    #[must_use]
    pub fn next_second(self) -> Self {
        Self(self.unix_seconds().saturating_add(1).saturating_mul(1_000_000))
    }

    /// Parses an RFC 3339 timestamp; `None` if malformed. Digits below a microsecond are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked("2026-01-25".len())?;
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));

        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?.map(u8::try_from);
        let time = Time::from_hms_micro(hour.ok()?, minute.ok()?, second.ok()?, micros(fraction)?).ok()?;
        let moment = OffsetDateTime::new_in_offset(date, time, offset(zone)?);
        i64::try_from(moment.unix_timestamp_nanos() / 1_000).ok().map(Self)
    }
}

/// Parses numbers of `widths` digits each, separated by `separator`.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u16; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && is_digits(part))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Parses the fraction of a second.
fn micros(fraction: &str) -> Option<u32> {
    let kept = fraction.get(..fraction.len().min(6)).filter(|_| is_digits(fraction))?;
    let power = u32::try_from(6 - kept.len()).ok()?;
    Some(kept.parse::<u32>().ok()? * 10_u32.pow(power))
}

/// Parses `Z` or `±HH:MM`.
fn offset(zone: &str) -> Option<UtcOffset> {
    let sign = match zone.as_bytes().first()? {
        b'Z' | b'z' if zone.len() == 1 => return Some(UtcOffset::UTC),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?.map(i8::try_from);
    let minutes = minutes.ok().filter(|minutes| *minutes < 60)?;
    UtcOffset::from_hms(sign * hours.ok()?, sign * minutes, 0).ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The layout: `2026-01-25T15:30:00.123456Z`.
const WRITTEN: [u8; 27] = *b"0000-00-00T00:00:00.000000Z";

impl Timestamp {
    /// Formats as `2026-01-25T15:30:00.123456Z`, always with six digits (contract); `None` outside the years 0 to
    /// 9999.
    ///
    /// A list has two timestamps in each row, so they are written digit by digit.
    fn written(self) -> Option<[u8; 27]> {
        let at = OffsetDateTime::from_unix_timestamp(self.unix_seconds()).ok()?;
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let year = u32::try_from(year).ok().filter(|year| *year <= 9_999)?;
        let micros = u32::try_from(self.0.rem_euclid(1_000_000)).ok()?;
        let mut written = WRITTEN;
        let fields = [
            (0..4, year),
            (5..7, u32::from(u8::from(month))),
            (8..10, u32::from(day)),
            (11..13, u32::from(hour)),
            (14..16, u32::from(minute)),
            (17..19, u32::from(second)),
            (20..26, micros),
        ];
        for (place, number) in fields {
            let mut rest = number;
            for digit in written[place].iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).ok()?;
                rest /= 10;
            }
        }
        Some(written)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = self.written().ok_or(std::fmt::Error)?;
        f.write_str(str::from_utf8(&written).map_err(|_| std::fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written =
            self.written().ok_or_else(|| S::Error::custom("a timestamp outside the years 0 to 9999"))?;
        serializer.serialize_str(str::from_utf8(&written).map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_six_digits_and_round_trip() {
        let at = Timestamp(1_769_355_000_123_456);
        assert_eq!(at.to_string(), "2026-01-25T15:30:00.123456Z");
        assert_eq!(Timestamp::parse("2026-01-25T15:30:00.123456Z"), Some(at));
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        for micros in [0, -1, 951_782_400_000_000, 4_102_444_799_999_999] {
            assert_eq!(Timestamp::parse(&Timestamp(micros).to_string()), Some(Timestamp(micros)));
        }
    }

    #[test]
    fn all_rfc_3339_forms_are_parsed() {
        let at = Timestamp(1_769_355_000_120_000);
        for text in [
            "2026-01-25T15:30:00.12Z",
            "2026-01-25t15:30:00.120000999z",
            "2026-01-25 23:30:00.12+08:00",
            "2026-01-25T12:00:00.12-03:30",
        ] {
            assert_eq!(Timestamp::parse(text), Some(at), "{text}");
        }
    }

    #[test]
    fn malformed_timestamps_are_refused() {
        for text in [
            "",
            "yesterday",
            "2026-01-25",
            "2026-01-25T15:30:00",
            "2026-02-29T00:00:00Z",
            "2026-01-25T24:00:00Z",
            "2026-01-25T15:30:00.Z",
            "2026-01-25T15:30:00Zulu",
            "2026-01-25T15:30:00+8:00",
            "2026-01-25T15:30:00+08:75",
            "+026-01-25T15:30:00Z",
            "2026-1-025T15:30:00Z",
            "一二三四五六七八九十",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
