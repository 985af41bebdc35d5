//! Completion of mentions: the query at the caret, and the text with the chosen name.
//!
//! Positions are in UTF-16 code units, as in the DOM.

use chat::model::{
    markup::char_before,
    mention::{is_at, may_be_in_name, may_follow},
};

/// Maximum length of a query, in characters.
const QUERY_MAX: usize = 40;

/// `@` and the letters before the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionQuery {
    /// Position of the `@`.
    pub start: usize,
    pub end: usize,
    pub letters: String,
}

/// The query that ends at `caret`, if there is one.
pub fn query_at(text: &str, caret: usize) -> Option<MentionQuery> {
    let before = &text[..byte_at(text, caret)];
    let (at, sign) = before.char_indices().rfind(|(_, letter)| is_at(*letter))?;
    let letters = &before[at + sign.len_utf8()..];
    let is_name = letters.chars().all(may_be_in_name) && letters.chars().count() <= QUERY_MAX;
    (is_name && may_follow(char_before(before, at))).then(|| MentionQuery {
        start: units(&before[..at]),
        end: caret,
        letters: letters.to_owned(),
    })
}

/// Replaces the query by `username`; returns the text and the new caret.
pub fn complete(text: &str, query: &MentionQuery, username: &str) -> (String, usize) {
    let before = &text[..byte_at(text, query.start)];
    let after = &text[byte_at(text, query.end)..];
    let gap = if after.starts_with(char::is_whitespace) { "" } else { " " };
    let head = format!("{before}@{username}{gap}");
    let caret = units(&head) + usize::from(gap.is_empty());
    (head + after, caret)
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn byte_at(text: &str, index: usize) -> usize {
    let mut passed = 0;
    for (at, letter) in text.char_indices() {
        if passed >= index {
            return at;
        }
        passed += letter.len_utf16();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Option<String> {
        query_at(text, units(text)).map(|query| query.letters)
    }

    #[test]
    fn query_is_between_the_at_sign_and_the_caret() {
        for (text, expected) in [
            ("@", Some("")),
            ("hi @bo", Some("bo")),
            ("你好@小明", Some("小明")),
            ("(@a.b", Some("a.b")),
            ("@bob ", None),
            ("lin@example", None),
            ("a.b-@c", None),
            ("＠bo", Some("bo")),
            ("é@bo", Some("bo")),
            ("@hiê\u{301}u", Some("hiê\u{301}u")),
            ("no", None),
            ("@@bo", Some("bo")),
        ] {
            assert_eq!(letters(text).as_deref(), expected, "{text}");
        }
        assert_eq!(letters(&format!("@{}", "x".repeat(41))), None);
        assert_eq!(query_at("@bob", 2).expect("query").letters, "b");
    }

    #[test]
    fn completion_replaces_the_query() {
        let text = "👋 @小 在吗";
        let query = query_at(text, 5).expect("query");
        assert_eq!((query.start, query.letters.as_str()), (3, "小"));
        assert_eq!(complete(text, &query, "xiaoming"), ("👋 @xiaoming 在吗".into(), 13));
        let end = super::query_at("@b", 2).expect("query");
        assert_eq!(complete("@b", &end, "bob"), ("@bob ".into(), 5));
    }
}
