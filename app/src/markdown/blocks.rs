//! Block parser: paragraphs, block quotes, lists, code blocks and tables, line by line.

use chat::model::markup::fence::Fence;

use super::{code, inline, mention::MentionLookup, steps};

/// Maximum nesting of block quotes and lists; deeper markers are text.
const DEEPEST: usize = 6;
/// Maximum number of columns of a table; a row with more is text.
const WIDEST: usize = 24;

/// Renders the blocks of `lines`.
pub(super) fn render(lines: &[&str], depth: usize, names: &MentionLookup, html: &mut String) {
    let mut rest = lines;
    while let Some(&line) = rest.first() {
        steps::add(line.len());
        let used = if line.trim().is_empty() {
            1
        } else if let Some(fence) = Fence::open(line) {
            fenced(&fence, rest, html)
        } else if let Some((level, content)) = heading(line) {
            html.push_str(if level == 1 {
                "<p class=\"prose-head prose-top\">"
            } else {
                "<p class=\"prose-head\">"
            });
            inline::render(content, names, html);
            html.push_str("</p>");
            1
        } else if is_rule(line) {
            html.push_str("<hr>");
            1
        } else if depth < DEEPEST && is_quote(line) {
            quote(rest, depth, names, html)
        } else if let Some(item) = Item::of(line).filter(|_| depth < DEEPEST) {
            list(&item, rest, depth, names, html)
        } else if let Some(columns) = table_head(rest) {
            table(&columns, rest, names, html)
        } else {
            paragraph(rest, depth, names, html)
        };
        rest = &rest[used..];
    }
}

/// Lines up to an empty one or the next block. The style sheet keeps their line breaks and spaces.
fn paragraph(lines: &[&str], depth: usize, names: &MentionLookup, html: &mut String) -> usize {
    let ends = |at: usize| {
        let line = lines[at];
        steps::add(line.len());
        line.trim().is_empty()
            || Fence::open(line).is_some()
            || heading(line).is_some()
            || is_rule(line)
            || (depth < DEEPEST
                && (is_quote(line) || Item::of(line).is_some_and(|item| item.may_interrupt())))
            || table_head(&lines[at..]).is_some()
    };
    let end = (1..lines.len()).find(|&at| ends(at)).unwrap_or(lines.len());
    html.push_str("<p>");
    inline::render(lines[..end].join("\n").trim_end(), names, html);
    html.push_str("</p>");
    end
}

/// `# Heading`, up to three `#`.
fn heading(line: &str) -> Option<(usize, &str)> {
    let content = line.trim_start_matches('#');
    let level = line.len() - content.len();
    let content = content.strip_prefix(' ').map(str::trim).filter(|content| !content.is_empty())?;
    (1..=3).contains(&level).then_some((level, content))
}

/// `---`, `***` or `___`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ['-', '*', '_'].iter().any(|&marker| line.chars().all(|letter| letter == marker))
}

/// Renders up to the closing fence, or to the end.
fn fenced(fence: &Fence, lines: &[&str], html: &mut String) -> usize {
    let end = (1..lines.len()).find(|&at| {
        steps::add(lines[at].len());
        fence.is_closed_by(lines[at])
    });
    let code = lines[1..end.unwrap_or(lines.len())].join("\n");
    // Focusable, so that the keyboard can scroll wide code.
    html.push_str("<pre tabindex=\"0\"><code>");
    code::render(fence.language, &code, html);
    html.push_str("</code></pre>");
    end.map_or(lines.len(), |end| end + 1)
}

fn is_quote(line: &str) -> bool {
    line.starts_with('>')
}

fn quote(lines: &[&str], depth: usize, names: &MentionLookup, html: &mut String) -> usize {
    let end = lines.iter().position(|line| !is_quote(line)).unwrap_or(lines.len());
    steps::add(end);
    let within: Vec<&str> =
        lines[..end].iter().map(|line| line[1..].strip_prefix(' ').unwrap_or(&line[1..])).collect();
    html.push_str("<blockquote>");
    render(&within, depth + 1, names, html);
    html.push_str("</blockquote>");
    end
}

/// The first line of a list item.
struct Item<'a> {
    /// The number in an ordered list.
    number: Option<&'a str>,
    /// `-`, `*`, `+`, `.` or `)`: another one begins another list.
    marker: char,
    /// Spaces before the marker.
    indent: usize,
    /// Where the content begins.
    offset: usize,
    content: &'a str,
}

impl<'a> Item<'a> {
    fn of(line: &'a str) -> Option<Self> {
        steps::add(line.len());
        let inner = line.trim_start_matches(' ');
        let indent = line.len() - inner.len();
        let after = inner.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let digits = inner.len() - after.len();
        let marker = after.chars().next()?;
        let is_known =
            if digits == 0 { matches!(marker, '-' | '*' | '+') } else { matches!(marker, '.' | ')') };
        let content = after.get(1..)?.strip_prefix(' ').filter(|content| !content.trim().is_empty())?;
        // CommonMark allows nine digits.
        (is_known && digits <= 9).then(|| Self {
            number: (digits > 0).then(|| &inner[..digits]),
            marker,
            indent,
            offset: line.len() - content.len(),
            content,
        })
    }

    /// Whether it may follow a paragraph without an empty line: a number at the beginning of a line is often no list.
    fn may_interrupt(&self) -> bool {
        self.number.is_none_or(|number| number == "1")
    }

    fn continues(&self, other: &Self) -> bool {
        self.marker == other.marker
            && self.number.is_some() == other.number.is_some()
            && other.indent <= self.indent + 1
    }
}

fn list(first: &Item, lines: &[&str], depth: usize, names: &MentionLookup, html: &mut String) -> usize {
    let close = match first.number.map(|number| number.trim_start_matches('0')) {
        None => {
            html.push_str("<ul>");
            "</ul>"
        }
        Some("1") => {
            html.push_str("<ol>");
            "</ol>"
        }
        Some(number) => {
            // More room for long numbers.
            html.push_str(if number.len() > 2 { "<ol class=\"prose-far\" start=\"" } else { "<ol start=\"" });
            html.push_str(if number.is_empty() { "0" } else { number });
            html.push_str("\">");
            "</ol>"
        }
    };
    let mut at = 0;
    while let Some(item) = lines.get(at).and_then(|line| Item::of(line)).filter(|item| first.continues(item))
    {
        let end = item_end(&item, lines, at + 1);
        let mut within = vec![item.content];
        within.extend(lines[at + 1..end].iter().map(|line| dedent(line, item.offset)));
        html.push_str("<li>");
        render(&within, depth + 1, names, html);
        html.push_str("</li>");
        at = end;
        // Items may be separated by empty lines.
        let next = (at..lines.len()).find(|&at| !lines[at].trim().is_empty()).unwrap_or(lines.len());
        steps::add(next - at);
        if lines.get(next).and_then(|line| Item::of(line)).is_some_and(|item| first.continues(&item)) {
            at = next;
        }
    }
    html.push_str(close);
    at
}

/// Lines indented below the marker belong to the item, and empty lines before such a line too.
fn item_end(item: &Item, lines: &[&str], from: usize) -> usize {
    let is_within = |line: &str| line.len() - line.trim_start_matches(' ').len() > item.indent + 1;
    let mut end = from;
    for (at, line) in lines.iter().enumerate().skip(from) {
        steps::add(line.len());
        if line.trim().is_empty() {
            continue;
        }
        if !is_within(line) {
            break;
        }
        end = at + 1;
    }
    end
}

/// Removes up to `spaces` leading spaces.
fn dedent(line: &str, spaces: usize) -> &str {
    let blank = line.len() - line.trim_start_matches(' ').len();
    &line[blank.min(spaces)..]
}

#[derive(Clone, Copy)]
enum Column {
    Plain,
    Centre,
    End,
}

/// The columns of the table that begins here: a header row and a delimiter row.
fn table_head(lines: &[&str]) -> Option<Vec<Column>> {
    let [head, dashes, ..] = lines else { return None };
    if !head.contains('|') || !dashes.contains('-') {
        return None;
    }
    let columns: Vec<Column> = cells(dashes)?.into_iter().map(|cell| column(&cell)).collect::<Option<_>>()?;
    (cells(head)?.len() == columns.len()).then_some(columns)
}

fn column(cell: &str) -> Option<Column> {
    let dashes = cell.trim_matches(':');
    let is_dashes = !dashes.is_empty() && dashes.chars().all(|letter| letter == '-');
    is_dashes.then(|| match (cell.starts_with(':'), cell.ends_with(':')) {
        (true, true) => Column::Centre,
        (false, true) => Column::End,
        (_, false) => Column::Plain,
    })
}

/// The cells of a row; `None` where there is no `|`, or too many cells.
fn cells(line: &str) -> Option<Vec<String>> {
    steps::add(line.len());
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut is_escaped = false;
    for letter in line.chars() {
        match letter {
            '|' if is_escaped => {
                let last = cells.last_mut()?;
                last.pop();
                last.push('|');
            }
            '|' => cells.push(String::new()),
            _ => cells.last_mut()?.push(letter),
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    if line.ends_with('|') && cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    for cell in &mut cells {
        *cell = cell.trim().to_owned();
    }
    (line.contains('|') && cells.len() <= WIDEST).then_some(cells)
}

fn table(columns: &[Column], lines: &[&str], names: &MentionLookup, html: &mut String) -> usize {
    html.push_str("<div class=\"prose-table\" tabindex=\"0\"><table><thead>");
    row("th", columns, &cells(lines[0]).unwrap_or_default(), names, html);
    html.push_str("</thead><tbody>");
    let mut end = 2;
    while let Some(cells) = lines.get(end).filter(|line| !line.trim().is_empty()).and_then(|line| cells(line))
    {
        row("td", columns, &cells, names, html);
        end += 1;
    }
    html.push_str("</tbody></table></div>");
    end
}

/// Renders a row with as many cells as the table has columns. Missing cells become one cell with `colspan`, so that a
/// short row does not become two dozen elements.
fn row(tag: &str, columns: &[Column], cells: &[String], names: &MentionLookup, html: &mut String) {
    html.push_str("<tr>");
    let is_short = cells.len() + 1 < columns.len();
    let single = if is_short { cells.len() } else { columns.len() };
    for (at, column) in columns[..single].iter().enumerate() {
        html.push('<');
        html.push_str(tag);
        html.push_str(match column {
            Column::Plain => ">",
            Column::Centre => " class=\"prose-centre\">",
            Column::End => " class=\"prose-end\">",
        });
        inline::render(cells.get(at).map_or("", String::as_str), names, html);
        html.push_str("</");
        html.push_str(tag);
        html.push('>');
    }
    if is_short {
        html.push_str("<td colspan=\"");
        html.push_str(&(columns.len() - single).to_string());
        html.push_str("\"></td>");
    }
    html.push_str("</tr>");
}
