//! Inline parser: code spans, emphasis, links, mentions.
//!
//! Emphasis may begin and end next to any character except white space, since Chinese has no spaces between words.
//! Only `_` does not work within words, because of `snake_case`.

use chat::model::{
    markup::{
        char_before, is_escape,
        link::{self, LONGEST},
        pairs::{Pairs, ticks_at},
    },
    mention::{continues_word, is_at},
};

use super::{escape, link::open, mention::MentionLookup, steps};

/// Renders `text` as HTML.
pub(super) fn render(text: &str, names: &MentionLookup, html: &mut String) {
    render_within(text, names, false, html);
}

fn render_within(text: &str, names: &MentionLookup, in_link: bool, html: &mut String) {
    steps::add(text.len());
    let pairs = Pairs::of(text);
    let mut parser =
        InlineParser { text, pairs, names, in_link, pieces: Vec::new(), open: Vec::new(), waiting: [0; 3] };
    parser.read();
    parser.finish(html);
}

enum Piece {
    Html(String),
    Delimiters(DelimiterRun),
}

/// A run of `*`, `_` or `~`.
struct DelimiterRun {
    delimiter: char,
    /// Delimiters not used yet.
    left: usize,
    /// Closing tags, the innermost first.
    closes: String,
    /// Opening tags, the innermost first.
    opens: Vec<&'static str>,
}

struct InlineParser<'a> {
    text: &'a str,
    pairs: Pairs,
    names: &'a MentionLookup<'a>,
    in_link: bool,
    pieces: Vec<Piece>,
    /// Runs that may open emphasis: their index in `pieces` and their delimiter.
    open: Vec<(usize, char)>,
    /// The number of such runs of each delimiter.
    waiting: [usize; 3],
}

impl InlineParser<'_> {
    fn read(&mut self) {
        let text = self.text;
        let mut before = None;
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            steps::add(1);
            let rest = &text[at..];
            let used = match letter {
                '\\' => self.escaped(rest),
                '`' => self.code(at),
                '*' | '_' | '~' => self.delimiter_run(rest, letter, before),
                '[' if !self.in_link => self.named_link(at),
                sign if is_at(sign) && !self.in_link => self.mention(before, rest),
                'h' | 'm' if !self.in_link && !before.is_some_and(continues_word) => self.link(rest),
                _ => 0,
            };
            let used = if used == 0 {
                self.text(&rest[..letter.len_utf8()]);
                letter.len_utf8()
            } else {
                used
            };
            at += used;
            before = char_before(text, at);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Piece::Html(html)) = self.pieces.last_mut() {
            escape(text, html);
        } else {
            let mut html = String::new();
            escape(text, &mut html);
            self.pieces.push(Piece::Html(html));
        }
    }

    fn html(&mut self, parts: &[&str]) {
        if let Some(Piece::Html(html)) = self.pieces.last_mut() {
            html.extend(parts.iter().copied());
        } else {
            self.pieces.push(Piece::Html(parts.concat()));
        }
    }

    fn escaped(&mut self, rest: &str) -> usize {
        if is_escape(rest) {
            self.text(&rest[1..2]);
            2
        } else {
            0
        }
    }

    /// A code span between two runs of as many backticks; a run without a partner is text.
    fn code(&mut self, at: usize) -> usize {
        let text = self.text;
        let ticks = ticks_at(&text[at..]);
        let start = at + ticks;
        steps::add(ticks);
        let Some(end) = self.pairs.close_of_code(text, ticks, start) else {
            self.text(&text[at..start]);
            return ticks;
        };
        steps::add(end - at);
        let code = text[start..end].replace('\n', " ");
        // One space on each side is removed, so that a span can begin with a backtick.
        let bare = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
        self.html(&["<code>"]);
        self.text(bare.filter(|bare| !bare.trim().is_empty()).unwrap_or(&code));
        self.html(&["</code>"]);
        end + ticks - at
    }

    fn delimiter_run(&mut self, rest: &str, delimiter: char, before: Option<char>) -> usize {
        let after = rest.trim_start_matches(delimiter);
        let count = rest.len() - after.len();
        let after = after.chars().next();
        let is_beside = |letter: Option<char>| letter.is_some_and(|letter| !letter.is_whitespace());
        let is_in_word = |letter: Option<char>| delimiter == '_' && letter.is_some_and(continues_word);
        if delimiter == '~' && count != 2 {
            self.text(&rest[..count]);
            return count;
        }
        let mut run = DelimiterRun { delimiter, left: count, closes: String::new(), opens: Vec::new() };
        if is_beside(before) && !is_in_word(after) {
            self.close(&mut run);
        }
        if run.left > 0 && is_beside(after) && !is_in_word(before) {
            self.open.push((self.pieces.len(), delimiter));
            self.waiting[delimiter_index(delimiter)] += 1;
        }
        self.pieces.push(Piece::Delimiters(run));
        count
    }

    /// Closes the emphasis that the nearest runs of the same delimiter opened.
    fn close(&mut self, run: &mut DelimiterRun) {
        while run.left > 0 && self.waiting[delimiter_index(run.delimiter)] > 0 {
            steps::add(1);
            let Some(&(index, delimiter)) = self.open.last() else { return };
            if delimiter != run.delimiter {
                // Runs opened in between have no closing delimiter and are text.
                self.forget_last();
                continue;
            }
            let Piece::Delimiters(opener) = &mut self.pieces[index] else { return };
            let (count, tag, end) = match (run.delimiter, opener.left.min(run.left)) {
                ('~', _) => (2, "<del>", "</del>"),
                (_, 1) => (1, "<em>", "</em>"),
                (_, _) => (2, "<strong>", "</strong>"),
            };
            opener.opens.push(tag);
            opener.left -= count;
            run.closes.push_str(end);
            run.left -= count;
            if opener.left == 0 {
                self.forget_last();
            }
        }
    }

    fn forget_last(&mut self) {
        if let Some((_, delimiter)) = self.open.pop() {
            self.waiting[delimiter_index(delimiter)] -= 1;
        }
    }

    /// `[text](address)`.
    fn named_link(&mut self, at: usize) -> usize {
        let Some((label, address)) = link::named(self.text, &self.pairs, at) else { return 0 };
        let mut inner = String::new();
        render_within(label, self.names, true, &mut inner);
        let mut tag = String::new();
        // The title shows the address before one follows the link.
        open(address, Some(address), &mut tag);
        self.html(&[&tag, &inner, "</a>"]);
        label.len() + address.len() + "[]()".len()
    }

    fn link(&mut self, rest: &str) -> usize {
        let address = link::at(rest);
        steps::add(address.len());
        if address.len() > LONGEST {
            self.text(address);
        } else if !address.is_empty() {
            let mut tag = String::new();
            open(address, None, &mut tag);
            self.html(&[&tag]);
            self.text(address);
            self.html(&["</a>"]);
        }
        address.len()
    }

    fn mention(&mut self, before: Option<char>, rest: &str) -> usize {
        let Some((name, is_me)) = self.names.at(before, rest) else { return 0 };
        self.html(&[if is_me { "<span class=\"mention mention-me\">" } else { "<span class=\"mention\">" }]);
        self.text(name);
        self.html(&["</span>"]);
        name.len()
    }

    fn finish(self, html: &mut String) {
        for piece in self.pieces {
            match piece {
                Piece::Html(ready) => html.push_str(&ready),
                Piece::Delimiters(DelimiterRun { delimiter, left, closes, opens }) => {
                    html.push_str(&closes);
                    html.extend(std::iter::repeat_n(delimiter, left));
                    html.extend(opens.into_iter().rev());
                }
            }
        }
    }
}

/// The index of a delimiter in [`InlineParser::waiting`].
fn delimiter_index(delimiter: char) -> usize {
    match delimiter {
        '*' => 0,
        '_' => 1,
        _ => 2,
    }
}
