//! Where a mentioned username ends in a text. The service looks up which names exist.

/// Whether `text`, which follows an `@`, starts with `username`.
///
/// The name must not be followed by a letter, digit or underscore (`@bobby` does not mention bob), except for
/// Chinese, which has no spaces between words. Only ASCII letters are compared without case.
pub fn is_named(text: &str, username: &str) -> bool {
    text.get(..username.len()).is_some_and(|start| start.eq_ignore_ascii_case(username))
        && !text[username.len()..].chars().next().is_some_and(continues_word)
}

/// Whether `c` is a letter, digit or underscore of a script that separates words by spaces.
pub fn continues_word(c: char) -> bool {
    let is_ideographic = matches!(c, '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    c == '_' || (c.is_alphanumeric() && !is_ideographic)
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn mentioned_name_ends_at_a_word_boundary() {
        for text in ["bob", "Bob, hi", "bob.", "bob你好", "bob-1"] {
            assert!(is_named(text, "bob"), "{text}");
        }
        for text in ["bobby", "bob_1", "bobé", "bo", "", "b\u{fc}b"] {
            assert!(!is_named(text, "bob"), "{text}");
        }
        assert!(is_named("小明你好", "小明"));
    }
}
