//! Opening the database: many at once, and not by an older binary.

use chat::{
    model::{MessageId, RoomId, User, UserId},
    store::{Store, StoreError},
};

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

/// The migrations up to version `last`, in a folder of their own.
fn up_to(last: u32, database: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(database);
    for file in std::fs::read_dir(all).expect("the migrations") {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let version: u32 = name.split('_').next().and_then(|number| number.parse().ok()).expect("a number");
        if version <= last {
            std::fs::copy(&path, folder.path().join(name)).expect("copied");
        }
    }
    folder
}

/// What stood there before 0003: amy (1) wrote the first and the third message, bob (2) the second.
const OLD_ROWS: [&str; 5] = [
    "INSERT INTO user (id, username, username_key, password_hash, created_at) \
     VALUES (1, 'amy', 'amy', '', 0), (2, 'bob', 'bob', '', 0)",
    "INSERT INTO chat_room (id, name, description, room_type, created_by, max_members, member_count, seq, rev, \
     created_at, updated_at, active_at) VALUES (1, 'Tea', '', 'public', 1, 50, 2, 3, 3, 0, 0, 0)",
    "INSERT INTO chat_room_member (room_id, user_id, role, joined_at, own_after_read) \
     VALUES (1, 1, 'admin', 0, 2), (1, 2, 'member', 0, 1)",
    "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, message_type, content, created_at, updated_at) \
     VALUES (1, 1, 1, 1, 1, 'text', 'one', 0, 0), (1, 2, 2, 2, 2, 'text', 'two', 0, 0)",
    "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, message_type, content, created_at, updated_at) \
     VALUES (1, 3, 3, 3, 1, 'text', 'three', 0, 0)",
];

both! {
    async fn messages_of_before_are_numbered_by_sender(world: World) {
        use sqlx::{Connection as _, Executor as _, migrate::Migrator};
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = if world.url.starts_with("sqlite:") {
            let url = format!("sqlite:{}", folder.path().join("old.db").display());
            let mut conn = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await.expect("opened");
            let old = up_to(2, "sqlite");
            Migrator::new(old.path()).await.expect("migrations").run(&mut conn).await.expect("migrated");
            for row in OLD_ROWS {
                conn.execute(row).await.expect("inserted");
            }
            conn.close().await.expect("closed");
            url
        } else {
            let url = tokio::task::spawn_blocking(|| crate::mariadb::shared().database("old")).await.expect("made");
            let mut conn = sqlx::MySqlConnection::connect(&url).await.expect("opened");
            let old = up_to(2, "mysql");
            Migrator::new(old.path()).await.expect("migrations").run(&mut conn).await.expect("migrated");
            for row in OLD_ROWS {
                conn.execute(row).await.expect("inserted");
            }
            conn.close().await.expect("closed");
            url
        };
        let chat = chat::Chat::start(Store::open(&url).await.expect("migrated"), crate::support::unhurried(), chat::service::Clock::fixed(crate::support::NOW));
        let (amy, bob) = (user(1, "amy"), user(2, "bob"));
        let room = RoomId(1);
        chat.send(&amy, room, crate::support::draft("four")).await.expect("stored");
        let unread = async |who: &User| chat.room(who, room).await.expect("seen").unread_count;
        assert_eq!((unread(&amy).await, unread(&bob).await), (1, 3));
        for (read, of_amy, of_bob) in [(1, 1, 2), (2, 0, 2), (3, 0, 1), (4, 0, 0)] {
            chat.mark_read(&amy, MessageId(read)).await.expect("marked");
            chat.mark_read(&bob, MessageId(read)).await.expect("marked");
            assert_eq!((unread(&amy).await, unread(&bob).await), (of_amy, of_bob), "after message {read}");
        }
        chat.stop().await;
    }
}

fn user(id: i64, name: &str) -> User {
    User { id: UserId(id), username: name.into(), first_name: String::new(), last_name: String::new() }
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
