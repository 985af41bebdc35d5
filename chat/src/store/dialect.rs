//! Where one SQL text cannot serve both databases.

use super::Backend;

impl Backend {
    /// Ends a SELECT whose rows nobody else may change before the commit. SQLite
    /// needs none: its writing transaction is alone from the start.
    pub(super) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE",
        }
    }

    /// Ends a SELECT whose rows may be read by all and changed by nobody before the commit.
    pub(super) fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " LOCK IN SHARE MODE",
        }
    }

    /// Counts the tables in which sqlx notes the migrations: 1, or 0 in a database that has none yet.
    pub(super) fn has_migrations_table(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'"
            }
            Self::MySql => {
                "SELECT COUNT(*) FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations'"
            }
        }
    }

    /// Joins two tables in the order in which they stand, whatever the planner would think.
    pub(super) fn join_in_order(self) -> &'static str {
        match self {
            Self::Sqlite => "CROSS JOIN",
            Self::MySql => "STRAIGHT_JOIN",
        }
    }

    /// Starts an INSERT that leaves an existing row as it is.
    pub(super) fn insert_ignore(self) -> &'static str {
        match self {
            Self::Sqlite => "INSERT OR IGNORE",
            Self::MySql => "INSERT IGNORE",
        }
    }

    /// Ends an INSERT that replaces the named columns where the key exists.
    pub(super) fn on_conflict_set(self, key: &str, columns: &[&str]) -> String {
        let set = |value: fn(&str) -> String| {
            columns
                .iter()
                .map(|column| format!("{column} = {}", value(column)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Self::Sqlite => {
                format!(" ON CONFLICT ({key}) DO UPDATE SET {}", set(|c| format!("excluded.{c}")))
            }
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE {}", set(|c| format!("VALUES({c})"))),
        }
    }
}

/// Runs an INSERT of one row on `conn` and gives the id the row got.
macro_rules! inserted_id {
    ($conn:expr, |$link:ident| $body:expr) => {
        match $conn.link() {
            $crate::store::Link::Sqlite($link) => $body?.last_insert_rowid(),
            $crate::store::Link::MySql($link) => $crate::store::dialect::row_id($body?.last_insert_id())?,
        }
    };
}
pub(super) use inserted_id;

/// MySQL's ids are unsigned; ours stay far below the sign.
pub(super) fn row_id(id: u64) -> super::StoreResult<i64> {
    i64::try_from(id).map_err(|_| super::StoreError::Corrupt("an id past the largest integer"))
}

/// `rows` groups of `width` placeholders for `(a, b, …) IN (…)`.
pub(super) fn tuples(backend: Backend, width: usize, rows: usize) -> String {
    let group = format!("({})", vec!["?"; width].join(", "));
    let groups = vec![group.as_str(); rows].join(", ");
    match backend {
        // SQLite compares a row with a list only where the list is a query; and with bare
        // VALUES of two rows or more it reads the whole table instead of its index.
        Backend::Sqlite => format!("(SELECT * FROM (VALUES {groups}))"),
        Backend::MySql => format!("({groups})"),
    }
}

/// Lists in a statement are filled up to a power of two (the last value again), so
/// that a few prepared statements serve lists of every length.
pub(super) fn padded(len: usize) -> usize {
    len.next_power_of_two()
}
