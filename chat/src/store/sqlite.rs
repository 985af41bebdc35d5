//! Opening SQLite: one writing connection, several reading ones, safe settings.

use std::{path::Path, time::Duration};

use sqlx::{
    Connection as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{ACQUIRE_TIMEOUT, StoreError, StoreResult};

/// Reading connections. More than cores would only wait for each other.
const READERS: u32 = 4;
/// How long another process (the command line beside a running server) may hold the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept for each connection; all of ours fit.
const STATEMENTS: usize = 256;

/// Opens (or makes) the database file at `path`: the writing pool, the reading pool.
pub(super) async fn open(path: &Path) -> StoreResult<(SqlitePool, SqlitePool)> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit is on the disk when it returns, so that an acknowledged
        // message survives a power loss and not only a crash of the process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS);
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A file does not go away like a server does: no need to ask before each use.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let write = pool()
        .max_connections(1)
        .min_connections(1)
        // When a disk is full SQLite rolls back by itself; the driver's own rollback then finds nothing to do, and it
        // goes on to believe that a transaction is open. Such a connection can begin none: another one is opened.
        .before_acquire(|connection, _| {
            let is_usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_usable) })
        })
        .connect_with(options.clone())
        .await
        .map_err(unreachable)?;
    let read = pool()
        .max_connections(READERS)
        .min_connections(1)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(unreachable)?;
    Ok((write, read))
}

fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unreachable(match error {
        // The driver's own words for the file, without its numbers.
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    })
}
