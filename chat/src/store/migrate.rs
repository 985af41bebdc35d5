//! Schema migrations: a starting server applies them, everything else only checks the version.

use std::{
    ops::Deref,
    sync::LazyLock,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sqlx::{
    Acquire, ConnectOptions as _, Connection as _, MySqlConnection,
    migrate::{Migrate, MigrateError, Migrator},
    sqlite::SqliteConnectOptions,
};

use super::{Backend, Conn, StoreError, StoreResult, on, sqlite};

static SQLITE: Migrator = sqlx_macros::migrate!("../migrations/sqlite");
static MYSQL: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx_macros::migrate!("../migrations/mysql");
    // sqlx acquires its lock with a timeout of -1, for which MariaDB returns NULL and no lock.
    migrator.set_locking(false);
    migrator
});

/// Acquires the migration lock: 1 if acquired, 0 on timeout, NULL on an error.
///
/// Locks are global to the MySQL server, so the name contains a hash of the database's name; 52 of the 64 characters
/// that MySQL allows.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('liao-schema-', SHA1(LOWER(DATABASE()))), ?)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('liao-schema-', SHA1(LOWER(DATABASE()))))";
/// How long a server waits for the migrations of another one, which may rewrite a large table.
const LOCK_TIMEOUT: Duration = Duration::from_hours(1);
/// How often the wait is logged.
const LOCK_REPORT: Duration = Duration::from_secs(10);

/// Migrates an SQLite database. The caller holds the file's [`sqlite::ServerLock`].
pub(super) async fn sqlite(options: &SqliteConnectOptions) -> StoreResult<()> {
    let mut conn = options.connect().await.map_err(sqlite::unreachable)?;
    run(&SQLITE, &mut conn).await?;
    Ok(conn.close().await?)
}

/// Migrates the database of `conn`, one server at a time. The lock belongs to the connection and is released with it.
pub(super) async fn mysql(mut conn: MySqlConnection) -> StoreResult<()> {
    lock(&mut conn).await?;
    run(&MYSQL, &mut conn).await?;
    sqlx::query(UNLOCK).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

async fn lock(conn: &mut MySqlConnection) -> StoreResult<()> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        let (answer,): (Option<i64>,) =
            sqlx::query_as(LOCK).bind(LOCK_REPORT.as_secs()).fetch_one(&mut *conn).await?;
        match answer {
            Some(1) => return Ok(()),
            Some(_) if Instant::now() < deadline => {
                tracing::info!("waiting for another server, which is bringing the database up to date");
            }
            Some(_) => return Err(StoreError::SchemaLock("another server has held it for an hour")),
            None => return Err(StoreError::SchemaLock("the database gives none")),
        }
    }
}

/// Checks that the schema has the version of this binary.
///
/// # Errors
/// [`StoreError::NoSchema`], [`StoreError::OlderSchema`], [`StoreError::NewerSchema`], [`StoreError::Unreleased`];
/// [`StoreError::Migration`] if a migration is incomplete or was modified.
pub(super) async fn check(conn: &mut Conn) -> StoreResult<()> {
    const APPLIED: &str = "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version";
    let migrator: &Migrator = match conn.backend() {
        Backend::Sqlite => &SQLITE,
        Backend::MySql => &MYSQL,
    };
    let is_there = conn.backend().has_migrations_table();
    let (tables,): (i64,) = on!(conn, |db| sqlx::query_as(is_there).fetch_one(&mut *db).await)?;
    if tables == 0 {
        return Err(StoreError::NoSchema);
    }
    let applied: Vec<(i64, bool, Vec<u8>)> =
        on!(conn, |db| sqlx::query_as(APPLIED).fetch_all(&mut *db).await)?;
    let Some(&(found, ..)) = applied.last() else { return Err(StoreError::NoSchema) };
    let known = newest(migrator);
    if let Some((unknown, ..)) = applied.iter().find(|(version, ..)| !migrator.version_exists(*version)) {
        return Err(unknown_version(migrator, *unknown));
    }
    for migration in migrator.iter() {
        let applied = applied.iter().find(|(version, ..)| *version == migration.version);
        match applied {
            None => return Err(StoreError::OlderSchema { found, known }),
            Some((version, false, _)) => return Err(MigrateError::Dirty(*version).into()),
            Some((version, _, checksum)) if *checksum != *migration.checksum => {
                return Err(MigrateError::VersionMismatch(*version).into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Boxed because the compiler cannot prove that the driver's future is `Send` for every lifetime of the connection.
fn run<'c, A>(migrator: &'static Migrator, conn: A) -> BoxFuture<'c, StoreResult<()>>
where
    A: Acquire<'c> + Send + 'c,
    <A::Connection as Deref>::Target: Migrate + Send,
{
    Box::pin(async move {
        migrator.run(conn).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => unknown_version(migrator, found),
            other => StoreError::Migration(other),
        })
    })
}

/// The error for an applied migration that this binary does not have.
fn unknown_version(migrator: &Migrator, found: i64) -> StoreError {
    let first = migrator.iter().map(|migration| migration.version).min().unwrap_or_default();
    if found < first {
        StoreError::Unreleased
    } else {
        StoreError::NewerSchema { found, known: newest(migrator) }
    }
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}
