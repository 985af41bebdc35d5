//! Bringing the schema up to date at start. Ten nodes may start at once.

use std::{fs::File, path::Path};

use sqlx::{
    MySqlPool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{StoreError, StoreResult, sqlite};

static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");
static MYSQL: Migrator = sqlx::migrate!("../migrations/mysql");

/// Migrates the SQLite file at `path`. sqlx takes no lock there, so a file beside it is ours.
pub(super) async fn sqlite(path: &Path, options: &SqliteConnectOptions) -> StoreResult<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = name;
    let lock = tokio::task::spawn_blocking(move || {
        let file = File::create(lock_path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    })
    .await
    .map_err(|_| StoreError::Corrupt("the migration lock was interrupted"))?
    .map_err(|error| StoreError::Unreachable(format!("{}: {error}", path.display())))?;
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await;
    let pool = pool.map_err(sqlite::unreachable)?;
    let result = run(&SQLITE, &pool).await;
    pool.close().await;
    drop(lock);
    result
}

/// Migrates the database behind `pool`; sqlx holds a named lock of the server meanwhile.
pub(super) async fn mysql(pool: &MySqlPool) -> StoreResult<()> {
    run(&MYSQL, pool).await
}

async fn run<'a, A>(migrator: &Migrator, pool: A) -> StoreResult<()>
where
    A: sqlx::Acquire<'a>,
    <A::Connection as std::ops::Deref>::Target: sqlx::migrate::Migrate,
{
    migrator.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
            StoreError::NewerSchema { found, known }
        }
        other => StoreError::Migration(other),
    })
}
