//! Everything that is stored, in SQLite or in MySQL/MariaDB.
//!
//! SQL stands only below this module. Each statement is written once and runs on
//! either database; what differs is in [`sqlite`], [`mysql`] and [`dialect`].
//! The store knows no rules: it reads and writes what the service decided.

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
pub mod members;
pub mod messages;
pub mod notifications;
pub mod reads;
pub mod rooms;
pub mod sessions;
pub mod tokens;
pub mod users;
pub mod watch;

pub use error::{FailureClass, StoreError};
pub(crate) use retry::Tries;
pub use sqlite::owner_only;

/// The store's result.
pub type StoreResult<T> = Result<T, StoreError>;

/// How long a caller waits for a free connection before it is told that the
/// database is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file in the data folder.
    Sqlite,
    /// A server, which several nodes may share.
    MySql,
}

#[derive(Clone)]
enum Pools {
    /// SQLite has one writer at a time, so one connection writes and the others
    /// only read: nobody ever waits on a lock inside the database.
    Sqlite {
        write: sqlite::Lender,
        read: sqlite::Lender,
    },
    MySql(sqlx::MySqlPool),
}

/// The database, ready for use. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    system: Arc<watch::System>,
    ended_sign_ins: Arc<[(SignInId, Timestamp)]>,
    /// Of a server on SQLite, until it closes the database.
    lock: Arc<Mutex<Option<sqlite::ServerLock>>>,
}

/// A connection or a transaction on either database; every store function takes one.
///
/// A transaction that is dropped without [`Conn::commit`] is rolled back.
pub struct Conn(Inner);

enum Inner {
    Sqlite(sqlite::Loan),
    MySql(PoolConnection<MySql>),
    MySqlTx(Transaction<'static, MySql>),
}

/// The driver's own connection, for the length of one statement.
enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    MySql(&'c mut MySqlConnection),
}

/// Runs one body on whichever database `conn` speaks to. The body is compiled
/// once for each driver, which is what lets one SQL text have typed rows on both.
macro_rules! on {
    ($conn:expr, |$link:ident| $body:expr) => {
        match $conn.link() {
            $crate::store::Link::Sqlite($link) => $body,
            $crate::store::Link::MySql($link) => $body,
        }
    };
}
use on;

impl Pools {
    async fn read(&self) -> StoreResult<Conn> {
        Ok(Conn(match self {
            Self::Sqlite { read, .. } => Inner::Sqlite(read.lend().await?),
            Self::MySql(pool) => Inner::MySql(pool.acquire().await?),
        }))
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`, `mysql://…` or `mariadb://…`) for a server: makes it if it is an
    /// SQLite file and missing, and brings its schema up to date. Several nodes may do so at once on MySQL or MariaDB;
    /// an SQLite file has one server, and is taken for it until [`Self::close`].
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::InUse`], [`StoreError::NewerSchema`] and whatever the driver says.
    pub async fn open(url: &str) -> StoreResult<Self> {
        let Some(path) = sqlite_path(url) else {
            let (options, first) = mysql::connect(url).await?;
            migrate::mysql(first).await?;
            return Self::on(Pools::MySql(mysql::pool(options)), None).await;
        };
        let options = sqlite::options(&path);
        let claimed = tokio::task::spawn_blocking(move || sqlite::claim(&path)).await;
        let lock = claimed.map_err(|_| StoreError::Corrupt("the database's lock was interrupted"))??;
        migrate::sqlite(&options).await?;
        let (write, read) = sqlite::open(options).await?;
        Self::on(Pools::Sqlite { write, read }, Some(lock)).await
    }

    /// Opens the database at `url` beside its server, or without one, and leaves its schema as it is.
    ///
    /// # Errors
    /// [`StoreError::NoSchema`], [`StoreError::OlderSchema`], [`StoreError::NewerSchema`]: it is not this version's.
    /// [`StoreError::Unreachable`] and whatever the driver says.
    pub async fn open_existing(url: &str) -> StoreResult<Self> {
        let pools = if let Some(path) = sqlite_path(url) {
            if !path.try_exists().is_ok_and(|exists| exists) {
                return Err(StoreError::NoSchema);
            }
            let (write, read) = sqlite::open(sqlite::options(&path)).await?;
            Pools::Sqlite { write, read }
        } else {
            let (options, first) = mysql::connect(url).await?;
            // It only showed that the server answers. A goodbye that fails takes nothing away.
            let _ = first.close().await;
            Pools::MySql(mysql::pool(options))
        };
        migrate::check(&mut pools.read().await?).await?;
        Self::on(pools, None).await
    }

    async fn on(pools: Pools, lock: Option<sqlite::ServerLock>) -> StoreResult<Self> {
        let mut conn = pools.read().await?;
        // In this order: an end that comes in between is above the number that was read.
        let system = watch::system(&mut conn).await?;
        let ended_sign_ins = credentials::ended_sign_ins(&mut conn).await?.into();
        drop(conn);
        Ok(Self { pools, system: Arc::new(system), ended_sign_ins, lock: Arc::new(Mutex::new(lock)) })
    }

    /// The system's row as it was when the database was opened.
    pub fn system(&self) -> &watch::System {
        &self.system
    }

    /// The sign-ins that had ended when the database was opened, and when each did.
    pub fn ended_sign_ins(&self) -> &[(SignInId, Timestamp)] {
        &self.ended_sign_ins
    }

    /// Which database this is.
    pub fn backend(&self) -> Backend {
        match self.pools {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::MySql(_) => Backend::MySql,
        }
    }

    /// A connection for reading.
    pub async fn read(&self) -> StoreResult<Conn> {
        self.pools.read().await
    }

    /// A transaction for writing. On SQLite it holds the only writing connection.
    pub async fn write(&self) -> StoreResult<Conn> {
        Ok(Conn(match &self.pools {
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin().await?),
            Pools::MySql(pool) => Inner::MySqlTx(pool.begin().await?),
        }))
    }

    /// Does the database answer?
    pub async fn ping(&self) -> StoreResult<()> {
        let mut conn = self.read().await?;
        on!(conn, |link| sqlx::query("SELECT 1").execute(&mut *link).await.map(drop))?;
        Ok(())
    }

    /// Closes every connection, after what is under way has ended. An SQLite file is then free for another server.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::MySql(pool) => pool.close().await,
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The file that `url` names; `None` for a server's address.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)).to_owned())
}

impl Conn {
    fn link(&mut self) -> Link<'_> {
        match &mut self.0 {
            Inner::Sqlite(loan) => Link::Sqlite(loan.connection()),
            Inner::MySql(conn) => Link::MySql(conn),
            Inner::MySqlTx(tx) => Link::MySql(tx),
        }
    }

    /// Which database this speaks to.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::MySql(_) | Inner::MySqlTx(_) => Backend::MySql,
        }
    }

    /// Makes the transaction's writes last. After this they survive a power loss.
    ///
    /// # Errors
    /// [`StoreError::CommitUnknown`] when the database went away meanwhile: they may last all the same.
    pub async fn commit(self) -> StoreResult<()> {
        match self.0 {
            Inner::Sqlite(mut loan) => loan.commit().await.map_err(StoreError::of_commit)?,
            Inner::MySqlTx(tx) => tx.commit().await.map_err(StoreError::of_commit)?,
            Inner::MySql(_) => {}
        }
        Ok(())
    }
}
