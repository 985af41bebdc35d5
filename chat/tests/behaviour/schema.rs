//! Databases of an earlier release. The contract's tests also use this file.

use sqlx::{
    Connection as _, Executor as _,
    migrate::{Migration, Migrator},
};

/// Creates the tables in the empty database at `url` with all migrations but the newest, and runs `rows`.
pub async fn make_previous(url: &str, rows: &[&'static str]) {
    make(url, |version, newest| version < newest, rows).await;
}

async fn make(url: &str, is_wanted: impl Fn(i64, i64) -> bool, rows: &[&'static str]) {
    let database = if url.starts_with("sqlite:") { "sqlite" } else { "mysql" };
    // The repository's root, or the crate next to the migrations.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [root.join("migrations"), root.join("../migrations")];
    let folder = places.iter().find(|place| place.is_dir()).expect("the migrations").join(database);
    let all = Migrator::new(folder.as_path()).await.expect("the migrations");
    let newest = all.iter().map(|migration| migration.version).max().expect("some");
    let wanted: Vec<Migration> =
        all.iter().filter(|migration| is_wanted(migration.version, newest)).cloned().collect();
    let migrator = Migrator::with_migrations(wanted);
    if database == "sqlite" {
        let mut conn = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await.expect("opened");
        migrator.run(&mut conn).await.expect("migrated");
        for row in rows {
            conn.execute(*row).await.expect("inserted");
        }
        conn.close().await.expect("closed");
    } else {
        let mut conn = sqlx::MySqlConnection::connect(url).await.expect("opened");
        migrator.run(&mut conn).await.expect("migrated");
        for row in rows {
            conn.execute(*row).await.expect("inserted");
        }
        conn.close().await.expect("closed");
    }
}
