//! The rate limit of each call: every write has one.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    calls,
    support::{Answer, Client, Person, Server},
};

/// The limit that a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// None.
    Nothing,
    /// `writes_per_second`.
    Write,
    /// `acts_per_minute`.
    Act,
    /// `read_marks_per_second`.
    ReadMark,
    /// The limits by address and account, which have tests of their own.
    ByAddress,
}

use Cost::{Act, ByAddress, Nothing, ReadMark, Write};

const CALLS: [(&str, Cost); 27] = [
    ("POST /api/token/", ByAddress),
    ("POST /api/token/refresh/", Nothing),
    ("POST /api/token/verify/", Nothing),
    // Ending credentials is never throttled.
    ("POST /api/token/blacklist/", Nothing),
    ("POST /api/register/", ByAddress),
    ("GET /api/me/", Nothing),
    ("GET /api/chat/rooms/", Nothing),
    ("POST /api/chat/rooms/", Act),
    ("GET /api/chat/rooms/{id}/", Nothing),
    ("PATCH /api/chat/rooms/{id}/", Act),
    ("DELETE /api/chat/rooms/{id}/", Act),
    ("POST /api/chat/rooms/{id}/join/", Act),
    ("POST /api/chat/rooms/{id}/leave/", Nothing),
    ("GET /api/chat/rooms/{id}/members/", Nothing),
    ("POST /api/chat/rooms/{id}/members/", Act),
    ("PATCH /api/chat/rooms/{id}/members/{user_id}/", Act),
    ("DELETE /api/chat/rooms/{id}/members/{user_id}/", Act),
    ("GET /api/chat/rooms/{id}/messages/", Nothing),
    ("POST /api/chat/rooms/{id}/messages/", Write),
    ("PATCH /api/chat/messages/{id}/", Write),
    ("DELETE /api/chat/messages/{id}/delete/", Write),
    ("POST /api/chat/messages/{id}/read/", ReadMark),
    ("GET /api/chat/messages/{id}/reads/", Nothing),
    ("GET /api/chat/notifications/", Nothing),
    ("GET /api/chat/notifications/unread_count/", Nothing),
    ("POST /api/chat/notifications/{id}/read/", ReadMark),
    ("POST /api/chat/notifications/read_all/", ReadMark),
];

/// Makes the call with a valid body.
async fn call(call: &str, who: &Person, room: i64, message: i64) -> Answer {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let id = if path.starts_with("/api/chat/rooms/") { room } else { message };
    let path = path.replace("{id}", &id.to_string()).replace("{user_id}", &who.id.to_string());
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let request = who.client.request(method.clone(), &path);
    let body = json!({"name": "Tea", "room_type": "public", "username": who.username, "content": "tea"});
    Client::send(if method == Method::GET { request } else { request.json(&body) }).await
}

#[tokio::test]
async fn each_call_counts_against_its_limit_and_says_so_in_the_document() {
    calls::assert_complete(CALLS.iter().map(|(call, _)| *call));
    let one =
        ["acts-per-minute", "act-burst", "read-marks-per-second", "read-mark-burst", "writes-per-second"];
    let flags: Vec<String> = one.iter().chain(&["write-burst"]).map(|limit| format!("--{limit}=1")).collect();
    let server = Server::start(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let document = server.anyone().get("/api/schema/").await.expect(200);
    let amy = server.person("amy").await;
    // Use up the one act, message and read mark.
    let room = amy.makes_room("public").await;
    let message = amy.says(room, "tea").await["id"].as_i64().expect("an id");
    amy.client.post(&format!("/api/chat/messages/{message}/read/"), &json!({})).await.expect(200);
    for (name, cost) in CALLS {
        let (method, path) = name.split_once(' ').expect("a method and a path");
        let answers: &Value = &document["paths"][path][method.to_lowercase()]["responses"];
        assert_eq!(answers["429"].is_object(), cost != Nothing, "{name} in the document");
        match cost {
            ByAddress => {}
            Nothing if name.ends_with("/leave/") => {}
            Nothing => assert_ne!(call(name, &amy, room, message).await.status, 429, "{name}"),
            Act | Write | ReadMark => {
                // A limit per second allows another one after a second.
                let mut answer = call(name, &amy, room, message).await;
                for _ in 0..5 {
                    if answer.status == 429 {
                        break;
                    }
                    answer = call(name, &amy, room, message).await;
                }
                let wait = answer.headers["retry-after"].to_str().expect("text").parse::<u64>();
                let most = if cost == Act { 60 } else { 1 };
                assert!(wait.as_ref().is_ok_and(|wait| (1..=most).contains(wait)), "{name}: {wait:?}");
                answer.expect_error(429, "throttled");
            }
        }
    }
    let left = amy.client.post(&format!("/api/chat/rooms/{room}/leave/"), &json!({})).await;
    assert_eq!(left.expect(200)["message"], "成功离开房间", "leaving is always free");
}

#[tokio::test]
async fn limits_on_rooms_are_off_in_a_demo() {
    let limits = ["--acts-per-minute=1", "--act-burst=1", "--rooms-per-day=1", "--invitations-per-hour=1"];
    let server = Server::start(&[&limits[..], &["--demo"]].concat());
    let amy = server.person("amy").await;
    for _ in 0..3 {
        let room = amy.makes_room("private").await;
        let guest = json!({"username": server.person("guest").await.username});
        amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &guest).await.expect(201);
    }
}

#[tokio::test]
async fn a_throttled_frame_gets_an_error_and_the_socket_stays_open() {
    let server = Server::start(&["--read-marks-per-second=1", "--read-mark-burst=1"]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let message = amy.says(room, "tea").await["id"].clone();
    let mut socket = server.socket(&amy, room).await;
    for _ in 0..4 {
        socket.send(&json!({"type": "message_read", "message_id": message})).await;
    }
    let error = socket.next_of("error").await;
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("throttled"), &json!("操作太频繁，请稍后再试。"))
    );
    socket.says("still open", "c-1").await;
    socket.next_of("chat_message").await;
}
