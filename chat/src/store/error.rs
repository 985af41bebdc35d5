//! What can go wrong below the domain, as questions the service may ask.

use sqlx::error::{DatabaseError as _, ErrorKind};

/// The store's one error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened at all.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// Another server has the SQLite file.
    #[error("another server uses the database")]
    InUse,
    /// No server has ever made its tables.
    #[error("the database has no tables yet")]
    NoSchema,
    /// Its schema is of an older Liao, and only a server that starts changes that.
    #[error("the database was made by an older Liao: its schema is {found}, this one knows {known}")]
    OlderSchema {
        /// The schema's number in the database.
        found: i64,
        /// The last one this binary knows.
        known: i64,
    },
    /// The lock under which one server at a time migrates could not be had.
    #[error("cannot lock the schema: {0}")]
    SchemaLock(&'static str),
    /// Its schema is of a newer Liao.
    #[error("the database was made by a newer Liao: its schema is {found}, this one knows {known}")]
    NewerSchema {
        /// The schema's number in the database.
        found: i64,
        /// The last one this binary knows.
        known: i64,
    },
    /// Its schema could not be brought up to date.
    #[error("cannot bring the database up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The database went away while it committed: the transaction may be stored or not.
    #[error("the answer to COMMIT was lost: {0}")]
    CommitUnknown(#[source] sqlx::Error),
    /// A row says what no Liao ever wrote.
    #[error("unexpected data: {0}")]
    Corrupt(&'static str),
}

/// What a failure says about trying the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The database is away, its disk is full or failing, or it only lets itself be read. Whatever is asked of it
    /// fails, now and for a while.
    Away,
    /// Two transactions stood in each other's way. The same may succeed in a moment.
    Contention,
    /// What was asked is at fault, or we are. The same fails again.
    Other,
}

/// SQLite's primary result codes: <https://www.sqlite.org/rescode.html>.
mod sqlite {
    /// `SQLITE_BUSY`, `SQLITE_LOCKED`.
    pub(super) const CONTENTION: [i32; 2] = [5, 6];
    /// `SQLITE_READONLY`, `SQLITE_IOERR`, `SQLITE_FULL`, `SQLITE_CANTOPEN`.
    pub(super) const AWAY: [i32; 4] = [8, 10, 13, 14];
}

/// MySQL's: <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>, and MariaDB's:
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
mod mysql {
    /// A deadlock, a lock that was waited for too long, a row that changed since the snapshot
    /// (MariaDB's `innodb_snapshot_isolation`).
    pub(super) const CONTENTION: [u16; 3] = [1213, 1205, 1020];
    /// In this order:
    /// - disk full or failing: `EE_WRITE`, `ER_DISK_FULL`, `ER_ERROR_ON_WRITE`, `ER_GET_ERRNO`, `ER_RECORD_FILE_FULL`;
    /// - read only: by option, by transaction, by mode;
    /// - too many connections: of all, of this user, by the hour;
    /// - nobody is let in: access denied (twice), unknown database, blocked host (twice);
    /// - it ends what is under way: a shutdown, an interrupted query, a killed connection, an idle one;
    /// - a node of a cluster that is not ready.
    pub(super) const AWAY: [u16; 21] = [
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
        | sqlx::Error::WorkerCrashed => FailureClass::Away,
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                let number = error.number();
                return class_in(&number, &mysql::AWAY, &mysql::CONTENTION);
            }
            let Some(error) = error.try_downcast_ref::<sqlx::sqlite::SqliteError>() else {
                return FailureClass::Other;
            };
            // What it adds in detail is above the lowest byte.
            let code = error.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
            code.map_or(FailureClass::Other, |code| class_in(&code, &sqlite::AWAY, &sqlite::CONTENTION))
        }
        _ => FailureClass::Other,
    }
}

fn class_in<T: PartialEq>(code: &T, away: &[T], contention: &[T]) -> FailureClass {
    if away.contains(code) {
        FailureClass::Away
    } else if contention.contains(code) {
        FailureClass::Contention
    } else {
        FailureClass::Other
    }
}

impl StoreError {
    /// A failure of the statement that commits.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match class(&error) {
            FailureClass::Away => Self::CommitUnknown(error),
            FailureClass::Contention | FailureClass::Other => Self::Database(error),
        }
    }

    /// What it says about trying the same again.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable(_) | Self::CommitUnknown(_) => FailureClass::Away,
            Self::Database(error) => class(error),
            Self::InUse
            | Self::NoSchema
            | Self::OlderSchema { .. }
            | Self::NewerSchema { .. }
            | Self::SchemaLock(_)
            | Self::Migration(_)
            | Self::Corrupt(_) => FailureClass::Other,
        }
    }

    /// Does a uniqueness rule of the schema stand against it?
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.kind() == ErrorKind::UniqueViolation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_says_about_trying_again() {
        use FailureClass::{Away, Contention, Other};
        let io = || sqlx::Error::Io(std::io::Error::other("gone"));
        assert_eq!(StoreError::Database(io()).class(), Away);
        assert_eq!(StoreError::of_commit(io()).class(), Away);
        assert_eq!(StoreError::Database(sqlx::Error::PoolTimedOut).class(), Away);
        assert_eq!(StoreError::Database(sqlx::Error::RowNotFound).class(), Other);
        assert_eq!(StoreError::Corrupt("a row").class(), Other);
        for (number, expected) in
            [(1205, Contention), (1213, Contention), (1021, Away), (1290, Away), (1062, Other)]
        {
            assert_eq!(class_in(&number, &mysql::AWAY, &mysql::CONTENTION), expected, "{number}");
        }
        for (code, expected) in [(5, Contention), (10, Away), (13, Away), (8, Away), (19, Other)] {
            assert_eq!(class_in(&code, &sqlite::AWAY, &sqlite::CONTENTION), expected, "{code}");
        }
    }
}
