//! SQLite connections: one for writing, several for reading, with durable settings.

use std::{path::Path, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::{StoreError, StoreResult};

mod files;
mod pool;

pub use files::owner_only;
pub(super) use files::{ServerLock, lock_for_server};
pub(super) use pool::{Pool, PooledConn};

/// Number of reading connections. More than there are cores would wait for each other.
const READERS: u32 = 4;
/// How long to wait for the write lock of another process (the command line beside a running server).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Size of the WAL, in pages, at which it is checkpointed: 16 MiB. Pages that are written often, like the last index
/// page of each room, are then copied to the file once. The default of 1,000 pages is reached after about sixteen
/// batches of sixteen busy rooms.
const CHECKPOINT_PAGES: &str = "4000";
/// Capacity of the prepared statement cache of each connection; all statements fit.
const STATEMENTS: usize = 256;

/// Options for the database file at `path`.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit is on disk when it returns, so acknowledged messages survive a power loss and not only a
        // crash.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        // The statement journal of multi-row INSERTs: as a file it was a tenth of a message's cost.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS)
}

/// Opens the pools for writing and for reading.
pub(super) async fn open(options: SqliteConnectOptions) -> StoreResult<(Pool, Pool)> {
    let write = Pool::open(options.clone(), 1).await.map_err(unreachable)?;
    let read = Pool::open(options.pragma("query_only", "ON"), READERS).await.map_err(unreachable)?;
    Ok((write, read))
}

pub(super) fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unreachable(match error {
        // The driver's message without the error code.
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    /// Set in `.cargo/config.toml`. Without it every statement with a `LIMIT ?` is prepared again at each execution.
    #[tokio::test]
    async fn plans_do_not_depend_on_bound_values() {
        let options = SqliteConnectOptions::new().in_memory(true);
        let mut conn = sqlx::SqliteConnection::connect_with(&options).await.expect("open");
        let sql = "SELECT sqlite_compileoption_used('ENABLE_QPSG')";
        let is_stable: bool = sqlx::query_scalar(sql).fetch_one(&mut conn).await.expect("a row");
        assert!(is_stable);
    }
}
