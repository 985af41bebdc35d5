//! The messages: a number, the time at which it was due, and a text derived from the number. So a receiver can check a
//! message without parsing JSON.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use memchr::memmem::Finder;

/// The length of a message's text in bytes.
pub(crate) const LENGTH: usize = 100;
const NUMBER: usize = 10;
const MOMENT: usize = 16;
const FILLER: usize = LENGTH - NUMBER - MOMENT;

/// The origin of all times: a little before the first use, because a due time may be in the past.
static EPOCH: LazyLock<Instant> =
    LazyLock::new(|| Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now));

/// Letters for the filler of a message, in an order that does not repeat.
static LETTERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'a' + u8::try_from(state % 26).unwrap_or_default()
    };
    (0..8 * 1024).map(|_| letter()).collect()
});

static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""content":"#));

/// Microseconds since the program began.
pub(crate) fn now() -> u64 {
    moment(Instant::now())
}

/// The same of another moment.
pub(crate) fn moment(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*EPOCH).as_micros()).unwrap_or(u64::MAX)
}

/// How long ago a moment was.
pub(crate) fn since(moment: u64) -> Duration {
    Duration::from_micros(now().saturating_sub(moment))
}

/// The text of message `number`, due at `moment`.
pub(crate) fn text(number: u64, moment: u64) -> String {
    format!("{number:0NUMBER$}{moment:0MOMENT$}{}", String::from_utf8_lossy(filler(number)))
}

/// The frame that sends it.
pub(crate) fn frame(number: u64, moment: u64) -> String {
    format!(r#"{{"type":"chat_message","content":"{}"}}"#, text(number, moment))
}

/// When this text of message `number` was due; an error when it is not that text.
pub(crate) fn check(text: &[u8], number: u64) -> Result<u64, Wrong> {
    let parts = text.split_at_checked(NUMBER).and_then(|(n, rest)| Some((n, rest.split_at_checked(MOMENT)?)));
    let Some((shown, (moment, rest))) = parts else { return Err(Wrong::Content) };
    if digits(shown) != Some(number) {
        return Err(Wrong::Order { expected: number, found: digits(shown) });
    }
    if rest != filler(number) {
        return Err(Wrong::Content);
    }
    digits(moment).ok_or(Wrong::Content)
}

/// The text in a frame or an answer that carries one message.
pub(crate) fn content(json: &[u8]) -> Option<&[u8]> {
    let value = value(json.get(CONTENT.find(json)? + CONTENT.needle().len()..)?);
    let text = value.strip_prefix(b"\"")?;
    (text.get(LENGTH) == Some(&b'"')).then(|| &text[..LENGTH])
}

/// The room's change number, with which a frame ends.
pub(crate) fn rev(frame: &[u8]) -> Option<u64> {
    let frame = frame.strip_suffix(b"}")?;
    let start = frame.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    if frame[..start].ends_with(br#""rev":"#) { digits(&frame[start..]) } else { None }
}

/// Whether this frame is a new message.
pub(crate) fn is_message(frame: &[u8]) -> bool {
    is_type(frame, b"chat_message")
}

/// Whether this frame says that something was refused.
pub(crate) fn is_error(frame: &[u8]) -> bool {
    is_type(frame, b"error")
}

/// Whether this frame, which begins with its type, is of this one.
pub(crate) fn is_type(frame: &[u8], kind: &[u8]) -> bool {
    let Some(rest) = frame.strip_prefix(br#"{"type":"#) else { return false };
    let named = value(rest).strip_prefix(b"\"").and_then(|rest| rest.strip_prefix(kind));
    named.is_some_and(|rest| rest.starts_with(b"\""))
}

/// The value behind a colon: some servers write a space before it.
fn value(json: &[u8]) -> &[u8] {
    json.strip_prefix(b" ").unwrap_or(json)
}

/// What is wrong with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Another message was expected: one was lost, duplicated or out of order.
    Order { expected: u64, found: Option<u64> },
    /// The text is not what was sent.
    Content,
}

fn filler(number: u64) -> &'static [u8] {
    let room = LETTERS.len() - FILLER;
    let start = usize::try_from(number.wrapping_mul(31)).unwrap_or_default() % room;
    &LETTERS[start..start + FILLER]
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_number() {
        let sent = text(7, 1_234);
        assert_eq!(sent.len(), LENGTH);
        assert_eq!(check(sent.as_bytes(), 7), Ok(1_234));
        assert_eq!(check(sent.as_bytes(), 8), Err(Wrong::Order { expected: 8, found: Some(7) }));
        let garbled = sent.replace(&sent[90..], "##########");
        assert_eq!(check(garbled.as_bytes(), 7), Err(Wrong::Content));
        assert_eq!(check(&sent.as_bytes()[..50], 7), Err(Wrong::Content));
    }

    #[test]
    fn content_and_change_number_are_found_in_a_frame() {
        let text = text(3, 9);
        let frame = format!(r#"{{"type":"chat_message","message":{{"id":1,"content":"{text}"}},"rev":42}}"#);
        assert!(is_message(frame.as_bytes()));
        assert_eq!(content(frame.as_bytes()), Some(text.as_bytes()));
        assert_eq!(rev(frame.as_bytes()), Some(42));
        assert_eq!(rev(br#"{"type":"pong"}"#), None);
        let spaced = frame.replace("\":", "\": ");
        assert!(is_message(spaced.as_bytes()));
        assert_eq!(content(spaced.as_bytes()), Some(text.as_bytes()));
        assert!(!is_type(br#"{"type":"chat_messages"}"#, b"chat_message"));
    }
}
