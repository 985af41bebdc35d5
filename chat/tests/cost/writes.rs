//! The cost of a message does not depend on the number of members.

use chat::model::{MessageDraft, RoomId};
use sqlx::Row as _;

use crate::{
    ALONE,
    database::{CROWD, Kind, PAIR, PEOPLE, Side, Stage},
    statements,
};

/// Triggers record every write to any table of the domain, by any connection.
async fn watch(stage: &mut Stage) {
    stage.side.run("CREATE TABLE written (what VARCHAR(64) NOT NULL)").await;
    let tables =
        ["user", "chat_room", "chat_room_member", "chat_message", "chat_message_read", "chat_notification"];
    for table in tables {
        for verb in ["INSERT", "UPDATE", "DELETE"] {
            let line = format!("INSERT INTO written (what) VALUES ('{verb} {table}')");
            let body = match stage.kind {
                Kind::Sqlite => format!("BEGIN {line}; END"),
                Kind::MariaDb => line,
            };
            let name = format!("watch_{verb}_{table}");
            stage
                .side
                .run(&format!("CREATE TRIGGER {name} AFTER {verb} ON {table} FOR EACH ROW {body}"))
                .await;
        }
    }
}

async fn written(stage: &mut Stage) -> Vec<String> {
    const SQL: &str = "SELECT what FROM written ORDER BY what";
    let lines = match &mut stage.side {
        Side::Sqlite(conn) => {
            let rows = sqlx::query(SQL).fetch_all(conn).await.expect("read");
            rows.iter().map(|row| row.get("what")).collect()
        }
        Side::MariaDb(conn) => {
            let rows = sqlx::query(SQL).fetch_all(conn).await.expect("read");
            rows.iter().map(|row| row.get("what")).collect()
        }
    };
    stage.side.run("DELETE FROM written").await;
    lines
}

/// The cost of one message to `room`: rows written, and statements.
async fn sending(stage: &mut Stage, room: RoomId, text: &str) -> (Vec<String>, Vec<String>) {
    let draft = MessageDraft { content: text.into(), ..MessageDraft::default() };
    let (sent, statements) = statements::of(stage.chat.send(&stage.amy, room, draft)).await;
    sent.expect("stored");
    (written(stage).await, statements)
}

async fn message_cost_is_independent_of_members(kind: Kind) {
    let _alone = ALONE.lock().await;
    let mut stage = Stage::empty(kind, "writes").await;
    stage.add_people().await;
    stage.add_crowd(CROWD, PEOPLE).await;
    stage.add_crowd(PAIR, 2).await;
    watch(&mut stage).await;
    for (text, rows) in [
        ("tea?", &["INSERT chat_message", "UPDATE chat_room", "UPDATE chat_room_member"][..]),
        (
            "tea, @bob?",
            &[
                "INSERT chat_message",
                "INSERT chat_notification",
                "UPDATE chat_room",
                "UPDATE chat_room_member",
            ],
        ),
    ] {
        let pair = sending(&mut stage, PAIR, text).await;
        assert_eq!(pair.0, rows, "{text}");
        assert_eq!(sending(&mut stage, CROWD, text).await, pair, "{text}");
    }
    let read = stage.chat.unread_notifications(&stage.bob).await.expect("counted");
    assert_eq!(read, 4, "and yet everybody has it");
    stage.chat.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_cost_is_independent_of_members_on_sqlite() {
    message_cost_is_independent_of_members(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_cost_is_independent_of_members_on_mariadb() {
    message_cost_is_independent_of_members(Kind::MariaDb).await;
}
