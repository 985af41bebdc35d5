//! Each call of the API, with the fields of its body and query.

use serde_json::{Value, json};

use self::Kind::{Choice, Flag, Link, Message, Number, Place, Text, Token};
use super::Stage;
use crate::support::PASSWORD;

/// The type of a field or parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string with a maximum length in characters.
    Text(usize),
    /// A token: any invalid string is a 401.
    Token,
    /// One of some values.
    Choice,
    /// A URL.
    Link,
    /// An integer within an inclusive range.
    Number(i64, i64),
    /// A message of this room.
    Message,
    /// `true` or `false`.
    Flag,
    /// A cursor of a list.
    Place,
}

/// A field of a body.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// Is it required?
    pub required: bool,
    /// May it be null?
    pub nullable: bool,
}

/// A call that succeeds as it is.
pub struct Row {
    pub call: &'static str,
    /// The path, with the ids of the stage.
    pub path: String,
    pub body: Option<Value>,
    pub fields: Vec<Field>,
    pub query: Vec<(&'static str, Kind)>,
    /// Is a token needed?
    pub signed_in: bool,
}

/// The range of pages and page sizes: too large ones are clamped, up to the largest integer of JavaScript.
const ANY_PAGE: Kind = Number(1, MAX_ID);

/// The largest id.
pub const MAX_ID: i64 = (1 << 53) - 1;

fn row(call: &'static str, path: String) -> Row {
    Row { call, path, body: None, fields: Vec::new(), query: Vec::new(), signed_in: true }
}

impl Row {
    fn body(self, body: Value, fields: Vec<Field>) -> Self {
        Self { body: Some(body), fields, ..self }
    }

    fn query(self, query: &[(&'static str, Kind)]) -> Self {
        Self { query: query.to_vec(), ..self }
    }

    fn anyone(self) -> Self {
        Self { signed_in: false, ..self }
    }
}

/// A required field.
fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, nullable: false }
}

/// A field that may be missing or null.
fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: true }
}

/// A field of a patch: it may be missing but not null.
fn change(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: false }
}

/// All calls.
pub fn rows(stage: &Stage) -> Vec<Row> {
    [of_accounts(stage), of_rooms(stage), of_messages(stage)].into_iter().flatten().collect()
}

fn of_accounts(Stage { bob, .. }: &Stage) -> Vec<Row> {
    vec![
        row("POST /api/token/", "/api/token/".into()).anyone().body(
            json!({"username": bob.username, "password": PASSWORD}),
            vec![must("username", Text(150)), must("password", Text(1_024))],
        ),
        row("POST /api/token/refresh/", "/api/token/refresh/".into())
            .anyone()
            .body(json!({"refresh": bob.refresh}), vec![must("refresh", Token)]),
        row("POST /api/token/verify/", "/api/token/verify/".into())
            .anyone()
            .body(json!({"token": bob.refresh}), vec![must("token", Token)]),
        row("POST /api/token/blacklist/", "/api/token/blacklist/".into())
            .anyone()
            .body(json!({"refresh": bob.refresh}), vec![must("refresh", Token)]),
        row("POST /api/register/", "/api/register/".into()).anyone().body(
            json!({"username": "newcomer", "password": PASSWORD, "first_name": "n", "last_name": "c"}),
            vec![
                must("username", Text(150)),
                must("password", Text(1_024)),
                may("first_name", Text(150)),
                may("last_name", Text(150)),
            ],
        ),
        row("GET /api/me/", "/api/me/".into()),
    ]
}

fn of_rooms(Stage { room, bob, .. }: &Stage) -> Vec<Row> {
    let rooms = "/api/chat/rooms/";
    let of_room = |rest: &str| format!("{rooms}{room}/{rest}");
    vec![
        row("GET /api/chat/rooms/", rooms.into()).query(&[
            ("search", Text(100)),
            ("room_type", Choice),
            ("mine", Flag),
            ("page", ANY_PAGE),
            ("page_size", ANY_PAGE),
            ("after", Place),
        ]),
        row("POST /api/chat/rooms/", rooms.into()).body(
            json!({"name": "Tea", "room_type": "public", "description": "d", "max_members": 5}),
            vec![
                must("name", Text(100)),
                must("room_type", Choice),
                may("description", Text(2_000)),
                may("max_members", Number(2, 100_000)),
            ],
        ),
        row("GET /api/chat/rooms/{id}/", of_room("")),
        row("PATCH /api/chat/rooms/{id}/", of_room("")).body(
            json!({"name": "Tea", "description": "d", "max_members": 5}),
            vec![
                change("name", Text(100)),
                change("description", Text(2_000)),
                change("max_members", Number(2, 100_000)),
            ],
        ),
        row("DELETE /api/chat/rooms/{id}/", of_room("")),
        row("POST /api/chat/rooms/{id}/join/", of_room("join/")),
        row("POST /api/chat/rooms/{id}/leave/", of_room("leave/")),
        row("GET /api/chat/rooms/{id}/members/", of_room("members/")),
        row("POST /api/chat/rooms/{id}/members/", of_room("members/"))
            .body(json!({"username": bob.username}), vec![must("username", Text(150))]),
        row("PATCH /api/chat/rooms/{id}/members/{user_id}/", of_room(&format!("members/{}/", bob.id))).body(
            json!({"role": "moderator", "is_muted": true, "is_banned": false}),
            vec![change("role", Choice), change("is_muted", Flag), change("is_banned", Flag)],
        ),
        row("DELETE /api/chat/rooms/{id}/members/{user_id}/", of_room(&format!("members/{}/", bob.id))),
    ]
}

fn of_messages(Stage { room, message, notification, .. }: &Stage) -> Vec<Row> {
    let history = || format!("/api/chat/rooms/{room}/messages/");
    let of_message = |rest: &str| format!("/api/chat/messages/{message}/{rest}");
    let notices = |rest: &str| format!("/api/chat/notifications/{rest}");
    vec![
        row("GET /api/chat/rooms/{id}/messages/", history()).query(&[
            ("page", ANY_PAGE),
            ("page_size", ANY_PAGE),
            ("before_id", Number(1, MAX_ID)),
            ("after_id", Number(0, MAX_ID)),
        ]),
        row("POST /api/chat/rooms/{id}/messages/", history()).body(
            json!({"content": "tea", "message_type": "file", "file_url": "https://example.org/tea", "file_name": "tea",
                "file_size": 1, "reply_to": message, "client_id": "tea"}),
            vec![
                must("content", Text(10_000)),
                may("message_type", Choice),
                may("file_url", Link),
                may("file_name", Text(255)),
                may("file_size", Number(0, MAX_ID)),
                may("reply_to", Message),
                may("client_id", Text(64)),
            ],
        ),
        row("PATCH /api/chat/messages/{id}/", of_message(""))
            .body(json!({"content": "cake"}), vec![must("content", Text(10_000))]),
        row("DELETE /api/chat/messages/{id}/delete/", of_message("delete/")),
        row("POST /api/chat/messages/{id}/read/", of_message("read/")),
        row("GET /api/chat/messages/{id}/reads/", of_message("reads/")),
        row("GET /api/chat/notifications/", notices("")).query(&[
            ("limit", ANY_PAGE),
            ("before_id", Number(1, MAX_ID)),
            ("unread", Flag),
        ]),
        row("POST /api/chat/notifications/{id}/read/", notices(&format!("{notification}/read/"))),
        row("POST /api/chat/notifications/read_all/", notices("read_all/")),
        row("GET /api/chat/notifications/unread_count/", notices("unread_count/")),
    ]
}
