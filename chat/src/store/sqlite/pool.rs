//! SQLite connections, lent out and taken back.
//!
//! Not sqlx's pool: that asks each connection for a sign of life when it comes back, which costs another change of
//! threads, as much as a small query itself, and a file does not hang up like a server does. And it trusts the driver's
//! count of open transactions, which is wrong after SQLite has rolled back by itself, as it does when the disk is full.

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

/// Lends so many connections at once and no more. Cheap to clone.
#[derive(Clone)]
pub(in crate::store) struct Lender {
    inner: Arc<Inner>,
}

struct Inner {
    options: SqliteConnectOptions,
    most: u32,
    places: Arc<Semaphore>,
    /// Those that nobody has, without an open transaction.
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A connection on loan; dropping it gives it back, and rolls back what was begun and not committed.
pub(in crate::store) struct Loan {
    lender: Arc<Inner>,
    /// Always there until the drop.
    connection: Option<SqliteConnection>,
    place: Option<OwnedSemaphorePermit>,
    has_begun: bool,
}

impl Lender {
    /// Opens the first connection; the others are opened when they are wanted.
    pub(super) async fn open(options: SqliteConnectOptions, most: u32) -> Result<Self, Error> {
        let first = options.connect().await?;
        let places = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1)));
        Ok(Self { inner: Arc::new(Inner { options, most, places, idle: Mutex::new(vec![first]) }) })
    }

    /// A connection.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] when none comes back in time, [`Error::PoolClosed`], and what opening one says.
    pub(in crate::store) async fn lend(&self) -> Result<Loan, Error> {
        let place = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.inner.places).acquire_owned()).await;
        let place = place.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let idle = self.inner.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.inner.options.connect().await?,
        };
        Ok(Loan {
            lender: Arc::clone(&self.inner),
            connection: Some(connection),
            place: Some(place),
            has_begun: false,
        })
    }

    /// The same with a transaction that holds the lock on writing from the start, and not from its first write, where
    /// taking it could fail half-way.
    ///
    /// # Errors
    /// As [`Self::lend`], and when another process keeps the lock.
    pub(in crate::store) async fn begin(&self) -> Result<Loan, Error> {
        let mut loan = self.lend_to_begin().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(loan.connection()).await?;
        Ok(loan)
    }

    /// The same for a caller whose first statement begins the transaction itself, and does something more.
    ///
    /// # Errors
    /// As [`Self::lend`].
    pub(in crate::store) async fn lend_to_begin(&self) -> Result<Loan, Error> {
        let mut loan = self.lend().await?;
        // Before it is true: a caller that stops waiting leaves the statement under way.
        loan.has_begun = true;
        Ok(loan)
    }

    /// Waits for what is on loan, then closes all; from then on none is lent.
    pub(in crate::store) async fn close(&self) {
        // An error says that they were closed before.
        if let Ok(all) = self.inner.places.acquire_many(self.inner.most).await {
            self.inner.places.close();
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
    /// A panic while the lock was held leaves the list as it was.
    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loan {
    /// The connection.
    pub(in crate::store) fn connection(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("it is taken out by the drop alone")
    }

    /// Makes what was begun last; a loan without a transaction has nothing to do.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), Error> {
        if self.has_begun {
            sqlx::query("COMMIT").execute(self.connection()).await?;
            self.has_begun = false;
        }
        Ok(())
    }

    /// A statement of the caller's own has committed.
    pub(in crate::store) fn has_committed(&mut self) {
        self.has_begun = false;
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let (Some(mut connection), place) = (self.connection.take(), self.place.take()) else { return };
        if !self.has_begun {
            self.lender.idle().push(connection);
            return;
        }
        let lender = Arc::clone(&self.lender);
        // Without a runtime the process is ending; a connection that is dropped rolls back too.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            // Fails where SQLite has rolled back by itself. Whatever state that left, a new connection has none of it.
            if sqlx::query("ROLLBACK").execute(&mut connection).await.is_ok() {
                lender.idle().push(connection);
            }
            drop(place);
        });
    }
}
