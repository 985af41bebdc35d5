//! Renders messages as HTML: a safe subset of Markdown.
//!
//! The same code runs on the server and in the browser, so hydration finds the same HTML and a message that is still
//! being sent looks as it will when it is stored. Everything outside of the subset is escaped text: HTML in a message
//! has no effect, links lead to `http`, `https` and `mailto` only, and nothing is loaded from other servers.
//!
//! It is no crate for two reasons. `CommonMark` decides by punctuation where emphasis begins and ends, and finds none
//! in `**注意：**明天`; and the smallest `CommonMark` parser adds a fifth to the wasm. `blocks` parses blocks, `inline`
//! parses within a line, `mention` finds mentions, `code` highlights syntax. What the service has to know too (links,
//! code, where a name may begin and end) is in `chat::model`.
//!
//! Time and size of the output are linear in the length of the input, whatever it is: anybody may send ten thousand
//! characters that every member's browser has to render. Loops over the text count their work in `steps`, and a test
//! limits it.

mod blocks;
mod code;
mod emoji;
mod inline;
mod link;
mod mention;
mod steps;
#[cfg(test)]
mod tests;

pub use emoji::is_few_emoji;
use mention::MentionLookup;
pub use mention::MentionNames;

/// A message of more characters is collapsed.
const LONG_CHARACTERS: usize = 1_500;
/// A message of more lines is collapsed.
const LONG_LINES: usize = 20;
/// An excerpt of n characters is made of this many times n characters of input, since markup is not shown.
const READ_FOR_EXCERPT: usize = 4;

/// Renders `text` as HTML; `names` are the usernames that it may mention.
pub fn render(text: &str, names: &MentionNames) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let lines: Vec<&str> = text.lines().collect();
    blocks::render(&lines, 0, &MentionLookup::new(names), &mut html);
    html
}

/// Whether the message is shown collapsed.
pub fn is_long(text: &str) -> bool {
    text.lines().count() > LONG_LINES
        || (text.len() > LONG_CHARACTERS && text.chars().count() > LONG_CHARACTERS)
}

/// The beginning of `text` without markup, in one line of at most `most` characters.
pub fn excerpt(text: &str, most: usize) -> String {
    let beginning = text.char_indices().nth(most * READ_FOR_EXCERPT).map_or(text, |(end, _)| &text[..end]);
    let plain = bare(&render(beginning, &MentionNames::default()));
    let mut line = String::new();
    for word in plain.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > most && line.chars().count() > most {
            line = line.chars().take(most).collect();
            line.push('…');
            break;
        }
    }
    line
}

/// The text content of HTML that this module made.
fn bare(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(mark) = rest.find(['<', '&']) {
        text.push_str(&rest[..mark]);
        rest = &rest[mark..];
        // Attributes contain no `>`, and entities end with `;`.
        let end = rest.find(if rest.starts_with('<') { '>' } else { ';' }).map_or(rest.len(), |end| end + 1);
        match &rest[..end] {
            "&amp;" => text.push('&'),
            "&lt;" => text.push('<'),
            "&gt;" => text.push('>'),
            "&quot;" => text.push('"'),
            "&#39;" => text.push('\''),
            tag if is_within_line(tag) => {}
            // A block separates words.
            _ => text.push(' '),
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

/// Whether the tag is an inline element, which does not separate words.
fn is_within_line(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name.find([' ', '>']).unwrap_or(name.len());
    ["a", "b", "code", "del", "em", "i", "span", "strong"].contains(&&name[..end])
}

/// Escapes `text` for HTML.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(text, &mut html);
    html
}

/// Escapes `text` for HTML content and attributes.
fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(letter),
        }
    }
}
