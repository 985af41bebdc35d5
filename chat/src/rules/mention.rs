//! Finding mentions (`@name`) in a text.

use super::account::username_key;
use crate::model::{
    limits::{MENTION_NAMES_MAX, USERNAME_MAX},
    mention::continues_word,
};

/// Limit of candidate names examined per text, duplicates included.
const LOOKS: usize = 4 * MENTION_NAMES_MAX;

/// Keys of the usernames that a text may mention; most of them belong to nobody.
///
/// A name follows `@` and ends before anything but a letter, digit or underscore: `@bobby` does not mention bob,
/// `@bob.` may mention bob or `bob.`. Chinese has no spaces, so Chinese characters may follow a name directly, and
/// `@小明你好` may mention 小, 小明, 小明你 or 小明你好.
pub(crate) fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut looked_at = 0;
    for (at, _) in text.match_indices('@') {
        let rest = &text[at + 1..];
        for (length, (start, c)) in rest.char_indices().enumerate() {
            if length >= USERNAME_MAX || !may_be_in_name(c) {
                break;
            }
            let name = &rest[..start + c.len_utf8()];
            let next = rest[name.len()..].chars().next();
            if next.is_some_and(continues_word) {
                continue;
            }
            let Some(name) = username_key(name) else { break };
            if !names.contains(&name) {
                names.push(name);
            }
            looked_at += 1;
            if names.len() == MENTION_NAMES_MAX || looked_at == LOOKS {
                return names;
            }
        }
    }
    names
}

fn may_be_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '.' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::model::limits::MENTION_NAMES_MAX;

    #[test]
    fn name_ends_at_a_word_boundary() {
        assert_eq!(names("@bob"), ["bob"]);
        assert_eq!(names("hi @Bob, and (@amy)!"), ["bob", "amy"]);
        assert_eq!(names("@bobby"), ["bobby"]);
        assert_eq!(names("@bob_1"), ["bob_1"]);
        assert_eq!(names("@bobé"), ["bobé"]);
        assert_eq!(names("bob @ bob @"), Vec::<String>::new());
    }

    #[test]
    fn chinese_characters_may_follow_a_name_or_be_part_of_it() {
        assert!(names("@bob你好").contains(&"bob".to_owned()));
        assert_eq!(names("@小明你"), ["小", "小明", "小明你"]);
        assert_eq!(names("@bob，你好"), ["bob"]);
    }

    #[test]
    fn trailing_punctuation_may_or_may_not_belong_to_the_name() {
        assert_eq!(names("@bob."), ["bob", "bob."]);
        assert_eq!(names("@bob.smith"), ["bob", "bob.smith"]);
        assert_eq!(names("@amy@bob"), ["amy", "amy@bob", "bob"]);
    }

    #[test]
    fn the_work_is_bounded_whatever_the_text() {
        let many = (0..2_000).map(|n| format!("@u{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&many).len(), MENTION_NAMES_MAX);
        assert!(names(&"@".repeat(10_000)).len() <= MENTION_NAMES_MAX);
        assert!(names(&"@小".repeat(5_000)).len() <= MENTION_NAMES_MAX);
        assert!(names(&"@a".repeat(5_000)).len() <= MENTION_NAMES_MAX);
    }
}
