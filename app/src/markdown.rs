//! What people write, as HTML: a safe subset of Markdown.
//!
//! By the same code on the server and in the browser, so a page says the same before and after it comes to life, and a
//! message that one sends looks at once as it will. Whatever is no mark of the subset is text and escaped: no markup of
//! the writer's gets through, links lead to `http`, `https` and `mailto` alone, and nothing is fetched from elsewhere.
//!
//! Written here and not taken from a crate for two reasons. `CommonMark` tells by punctuation where emphasis may begin
//! and end, and `**注意：**明天` is none to it; and the smallest of its parsers adds a fifth to what every visitor
//! fetches. `blocks` parts the text, `inline` reads a line, `pairs` finds what closes what in it, `link` and `mention`
//! find theirs, `code` colours.
//!
//! The time and the size of the HTML grow with the length of the text and no faster, whatever it says: anybody may post
//! ten thousand characters, and every reader's browser renders them. Each loop over text reports its steps to `work`,
//! and a test bounds them.

mod blocks;
mod code;
mod inline;
mod link;
mod mention;
mod pairs;
mod steps;
#[cfg(test)]
mod tests;

use mention::MentionLookup;
pub use mention::MentionNames;

/// A text longer than this, in characters, is folded.
const LONG_CHARACTERS: usize = 1_500;
/// And one of more lines than this.
const LONG_LINES: usize = 20;
/// So many times as much is read for an excerpt as it shows, since some of what is written does not show.
const READ_FOR_EXCERPT: usize = 4;

/// `text` as HTML. Who is mentioned in it is looked for among `names`.
pub fn render(text: &str, names: &MentionNames) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let lines: Vec<&str> = text.lines().collect();
    blocks::render(&lines, 0, &MentionLookup::new(names), &mut html);
    html
}

/// Is it so long that the rest is shown on demand?
pub fn is_long(text: &str) -> bool {
    text.lines().count() > LONG_LINES
        || (text.len() > LONG_CHARACTERS && text.chars().count() > LONG_CHARACTERS)
}

/// The beginning of `text` in one line of at most `most` characters, without marks: a table's bars or a word's stars say
/// nothing where they make neither table nor stress.
pub fn excerpt(text: &str, most: usize) -> String {
    let beginning = text.char_indices().nth(most * READ_FOR_EXCERPT).map_or(text, |(end, _)| &text[..end]);
    let words = bare(&render(beginning, &MentionNames::default()));
    let mut line = String::new();
    for word in words.split_whitespace() {
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

/// The text of this module's own HTML.
fn bare(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(mark) = rest.find(['<', '&']) {
        text.push_str(&rest[..mark]);
        rest = &rest[mark..];
        // A tag's attributes have signs of their own.
        let end = rest.find(if rest.starts_with('<') { '>' } else { ';' }).map_or(rest.len(), |end| end + 1);
        match &rest[..end] {
            "&amp;" => text.push('&'),
            "&lt;" => text.push('<'),
            "&gt;" => text.push('>'),
            "&quot;" => text.push('"'),
            "&#39;" => text.push('\''),
            tag if is_within_line(tag) => {}
            // Words of two blocks are two words.
            _ => text.push(' '),
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    text
}

/// Does this tag part nothing?
fn is_within_line(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name.find([' ', '>']).unwrap_or(name.len());
    ["a", "b", "code", "del", "em", "i", "span", "strong"].contains(&&name[..end])
}

/// `text` as HTML that is nothing but text.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(text, &mut html);
    html
}

/// Writes `text` so that it is nothing but text, in an attribute too.
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
