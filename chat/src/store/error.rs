//! What can go wrong below the domain, as questions the service may ask.

use sqlx::error::{DatabaseError as _, ErrorKind};

/// The store's one error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened at all.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
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
    /// A row says what no Liao ever wrote.
    #[error("unexpected data: {0}")]
    Corrupt(&'static str),
}

/// SQLite's primary result codes: <https://www.sqlite.org/rescode.html>.
const SQLITE_BUSY: i32 = 5;
const SQLITE_IOERR: i32 = 10;
const SQLITE_FULL: i32 = 13;
/// MySQL's: <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>.
const MYSQL_DEADLOCK: u16 = 1213;
const MYSQL_LOCK_WAIT: u16 = 1205;
const MYSQL_DISK_FULL: u16 = 1021;
const MYSQL_SHUTDOWN: u16 = 1053;

impl StoreError {
    fn mysql_number(&self) -> Option<u16> {
        let Self::Database(sqlx::Error::Database(error)) = self else { return None };
        error
            .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
            .map(sqlx::mysql::MySqlDatabaseError::number)
    }

    /// SQLite's code without what it adds in detail, which is above the lowest byte.
    fn sqlite_code(&self) -> Option<i32> {
        let Self::Database(sqlx::Error::Database(error)) = self else { return None };
        let error = error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
        Some(error.code()?.parse::<i32>().ok()? & 0xff)
    }

    /// Does a uniqueness rule of the schema stand against it?
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.kind() == ErrorKind::UniqueViolation)
    }

    /// Did two transactions stand in each other's way, so that trying again may help?
    pub fn is_deadlock(&self) -> bool {
        matches!(self.mysql_number(), Some(MYSQL_DEADLOCK | MYSQL_LOCK_WAIT))
    }

    /// Is it the weather rather than us: the database away, busy or its disk full or failing?
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Database(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(_) => {
                    matches!(self.sqlite_code(), Some(SQLITE_BUSY | SQLITE_IOERR | SQLITE_FULL))
                        || matches!(
                            self.mysql_number(),
                            Some(MYSQL_DEADLOCK | MYSQL_LOCK_WAIT | MYSQL_DISK_FULL | MYSQL_SHUTDOWN)
                        )
                }
                _ => false,
            },
            Self::NewerSchema { .. } | Self::Migration(_) | Self::Corrupt(_) => false,
        }
    }
}
