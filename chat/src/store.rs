//! Storage in SQLite, or in MySQL/MariaDB.
//!
//! All SQL is below this module. Each statement is written once and runs on both databases; differences are in
//! [`sqlite`], [`mysql`] and [`dialect`]. The store applies no rules: it reads and writes what the service decided.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, MySql, MySqlConnection, SqliteConnection, Transaction, pool::PoolConnection};

use crate::{credential::SignInId, model::Timestamp};

mod condition;
mod dialect;
mod error;
mod json_rows;
mod migrate;
mod mysql;
mod retry;
mod sqlite;

pub mod credentials;
pub mod groups;
pub mod jobs;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod reads;
pub mod rooms;
pub mod sessions;
pub mod streams;
pub mod tokens;
pub mod users;
pub mod watch;

pub use error::{FailureClass, StoreError};
pub(crate) use retry::Retry;
pub use sqlite::owner_only;

/// The result type of the store.
pub type StoreResult<T> = Result<T, StoreError>;

/// How long a caller waits for a free connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file in the data folder.
    Sqlite,
    /// A MySQL or MariaDB server, which several nodes may share.
    MySql,
}

#[derive(Clone)]
enum Pools {
    /// SQLite has one writer at a time. With one connection for writing and the others read-only, no statement waits
    /// for a lock inside the database.
    Sqlite { write: sqlite::Pool, read: sqlite::Pool },
    /// Many readers cannot keep the writer from its connections.
    MySql { write: sqlx::MySqlPool, read: sqlx::MySqlPool },
}

/// The opened database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    system: Arc<watch::System>,
    ended_sign_ins: Arc<[(SignInId, Timestamp)]>,
    /// The lock of a server on SQLite, until it closes the database.
    lock: Arc<Mutex<Option<sqlite::ServerLock>>>,
}

/// A connection or a transaction on either database; every store function takes one.
///
/// A transaction dropped without [`Conn::commit`] is rolled back.
pub struct Conn(Inner);

enum Inner {
    Sqlite(sqlite::PooledConn),
    MySql(PoolConnection<MySql>),
    MySqlTx(Transaction<'static, MySql>),
}

/// The driver's connection, borrowed for one statement.
enum DriverConn<'c> {
    Sqlite(&'c mut SqliteConnection),
    MySql(&'c mut MySqlConnection),
}

/// Runs one body on the database of `conn`. The body is compiled once for each driver, so one SQL text has typed rows
/// on both.
macro_rules! on {
    ($conn:expr, |$db:ident| $body:expr) => {
        match $conn.driver() {
            $crate::store::DriverConn::Sqlite($db) => $body,
            $crate::store::DriverConn::MySql($db) => $body,
        }
    };
}
use on;

impl Pools {
    async fn read(&self) -> StoreResult<Conn> {
        Ok(Conn(match self {
            Self::Sqlite { read, .. } => Inner::Sqlite(read.acquire().await?),
            Self::MySql { read, .. } => Inner::MySql(read.acquire().await?),
        }))
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`, `mysql://…` or `mariadb://…`) for a server and migrates its
    /// schema.
    ///
    /// A missing SQLite file is created. Several nodes may open the same MySQL or MariaDB database at once; an SQLite
    /// file is locked for one server until [`Self::close`].
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::InUse`], [`StoreError::NewerSchema`], and errors of the driver.
    pub async fn open(url: &str) -> StoreResult<Self> {
        let Some(path) = sqlite_path(url) else {
            let (options, first) = mysql::connect(url).await?;
            migrate::mysql(first).await?;
            return Self::on(mysql::pools(options), None).await;
        };
        let options = sqlite::options(&path);
        let locked = tokio::task::spawn_blocking(move || sqlite::lock_for_server(&path)).await;
        let lock = locked.map_err(|_| StoreError::Corrupt("the database's lock was interrupted"))??;
        migrate::sqlite(&options).await?;
        let (write, read) = sqlite::open(options).await?;
        Self::on(Pools::Sqlite { write, read }, Some(lock)).await
    }

    /// Opens the database at `url` without migrating it, also while a server uses it.
    ///
    /// # Errors
    /// [`StoreError::NoSchema`], [`StoreError::OlderSchema`] or [`StoreError::NewerSchema`] if its schema is not of
    /// this version; [`StoreError::Unreachable`], and errors of the driver.
    pub async fn open_existing(url: &str) -> StoreResult<Self> {
        let pools = if let Some(path) = sqlite_path(url) {
            if !path.try_exists().is_ok_and(|exists| exists) {
                return Err(StoreError::NoSchema);
            }
            let (write, read) = sqlite::open(sqlite::options(&path)).await?;
            Pools::Sqlite { write, read }
        } else {
            let (options, first) = mysql::connect(url).await?;
            // The connection was only a test; an error on closing it does not matter.
            let _ = first.close().await;
            mysql::pools(options)
        };
        migrate::check(&mut pools.read().await?).await?;
        Self::on(pools, None).await
    }

    async fn on(pools: Pools, lock: Option<sqlite::ServerLock>) -> StoreResult<Self> {
        let mut conn = pools.read().await?;
        // In this order: a sign-in that ends between the two reads has a number above the one read.
        let system = watch::system(&mut conn).await?;
        let ended_sign_ins = credentials::ended_sign_ins(&mut conn).await?.into();
        drop(conn);
        Ok(Self { pools, system: Arc::new(system), ended_sign_ins, lock: Arc::new(Mutex::new(lock)) })
    }

    /// The system's row as of opening the database.
    pub fn system(&self) -> &watch::System {
        &self.system
    }

    /// The sign-ins that had ended when the database was opened, with the time of each end.
    pub fn ended_sign_ins(&self) -> &[(SignInId, Timestamp)] {
        &self.ended_sign_ins
    }

    /// The kind of database.
    pub fn backend(&self) -> Backend {
        match self.pools {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::MySql { .. } => Backend::MySql,
        }
    }

    /// Acquires a connection for reading.
    ///
    /// # Errors
    /// Errors of the driver; [`StoreError::Database`] with `PoolTimedOut` when none becomes free in time.
    pub async fn read(&self) -> StoreResult<Conn> {
        self.pools.read().await
    }

    /// Begins a transaction for writing. On SQLite it holds the only writing connection.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn write(&self) -> StoreResult<Conn> {
        Ok(Conn(match &self.pools {
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin().await?),
            Pools::MySql { write, .. } => Inner::MySqlTx(write.begin().await?),
        }))
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn ping(&self) -> StoreResult<()> {
        let mut conn = self.read().await?;
        on!(conn, |db| sqlx::query("SELECT 1").execute(&mut *db).await.map(drop))?;
        Ok(())
    }

    /// Closes all connections after running statements and transactions have ended, and unlocks an SQLite file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::MySql { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The path of the SQLite file that `url` names; `None` for a server's address.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)).to_owned())
}

impl Conn {
    fn driver(&mut self) -> DriverConn<'_> {
        match &mut self.0 {
            Inner::Sqlite(pooled) => DriverConn::Sqlite(pooled.connection()),
            Inner::MySql(conn) => DriverConn::MySql(conn),
            Inner::MySqlTx(tx) => DriverConn::MySql(tx),
        }
    }

    /// The kind of database.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::MySql(_) | Inner::MySqlTx(_) => Backend::MySql,
        }
    }

    /// Sets the savepoint of the transaction. There is one at a time.
    ///
    /// # Errors
    /// Errors of the driver.
    pub async fn savepoint(&mut self) -> StoreResult<()> {
        self.execute_text("SAVEPOINT part").await
    }

    /// Removes the savepoint and keeps what was written since.
    ///
    /// # Errors
    /// Errors of the driver.
    pub async fn release_savepoint(&mut self) -> StoreResult<()> {
        self.execute_text("RELEASE SAVEPOINT part").await
    }

    /// Undoes what was written since the savepoint, and removes it.
    ///
    /// # Errors
    /// Errors of the driver.
    pub async fn rollback_to_savepoint(&mut self) -> StoreResult<()> {
        self.execute_text("ROLLBACK TO SAVEPOINT part").await?;
        self.release_savepoint().await
    }

    /// Runs a statement that MySQL does not prepare.
    async fn execute_text(&mut self, sql: &'static str) -> StoreResult<()> {
        on!(self, |db| sqlx::raw_sql(sql).execute(&mut *db).await.map(drop))?;
        Ok(())
    }

    /// Commits the transaction. Its writes then survive a power loss.
    ///
    /// # Errors
    /// [`StoreError::CommitUnknown`] when the connection failed during the commit: the writes may be stored.
    pub async fn commit(self) -> StoreResult<()> {
        match self.0 {
            Inner::Sqlite(mut pooled) => pooled.commit().await.map_err(StoreError::of_commit)?,
            Inner::MySqlTx(tx) => tx.commit().await.map_err(StoreError::of_commit)?,
            Inner::MySql(_) => {}
        }
        Ok(())
    }
}
