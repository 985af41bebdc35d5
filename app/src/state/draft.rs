//! Keys of drafts in `localStorage`.

use chat::model::{RoomId, UserId};

/// Prefix of all drafts of a user, who must not see those of others in this browser.
pub fn drafts_of(user: UserId) -> String {
    format!("liao-draft-{user}-")
}

pub fn draft_in(user: UserId, room: RoomId) -> String {
    format!("{}{room}", drafts_of(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_prefixes_of_users_are_distinct() {
        assert!(draft_in(UserId(1), RoomId(2)).starts_with(&drafts_of(UserId(1))));
        assert!(!draft_in(UserId(12), RoomId(2)).starts_with(&drafts_of(UserId(1))));
    }
}
