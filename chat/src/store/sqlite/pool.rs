//! A connection pool for SQLite.
//!
//! sqlx's own pool pings each returned connection, which costs two thread switches, as much as a small query; a local
//! file needs no ping. It also trusts the driver's count of open transactions, which is wrong after SQLite has rolled
//! back by itself, for example on a full disk.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sqlx::{ConnectOptions as _, Connection as _, Error, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::store::ACQUIRE_TIMEOUT;

/// A pool of at most `size` connections. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    options: SqliteConnectOptions,
    size: u32,
    permits: Arc<Semaphore>,
    /// Unused connections, without an open transaction.
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A pooled connection. Dropping it returns it to the pool and rolls back an uncommitted transaction.
pub(in crate::store) struct PooledConn {
    pool: Arc<Inner>,
    /// `None` only during the drop.
    connection: Option<SqliteConnection>,
    permit: Option<OwnedSemaphorePermit>,
    has_begun: bool,
}

impl Pool {
    /// Opens the first connection; further ones are opened on demand.
    pub(super) async fn open(options: SqliteConnectOptions, size: u32) -> Result<Self, Error> {
        let first = options.connect().await?;
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Ok(Self { inner: Arc::new(Inner { options, size, permits, idle: Mutex::new(vec![first]) }) })
    }

    /// Acquires a connection.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] when none becomes free in time, [`Error::PoolClosed`], and errors on opening one.
    pub(in crate::store) async fn acquire(&self) -> Result<PooledConn, Error> {
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.inner.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let idle = self.inner.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.inner.options.connect().await?,
        };
        Ok(PooledConn {
            pool: Arc::clone(&self.inner),
            connection: Some(connection),
            permit: Some(permit),
            has_begun: false,
        })
    }

    /// Acquires a connection and begins a transaction that takes the write lock at once, and not at its first write,
    /// where it could fail.
    ///
    /// # Errors
    /// As [`Self::acquire`], and when another process holds the lock.
    pub(in crate::store) async fn begin(&self) -> Result<PooledConn, Error> {
        let mut pooled = self.acquire_to_begin().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(pooled.connection()).await?;
        Ok(pooled)
    }

    /// As [`Self::begin`] for a caller whose first statement begins the transaction itself.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub(in crate::store) async fn acquire_to_begin(&self) -> Result<PooledConn, Error> {
        let mut pooled = self.acquire().await?;
        // Set before the statement runs: a cancelled caller leaves it running.
        pooled.has_begun = true;
        Ok(pooled)
    }

    /// Waits for all connections to be returned, then closes them. Later calls of [`Self::acquire`] fail.
    pub(in crate::store) async fn close(&self) {
        // An error means that the pool was closed before.
        if let Ok(all) = self.inner.permits.acquire_many(self.inner.size).await {
            self.inner.permits.close();
            drop(all);
        }
        let connections = mem::take(&mut *self.inner.idle());
        for connection in connections {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a connection to the database did not close");
            }
        }
    }
}

impl Inner {
    /// A panic cannot leave the list inconsistent, so a poisoned lock is ignored.
    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PooledConn {
    pub(in crate::store) fn connection(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("only the drop takes it")
    }

    /// Commits the transaction, if there is one.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), Error> {
        if self.has_begun {
            sqlx::query("COMMIT").execute(self.connection()).await?;
            self.has_begun = false;
        }
        Ok(())
    }

    /// Records that a statement of the caller has committed the transaction.
    pub(in crate::store) fn has_committed(&mut self) {
        self.has_begun = false;
    }
}

impl Drop for PooledConn {
    fn drop(&mut self) {
        let (Some(mut connection), permit) = (self.connection.take(), self.permit.take()) else { return };
        if !self.has_begun {
            self.pool.idle().push(connection);
            return;
        }
        let pool = Arc::clone(&self.pool);
        // Without a runtime the process is ending; dropping the connection also rolls back.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            // Fails if SQLite has rolled back by itself. Then the connection is discarded with whatever state it has.
            if sqlx::query("ROLLBACK").execute(&mut connection).await.is_ok() {
                pool.idle().push(connection);
            }
            drop(permit);
        });
    }
}
