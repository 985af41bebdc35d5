//! Conversion of JSON values to the types of fields. REST converts as Django REST Framework's serializers do: digits in a
//! string to a number, a number to a string, several words to a boolean. Sockets accept only the right JSON type.

use serde_json::Value;

/// Words that Django REST Framework's `BooleanField` reads.
const TRUE: &[&str] =
    &["t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1"];
const FALSE: &[&str] =
    &["f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0"];

/// A string.
pub(super) fn strict_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A string, or a number in its own notation.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        other => strict_text(other),
    }
}

/// An integer. 50.0 is one too, as in JSON Schema, in JavaScript and in Django REST Framework.
pub(super) fn strict_number(value: &Value) -> Option<i64> {
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
    value.as_i64().or_else(|| format!("{:.0}", float()?).parse().ok())
}

/// An integer, or a string with one.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(digits) => number_of(digits),
        other => strict_number(other),
    }
}

/// Parses an integer: `50`, ` 50 `, `50.0`.
pub(super) fn number_of(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let whole = text.split_once('.').map_or(Some(text), |(whole, fraction)| {
        let is_zero = !whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        is_zero.then_some(whole)
    });
    whole?.parse().ok()
}

/// A boolean.
pub(super) fn strict_flag(value: &Value) -> Option<bool> {
    value.as_bool()
}

/// A boolean, a word of [`TRUE`] or [`FALSE`], 1 or 0.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::String(word) => flag_of(word),
        Value::Number(_) => strict_number(value).and_then(|number| flag_of(&number.to_string())),
        other => strict_flag(other),
    }
}

/// Parses a word of [`TRUE`] or [`FALSE`].
pub(super) fn flag_of(word: &str) -> Option<bool> {
    if TRUE.contains(&word) { Some(true) } else { FALSE.contains(&word).then_some(false) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_without_a_fraction_is_whole_however_it_is_written() {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        for (text, expected) in [("50", 50), ("50.0", 50), ("5e1", 50), ("-3.0", -3), ("-0.0", 0)] {
            assert_eq!(strict_number(&parsed(text)), Some(expected), "{text}");
            assert_eq!(number(&parsed(text)), Some(expected), "{text}");
        }
        for text in ["1.5", "1e300", "99999999999999999999", "true", "null", "[]"] {
            assert_eq!(strict_number(&parsed(text)), None, "{text}");
            assert_eq!(number(&parsed(text)), None, "{text}");
        }
        assert_eq!(strict_number(&json!("5")), None);
    }

    #[test]
    fn digits_in_a_text_are_a_number() {
        for (text, expected) in [("60", 60), (" 60\n", 60), ("60.0", 60), ("60.", 60), ("-7", -7), ("+7", 7)]
        {
            assert_eq!(number(&json!(text)), Some(expected), "{text:?}");
        }
        for text in ["", " ", ".0", "1.5", "1e3", "0x10", "1_000", "٣", "6 0", "99999999999999999999", "true"]
        {
            assert_eq!(number(&json!(text)), None, "{text:?}");
        }
    }

    #[test]
    fn a_flag_has_many_words() {
        for word in TRUE {
            assert_eq!(flag(&json!(word)), Some(true), "{word}");
        }
        for word in FALSE {
            assert_eq!(flag(&json!(word)), Some(false), "{word}");
        }
        assert_eq!(
            (flag(&json!(1)), flag(&json!(0)), flag(&json!(1.0))),
            (Some(true), Some(false), Some(true))
        );
        for bad in [json!(""), json!("perhaps"), json!(2), json!(0.5), json!([]), json!(" true")] {
            assert_eq!(flag(&bad), None, "{bad}");
        }
        assert_eq!(strict_flag(&json!("true")), None);
    }

    #[test]
    fn a_number_is_a_text_and_a_flag_is_none() {
        assert_eq!(text(&json!(123)), Some("123".into()));
        assert_eq!(text(&json!(1.5)), Some("1.5".into()));
        assert_eq!(text(&json!(true)), None);
        assert_eq!(strict_text(&json!(123)), None);
    }
}
