//! The paragraphs of a message, without its fenced code.
//!
//! The page's parser (`app::markdown`) also has tables, and ends a paragraph at fewer numbered lines. There a code span
//! may end otherwise than here; nothing else depends on it.

use crate::model::markup::fence::Fence;

/// Maximum nesting of quotes and lists, as on the page.
const DEEPEST: usize = 6;

/// A fenced code block that is open.
struct OpenFence<'a> {
    fence: Fence<'a>,
    /// The number of quotes that it is in.
    quotes: usize,
    /// The indentation of the list item that it is in.
    item: Option<usize>,
}

impl OpenFence<'_> {
    /// Whether the line is in the quotes and the list item that the fence is in.
    fn contains(&self, line: &str) -> bool {
        let (quotes, rest) = unquoted(line, self.quotes);
        let is_in_item = |item| rest.trim().is_empty() || indentation(rest) > item + 1;
        quotes == self.quotes && self.item.is_none_or(is_in_item)
    }

    fn is_closed_by(&self, line: &str) -> bool {
        self.fence.is_closed_by(unquoted(line, self.quotes).1)
    }
}

/// The paragraphs, with their lines joined.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut open: Option<OpenFence<'_>> = None;
    let mut quotes_before = 0;
    for line in text.lines() {
        if let Some(fence) = open.take_if(|fence| fence.is_closed_by(line) || !fence.contains(line)) {
            if fence.contains(line) {
                continue;
            }
        } else if open.is_some() {
            continue;
        }
        let (quotes, rest) = unquoted(line, DEEPEST);
        let (content, item) = without_markers(rest);
        let heads = content.trim_start_matches('#');
        let is_heading = heads.len() < content.len() && heads.starts_with(' ');
        if quotes != quotes_before || item.is_some() || is_heading || content.trim().is_empty() {
            found.push(String::new());
        }
        quotes_before = quotes;
        if let Some(fence) = Fence::open(content) {
            open = Some(OpenFence { fence, quotes, item });
            found.push(String::new());
        } else if let Some(paragraph) = found.last_mut() {
            if !paragraph.is_empty() {
                paragraph.push('\n');
            }
            paragraph.push_str(content);
        }
        if is_heading {
            found.push(String::new());
        }
    }
    found
}

/// How many quotes the line is in, at most `limit`, and what it has in the innermost.
fn unquoted(line: &str, limit: usize) -> (usize, &str) {
    let (mut quotes, mut rest) = (0, line);
    while let Some(inner) = rest.strip_prefix('>').filter(|_| quotes < limit) {
        rest = inner.strip_prefix(' ').unwrap_or(inner);
        quotes += 1;
    }
    (quotes, rest)
}

/// The line without the markers of list items that begin here, and the indentation of the innermost.
fn without_markers(line: &str) -> (&str, Option<usize>) {
    let (mut rest, mut item) = (line, None);
    for _ in 0..DEEPEST {
        let Some(content) = after_marker(rest) else { break };
        item = Some(line.len() - rest.len() + indentation(rest));
        rest = content;
    }
    (rest, item)
}

/// What follows `- ` or `1. `.
fn after_marker(line: &str) -> Option<&str> {
    let inner = line.trim_start_matches(' ');
    let after = inner.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = inner.len() - after.len();
    let markers: &[char] = if digits == 0 { &['-', '*', '+'] } else { &['.', ')'] };
    let content = after.strip_prefix(markers)?.strip_prefix(' ')?;
    (digits <= 9 && !content.trim().is_empty()).then_some(content)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::paragraphs;

    fn of(text: &str) -> Vec<String> {
        paragraphs(text).into_iter().filter(|paragraph| !paragraph.trim().is_empty()).collect()
    }

    #[test]
    fn paragraphs_end_at_empty_lines_and_other_blocks() {
        assert_eq!(of("a\nb\n\nc"), ["a\nb", "c"]);
        assert_eq!(of("a\n- b\n  c\n- d\n> e\nf"), ["a", "b\n  c", "d", "e", "f"]);
        assert_eq!(of("# a\nb"), ["# a", "b"]);
        assert_eq!(of("1. - > a"), ["> a"]);
    }

    #[test]
    fn fenced_code_is_left_out() {
        assert_eq!(of("a\n```\nb\n\n> c\n```\nd"), ["a", "d"]);
        assert_eq!(of("> ```\n> a\nb"), ["b"]);
        assert_eq!(of("- ```\n  a\n\n  b\nc"), ["c"]);
        assert_eq!(of("````\n```\na\n````\nb"), ["b"]);
    }
}
