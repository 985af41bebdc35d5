//! The number of SQL statements of each call, which must not depend on the amount of data.
//!
//! They are counted in the server's log, where the driver logs each statement. The test has a server of its own and
//! makes one call at a time, so that every line belongs to the call.

use std::{
    fs::File,
    path::PathBuf,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    calls,
    support::{Answer, Client, PASSWORD, Person, Server, mariadb_url},
};

/// A call, its query, and its number of statements on SQLite and on MariaDB.
struct Row {
    call: &'static str,
    case: &'static str,
    path: String,
    body: Option<Value>,
    status: u16,
    made: [usize; 2],
}

/// The amount of data.
#[derive(Clone, Copy)]
struct Size {
    messages: usize,
    rooms: usize,
    members: usize,
}

const SMALL: Size = Size { messages: 4, rooms: 3, members: 3 };
const LARGE: Size = Size { messages: 150, rooms: 40, members: 24 };

/// A server whose statements are counted.
struct Counted {
    server: Server,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Counted {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let file = File::create(&log).expect("a file");
        let flags =
            [flags, &["--log=off,sqlx::query=debug", "--log-format=json", "--writes-per-second=0"]].concat();
        let counted = Self { server: Server::start_logged(&flags, file), log, _folder: folder };
        counted.wait_for_jobs();
        counted
    }

    /// Waits for the server's first look for jobs. Before that it registers recurring ones.
    fn wait_for_jobs(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.summaries().iter().any(|sql| sql.contains("FROM job")) {
            assert!(Instant::now() < deadline, "no look for jobs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn summaries(&self) -> Vec<String> {
        let log = std::fs::read_to_string(&self.log).expect("the log");
        let summaries = log.lines().filter_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            Some(event["summary"].as_str()?.to_owned())
        });
        summaries.collect()
    }

    /// The statements so far, without those that begin or end a transaction, a part of one, or a connection.
    fn statements(&self) -> Vec<String> {
        let brackets = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET "];
        let is_bracket =
            |sql: &String| brackets.iter().any(|word| sql.starts_with(word)) && !sql.contains(';');
        // The server's own poll once a second, its look for jobs, the set-up of a further connection, and accounts: that of the caller is
        // cached for a while.
        let is_poll = |sql: &String| {
            ["rev, kind, ref", "PRAGMA journal_mode", "id, username, first_name", "FROM job", "INTO job"]
                .iter()
                .any(|own| sql.contains(own))
        };
        self.summaries().into_iter().filter(|sql| !is_bracket(sql) && !is_poll(sql)).collect()
    }
}

/// The data, by name.
struct Stage {
    amy: Person,
    bob: Person,
    cat: Person,
    /// Amy's room with all the messages and members.
    room: i64,
    /// Amy's room without other members.
    empty: i64,
    /// The oldest and the newest message of `room`.
    ends: [i64; 2],
    /// A message of another room.
    elsewhere: i64,
    /// The cursor of the second page of rooms.
    next: String,
    /// A notification of bob's.
    notification: i64,
}

async fn stage(server: &Server, size: Size) -> Stage {
    let (amy, bob, cat) =
        (server.person("amy").await, server.person("bob").await, server.person("cat").await);
    let mut elsewhere = 0;
    for _ in 0..size.rooms {
        let other = amy.makes_room("public").await;
        bob.joins(other).await;
        elsewhere = amy.says(other, "elsewhere").await["id"].as_i64().expect("an id");
    }
    let (empty, room) = (amy.makes_room("private").await, amy.makes_room("public").await);
    bob.joins(room).await;
    for _ in 2..size.members {
        server.person("member").await.joins(room).await;
    }
    let mut ends = [0, 0];
    for n in 0..size.messages {
        let sender = if n % 5 == 1 { &bob } else { &amy };
        let id = sender.says(room, &format!("tea, @{}?", bob.username)).await["id"].as_i64().expect("an id");
        ends = [if n == 0 { id } else { ends[0] }, id];
    }
    let page = amy.client.get("/api/chat/rooms/?page_size=2").await;
    let link = page.headers["link"].to_str().expect("text").to_owned();
    let next = link.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
    let notifications = bob.client.get("/api/chat/notifications/").await.expect(200);
    let notification = notifications[1]["id"].as_i64().expect("an id");
    Stage { amy, bob, cat, room, empty, ends, elsewhere, next, notification }
}

#[rustfmt::skip]
fn rows(stage: &Stage, name: &str) -> Vec<(Client, Row)> {
    let Stage { amy, bob, cat, room, empty, ends: [first, last], elsewhere, next, notification } = stage;
    let anyone = amy.client.without_token();
    let credentials = json!({"username": amy.username, "password": PASSWORD});
    let rooms = "/api/chat/rooms/";
    let of_room = format!("{rooms}{room}/");
    let history = format!("{of_room}messages/");
    let notices = "/api/chat/notifications/";
    let message = |id: &i64, rest: &str| format!("/api/chat/messages/{id}/{rest}");
    let row = |who: &Client, call, case, path: &str, body, status, made| {
        (who.clone(), Row { call, case, path: path.to_owned(), body, status, made })
    };
    let none = || Some(json!({}));
    let (a, b, c) = (&amy.client, &bob.client, &cat.client);
    vec![
        row(&anyone, "POST /api/token/", "", "/api/token/", Some(credentials), 200, [1, 1]),
        row(&anyone, "POST /api/token/refresh/", "", "/api/token/refresh/", Some(json!({"refresh": amy.refresh})), 200, [1, 1]),
        row(&anyone, "POST /api/token/verify/", "", "/api/token/verify/", Some(json!({"token": amy.refresh})), 200, [1, 1]),
        row(&anyone, "POST /api/register/", "", "/api/register/", Some(json!({"username": name, "password": PASSWORD})), 201, [2, 2]),
        row(a, "GET /api/me/", "", "/api/me/", None, 200, [0, 0]),
        // What the rooms look like is read with the first list, and kept for those after it.
        row(a, "GET /api/chat/rooms/", "all", rooms, None, 200, [2, 2]),
        row(a, "GET /api/chat/rooms/", "a page", &format!("{rooms}?page_size=2"), None, 200, [1, 1]),
        row(a, "GET /api/chat/rooms/", "a page by number", &format!("{rooms}?page=2&page_size=2"), None, 200, [2, 2]),
        row(a, "GET /api/chat/rooms/", "a page by place", next, None, 200, [1, 1]),
        row(a, "GET /api/chat/rooms/", "narrowed", &format!("{rooms}?mine=true&search=tea&room_type=public"), None, 200, [1, 1]),
        row(a, "POST /api/chat/rooms/", "", rooms, Some(json!({"name": "x", "room_type": "group"})), 201, [9, 9]),
        row(a, "GET /api/chat/rooms/{id}/", "", &of_room, None, 200, [3, 3]),
        row(a, "PATCH /api/chat/rooms/{id}/", "", &of_room, Some(json!({"name": "Tea 2"})), 200, [9, 9]),
        row(a, "GET /api/chat/rooms/{id}/members/", "", &format!("{of_room}members/"), None, 200, [2, 2]),
        row(c, "POST /api/chat/rooms/{id}/join/", "", &format!("{of_room}join/"), none(), 200, [11, 11]),
        row(c, "POST /api/chat/rooms/{id}/join/", "again", &format!("{of_room}join/"), none(), 200, [3, 3]),
        row(a, "GET /api/chat/rooms/{id}/messages/", "page 1", &history, None, 200, [1, 2]),
        row(a, "GET /api/chat/rooms/{id}/messages/", "page 2", &format!("{history}?page=2&page_size=2"), None, 200, [1, 2]),
        row(a, "GET /api/chat/rooms/{id}/messages/", "before_id", &format!("{history}?before_id={last}"), None, 200, [3, 3]),
        row(a, "GET /api/chat/rooms/{id}/messages/", "after_id", &format!("{history}?after_id={first}"), None, 200, [3, 3]),
        row(a, "GET /api/chat/rooms/{id}/messages/", "after_id of another room", &format!("{history}?after_id={elsewhere}"), None, 200, [4, 4]),
        row(a, "POST /api/chat/rooms/{id}/messages/", "", &history, Some(json!({"content": "tea"})), 201, [2, 6]),
        row(a, "POST /api/chat/rooms/{id}/messages/", "all there is", &history,
            Some(json!({"content": format!("@{} @{}", bob.username, cat.username), "reply_to": first, "client_id": "x"})), 201, [9, 13]),
        row(a, "POST /api/chat/rooms/{id}/messages/", "again", &history,
            Some(json!({"content": format!("@{} @{}", bob.username, cat.username), "reply_to": first, "client_id": "x"})), 200, [3, 4]),
        row(a, "PATCH /api/chat/messages/{id}/", "", &message(last, ""), Some(json!({"content": "cake"})), 200, [8, 9]),
        row(a, "DELETE /api/chat/messages/{id}/delete/", "", &message(last, "delete/"), None, 200, [7, 8]),
        row(b, "POST /api/chat/messages/{id}/read/", "", &message(last, "read/"), none(), 200, [7, 7]),
        row(b, "POST /api/chat/messages/{id}/read/", "again", &message(last, "read/"), none(), 200, [3, 3]),
        row(a, "GET /api/chat/messages/{id}/reads/", "", &message(first, "reads/"), None, 200, [3, 3]),
        row(b, "GET /api/chat/notifications/", "", notices, None, 200, [5, 5]),
        row(b, "GET /api/chat/notifications/", "before_id", &format!("{notices}?unread=true&limit=2&before_id={notification}"), None, 200, [7, 7]),
        row(b, "GET /api/chat/notifications/unread_count/", "", &format!("{notices}unread_count/"), None, 200, [3, 3]),
        row(b, "POST /api/chat/notifications/{id}/read/", "", &format!("{notices}{notification}/read/"), none(), 200, [1, 1]),
        row(b, "POST /api/chat/notifications/read_all/", "", &format!("{notices}read_all/"), none(), 200, [8, 8]),
        row(a, "POST /api/chat/rooms/{id}/members/", "", &format!("{rooms}{empty}/members/"), Some(json!({"username": bob.username})), 201, [16, 16]),
        row(a, "PATCH /api/chat/rooms/{id}/members/{user_id}/", "", &format!("{rooms}{empty}/members/{}/", bob.id), Some(json!({"role": "moderator", "is_muted": true})), 200, [9, 9]),
        row(a, "PATCH /api/chat/rooms/{id}/members/{user_id}/", "a ban", &format!("{of_room}members/{}/", cat.id), Some(json!({"is_banned": true})), 200, [10, 10]),
        row(a, "DELETE /api/chat/rooms/{id}/members/{user_id}/", "", &format!("{of_room}members/{}/", bob.id), None, 204, [10, 10]),
        row(a, "POST /api/chat/rooms/{id}/leave/", "the last admin", &format!("{of_room}leave/"), none(), 200, [13, 13]),
        row(a, "DELETE /api/chat/rooms/{id}/", "", &format!("{rooms}{empty}/"), None, 204, [6, 6]),
        row(&anyone, "POST /api/token/blacklist/", "", "/api/token/blacklist/", Some(json!({"refresh": amy.refresh})), 200, [5, 5]),
    ]
}

async fn ask(who: &Client, row: &Row) -> Answer {
    let method = row.call.split(' ').next().and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let request = who.request(method.expect("a method"), &row.path);
    Client::send(match &row.body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

async fn each_call_makes_its_number_of_statements(counted: &Counted, database: usize) {
    let mut wrong = Vec::new();
    for (name, size) in [("small", SMALL), ("large", LARGE)] {
        let stage = stage(&counted.server, size).await;
        let rows = rows(&stage, &format!("new_{name}"));
        calls::assert_complete(rows.iter().map(|(_, row)| row.call));
        for (who, row) in rows {
            let before = counted.statements().len();
            let answer = ask(&who, &row).await;
            assert_eq!(answer.status.as_u16(), row.status, "{} {}: {}", row.call, row.case, answer.body);
            let made = counted.statements().split_off(before);
            if made.len() != row.made[database] {
                let made =
                    format!("{}, not {}:\n    {}", made.len(), row.made[database], made.join("\n    "));
                wrong.push(format!("{} {} ({name}) makes {made}", row.call, row.case));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_call_makes_its_number_of_statements_on_sqlite() {
    each_call_makes_its_number_of_statements(&Counted::start(&[]), 0).await;
}

#[tokio::test]
async fn each_call_makes_its_number_of_statements_on_mariadb() {
    let database = format!("--database-url={}", mariadb_url("statements").await);
    each_call_makes_its_number_of_statements(&Counted::start(&[&database]), 1).await;
}
