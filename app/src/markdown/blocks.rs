//! Parts a text into paragraphs, quotes, lists, code and tables, line by line.

use super::{code, inline, mention::MentionLookup, steps};

/// Quotes and lists within each other, at most; what is deeper is text.
const DEEPEST: usize = 6;
/// Columns of a table, at most; a row of more is no row.
const WIDEST: usize = 24;

/// Writes the blocks that `lines` are.
pub(super) fn render(lines: &[&str], depth: usize, names: &MentionLookup, html: &mut String) {
    let mut rest = lines;
    while let Some(&line) = rest.first() {
        steps::add(line.len());
        let used = if line.trim().is_empty() {
            1
        } else if let Some(fence) = Fence::open(line) {
            fenced(&fence, rest, html)
        } else if let Some((level, words)) = heading(line) {
            html.push_str(if level == 1 {
                "<p class=\"prose-head prose-top\">"
            } else {
                "<p class=\"prose-head\">"
            });
            inline::render(words, names, html);
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

/// Lines up to an empty one or the next block. Their breaks and spaces are kept, by the style sheet.
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

/// `# Words`, up to three of them.
fn heading(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    let words = words.strip_prefix(' ').map(str::trim).filter(|words| !words.is_empty())?;
    (1..=3).contains(&level).then_some((level, words))
}

/// `---`, `***` or `___`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ['-', '*', '_'].iter().any(|&mark| line.chars().all(|letter| letter == mark))
}

/// The line that opens a block of code.
struct Fence<'a> {
    mark: char,
    length: usize,
    language: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let length = line.len() - info.len();
        let language = info.split_whitespace().next().unwrap_or_default();
        // ```like this``` in a line is code within it.
        (length >= 3 && !info.contains('`')).then_some(Self { mark, length, language })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        steps::add(line.len());
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|letter| letter == self.mark)
    }
}

/// Up to the closing fence; without one, to the end.
fn fenced(fence: &Fence, lines: &[&str], html: &mut String) -> usize {
    let end = (1..lines.len()).find(|&at| fence.is_closed_by(lines[at]));
    let code = lines[1..end.unwrap_or(lines.len())].join("\n");
    // Wide code scrolls, by the keyboard too.
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

/// The first line of a list's item.
struct Item<'a> {
    /// The number, of a numbered list.
    number: Option<&'a str>,
    /// `-`, `*`, `+`, `.` or `)`: another one begins another list.
    mark: char,
    /// How far the marker is indented.
    indent: usize,
    /// How far what follows it is.
    offset: usize,
    /// What follows the marker.
    words: &'a str,
}

impl<'a> Item<'a> {
    fn of(line: &'a str) -> Option<Self> {
        steps::add(line.len());
        let inner = line.trim_start_matches(' ');
        let indent = line.len() - inner.len();
        let after = inner.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let digits = inner.len() - after.len();
        let mark = after.chars().next()?;
        let is_known = if digits == 0 { matches!(mark, '-' | '*' | '+') } else { matches!(mark, '.' | ')') };
        let words = after.get(1..)?.strip_prefix(' ').filter(|words| !words.trim().is_empty())?;
        // A longer number is no place in a list.
        (is_known && digits <= 9).then(|| Self {
            number: (digits > 0).then(|| &inner[..digits]),
            mark,
            indent,
            offset: line.len() - words.len(),
            words,
        })
    }

    /// May it begin a list without an empty line before? A number at a line's beginning is often just that.
    fn may_interrupt(&self) -> bool {
        self.number.is_none_or(|number| number == "1")
    }

    fn continues(&self, other: &Self) -> bool {
        self.mark == other.mark
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
            // Long numbers need more room before the text.
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
        let mut within = vec![item.words];
        within.extend(lines[at + 1..end].iter().map(|line| dedent(line, item.offset)));
        html.push_str("<li>");
        render(&within, depth + 1, names, html);
        html.push_str("</li>");
        at = end;
        // Items may stand apart.
        let next = (at..lines.len()).find(|&at| !lines[at].trim().is_empty()).unwrap_or(lines.len());
        steps::add(next - at);
        if lines.get(next).and_then(|line| Item::of(line)).is_some_and(|item| first.continues(&item)) {
            at = next;
        }
    }
    html.push_str(close);
    at
}

/// What is indented below an item's marker is the item's; empty lines are where such a line follows.
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

/// The line without so many of its leading spaces.
fn dedent(line: &str, spaces: usize) -> &str {
    let blank = line.len() - line.trim_start_matches(' ').len();
    &line[blank.min(spaces)..]
}

/// How a column stands.
#[derive(Clone, Copy)]
enum Column {
    Plain,
    Centre,
    End,
}

/// The columns of the table that begins here: a row, and below it one of dashes.
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

/// What stands between the bars; none where there are none, or too many.
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

/// As wide as the columns are, whatever the row has. What is missing at its end is one cell, however many columns that
/// are: a row of two letters must not become two dozen elements.
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
