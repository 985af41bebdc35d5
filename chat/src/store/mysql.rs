//! Opening MySQL or MariaDB.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection as _, Executor, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, StoreError, StoreResult};

/// Connections of one node. The writer uses as many at once as there are busy rooms.
const CONNECTIONS: u32 = 16;

/// How long the server may take to answer when we start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long, in seconds, a statement waits for somebody else's lock; and after how long MariaDB
/// takes back the locks of a node that stands still in the middle of a transaction, so that the
/// others can write in its rooms. MySQL, which has nothing like it, reads a comment there.
///
/// The first is a little longer than the second, so that who waits for such a node gets the lock; and not much longer,
/// since a sender is answered after some five seconds (`tries.rs`).
const PATIENCE: &str =
    "SET SESSION innodb_lock_wait_timeout = 6 /*M!100300 , SESSION idle_transaction_timeout = 5 */";

/// Connects to the server that `url` names: how to do it again, and a first connection.
pub(super) async fn connect(url: &str) -> StoreResult<(MySqlConnectOptions, MySqlConnection)> {
    // sqlx knows both servers by the one scheme; people write either.
    let url = url.replacen("mariadb://", "mysql://", 1);
    let options = MySqlConnectOptions::from_str(&url)
        .map_err(|error| StoreError::Unreachable(format!("not a database address: {error}")))?
        .charset("utf8mb4")
        .collation("utf8mb4_bin");
    // The pool would try again and again, and say only that it took too long.
    let first = timeout(CONNECT_TIMEOUT, MySqlConnection::connect_with(&options)).await;
    let first = first.map_err(|_| StoreError::Unreachable("it does not answer".to_owned()))?;
    Ok((options, first.map_err(unreachable)?))
}

/// The connections that everything but migrations goes over.
pub(super) fn pool(options: MySqlConnectOptions) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // The writer reads under a row lock what others may just have committed;
                // under REPEATABLE READ it would see an older snapshot.
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                connection.execute(PATIENCE).await?;
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
