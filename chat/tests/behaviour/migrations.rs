//! Opening the database: many at once, and not by an older binary.

use chat::store::{Store, StoreError};

use crate::support::{World, both};

/// Ten nodes open the database at `url` at once.
async fn ten_open(url: &str) {
    let nodes: Vec<_> = (0..10)
        .map(|_| {
            let url = url.to_owned();
            tokio::spawn(async move { Store::open(&url).await.map(drop) })
        })
        .collect();
    for node in nodes {
        node.await.expect("no panic").expect("opened");
    }
}

both! {
    async fn ten_nodes_may_start_at_once(world: World) {
        ten_open(&world.url).await;
    }
}

#[tokio::test]
async fn ten_nodes_may_make_one_new_sqlite_database_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    ten_open(&format!("sqlite:{}", folder.path().join("new.db").display())).await;
}

#[tokio::test]
async fn an_older_binary_refuses_a_newer_schema() {
    use sqlx::Connection as _;
    let world = World::sqlite().await;
    world.chat.stop().await;
    let path = world.url.strip_prefix("sqlite:").expect("a path");
    let mut conn = sqlx::SqliteConnection::connect(path).await.expect("opened");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&mut conn)
    .await
    .expect("inserted");
    conn.close().await.expect("closed");
    let error = Store::open(&world.url).await.err().expect("refused");
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("newer Liao"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_without_its_password() {
    let error = Store::open("mysql://amy:s3cret@127.0.0.1:1/liao").await.err().expect("refused");
    let sentence = error.to_string();
    assert!(sentence.contains("refused") && !sentence.contains("s3cret"), "{sentence}");
}
