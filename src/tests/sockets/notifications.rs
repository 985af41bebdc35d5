//! `/ws/notifications/`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::{Client, Person, Server, Socket, everywhere};

/// A notification socket of `person`, after its first frame.
async fn open(server: &Server, person: &Person) -> Socket {
    let path = format!("/ws/notifications/?token={}", person.access);
    let mut socket = Socket::open(server.upgrade(&path)).await.expect("open");
    let user = json!({"id": person.id, "username": person.username, "first_name": "", "last_name": ""});
    let mut first = socket.next().await;
    assert!(first["rev"].take().is_i64() && first["build"].take().is_string());
    let expected = json!({
        "type": "connection_established", "message": "连接成功", "user": user, "rev": null, "build": null,
    });
    assert_eq!(first, expected);
    socket
}

fn unread(room: i64, count: i64) -> Value {
    json!({"type": "unread", "room_id": room, "unread_count": count})
}

/// The newest notification, as the list shows it.
async fn newest(person: &Person) -> Value {
    person.client.get("/api/chat/notifications/?limit=1").await.expect(200)[0].clone()
}

everywhere! {
    async fn new_notifications_are_sent_as_in_the_list(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("private").await;
        let mut bobs = open(server, &bob).await;
        let invite = json!({"username": bob.username});
        amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &invite).await.expect(201);
        let added = bobs.next().await;
        assert_eq!((&added["type"], &added["room"]["id"]), (&json!("room_added"), &json!(room)));
        assert_eq!(bobs.next().await, unread(room, 0));
        let told = bobs.next().await;
        // The next number: a client that has only the first resumes between them.
        let rev = added["rev"].as_i64().expect("a number") + 1;
        assert_eq!(told, json!({"type": "notification", "notification": newest(&bob).await, "rev": rev}));
        assert_eq!(told["notification"]["notification_type"], "room_invite");

        for (text, kind) in [("hi".to_owned(), "message"), (format!("hi @{}", bob.username), "mention")] {
            amy.says(room, &text).await;
            let told = bobs.next_of("notification").await;
            let listed = newest(&bob).await;
            let mut expected = json!({"type": "notification", "notification": listed});
            if kind == "mention" {
                // The next number of bob's stream.
                expected["rev"] = json!(rev + 1);
            }
            assert_eq!(told, expected);
            assert_eq!((&listed["notification_type"], &listed["content"]), (&json!(kind), &json!(text)));
            assert_eq!(bobs.next().await, unread(room, listed["room"]["unread_count"].as_i64().unwrap_or(0)));
        }
    }

    async fn a_reply_has_its_reason(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let first = bob.says(room, "tea?").await;
        let mut bobs = open(server, &bob).await;
        let draft = json!({"content": "yes", "reply_to": first["id"]});
        amy.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await.expect(201);
        let told = bobs.next_of("notification").await;
        assert_eq!(told["notification"], newest(&bob).await);
        assert_eq!((&told["notification"]["reason"], told["rev"].is_i64()), (&json!("reply"), true));
    }

    async fn reading_by_socket_or_rest_updates_the_count(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let first = amy.says(room, "one").await["id"].clone();
        let second = amy.says(room, "two").await["id"].clone();
        let mut bobs = open(server, &bob).await;
        assert_eq!(bobs.next().await, unread(room, 2), "the state comes first");
        let mut room_socket = server.socket(&bob, room).await;
        room_socket.send(&json!({"type": "message_read", "message_id": first})).await;
        let read = bobs.next().await;
        assert_eq!((&read["unread_count"], read["rev"].is_i64()), (&json!(1), true));
        bob.client.post(&format!("/api/chat/messages/{second}/read/"), &json!({})).await.expect(200);
        let all = bobs.next().await;
        assert_eq!(all["unread_count"], 0);
        assert!(all["rev"].as_i64() > read["rev"].as_i64());
        bobs.assert_silent().await;
    }

    async fn leaving_a_room_ends_its_notifications(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        let mut bobs = open(server, &bob).await;
        bob.joins(room).await;
        assert_eq!(bobs.next().await["type"], "room_added");
        assert_eq!(bobs.next().await, unread(room, 0));
        amy.says(room, "hi").await;
        assert_eq!(bobs.next_of("unread").await, unread(room, 1));
        let member = format!("/api/chat/rooms/{room}/members/{}/", bob.id);
        let ban = amy.client.request(Method::PATCH, &member).json(&json!({"is_banned": true}));
        Client::send(ban).await.expect(200);
        assert_eq!(bobs.next().await, unread(room, 0));
        let removed = bobs.next().await;
        assert_eq!((&removed["type"], &removed["room_id"]), (&json!("room_removed"), &json!(room)));
        amy.says(room, "bob is gone").await;
        bobs.assert_silent().await;
    }

    async fn pings_are_answered_and_other_frames_rejected(server: &Server) {
        let amy = server.person("amy").await;
        let mut socket = open(server, &amy).await;
        let no_frames = ["", "{", "[]", r#"{"type":"dance"}"#, r#"{"type":"user_join"}"#];
        let of_a_room = [r#"{"type":"chat_message","content":"x"}"#, r#"{"type":"typing","is_typing":true}"#];
        for bad in no_frames.into_iter().chain(of_a_room) {
            socket.send_raw(bad).await;
            let error = socket.next().await;
            assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("bad_frame")), "{bad}");
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
        }
        socket.send(&json!({"type": "ping"})).await;
        assert_eq!(socket.next().await, json!({"type": "pong"}));
    }

    async fn credentials_are_read_as_for_room_sockets(server: &Server) {
        let amy = server.person("amy").await;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", amy.access)).expect("a value");
        let protocol = HeaderValue::from_str(&format!("bearer, {}", amy.access)).expect("a value");
        for (name, value) in [("authorization", bearer), ("sec-websocket-protocol", protocol)] {
            let mut request = server.upgrade("/ws/notifications");
            request.headers_mut().insert(name, value);
            let mut socket = Socket::open(request).await.expect("open");
            assert_eq!(socket.next().await["type"], "connection_established");
        }
        let mut first_frame = Socket::open(server.upgrade("/ws/notifications/")).await.expect("open");
        first_frame.send(&json!({"type": "authenticate", "token": amy.access})).await;
        assert_eq!(first_frame.next().await["type"], "connection_established");

        let bad = Socket::open(server.upgrade("/ws/notifications/?token=x.y.z")).await.expect("open");
        assert_eq!(bad.until_closed().await, (Some("token_not_valid".into()), 4401));
        let mut foreign = server.upgrade(&format!("/ws/notifications/?token={}", amy.access));
        foreign.headers_mut().insert("origin", HeaderValue::from_static("https://evil.example"));
        assert_eq!(Socket::open(foreign).await.err(), Some(403));
    }
}

#[tokio::test]
async fn it_counts_towards_sockets_per_user() {
    let server = Server::start(&["--sockets-per-user=1"]);
    let amy = server.person("amy").await;
    let _first = open(&server, &amy).await;
    let path = format!("/ws/notifications/?token={}", amy.access);
    let second = Socket::open(server.upgrade(&path)).await.expect("open");
    assert_eq!(second.until_closed().await, (Some("throttled".into()), 4429));
}
