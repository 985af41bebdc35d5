//! Opening the database: by several servers at once, by a second one, by commands, and by an older binary.

use std::time::{Duration, Instant};

use chat::{
    Chat,
    clock::Clock,
    service::KeyAgreement,
    store::{Store, StoreError},
};
use sqlx::Connection as _;
use tempfile::TempDir;

use crate::{
    mariadb, schema,
    support::{World, both, nodes::TIMEOUT, unhurried},
};

/// An empty database of the kind that `world` has; the folder contains its file.
async fn new_database(world: &World, name: &'static str) -> (String, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = if world.url.starts_with("sqlite:") {
        format!("sqlite:{}", folder.path().join("liao.db").display())
    } else {
        new_mariadb(name).await
    };
    (url, folder)
}

async fn new_mariadb(name: &'static str) -> String {
    tokio::task::spawn_blocking(move || mariadb::shared().database(name)).await.expect("made")
}

/// Everything that a node does to the database before it serves; returns whether it created the demo account.
async fn start_node(url: String) -> bool {
    let chat = Chat::start(Store::open(&url).await.expect("opened"), unhurried(), Clock::System);
    let key = chat.agree_on_key("what all make of it", false).await.expect("agreed");
    assert_eq!(key, KeyAgreement::Same);
    let has_made = chat.ensure_demo_account().await.expect("asked").is_some();
    assert_eq!(chat.user_count().await.expect("counted"), 1);
    chat.stop().await;
    has_made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_may_start_at_once() {
    for (name, is_older) in [("ten_new", false), ("ten_older", true)] {
        let url = new_mariadb(name).await;
        if is_older {
            schema::make_previous(&url, &[]).await;
        }
        let nodes: Vec<_> = (0..10).map(|_| tokio::spawn(start_node(url.clone()))).collect();
        let mut made = 0;
        for node in nodes {
            made += u32::from(node.await.expect("started"));
        }
        assert_eq!(made, 1, "one of them makes the demo account");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_waits_for_the_migrations_of_another() {
    let url = new_mariadb("waiting").await;
    let mut other = sqlx::MySqlConnection::connect(&url).await.expect("connected");
    let lock = "SELECT GET_LOCK(CONCAT('liao-schema-', SHA1(LOWER(DATABASE()))), 0)";
    let (got,): (i64,) = sqlx::query_as(lock).fetch_one(&mut other).await.expect("asked");
    assert_eq!(got, 1);
    // The lock is per database: another one on the same server opens.
    Store::open(&new_mariadb("not_waiting").await).await.expect("opened");
    let node = tokio::spawn({
        let url = url.clone();
        async move { Store::open(&url).await.map(drop) }
    });
    // Until the server reports a process waiting for the lock.
    let waits =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'waiting' AND state = 'User lock'";
    let deadline = Instant::now() + TIMEOUT;
    while sqlx::query_as::<_, (i64,)>(waits).fetch_one(&mut other).await.expect("asked").0 == 0 {
        assert!(Instant::now() < deadline, "it does not wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let error = Store::open_existing(&url).await.err().expect("nothing was made meanwhile");
    assert!(matches!(error, StoreError::NoSchema), "{error}");
    other.close().await.expect("closed");
    node.await.expect("no panic").expect("opened");
}

/// Why the database does not open for a command.
async fn refusal(url: &str) -> StoreError {
    Store::open_existing(url).await.err().expect("refused")
}

/// Records in the database at `url` that a later release has migrated it.
async fn note_a_later_one(url: &str) {
    let row = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', TRUE, x'00', 0)";
    if let Some(path) = url.strip_prefix("sqlite:") {
        let mut conn = sqlx::SqliteConnection::connect(path).await.expect("opened");
        sqlx::query(row).execute(&mut conn).await.expect("inserted");
        conn.close().await.expect("closed");
    } else {
        let mut conn = sqlx::MySqlConnection::connect(url).await.expect("opened");
        sqlx::query(row).execute(&mut conn).await.expect("inserted");
        conn.close().await.expect("closed");
    }
}

both! {
    async fn command_creates_no_database(world: World) {
        let (url, folder) = new_database(&world, "never_served").await;
        for _ in 0..2 {
            let error = refusal(&url).await;
            assert!(matches!(error, StoreError::NoSchema), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }

    async fn command_does_not_migrate_an_older_schema(world: World) {
        let (url, _folder) = new_database(&world, "older").await;
        schema::make_previous(&url, &[]).await;
        for _ in 0..2 {
            let error = refusal(&url).await;
            assert!(matches!(error, StoreError::OlderSchema { found, known } if found < known), "{error}");
        }
        Store::open(&url).await.expect("migrated").close().await;
        Store::open_existing(&url).await.expect("opened").close().await;
    }

    async fn command_opens_the_database_of_a_running_server(world: World) {
        Store::open_existing(&world.url).await.expect("opened");
    }

    async fn an_older_binary_refuses_a_newer_schema(world: World) {
        world.chat.stop().await;
        note_a_later_one(&world.url).await;
        for error in [refusal(&world.url).await, Store::open(&world.url).await.err().expect("refused")] {
            assert!(matches!(error, StoreError::NewerSchema { found: 9999, .. }), "{error}");
            assert!(error.to_string().contains("newer Liao"));
        }
    }
}

/// Makes the database look like one of the first version, whose migrations began with number 1.
async fn note_the_first_version(url: &str) {
    let row = "UPDATE _sqlx_migrations SET version = 1 WHERE version = 10";
    if url.starts_with("sqlite:") {
        let mut conn = sqlx::SqliteConnection::connect(url).await.expect("opened");
        sqlx::query(row).execute(&mut conn).await.expect("changed");
        conn.close().await.expect("closed");
    } else {
        let mut conn = sqlx::MySqlConnection::connect(url).await.expect("opened");
        sqlx::query(row).execute(&mut conn).await.expect("changed");
        conn.close().await.expect("closed");
    }
}

both! {
    async fn a_database_of_the_first_version_is_refused_with_what_to_do(world: World) {
        world.chat.stop().await;
        note_the_first_version(&world.url).await;
        for error in [refusal(&world.url).await, Store::open(&world.url).await.err().expect("refused")] {
            assert!(matches!(error, StoreError::Unreleased), "{error}");
            assert!(error.to_string().contains("start with an empty data folder"));
        }
    }
}
