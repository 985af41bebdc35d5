//! Finds mentions: `@` and a username.

use std::cell::Cell;

use chat::model::{limits::MENTION_NAMES_MAX, mention::is_named};

use super::steps;

/// The usernames that a message may mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MentionNames {
    /// The current user's name, which is highlighted.
    pub me: String,
    pub others: Vec<String>,
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

    /// The mention at the beginning of `rest`, which begins with `@`, and whether it is of the current user. The
    /// longest name that matches is chosen.
    pub(super) fn at<'b>(&self, rest: &'b str) -> Option<(&'b str, bool)> {
        let after = &rest[1..];
        let is_name = after.starts_with(|letter: char| letter.is_alphanumeric() || "_@.+-".contains(letter));
        let left = is_name.then(|| self.looks_left.get().checked_sub(1)).flatten()?;
        self.looks_left.set(left);
        let known = self.names.others.iter().map(|name| (name, false)).chain([(&self.names.me, true)]);
        known
            .inspect(|_| steps::add(1))
            .filter(|(name, _)| !name.is_empty() && is_named(after, name))
            .max_by_key(|(name, _)| name.len())
            .map(|(name, is_me)| (&rest[..=name.len()], is_me))
    }
}
