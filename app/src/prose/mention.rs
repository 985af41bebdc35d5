//! `@` and a name: who is meant.

use chat::model::mention::is_named;

/// Whose names are known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The reader's own username.
    pub me: String,
    /// The usernames of others.
    pub others: Vec<String>,
}

/// The mention that `rest`, which begins with `@`, begins with, and whether it is of the reader. Of several names that
/// fit the longest is meant.
pub(super) fn at<'a>(rest: &'a str, names: &Names) -> Option<(&'a str, bool)> {
    let after = &rest[1..];
    let known = names.others.iter().map(|name| (name, false)).chain([(&names.me, true)]);
    known
        .filter(|(name, _)| !name.is_empty() && is_named(after, name))
        .max_by_key(|(name, _)| name.len())
        .map(|(name, is_me)| (&rest[..=name.len()], is_me))
}
