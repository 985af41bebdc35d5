//! Errors of the store, classified by whether a retry can succeed.

use sqlx::error::{DatabaseError as _, ErrorKind};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// Another server uses the SQLite file.
    #[error("another server uses the database")]
    InUse,
    /// The database has no tables.
    #[error("the database has no tables yet")]
    NoSchema,
    /// The schema is of an older version. Only a server migrates it.
    #[error("the database was made by an older Liao: its schema is {found}, this one knows {known}")]
    OlderSchema {
        /// The schema version of the database.
        found: i64,
        /// The newest schema version of this binary.
        known: i64,
    },
    /// The schema is of a version before the first release, which cannot be migrated.
    #[error(
        "the database was made by a version of Liao before its first release, whose data cannot be brought up to date: \
         start with an empty data folder (`--data`) or database (`--database-url`)"
    )]
    Unreleased,
    /// The lock that serialises migrations could not be acquired.
    #[error("cannot lock the schema: {0}")]
    SchemaLock(&'static str),
    /// The schema is of a newer version.
    #[error("the database was made by a newer Liao: its schema is {found}, this one knows {known}")]
    NewerSchema {
        /// The schema version of the database.
        found: i64,
        /// The newest schema version of this binary.
        known: i64,
    },
    /// A migration failed.
    #[error("cannot bring the database up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The connection failed during COMMIT: the transaction may or may not be stored.
    #[error("the answer to COMMIT was lost: {0}")]
    CommitUnknown(#[source] sqlx::Error),
    /// The database contains data that no version writes.
    #[error("unexpected data: {0}")]
    Corrupt(&'static str),
}

/// What a failure means for a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The database is unreachable, read-only, or its disk is full or failing. Every statement fails, for a while.
    Unavailable,
    /// Two transactions conflicted. A retry may succeed at once.
    Contention,
    /// The statement or this program is at fault. A retry fails in the same way.
    Other,
}

/// SQLite's primary result codes: <https://www.sqlite.org/rescode.html>.
mod sqlite {
    /// `SQLITE_BUSY`, `SQLITE_LOCKED`.
    pub(super) const CONTENTION: [i32; 2] = [5, 6];
    /// `SQLITE_READONLY`, `SQLITE_IOERR`, `SQLITE_FULL`, `SQLITE_CANTOPEN`.
    pub(super) const UNAVAILABLE: [i32; 4] = [8, 10, 13, 14];
}

/// Error numbers of MySQL (<https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>) and MariaDB
/// (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).
mod mysql {
    /// Deadlock, lock wait timeout, row changed since the snapshot (MariaDB's `innodb_snapshot_isolation`).
    pub(super) const CONTENTION: [u16; 3] = [1213, 1205, 1020];
    /// In this order:
    /// - disk full or failing: `EE_WRITE`, `ER_DISK_FULL`, `ER_ERROR_ON_WRITE`, `ER_GET_ERRNO`,
    ///   `ER_RECORD_FILE_FULL`;
    /// - read-only: by option, by transaction, by mode;
    /// - too many connections: of all, of this user, by the hour;
    /// - access denied (twice), unknown database, blocked host (twice);
    /// - shutdown, interrupted query, killed connection, idle connection;
    /// - cluster node not ready.
    pub(super) const UNAVAILABLE: [u16; 21] = [
        3, 1021, 1026, 1030, 1114, 1290, 1792, 1836, 1040, 1203, 1226, 1044, 1045, 1049, 1129, 1130, 1053,
        1317, 1927, 4031, 1047,
    ];
}

fn class(error: &sqlx::Error) -> FailureClass {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => FailureClass::Unavailable,
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                let number = error.number();
                return class_in(&number, &mysql::UNAVAILABLE, &mysql::CONTENTION);
            }
            let Some(error) = error.try_downcast_ref::<sqlx::sqlite::SqliteError>() else {
                return FailureClass::Other;
            };
            // The extended result code has more bits above the lowest byte.
            let code = error.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
            code.map_or(FailureClass::Other, |code| {
                class_in(&code, &sqlite::UNAVAILABLE, &sqlite::CONTENTION)
            })
        }
        _ => FailureClass::Other,
    }
}

fn class_in<T: PartialEq>(code: &T, unavailable: &[T], contention: &[T]) -> FailureClass {
    if unavailable.contains(code) {
        FailureClass::Unavailable
    } else if contention.contains(code) {
        FailureClass::Contention
    } else {
        FailureClass::Other
    }
}

impl StoreError {
    /// Converts an error of COMMIT.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match class(&error) {
            FailureClass::Unavailable => Self::CommitUnknown(error),
            FailureClass::Contention | FailureClass::Other => Self::Database(error),
        }
    }

    /// What the error means for a retry.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable(_) | Self::CommitUnknown(_) => FailureClass::Unavailable,
            Self::Database(error) => class(error),
            Self::InUse
            | Self::NoSchema
            | Self::Unreleased
            | Self::OlderSchema { .. }
            | Self::NewerSchema { .. }
            | Self::SchemaLock(_)
            | Self::Migration(_)
            | Self::Corrupt(_) => FailureClass::Other,
        }
    }

    /// Whether a uniqueness constraint was violated.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.kind() == ErrorKind::UniqueViolation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_classified() {
        use FailureClass::{Contention, Other, Unavailable};
        let io = || sqlx::Error::Io(std::io::Error::other("gone"));
        assert_eq!(StoreError::Database(io()).class(), Unavailable);
        assert_eq!(StoreError::of_commit(io()).class(), Unavailable);
        assert_eq!(StoreError::Database(sqlx::Error::PoolTimedOut).class(), Unavailable);
        assert_eq!(StoreError::Database(sqlx::Error::RowNotFound).class(), Other);
        assert_eq!(StoreError::Corrupt("a row").class(), Other);
        for (number, expected) in
            [(1205, Contention), (1213, Contention), (1021, Unavailable), (1290, Unavailable), (1062, Other)]
        {
            assert_eq!(class_in(&number, &mysql::UNAVAILABLE, &mysql::CONTENTION), expected, "{number}");
        }
        for (code, expected) in
            [(5, Contention), (10, Unavailable), (13, Unavailable), (8, Unavailable), (19, Other)]
        {
            assert_eq!(class_in(&code, &sqlite::UNAVAILABLE, &sqlite::CONTENTION), expected, "{code}");
        }
    }
}
