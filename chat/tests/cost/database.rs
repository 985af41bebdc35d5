//! Databases of realistic size: a room of a million messages among a thousand rooms, and one with a hundred thousand
//! members. Filled by SQL directly.

use chat::{
    Chat, Settings,
    clock::Clock,
    model::{RoomId, Timestamp, User, UserId},
    store::Store,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, SqliteConnection};
use tempfile::TempDir;

use crate::mariadb;

/// Messages of [`LONG`]. Every tenth is amy's, the others bob's.
pub const MESSAGES: i64 = 1_000_000;
/// Rooms with messages. Every other one is private; amy and bob are in every fifth.
pub const ROOMS: i64 = 1_000;
/// Members of [`CROWD`].
pub const PEOPLE: i64 = 100_000;
/// The room of a million messages. Amy has read half of it.
pub const LONG: RoomId = RoomId(1);
/// The room of a hundred thousand members.
pub const CROWD: RoomId = RoomId(ROOMS + 1);
/// The room with only amy and bob.
pub const PAIR: RoomId = RoomId(ROOMS + 2);

/// 2026-01-25T15:30:00Z: the time of the first message.
const START: i64 = 1_769_355_000_000_000;
/// Later than all messages.
const NOW: Timestamp = Timestamp(START + 10_000_000_000);

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    MariaDb,
}

/// A domain on a database of its own.
pub struct Stage {
    pub kind: Kind,
    pub chat: Chat,
    /// The user whose calls are measured.
    pub amy: User,
    pub bob: User,
    /// A direct connection to the database.
    pub side: Side,
    url: String,
    _folder: TempDir,
}

/// A connection of the test itself.
pub enum Side {
    Sqlite(SqliteConnection),
    MariaDb(MySqlConnection),
}

impl Side {
    /// Runs statements.
    pub async fn run(&mut self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(conn) => conn.execute(sql).await.map(drop).expect("run"),
            Self::MariaDb(conn) => conn.execute(sql).await.map(drop).expect("run"),
        }
    }
}

impl Stage {
    /// A new, empty database named `name`.
    pub async fn empty(kind: Kind, name: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (url, path) = match kind {
            Kind::Sqlite => {
                let path = folder.path().join("liao.db");
                (format!("sqlite:{}", path.display()), path.display().to_string())
            }
            Kind::MariaDb => {
                let url = tokio::task::spawn_blocking(|| mariadb::shared().database(name));
                let url = url.await.expect("the server answers");
                (url.clone(), url)
            }
        };
        let chat = start(&url).await;
        let side = match kind {
            Kind::Sqlite => Side::Sqlite(SqliteConnection::connect(&path).await.expect("opened")),
            Kind::MariaDb => Side::MariaDb(MySqlConnection::connect(&path).await.expect("connected")),
        };
        let (amy, bob) = (user(1, "amy"), user(2, "bob"));
        let mut stage = Self { kind, chat, amy, bob, side, url, _folder: folder };
        stage.prepare().await;
        stage
    }

    /// The same with new connections.
    pub async fn restarted(self) -> Self {
        self.chat.stop().await;
        Self { chat: start(&self.url).await, ..self }
    }

    /// Prepares the database for fast filling, and adds two users.
    async fn prepare(&mut self) {
        self.side
            .run(match self.kind {
                Kind::Sqlite => "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000",
                Kind::MariaDb => {
                    "SET GLOBAL innodb_buffer_pool_size = 536870912; SET foreign_key_checks = 0; SET unique_checks = 0"
                }
            })
            .await;
        let people = "INSERT INTO user (id, username, username_key, password_hash, created_at) \
            VALUES (1, 'amy', 'amy', '', 0), (2, 'bob', 'bob', '', 0)";
        self.side.run(people).await;
    }

    /// The numbers from 1 to `last`, as a table with the column `i`.
    fn numbers(&self, last: i64) -> String {
        match self.kind {
            Kind::Sqlite => format!(
                "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n)"
            ),
            Kind::MariaDb => format!("(SELECT seq AS i FROM seq_1_to_{last})"),
        }
    }

    /// A public room with the first `members` users.
    pub async fn add_crowd(&mut self, room: RoomId, members: i64) {
        let (id, numbers) = (room.0, self.numbers(members));
        self.side
            .run(&format!(
                "INSERT INTO chat_room (id, name, description, room_type, created_by, max_members, member_count, \
                 created_at, updated_at, active_at) \
                 VALUES ({id}, 'crowd', '', 'public', 1, 100000, {members}, {START}, {START}, {START}); \
                 INSERT INTO chat_room_member (room_id, user_id, role, joined_at) \
                 SELECT {id}, i, CASE i WHEN 1 THEN 'admin' ELSE 'member' END, {START} + i FROM {numbers} n"
            ))
            .await;
    }

    /// Users besides amy and bob, [`PEOPLE`] in all.
    pub async fn add_people(&mut self) {
        let numbers = self.numbers(PEOPLE);
        self.side
            .run(&format!(
                "INSERT INTO user (id, username, username_key, password_hash, created_at) \
                 SELECT i, CAST(i AS CHAR), CAST(i AS CHAR), '', 0 FROM {numbers} n WHERE i > 2"
            ))
            .await;
    }

    /// [`ROOMS`] rooms with twenty messages each, [`LONG`] with [`MESSAGES`].
    pub async fn add_history(&mut self) {
        let (rooms, messages) = (self.numbers(ROOMS), self.numbers(MESSAGES));
        let (twenty, thousand) = (self.numbers(20), self.numbers(1_000));
        let active =
            format!("CASE n.i WHEN 1 THEN {START} + {MESSAGES} * 1000 ELSE {START} + n.i * 1000000 + 20 END");
        let columns = "INSERT INTO chat_message (id, room_id, seq, rev, created_rev, sender_id, sender_seq, \
            message_type, content, created_at, updated_at)";
        let tenth = "(n.i - n.i % 10) / 10";
        for sql in [
            format!(
                "INSERT INTO chat_room (id, name, description, room_type, created_by, max_members, member_count, \
                 seq, rev, created_at, updated_at, active_at) \
                 SELECT n.i, CAST(n.i AS CHAR), '', CASE n.i % 2 WHEN 1 THEN 'public' ELSE 'private' END, 1, 50, 2, \
                 CASE n.i WHEN 1 THEN {MESSAGES} ELSE 20 END, CASE n.i WHEN 1 THEN {MESSAGES} ELSE 20 END, \
                 {START}, {START}, {active} FROM {rooms} n"
            ),
            format!(
                "{columns} SELECT n.i, 1, n.i, n.i, n.i, CASE n.i % 10 WHEN 0 THEN 1 ELSE 2 END, \
                 CASE n.i % 10 WHEN 0 THEN n.i / 10 ELSE n.i - {tenth} END, 'text', 'tea?', \
                 {START} + n.i * 1000, {START} + n.i * 1000 FROM {messages} n"
            ),
            format!(
                "{columns} SELECT {MESSAGES} + n.i * 20 + k.i, n.i, k.i, k.i, k.i, 2, k.i, 'text', 'cake?', \
                 {START} + n.i * 1000000 + k.i, {START} + n.i * 1000000 + k.i \
                 FROM {rooms} n CROSS JOIN {twenty} k WHERE n.i > 1"
            ),
            format!(
                "INSERT INTO chat_room_member (room_id, user_id, role, joined_at, last_read_seq, own_after_read, \
                 sent, sent_upto) \
                 SELECT n.i, u.id, CASE u.id WHEN 1 THEN 'admin' ELSE 'member' END, {START}, \
                 CASE n.i WHEN 1 THEN {MESSAGES} / 2 ELSE 10 END, \
                 CASE n.i WHEN 1 THEN (CASE u.id WHEN 1 THEN 50000 ELSE 450000 END) ELSE (u.id - 1) * 10 END, \
                 CASE n.i WHEN 1 THEN (CASE u.id WHEN 1 THEN 100000 ELSE 900000 END) ELSE (u.id - 1) * 20 END, \
                 CASE n.i WHEN 1 THEN {MESSAGES} ELSE 20 END \
                 FROM {rooms} n CROSS JOIN user u WHERE u.id <= 2 AND n.i % 5 = 1"
            ),
            format!(
                "INSERT INTO chat_message_read (room_id, user_id, seq, read_at) \
                 SELECT n.i, 2, 10, {START} FROM {rooms} n"
            ),
            format!(
                "INSERT INTO chat_notification (user_id, notification_type, room_id, message_id, title, content, created_at) \
                 SELECT 1, CASE n.i % 2 WHEN 1 THEN 'mention' ELSE 'message' END, 1, {MESSAGES} - n.i * 100 + 1, '', '', \
                 {START} FROM {thousand} n"
            ),
            format!(
                "INSERT INTO chat_notification (user_id, notification_type, room_id, title, content, created_at) \
                 SELECT 1, 'room_invite', n.i, 'in', 'in', {START} + n.i FROM {thousand} n"
            ),
            format!(
                "INSERT INTO chat_notification (user_id, notification_type, room_id, title, content, created_at) \
                 SELECT 2, 'room_invite', n.i, 'in', 'in', {START} + n.i FROM {rooms} n CROSS JOIN {twenty} k"
            ),
        ] {
            self.side.run(&sql).await;
        }
        if self.kind == Kind::MariaDb {
            let tables =
                "user, chat_room, chat_room_member, chat_message, chat_message_read, chat_notification";
            self.side.run(&format!("ANALYZE TABLE {tables}")).await;
        }
    }
}

async fn start(url: &str) -> Chat {
    let store = Store::open(url).await.expect("the store opens");
    let settings = Settings {
        writes_per_second: 0,
        acts_per_minute: 0,
        read_marks_per_second: 0,
        rooms_per_day: 0,
        ..Settings::default()
    };
    Chat::start(store, settings, Clock::fixed(NOW))
}

fn user(id: i64, name: &str) -> User {
    User { id: UserId(id), username: name.into(), first_name: String::new(), last_name: String::new() }
}
