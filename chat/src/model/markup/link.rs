//! Finds and checks URLs.

use super::pairs::Pairs;

/// Maximum length of a link's address in bytes, the same as for a file; a longer one is text.
pub const LONGEST: usize = 2_000;

/// Maximum length of a link's text, in bytes.
const LINK_WORDS: usize = 1_000;

/// Allowed schemes. `javascript:` and `data:` would run in the reader's page.
const ALLOWED: [&str; 3] = ["https://", "http://", "mailto:"];

fn is_allowed(address: &str) -> bool {
    scheme(address).is_some_and(|scheme| address.len() > scheme.len())
}

fn scheme(text: &str) -> Option<&'static str> {
    ALLOWED
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Text and address of the link `[text](address)` that begins at `at`. The address may contain balanced brackets.
pub fn named<'a>(text: &'a str, pairs: &Pairs, at: usize) -> Option<(&'a str, &'a str)> {
    let end = pairs.close_of(at).filter(|end| end - at < LINK_WORDS)?;
    let label = text.get(at + 1..end).filter(|label| !label.trim().is_empty())?;
    let open = end + 1;
    if text.as_bytes().get(open) != Some(&b'(') {
        return None;
    }
    let address = text.get(open + 1..pairs.close_of(open)?)?;
    (address.len() <= LONGEST && is_allowed(address)).then_some((label, address))
}

/// The URL at the beginning of `text`, without trailing punctuation: it ends at white space, Chinese text or closing
/// punctuation. Empty where there is none; it may be longer than [`LONGEST`].
pub fn at(text: &str) -> &str {
    let Some(scheme) = scheme(text) else { return "" };
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    // A closing bracket without a partner in the URL belongs to the sentence.
    let (mut round, mut square) = (excess(address, '(', ')'), excess(address, '[', ']'));
    while let Some(last) = address.chars().next_back() {
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
