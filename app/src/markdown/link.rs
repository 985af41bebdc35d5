//! Finds and checks URLs.

use super::{escape, steps};

/// Maximum length of a link's address in bytes, the same as for a file; a longer one is text.
pub(super) const LONGEST: usize = 2_000;

/// Allowed schemes. `javascript:` and `data:` would run in the reader's page.
const ALLOWED: [&str; 3] = ["https://", "http://", "mailto:"];

pub(super) fn is_allowed(address: &str) -> bool {
    scheme(address).is_some_and(|scheme| address.len() > scheme.len())
}

fn scheme(text: &str) -> Option<&'static str> {
    ALLOWED
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The URL at the beginning of `text`, without trailing punctuation: it ends at white space, Chinese text or closing
/// punctuation. Empty where there is none; it may be longer than [`LONGEST`].
pub(super) fn at(text: &str) -> &str {
    let Some(scheme) = scheme(text) else { return "" };
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    steps::add(address.len());
    // A closing bracket without a partner in the URL belongs to the sentence.
    let (mut round, mut square) = (excess(address, '(', ')'), excess(address, '[', ']'));
    while let Some(last) = address.chars().next_back() {
        steps::add(1);
        let is_closing = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '*' | '_' | '~' => true,
            ')' => take_one(&mut round),
            ']' => take_one(&mut square),
            _ => false,
        };
        if !is_closing {
            break;
        }
        address = &address[..address.len() - 1];
    }
    if address.len() > scheme.len() { address } else { "" }
}

/// How many more closing than opening brackets there are.
fn excess(text: &str, open: char, close: char) -> usize {
    steps::add(2 * text.len());
    text.matches(close).count().saturating_sub(text.matches(open).count())
}

/// Counts down; false at 0.
fn take_one(count: &mut usize) -> bool {
    let has_one = *count > 0;
    *count = count.saturating_sub(1);
    has_one
}

fn ends(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || "<>\"'`|，。；：！？、（）《》「」『』【】“”‘’…".contains(letter)
        || ('\u{4e00}'..='\u{9fff}').contains(&letter)
        // Bidirectional control characters, which could reorder the URL.
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes the opening tag of a link that opens in a new tab and does not pass on the page.
pub(super) fn open(address: &str, title: Option<&str>, html: &mut String) {
    html.push_str("<a href=\"");
    escape(address, html);
    if let Some(title) = title {
        html.push_str("\" title=\"");
        escape(title, html);
    }
    html.push_str("\" target=\"_blank\" rel=\"noopener nofollow ugc\">");
}
