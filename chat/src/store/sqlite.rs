//! Opening SQLite: one writing connection, several reading ones, safe settings.

use std::{path::Path, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::{StoreError, StoreResult};

mod files;
mod pool;

pub use files::owner_only;
pub(super) use files::{ServerLock, claim};
pub(super) use pool::{Lender, Loan};

/// Reading connections. More than cores would only wait for each other.
const READERS: u32 = 4;
/// How long another process (the command line beside a running server) may hold the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages of the log after which what is in it goes to its place in the file, 16 MiB. A page that is written again
/// and again, as the last of each room's index is, goes there once for all of that; SQLite's own 1,000 pages are
/// full after some sixteen batches of sixteen busy rooms.
const CHECKPOINT_PAGES: &str = "4000";
/// Prepared statements kept for each connection; all of ours fit.
const STATEMENTS: usize = 256;

/// How the database file at `path` is opened.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit is on the disk when it returns, so that an acknowledged
        // message survives a power loss and not only a crash of the process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        // What a statement of many rows needs to undo itself: in a file it was a tenth of a message's cost.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS)
}

/// The connection that writes, and those that read.
pub(super) async fn open(options: SqliteConnectOptions) -> StoreResult<(Lender, Lender)> {
    let write = Lender::open(options.clone(), 1).await.map_err(unreachable)?;
    let read = Lender::open(options.pragma("query_only", "ON"), READERS).await.map_err(unreachable)?;
    Ok((write, read))
}

pub(super) fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unreachable(match error {
        // The driver's own words for the file, without its numbers.
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    })
}
