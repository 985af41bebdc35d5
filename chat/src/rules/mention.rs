//! Finding mentions (`@name`) in a message's text. Which names exist and are a member's is looked up by the caller.

use std::collections::HashSet;

use crate::{
    fold::fold,
    model::{
        limits::{MENTION_NAMES_MAX, USERNAME_MAX},
        markup::{
            char_before, is_escape, link,
            pairs::{Pairs, ticks_at},
        },
        mention::{continues_word, is_at, may_end, may_follow, run},
    },
};

mod blocks;

/// Limit of candidate names examined per text, duplicates included.
const LOOKS: usize = 4 * MENTION_NAMES_MAX;

/// Whether a text may mention somebody: cheaper than to find out.
pub(crate) fn may_be_in(text: &str) -> bool {
    text.contains(is_at)
}

/// The usernames that a text may mention.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// For each `@` outside of code and links, the keys of the names that may follow it, the longest first; none in a
    /// mail address.
    signs: Vec<Vec<String>>,
    /// The different ones among them. Most belong to nobody.
    keys: HashSet<String>,
    looks: usize,
}

impl Candidates {
    /// Finds them.
    pub(crate) fn of(text: &str) -> Self {
        let mut found = Self::default();
        if may_be_in(text) {
            for paragraph in blocks::paragraphs(text) {
                found.add(&paragraph);
            }
        }
        found
    }

    /// The keys of all of them.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.keys.iter()
    }

    /// Those who are meant, in the order of the text: after each `@` the longest name that belongs to a member.
    pub(crate) fn meant<T: PartialEq>(&self, member: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut meant = Vec::new();
        let mut within = 0;
        for names in &self.signs {
            if within > 0 {
                within -= 1;
                continue;
            }
            if let Some((name, member)) = names.iter().find_map(|name| Some((name, member(name)?))) {
                // An `@` that is part of this name begins no other one.
                within = name.matches('@').count();
                if !meant.contains(&member) {
                    meant.push(member);
                }
            }
        }
        meant
    }

    /// Adds those of a paragraph: text in which code spans and links are to be found.
    fn add(&mut self, text: &str) {
        let pairs = Pairs::of(text);
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let (rest, before) = (&text[at..], char_before(text, at));
            let skipped = match letter {
                '\\' if is_escape(rest) => 2,
                '`' => code_length(text, &pairs, at),
                '[' => link::named(text, &pairs, at)
                    .map_or(1, |(label, address)| label.len() + address.len() + "[]()".len()),
                'h' | 'm' if !before.is_some_and(continues_word) => link::at(rest).len().max(1),
                sign if is_at(sign) => {
                    self.add_sign(before, &rest[sign.len_utf8()..]);
                    sign.len_utf8()
                }
                other => other.len_utf8(),
            };
            if self.is_full() {
                return;
            }
            at += skipped;
        }
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= MENTION_NAMES_MAX || self.looks >= LOOKS
    }

    fn add_sign(&mut self, before: Option<char>, after: &str) {
        let run = if may_follow(before) { run(after) } else { "" };
        let mut names = Vec::new();
        if !run.is_empty() {
            self.looks += 1;
            let run = fold(run);
            for (at, c) in run.char_indices().take(USERNAME_MAX) {
                let end = at + c.len_utf8();
                if may_end(&run, end) && !self.is_full() {
                    self.looks += 1;
                    self.keys.insert(run[..end].to_owned());
                    names.push(run[..end].to_owned());
                }
            }
        }
        names.reverse();
        self.signs.push(names);
    }
}

/// The length of the code span that begins at `at`, or of its backticks if none closes it.
fn code_length(text: &str, pairs: &Pairs, at: usize) -> usize {
    let ticks = ticks_at(&text[at..]);
    pairs.close_of_code(text, ticks, at + ticks).map_or(ticks, |close| close + ticks - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let mut keys: Vec<String> = Candidates::of(text).keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn cases_of_the_page_and_the_service() {
        for case in include_str!("../model/mention_cases.txt").lines() {
            if case.is_empty() || case.starts_with('#') {
                continue;
            }
            let parts: Vec<&str> = case.split("=>").map(str::trim).collect();
            let [members, text, meant] = parts[..] else { panic!("{case}") };
            let text = unescaped(text);
            let members: Vec<&str> = members.split(", ").collect();
            let found = Candidates::of(&text)
                .meant(|key| members.iter().find(|name| fold(name) == key).copied())
                .join(", ");
            assert_eq!(found, meant, "{case}");
        }
    }

    fn unescaped(text: &str) -> String {
        let mut parts = text.split("\\u{");
        let mut plain = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, rest) = part.split_once('}').expect("a character");
            let code = u32::from_str_radix(code, 16).expect("hexadecimal");
            plain.push(char::from_u32(code).expect("a character"));
            plain.push_str(rest);
        }
        plain.replace("\\n", "\n")
    }

    #[test]
    fn only_whole_words_are_candidates() {
        assert_eq!(keys("@bobby @Bob_1"), ["bob_1", "bobby"]);
        assert_eq!(keys("@小明你"), ["小", "小明", "小明你"]);
        assert_eq!(keys("@bob.smith"), ["bob", "bob.smith"]);
        assert_eq!(keys("bob @ bob @"), Vec::<String>::new());
    }

    #[test]
    fn the_work_is_bounded_whatever_the_text() {
        let many = (0..2_000).map(|n| format!("@u{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Candidates::of(&many).keys.len(), MENTION_NAMES_MAX);
        for piece in ["@", "@小", "@a", "@é", "＠", "@.", "[@", "`@", "h@", "> @", "- @\n", "@ ", "a@"] {
            let found = Candidates::of(&piece.repeat(5_000));
            assert!(found.keys.len() <= MENTION_NAMES_MAX, "{piece}");
            assert!(found.looks <= LOOKS, "{piece}");
        }
    }
}
