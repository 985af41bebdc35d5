//! Where a text mentions a username.
//!
//! The service, the page and the composer share these rules. The service looks the names up, the page knows them, and
//! each finds code and links in its own way, so both are tested with `mention_cases.txt`. Names are compared as the
//! service folds them; the browser folds nearly alike.

use super::limits::USERNAME_MAX;

/// Maximum length of the text after an `@` that is compared with names, in characters: of a decomposed name, in which
/// a letter can be four.
const RUN_MAX: usize = 4 * USERNAME_MAX;

/// Whether `c` begins a mention. Chinese and Japanese input methods write the wide form.
pub fn is_at(c: char) -> bool {
    matches!(c, '@' | '＠')
}

/// Whether an `@` after `before` may mention somebody; otherwise it belongs to a mail address.
pub fn may_follow(before: Option<char>) -> bool {
    !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Whether `c` may be in a username, or be composed into one of its letters.
pub fn may_be_in_name(c: char) -> bool {
    c.is_alphanumeric() || is_at(c) || matches!(c, '_' | '.' | '+' | '-') || is_mark(c)
}

/// The text after an `@` that may be a name or begin with one. It is folded before it is compared.
pub fn run(after: &str) -> &str {
    let end = after.char_indices().take(RUN_MAX).find(|&(_, c)| !may_be_in_name(c));
    let end = end.or_else(|| after.char_indices().nth(RUN_MAX));
    end.map_or(after, |(end, _)| &after[..end])
}

/// Whether a name may end at this index of a folded [`run`]: not before a letter, digit or underscore (`@bobby` does
/// not mention bob), except for Chinese, which has no spaces between words.
pub fn may_end(run: &str, at: usize) -> bool {
    !run[at..].chars().next().is_some_and(|c| continues_word(c) || is_mark(c))
}

/// Whether `c` is a letter, digit or underscore of a script that separates words by spaces.
pub fn continues_word(c: char) -> bool {
    let is_ideographic = matches!(c, '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    c == '_' || (c.is_alphanumeric() && !is_ideographic)
}

/// Whether `c` changes the letter before it. Only the common marks, since a table of all is large.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36F}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5BD}'
            | '\u{610}'..='\u{61A}'
            | '\u{64B}'..='\u{65F}'
            | '\u{93C}'
            | '\u{94D}'
            | '\u{E47}'..='\u{E4E}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{3099}'
            | '\u{309A}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_follows_no_letter_of_a_mail_address() {
        for before in ['a', 'Z', '7', '.', '_', '-'] {
            assert!(!may_follow(Some(before)), "{before}");
        }
        for before in [None, Some(' '), Some('\n'), Some('('), Some('看'), Some('é'), Some('@'), Some('/')]
        {
            assert!(may_follow(before), "{before:?}");
        }
    }

    #[test]
    fn a_run_ends_before_what_no_name_has() {
        assert_eq!(run("bob, hi"), "bob");
        assert_eq!(run("bob.smith+1@x-y_z 2"), "bob.smith+1@x-y_z");
        assert_eq!(run("u\u{308}nal！"), "u\u{308}nal");
        assert_eq!(run("小明，"), "小明");
        assert_eq!(run(""), "");
        assert_eq!(run(&"x".repeat(10_000)).len(), RUN_MAX);
    }

    #[test]
    fn a_name_ends_at_a_word_boundary() {
        for (text, at) in [("bob", 3), ("bob.", 3), ("bob你好", 3), ("bob-1", 3), ("小明你", 6)] {
            assert!(may_end(text, at), "{text}");
        }
        for (text, at) in [("bobby", 3), ("bob_1", 3), ("bobé", 3), ("bob\u{301}", 3), ("か\u{3099}", 3)] {
            assert!(!may_end(text, at), "{text}");
        }
    }
}
