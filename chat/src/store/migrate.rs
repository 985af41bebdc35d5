//! The version of the schema: a server that starts brings it up to date, everything else only checks it.

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
    // sqlx asks for its lock with a timeout of -1, which MariaDB answers with NULL and no lock.
    migrator.set_locking(false);
    migrator
});

/// Takes the lock for migrations: 1 when it is ours, 0 when the time is up, NULL when there is none to be had. The
/// server's locks know no databases, so the name does; 52 characters of the 64 that MySQL allows.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('liao-schema-', SHA1(LOWER(DATABASE()))), ?)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('liao-schema-', SHA1(LOWER(DATABASE()))))";
/// How long a server waits for another one's migrations, which may rewrite a large table.
const LOCK_TIMEOUT: Duration = Duration::from_hours(1);
/// How often it says so meanwhile.
const LOCK_REPORT: Duration = Duration::from_secs(10);

/// Brings an SQLite database up to date. The caller holds the file's [`sqlite::ServerLock`].
pub(super) async fn sqlite(options: &SqliteConnectOptions) -> StoreResult<()> {
    let mut conn = options.connect().await.map_err(sqlite::unreachable)?;
    run(&SQLITE, &mut conn).await?;
    Ok(conn.close().await?)
}

/// Brings the database of `conn` up to date, one server at a time. The lock belongs to this connection, so that it ends
/// with it.
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

/// Sees that the schema is the one that this version knows, and changes nothing.
///
/// # Errors
/// [`StoreError::NoSchema`], [`StoreError::OlderSchema`], [`StoreError::NewerSchema`]; [`StoreError::Migration`] for
/// one that is half done or was changed afterwards.
pub(super) async fn check(conn: &mut Conn) -> StoreResult<()> {
    const APPLIED: &str = "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version";
    let migrator: &Migrator = match conn.backend() {
        Backend::Sqlite => &SQLITE,
        Backend::MySql => &MYSQL,
    };
    let is_there = conn.backend().has_migrations_table();
    let (tables,): (i64,) = on!(conn, |link| sqlx::query_as(is_there).fetch_one(&mut *link).await)?;
    if tables == 0 {
        return Err(StoreError::NoSchema);
    }
    let applied: Vec<(i64, bool, Vec<u8>)> =
        on!(conn, |link| sqlx::query_as(APPLIED).fetch_all(&mut *link).await)?;
    let Some(&(found, ..)) = applied.last() else { return Err(StoreError::NoSchema) };
    let known = newest(migrator);
    if applied.iter().any(|(version, ..)| !migrator.version_exists(*version)) {
        return Err(StoreError::NewerSchema { found, known });
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

/// Boxed, since the compiler cannot see that the driver's future is `Send` for every lifetime of the connection.
fn run<'c, A>(migrator: &'static Migrator, conn: A) -> BoxFuture<'c, StoreResult<()>>
where
    A: Acquire<'c> + Send + 'c,
    <A::Connection as Deref>::Target: Migrate + Send,
{
    Box::pin(async move {
        migrator.run(conn).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => StoreError::NewerSchema { found, known: newest(migrator) },
            other => StoreError::Migration(other),
        })
    })
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or_default()
}
