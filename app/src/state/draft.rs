//! Under what names a browser keeps what its people have begun to write.

use chat::model::{RoomId, UserId};

/// What all of this person's begin with: signing out forgets those, and nobody else's.
pub fn drafts_of(user: UserId) -> String {
    format!("liao-draft-{user}-")
}

/// The one for this room.
pub fn draft_in(user: UserId, room: RoomId) -> String {
    format!("{}{room}", drafts_of(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_name_begins_with_anothers() {
        assert!(draft_in(UserId(1), RoomId(2)).starts_with(&drafts_of(UserId(1))));
        assert!(!draft_in(UserId(12), RoomId(2)).starts_with(&drafts_of(UserId(1))));
    }
}
