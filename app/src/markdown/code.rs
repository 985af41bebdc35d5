//! Syntax highlighting of code blocks: comments, strings, numbers and keywords. It is lexical only, since a parser
//! for each language would be larger than the whole page.

use std::{cmp::Ordering, sync::OnceLock};

use super::{escape, steps};

/// Lexical rules of a family of languages.
struct Family {
    /// Names in the info string, separated by spaces.
    names: &'static str,
    /// Prefixes of line comments.
    line: &'static [&'static str],
    /// Delimiters of block comments.
    block: Option<(&'static str, &'static str)>,
    /// Quotation marks of strings.
    quotes: &'static str,
    /// Keywords, separated by spaces, sorted as by [`compare`].
    keywords: &'static str,
    /// The keywords as a list, made on first use.
    list: OnceLock<Vec<&'static str>>,
}

static FAMILIES: [Family; 7] = [
    Family {
        names: "rust rs c h cpp c++ cs csharp java kotlin kt swift go golang scala dart zig",
        line: &["//"],
        block: Some(("/*", "*/")),
        quotes: "\"",
        keywords: "as async await bool break case catch char class const continue crate default defer do double dyn else enum \
                export extern false final float fn for func go guard i32 i64 if impl implements import in int interface \
                internal let long loop match mod move mut namespace new nil null nullptr object override package private \
                protected pub public range ref return self Self signed sizeof static str string struct super switch \
                template this throw throws trait true try type typedef u32 u64 u8 union unsafe use using usize val var \
                virtual void where while yield",
        list: OnceLock::new(),
    },
    Family {
        names: "js javascript ts typescript jsx tsx mjs json jsonc php",
        line: &["//"],
        block: Some(("/*", "*/")),
        quotes: "\"'`",
        keywords: "as async await break case catch class const continue debugger default delete do else enum export extends \
                false finally for from function if implements import in instanceof interface let new null of private \
                protected public readonly return static super switch this throw true try type typeof undefined var void \
                while yield",
        list: OnceLock::new(),
    },
    Family {
        names: "python py ruby rb elixir ex",
        line: &["#"],
        block: None,
        quotes: "\"'",
        keywords: "and as assert async await begin break case class continue def del do elif else elsif end ensure except \
                False finally for from global if import in is lambda match module nil None nonlocal not or pass raise \
                require rescue return self then True try unless until when while with yield",
        list: OnceLock::new(),
    },
    Family {
        names: "sh bash zsh shell console fish dockerfile makefile make",
        line: &["#"],
        block: None,
        quotes: "\"'",
        keywords: "case cd CMD COPY do done echo elif else ENV esac exit export EXPOSE fi for FROM function if in local return \
                RUN set shift sudo then unset until while WORKDIR",
        list: OnceLock::new(),
    },
    Family {
        names: "sql mysql sqlite postgres",
        line: &["--"],
        block: Some(("/*", "*/")),
        quotes: "'\"",
        keywords: "add all alter and as asc begin between by case check commit constraint create default delete desc distinct \
                drop else end exists explain foreign from group having if in index inner insert into is join key left \
                like limit not null offset on or order outer primary references right rollback select set table then \
                transaction union unique update using values view when where with",
        list: OnceLock::new(),
    },
    Family {
        names: "yaml yml toml ini conf env properties",
        line: &["#"],
        block: None,
        quotes: "\"'",
        keywords: "false no null off on true yes",
        list: OnceLock::new(),
    },
    Family {
        names: "html xml svg css scss",
        line: &[],
        block: Some(("<!--", "-->")),
        quotes: "\"'",
        keywords: "",
        list: OnceLock::new(),
    },
];

impl Family {
    fn of(language: &str) -> Option<&'static Self> {
        steps::add(FAMILIES.iter().map(|family| family.names.len()).sum());
        FAMILIES.iter().find(|family| has_word(family.names, language))
    }

    fn is_keyword(&self, word: &str) -> bool {
        steps::add(word.len());
        let list = self.list.get_or_init(|| self.keywords.split_ascii_whitespace().collect());
        list.binary_search_by(|known| compare(known, word)).is_ok()
    }

    fn comment(&self, rest: &str) -> usize {
        if self.line.iter().any(|start| rest.starts_with(start)) {
            return rest.find('\n').unwrap_or(rest.len());
        }
        match self.block {
            Some((start, end)) if rest.starts_with(start) => {
                rest[start.len()..].find(end).map_or(rest.len(), |at| start.len() + at + end.len())
            }
            _ => 0,
        }
    }

    /// Length of the string at the beginning of `rest`. Strings end at their line's end, except with backticks.
    fn string(&self, rest: &str) -> usize {
        let Some(quote) = rest.chars().next().filter(|letter| self.quotes.contains(*letter)) else {
            return 0;
        };
        let mut is_escaped = false;
        for (at, letter) in rest.char_indices().skip(1) {
            if letter == '\n' && quote != '`' {
                return at;
            }
            if letter == quote && !is_escaped {
                return at + 1;
            }
            is_escaped = letter == '\\' && !is_escaped;
        }
        rest.len()
    }
}

/// Compares without regard to ASCII case.
fn compare(one: &str, other: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).cmp(other.bytes().map(lower))
}

fn has_word(words: &str, word: &str) -> bool {
    !word.is_empty() && words.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

/// Writes `code` as HTML, highlighted where the language is known.
pub(super) fn render(language: &str, code: &str, html: &mut String) {
    let Some(family) = Family::of(language) else { return escape(code, html) };
    let mut rest = code;
    let mut is_after_space = true;
    while let Some(letter) = rest.chars().next() {
        // `#` within a word begins no comment (`$#`, `a#b`).
        let comment = if letter != '#' || is_after_space { family.comment(rest) } else { 0 };
        let (class, used) = if comment > 0 {
            ("code-comment", comment)
        } else if let used @ 1.. = family.string(rest) {
            ("code-string", used)
        } else if is_word(letter) {
            let used = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let class = if letter.is_ascii_digit() {
                "code-number"
            } else if family.is_keyword(&rest[..used]) {
                "code-word"
            } else {
                ""
            };
            (class, used)
        } else {
            ("", letter.len_utf8())
        };
        steps::add(used);
        let (piece, after) = rest.split_at(used);
        if class.is_empty() {
            escape(piece, html);
        } else {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
            escape(piece, html);
            html.push_str("</span>");
        }
        is_after_space = piece.ends_with(char::is_whitespace);
        rest = after;
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_in_any_case() {
        for family in &FAMILIES {
            let mut keywords = family.keywords.split_ascii_whitespace();
            assert!(
                keywords.clone().is_sorted_by(|one, other| compare(one, other).is_le()),
                "{}",
                family.names
            );
            assert!(keywords.all(|word| family.is_keyword(&word.to_ascii_uppercase())), "{}", family.names);
        }
    }
}
