//! SQL that differs between the two databases.

use super::Backend;

impl Backend {
    /// Suffix of a SELECT that locks its rows exclusively until the commit. SQLite needs none: a write transaction is
    /// exclusive from the start.
    pub(super) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE",
        }
    }

    /// Suffix of a SELECT that locks its rows against writes until the commit.
    pub(super) fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " LOCK IN SHARE MODE",
        }
    }

    /// Counts the migration tables of sqlx: 1, or 0 in an empty database.
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

    /// Prefix of an INSERT that keeps an existing row.
    pub(super) fn insert_ignore(self) -> &'static str {
        match self {
            Self::Sqlite => "INSERT OR IGNORE",
            Self::MySql => "INSERT IGNORE",
        }
    }

    /// Suffix of an INSERT that updates the named columns if the key exists (upsert).
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

/// Runs an INSERT of one row and returns the row's id.
macro_rules! inserted_id {
    ($conn:expr, |$db:ident| $body:expr) => {
        match $conn.driver() {
            $crate::store::DriverConn::Sqlite($db) => $body?.last_insert_rowid(),
            $crate::store::DriverConn::MySql($db) => $crate::store::dialect::row_id($body?.last_insert_id())?,
        }
    };
}
pub(super) use inserted_id;

/// Converts an id of MySQL, which is unsigned.
pub(super) fn row_id(id: u64) -> super::StoreResult<i64> {
    i64::try_from(id).map_err(|_| super::StoreError::Corrupt("an id past the largest integer"))
}

/// `rows` groups of `width` placeholders for `(a, b, …) IN (…)`.
pub(super) fn tuples(backend: Backend, width: usize, rows: usize) -> String {
    let group = format!("({})", vec!["?"; width].join(", "));
    let groups = vec![group.as_str(); rows].join(", ");
    match backend {
        // SQLite compares a tuple with a list only if the list is a query. With bare VALUES of two or more rows it
        // scans the whole table instead of using the index.
        Backend::Sqlite => format!("(SELECT * FROM (VALUES {groups}))"),
        Backend::MySql => format!("({groups})"),
    }
}

/// Lists in a statement are padded to a power of two by repeating the last value, so that a few prepared statements
/// serve lists of every length.
pub(super) fn padded(len: usize) -> usize {
    len.next_power_of_two()
}
