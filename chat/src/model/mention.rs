//! How a name after an `@` is told from what follows it. Which of the names are somebody's is the service's to know.

/// Does `text`, which follows an `@`, name `username`? The name may not be followed by a letter, digit or underscore
/// (`@bobby` is not bob), but Chinese, which knows no spaces, may follow at once. Of capitals only those of ASCII are
/// taken for their small letters.
pub fn is_named(text: &str, username: &str) -> bool {
    text.get(..username.len()).is_some_and(|start| start.eq_ignore_ascii_case(username))
        && !text[username.len()..].chars().next().is_some_and(continues_word)
}

/// Is it a letter, digit or underscore of a script that parts its words?
pub fn continues_word(c: char) -> bool {
    let is_ideographic = matches!(c, '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    c == '_' || (c.is_alphanumeric() && !is_ideographic)
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn a_name_ends_where_its_word_does() {
        for text in ["bob", "Bob, hi", "bob.", "bob你好", "bob-1"] {
            assert!(is_named(text, "bob"), "{text}");
        }
        for text in ["bobby", "bob_1", "bobé", "bo", "", "b\u{fc}b"] {
            assert!(!is_named(text, "bob"), "{text}");
        }
        assert!(is_named("小明你好", "小明"));
    }
}
