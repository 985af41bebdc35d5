//! With a million messages in one room and a thousand rooms, every read uses an index, at any depth of pagination.

use std::time::Duration;

use chat::{
    credential::{Claim, Credential, SignInId},
    model::{MessageId, Notification, NotificationId, Timestamp},
    service::{
        history::HistoryQuery,
        notifications::NotificationQuery,
        room_session::Resume,
        rooms::{RoomCursor, RoomFilter},
    },
};
use futures::future::{BoxFuture, FutureExt as _};
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    ALONE,
    database::{CROWD, Kind, LONG, MESSAGES, ROOMS, Side, Stage},
    statements,
};

mod slow_log;

/// Timeout for entries to appear in the log.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A call, and how many rows the database may examine for it: proportional to the result, not to the messages of the
/// room.
struct Call<'a> {
    name: &'static str,
    rows: u64,
    work: BoxFuture<'a, ()>,
}

fn call<'a>(name: &'static str, rows: u64, work: impl Future<Output = ()> + Send + 'a) -> Call<'a> {
    Call { name, rows, work: work.boxed() }
}

fn histories(stage: &Stage) -> Vec<Call<'_>> {
    let read = move |query: HistoryQuery, first: i64, last: i64| async move {
        let page = stage.chat.history(&stage.amy, LONG, query).await.expect("readable");
        let ids: Vec<i64> = page.messages.iter().map(|message| message.id.0).collect();
        assert_eq!((ids.first(), ids.last(), page.total), (Some(&first), Some(&last), MESSAGES));
    };
    let none = HistoryQuery { page_size: Some(20), ..HistoryQuery::default() };
    let page = |page| HistoryQuery { page: Some(page), ..none };
    // A message of another room, older than the last few of this one.
    let elsewhere = MESSAGES + 2 * 20 + 7;
    vec![
        call("page 1", 100, read(page(1), MESSAGES, MESSAGES - 19)),
        call("page 25,000", 100, read(page(25_000), MESSAGES - 499_980, MESSAGES - 499_999)),
        call("page 50,000, the last", 100, read(page(50_000), 20, 1)),
        call("before_id", 100, read(HistoryQuery { before_id: Some(500_001), ..none }, 500_000, 499_981)),
        call("after_id", 100, read(HistoryQuery { after_id: Some(500_000), ..none }, 500_001, 500_020)),
        call(
            "before_id of another room",
            300,
            read(HistoryQuery { before_id: Some(elsewhere), ..none }, MESSAGES, MESSAGES - 19),
        ),
    ]
}

fn rooms(stage: &Stage) -> Vec<Call<'_>> {
    let rooms = u64::try_from(ROOMS).expect("positive");
    let list = move |filter: RoomFilter, page: Option<i64>, count: usize| async move {
        let found = match page {
            Some(page) => {
                stage.chat.room_page(&stage.amy, filter, page).await.expect("listed").rooms.to_rooms()
            }
            None => stage.chat.rooms(&stage.amy, &filter).await.expect("listed").to_rooms(),
        };
        assert_eq!(found.len(), count);
    };
    let twenty = RoomFilter { limit: 20, ..RoomFilter::default() };
    let place = RoomCursor { active_at: stage.chat.clock().now(), room: LONG };
    vec![
        call(
            "all rooms",
            rooms * 10,
            list(RoomFilter { limit: i64::MAX, ..RoomFilter::default() }, None, 601),
        ),
        call("rooms, page 1", rooms * 5, list(twenty.clone(), Some(1), 20)),
        call("rooms, page 20", rooms * 10, list(twenty.clone(), Some(20), 20)),
        call(
            "rooms after a place",
            rooms * 5,
            list(RoomFilter { after: Some(place), ..twenty.clone() }, Some(2), 20),
        ),
        call("my rooms", rooms * 5, list(RoomFilter { mine: true, ..twenty }, Some(1), 20)),
        call("a room with its unread count", 1_000, async move {
            let room = stage.chat.room(&stage.amy, LONG).await.expect("seen");
            assert_eq!(room.unread_count, 450_000);
        }),
        call("a room of 100,000 members", 1_000, async move {
            let room = stage.chat.room(&stage.amy, CROWD).await.expect("seen");
            assert_eq!(room.members.map(|members| members.len()), Some(200));
        }),
        call("members", 20, async move {
            assert_eq!(stage.chat.members(&stage.amy, LONG).await.expect("listed").len(), 2);
        }),
        call("readers", 20, async move {
            assert_eq!(stage.chat.readers(&stage.amy, MessageId(10)).await.expect("listed").len(), 1);
        }),
    ]
}

fn notifications(stage: &Stage) -> Vec<Call<'_>> {
    let rooms = u64::try_from(ROOMS).expect("positive");
    let list = move |query: NotificationQuery| async move {
        let found: Vec<Notification> = stage.chat.notifications(&stage.amy, query).await.expect("listed");
        assert_eq!(found.len(), 50);
    };
    let none = NotificationQuery::default();
    let before = NotificationId::from(chat::model::NotificationRef::Message(MessageId(800_001))).0;
    vec![
        call("notifications", rooms * 10, list(none)),
        call("unread notifications", rooms * 10, list(NotificationQuery { unread: true, ..none })),
        // Each room is bisected until the position is found, the long one in twenty steps.
        call(
            "notifications before one",
            rooms * 40,
            list(NotificationQuery { before_id: Some(before), ..none }),
        ),
        call("unread_count", rooms * 10, async move {
            let count = stage.chat.unread_notifications(&stage.amy).await.expect("counted");
            assert!(count > 450_000, "{count}");
        }),
    ]
}

/// Resuming a socket.
fn resumes(stage: &Stage) -> Vec<Call<'_>> {
    let back = move |resume: Resume| async move {
        let credential = Credential::Token {
            sign_in: SignInId::new("amy's"),
            issued_at: stage.chat.clock().now(),
            expires_at: Timestamp(i64::MAX),
        };
        let socket = stage.chat.connect(Claim { user: stage.amy.id, credential }).await.expect("admitted");
        let mut session = socket.open_room(LONG, Some(resume)).await.expect("open");
        for _ in 0..=100 {
            session.next().await.expect("a frame");
        }
        assert_eq!(session.queued_bytes(), 0, "the first frame, and a hundred that were missed");
    };
    vec![
        call("resuming by message", 1_000, back(Resume::AfterId(MESSAGES - 100))),
        call("resuming by change", 1_000, back(Resume::AfterRev(MESSAGES - 100))),
    ]
}

/// These write, so they run last.
fn changes(stage: &Stage) -> Vec<Call<'_>> {
    let rooms = u64::try_from(ROOMS).expect("positive");
    vec![
        call("reading on in the middle", 100, async move {
            stage.chat.mark_read(&stage.amy, MessageId(700_000)).await.expect("marked");
            let room = stage.chat.room(&stage.amy, LONG).await.expect("seen");
            assert_eq!(room.unread_count, 270_000);
        }),
        call("sending", 100, async move {
            let draft = chat::model::MessageDraft { content: "@bob tea".into(), ..Default::default() };
            stage.chat.send(&stage.amy, LONG, draft).await.expect("stored");
        }),
        call("deleting", 100, async move {
            stage.chat.delete(&stage.amy, MessageId(500_000)).await.expect("deleted");
        }),
        call("reading everything", rooms * 20, async move {
            stage.chat.mark_all_notifications_read(&stage.amy).await.expect("marked");
            assert_eq!(stage.chat.unread_notifications(&stage.amy).await.expect("counted"), 0);
        }),
    ]
}

async fn full(kind: Kind) -> Stage {
    let mut stage = Stage::empty(kind, "plans").await;
    stage.add_people().await;
    stage.add_history().await;
    stage.add_crowd(CROWD, crate::database::PEOPLE).await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_read_uses_an_index() {
    let _alone = ALONE.lock().await;
    let mut stage = full(Kind::Sqlite).await;
    let mut made = Vec::new();
    for calls in [histories, rooms, notifications, resumes, changes] {
        for Call { name, work, .. } in calls(&stage) {
            made.extend(statements::of(work).await.1.into_iter().map(|sql| (name, sql)));
        }
    }
    let mut bad = Vec::new();
    for (name, sql) in made {
        let counts = sql.contains("COUNT(") && sql.contains("FROM chat_message");
        let plan = explain(&mut stage.side, &sql).await;
        if counts || sql.contains("OFFSET") || plan.iter().any(|step| is_costly(name, step)) {
            bad.push(format!("{name}\n  {sql}\n    {}", plan.join("\n    ")));
        }
    }
    stage.chat.stop().await;
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// SQLite's query plan, step by step.
async fn explain(side: &mut Side, sql: &str) -> Vec<String> {
    let Side::Sqlite(conn) = side else { panic!("SQLite's words") };
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(conn).await;
    rows.expect("a plan").iter().map(|row| row.get::<String, _>("detail")).collect()
}

/// Whether this step scans a table, or sorts a large result.
fn is_costly(name: &str, step: &str) -> bool {
    // A table of a few rows, and results of parts of the same statement, as small as the final result.
    let small = ["job", "p", "q", "j", "n", "anyones", "own", "part", "span", "CONSTANT", "(subquery", "k"];
    match step.strip_prefix("SCAN ") {
        Some(rest) => !small.contains(&rest.split([' ', '-']).next().unwrap_or_default()),
        // The user's own rooms, and the readers of a message, are sorted.
        None => step.starts_with("USE TEMP B-TREE") && !name.contains("room") && name != "readers",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mariadb_every_read_uses_a_key_and_examines_few_rows() {
    let _alone = ALONE.lock().await;
    let mut stage = full(Kind::MariaDb).await;
    let log = slow_log::SlowLog::start(&mut stage.side).await;
    let stage = stage.restarted().await;
    // Discards the statements of the start.
    log.entries(1, TIMEOUT).await;
    let mut bad = Vec::new();
    for calls in [histories, rooms, notifications, resumes, changes] {
        for Call { name, rows, work } in calls(&stage) {
            let ((), made) = statements::of(work).await;
            let entries = log.entries(made.len(), TIMEOUT).await;
            let examined: u64 = entries.iter().map(|entry| entry.rows_examined).sum();
            if examined > rows || entries.iter().any(slow_log::Entry::is_costly) {
                let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
                bad.push(format!("{name}: {examined} rows, {rows} allowed\n{}", entries.join("\n")));
            }
        }
    }
    stage.chat.stop().await;
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
