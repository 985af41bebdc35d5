//! Addresses in a text: where they end, and which may be followed.

use super::{escape, steps};

/// The most bytes of an address that leads anywhere, as many as a file's may have; a longer one is text.
pub(super) const LONGEST: usize = 2_000;

/// What a link may begin with. A script or data would run in the reader's page.
const ALLOWED: [&str; 3] = ["https://", "http://", "mailto:"];

/// Does it lead to a page or a mailbox?
pub(super) fn is_allowed(address: &str) -> bool {
    scheme(address).is_some_and(|scheme| address.len() > scheme.len())
}

fn scheme(text: &str) -> Option<&'static str> {
    ALLOWED
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The address that `text` begins with, up to where people would end it: at white space, Chinese text or the
/// punctuation that closes a sentence. Empty when it begins with none; it may be longer than [`LONGEST`].
pub(super) fn at(text: &str) -> &str {
    let Some(scheme) = scheme(text) else { return "" };
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    steps::add(address.len());
    // A bracket at the end is the sentence's where it has no partner in the address.
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

/// How many more brackets close than open.
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
        // Signs that turn the direction of what follows, an address among it.
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Begins a link, which opens beside the chat and learns nothing of it.
pub(super) fn open(address: &str, title: Option<&str>, html: &mut String) {
    html.push_str("<a href=\"");
    escape(address, html);
    if let Some(title) = title {
        html.push_str("\" title=\"");
        escape(title, html);
    }
    html.push_str("\" target=\"_blank\" rel=\"noopener nofollow ugc\">");
}
