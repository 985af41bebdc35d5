//! What people write, as HTML: a safe subset of Markdown.
//!
//! By the same code on the server and in the browser, so a page says the same before and after it comes to life, and a
//! message that one sends looks at once as it will. Whatever is no mark of the subset is text and escaped: no markup of
//! the writer's gets through, links lead to `http`, `https` and `mailto` alone, and nothing is fetched from elsewhere.
//!
//! Written here and not taken from a crate for two reasons. `CommonMark` tells by punctuation where emphasis may begin
//! and end, and `**注意：**明天` is none to it; and the smallest of its parsers adds a fifth to what every visitor
//! fetches. `blocks` parts the text, `inline` reads a line, `link` and `mention` find theirs, `code` colours.
//!
//! The work is bounded by the length of the text, whatever it says.

mod blocks;
mod code;
mod inline;
mod link;
mod mention;
#[cfg(test)]
mod tests;

pub use mention::Names;

/// A text longer than this, in characters, is folded.
const LONG_CHARACTERS: usize = 1_500;
/// And one of more lines than this.
const LONG_LINES: usize = 20;

/// `text` as HTML. Who is mentioned in it is looked for among `names`.
pub fn render(text: &str, names: &Names) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let lines: Vec<&str> = text.lines().collect();
    blocks::render(&lines, 0, names, &mut html);
    html
}

/// Is it so long that the rest is shown on demand?
pub fn is_long(text: &str) -> bool {
    text.lines().count() > LONG_LINES
        || (text.len() > LONG_CHARACTERS && text.chars().count() > LONG_CHARACTERS)
}

/// The beginning of `text` in one line of at most `most` characters, marks and all.
pub fn excerpt(text: &str, most: usize) -> String {
    let words = text.split_whitespace();
    let mut line = String::new();
    for word in words {
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
