//! Where a message's text has code and links. The page renders them, and the service finds no mentions in them.
//!
//! Every search here is linear in the length of the text, whatever the text is.

pub mod fence;
pub mod link;
pub mod pairs;

/// The character before this index.
pub fn char_before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

/// Whether the backslash at the beginning of `text` escapes the next character.
pub fn is_escape(text: &str) -> bool {
    text.as_bytes().get(1).is_some_and(u8::is_ascii_punctuation)
}
