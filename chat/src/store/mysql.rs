//! Connections to MySQL or MariaDB.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection as _, Executor, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, Pools, StoreError, StoreResult};

/// Connections of one node for transactions: one for each batch of the writer in progress, one for read marks, and a
/// few for everything else that writes.
const WRITE_CONNECTIONS: u32 = 12;
/// Connections of one node for reading.
const READ_CONNECTIONS: u32 = 12;

/// Timeout of the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Lock timeouts in seconds.
///
/// A statement waits 6 s for a row lock. MariaDB ends a transaction that is idle for 5 s, so that a frozen node does
/// not block the rooms it has locked; MySQL has no such setting and ignores the comment. The first is slightly longer
/// than the second, so that waiting statements get the lock, and not much longer, since a sender gets its response
/// after about five seconds (`retry.rs`).
const LOCK_TIMEOUTS: &str =
    "SET SESSION innodb_lock_wait_timeout = 6 /*M!100300 , SESSION idle_transaction_timeout = 5 */";

/// Connects to the server at `url`. Returns the options for further connections, and the first connection.
pub(super) async fn connect(url: &str) -> StoreResult<(MySqlConnectOptions, MySqlConnection)> {
    // sqlx supports only the scheme `mysql://` for both servers.
    let url = url.replacen("mariadb://", "mysql://", 1);
    let options = MySqlConnectOptions::from_str(&url)
        .map_err(|error| StoreError::Unreachable(format!("not a database address: {error}")))?
        .charset("utf8mb4")
        .collation("utf8mb4_bin");
    // The pool would retry and report only a timeout.
    let first = timeout(CONNECT_TIMEOUT, MySqlConnection::connect_with(&options)).await;
    let first = first.map_err(|_| StoreError::Unreachable("it does not answer".to_owned()))?;
    Ok((options, first.map_err(unreachable)?))
}

/// The connection pools for everything but migrations.
pub(super) fn pools(options: MySqlConnectOptions) -> Pools {
    let read = pool(options.clone(), READ_CONNECTIONS);
    Pools::MySql { write: pool(options, WRITE_CONNECTIONS), read }
}

fn pool(options: MySqlConnectOptions, size: u32) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // The writer reads under a row lock data that others may just have committed. REPEATABLE READ would
                // return an older snapshot.
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                connection.execute(LOCK_TIMEOUTS).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options)
}

fn unreachable(error: sqlx::Error) -> StoreError {
    StoreError::Unreachable(match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    })
}
