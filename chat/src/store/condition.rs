//! SQL conditions on membership and visibility, each written once.
//!
//! The macros take the aliases that a statement gives to its tables. A test below makes sure that no other file of
//! the store spells the conditions out.

/// The row `$m` of `chat_room_member` is of a user in the room, banned or not.
macro_rules! is_in {
    ($m:literal) => {
        concat!($m, ".left_at IS NULL")
    };
}
pub(super) use is_in;

/// The row `$m` is of a user in the room who is not banned.
macro_rules! present_member {
    ($m:literal) => {
        concat!($crate::store::condition::is_in!($m), " AND ", $m, ".is_banned = FALSE")
    };
}
pub(super) use present_member;

/// The row `$m` is of a user in the room who is not banned, and the room `$r` was not deleted.
macro_rules! active_member {
    ($m:literal, $r:literal) => {
        concat!($crate::store::condition::present_member!($m), " AND ", $r, ".is_active = TRUE")
    };
}
pub(super) use active_member;

/// The row `$u` of `user` is of an active account.
macro_rules! active_account {
    ($u:literal) => {
        concat!($u, ".is_active = TRUE")
    };
}
pub(super) use active_account;

/// The row `$u` of `user` is of an active account that may chat. Placeholders: the name of the group that the server
/// requires, or NULL, twice.
macro_rules! may_chat {
    ($u:literal) => {
        concat!(
            $crate::store::condition::active_account!($u),
            " AND (? IS NULL OR EXISTS (SELECT gm.user_id FROM user_group_member gm \
             JOIN user_group g ON g.id = gm.group_id WHERE gm.user_id = ",
            $u,
            ".id AND g.name = ?))"
        )
    };
}
pub(super) use may_chat;

/// The message `$m` of the room `$r` was not removed from its history.
macro_rules! in_history {
    ($m:literal, $r:literal) => {
        concat!($m, ".seq >= ", $r, ".first_seq")
    };
}
pub(super) use in_history;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn conditions_are_only_in_this_file() {
        let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
        let files = files(&store);
        assert!(files.len() > 20, "the store was read: {files:?}");
        for file in files.iter().filter(|file| !file.ends_with("condition.rs")) {
            let text = std::fs::read_to_string(file).expect("text");
            for condition in
                ["left_at IS", "is_banned = FALSE", "is_banned = TRUE", "NOT is_banned", "seq >= r.first_seq"]
            {
                assert!(!text.contains(condition), "{}: {condition}", file.display());
            }
        }
    }

    #[test]
    fn a_condition_names_the_tables_it_is_given() {
        assert_eq!(
            active_member!("b", "r"),
            "b.left_at IS NULL AND b.is_banned = FALSE AND r.is_active = TRUE"
        );
    }
}
