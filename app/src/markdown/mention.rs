//! Finds mentions: `@` and a username.

use std::cell::Cell;

use chat::model::{
    limits::MENTION_NAMES_MAX,
    mention::{may_end, may_follow, run},
};

use super::steps;
#[cfg(feature = "hydrate")]
use crate::browser::text::fold;
#[cfg(not(feature = "hydrate"))]
use chat::fold::fold;

/// The usernames that a message may mention, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MentionNames {
    /// The current user's name, which is highlighted.
    me: String,
    others: Vec<String>,
}

impl MentionNames {
    /// Of the current user and of others.
    pub fn new(me: &str, others: impl Iterator<Item = String>) -> Self {
        let mut names = Self { me: fold(me), others: Vec::new() };
        names.add(others);
        names
    }

    /// Adds those of others.
    pub fn add(&mut self, others: impl Iterator<Item = String>) {
        for name in others.map(|name| fold(&name)) {
            if !self.others.contains(&name) {
                self.others.push(name);
            }
        }
    }
}

/// Looks up names in one text. Each lookup compares all names, so their number is limited, to as many as the service
/// looks up for a message.
pub(super) struct MentionLookup<'a> {
    names: &'a MentionNames,
    looks_left: Cell<usize>,
}

impl<'a> MentionLookup<'a> {
    pub(super) fn new(names: &'a MentionNames) -> Self {
        Self { names, looks_left: Cell::new(MENTION_NAMES_MAX) }
    }

    /// The mention at the beginning of `rest`, which begins with an `@` after `before`, and whether it is of the
    /// current user. The longest name that matches is chosen.
    pub(super) fn at<'b>(&self, before: Option<char>, rest: &'b str) -> Option<(&'b str, bool)> {
        let sign = rest.chars().next().filter(|_| may_follow(before))?.len_utf8();
        let run = run(&rest[sign..]);
        let left = (!run.is_empty()).then(|| self.looks_left.get().checked_sub(1)).flatten()?;
        self.looks_left.set(left);
        steps::add(run.len());
        let folded = fold(run);
        let known = self.names.others.iter().map(|name| (name, false)).chain([(&self.names.me, true)]);
        let (name, is_me) = known
            .inspect(|_| steps::add(1))
            .filter(|(name, _)| {
                !name.is_empty() && folded.starts_with(name.as_str()) && may_end(&folded, name.len())
            })
            .max_by_key(|(name, _)| name.len())?;
        Some((&rest[..sign + unfolded_length(run, name)?], is_me))
    }
}

/// The length of the beginning of `run` that folds to `name`.
fn unfolded_length(run: &str, name: &str) -> Option<usize> {
    if run.is_ascii() {
        return Some(name.len());
    }
    let mut ends = run.char_indices().map(|(at, c)| at + c.len_utf8()).inspect(|end| steps::add(*end));
    ends.find(|&end| fold(&run[..end]) == name)
}
