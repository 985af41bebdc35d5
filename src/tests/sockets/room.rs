//! `/ws/chat/{room_id}/`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::{Client, Server, Socket, everywhere};

everywhere! {
    async fn the_first_frame_has_the_room_and_the_user(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let last = amy.says(room, "one").await;
        let path = format!("/ws/chat/{room}/?token={}", amy.access);
        let mut socket = Socket::open(server.upgrade(&path)).await.expect("open");
        let user = json!({"id": amy.id, "username": amy.username, "first_name": "", "last_name": ""});
        let expected = json!({
            "type": "connection_established", "message": "连接成功", "room_id": room, "user": user,
            "last_message_id": last["id"], "rev": 1, "build": null,
        });
        let mut first = socket.next().await;
        let build = first["build"].take();
        assert!(build.as_str().is_some_and(|build| build.starts_with(env!("CARGO_PKG_VERSION"))), "{build}");
        assert_eq!(first, expected);
    }

    async fn a_message_reaches_everyone_from_every_entry_point(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut amys = server.socket(&amy, room).await;
        let mut bobs = server.socket(&bob, room).await;
        amys.says("by socket 聊", "c-1").await;
        let echo = amys.next_of("chat_message").await;
        let heard = bobs.next_of("chat_message").await;
        assert_eq!(echo, heard, "the sender's receipt is everyone's frame");
        let message = &heard["message"];
        let fields: Vec<&str> = message.as_object().expect("an object").keys().map(String::as_str).collect();
        let expected = [
            "client_id", "content", "created_at", "file_name", "file_size", "file_url", "id", "is_deleted",
            "is_edited", "message_type", "reply_to", "sender", "timestamp",
        ];
        assert_eq!(fields, expected);
        assert_eq!((&message["content"], &message["client_id"]), (&json!("by socket 聊"), &json!("c-1")));
        assert_eq!((&heard["rev"], &message["sender"]["id"]), (&json!(2), &json!(amy.id)));

        let stored = bob.says(room, "by REST").await;
        for socket in [&mut amys, &mut bobs] {
            let frame = socket.next_of("chat_message").await;
            assert_eq!((&frame["message"]["id"], &frame["rev"]), (&stored["id"], &json!(3)));
        }
        assert_eq!(amy.reads(room).await, ["by REST", "by socket 聊"], "what was heard is stored");
    }

    async fn every_way_to_authenticate_works(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let path = format!("/ws/chat/{room}/");
        let mut header = server.upgrade(&path);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", amy.access)).expect("a value");
        header.headers_mut().insert("authorization", bearer);
        let mut protocol = server.upgrade(&path);
        let both = HeaderValue::from_str(&format!("bearer, {}", amy.access)).expect("a value");
        protocol.headers_mut().insert("sec-websocket-protocol", both);
        for request in [header, protocol] {
            let mut socket = Socket::open(request).await.expect("open");
            assert_eq!(socket.next().await["type"], "connection_established");
        }
        let mut first_frame = Socket::open(server.upgrade(&path)).await.expect("open");
        first_frame.send(&json!({"type": "authenticate", "token": amy.access})).await;
        assert_eq!(first_frame.next().await["type"], "connection_established");
        let no_slash = format!("/ws/chat/{room}?token={}", amy.access);
        let mut socket = Socket::open(server.upgrade(&no_slash)).await.expect("open");
        assert_eq!(socket.next().await["type"], "connection_established");
    }

    async fn errors_are_sent_inside_the_socket(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let (open, hidden) = (amy.makes_room("public").await, amy.makes_room("private").await);
        let refused = async |path: String| {
            let (reason, code) = Socket::open(server.upgrade(&path)).await.expect("open").until_closed().await;
            (reason.expect("an error frame before the close"), code)
        };
        let with = |room: &str, token: &str| format!("/ws/chat/{room}/?token={token}");
        assert_eq!(refused(with(&open.to_string(), "x.y.z")).await, ("token_not_valid".into(), 4401));
        assert_eq!(refused(with(&open.to_string(), &bob.refresh)).await, ("token_not_valid".into(), 4401));
        assert_eq!(refused(with(&open.to_string(), &bob.access)).await, ("not_a_member".into(), 4403));
        assert_eq!(refused(with(&hidden.to_string(), &bob.access)).await, ("not_found".into(), 4404));
        for room in ["987654321", "0", "abc", "99999999999999999999"] {
            assert_eq!(refused(with(room, &bob.access)).await, ("not_found".into(), 4404), "{room}");
        }
        let mut silent = Socket::open(server.upgrade(&format!("/ws/chat/{open}/"))).await.expect("open");
        silent.send(&json!({"type": "ping"})).await;
        assert_eq!(silent.until_closed().await, (Some("not_authenticated".into()), 4401));
    }

    async fn an_upgrade_from_a_foreign_origin_is_rejected(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let from = |origin: &'static str| {
            let mut request = server.upgrade(&format!("/ws/chat/{room}/?token={}", amy.access));
            request.headers_mut().insert("origin", HeaderValue::from_static(origin));
            request
        };
        assert_eq!(Socket::open(from("https://evil.example")).await.err(), Some(403));
        assert_eq!(Socket::open(from("null")).await.err(), Some(403));
        assert!(Socket::open(from("http://localhost:5173")).await.is_ok());
    }

    async fn typing_and_presence_reach_the_others(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut amys = server.socket(&amy, room).await;
        let mut bobs = server.socket(&bob, room).await;
        let who = json!({"id": bob.id, "username": bob.username});
        assert_eq!(amys.next().await, json!({"type": "user_join", "room_id": room, "user": who}));
        bobs.send(&json!({"type": "typing", "is_typing": true})).await;
        assert_eq!(amys.next().await, json!({"type": "typing", "room_id": room, "user": who, "is_typing": true}));
        bobs.send(&json!({"type": "user_join"})).await;
        let mut second = server.socket(&bob, room).await;
        second.send(&json!({"type": "ping"})).await;
        assert_eq!(second.next().await, json!({"type": "pong"}));
        drop(second);
        amys.assert_silent().await;
        bobs.send(&json!({"type": "user_leave"})).await;
        assert_eq!(amys.next().await, json!({"type": "user_leave", "room_id": room, "user": who}));
        bobs.send(&json!({"type": "ping"})).await;
        loop {
            let frame = bobs.next().await;
            if frame["type"] == "pong" {
                break;
            }
            assert_ne!(frame["user"], who, "nothing of one's own");
        }
        assert_eq!(amys.next().await, json!({"type": "user_join", "room_id": room, "user": who}), "back with the next frame");
        drop(bobs);
        assert_eq!(amys.next().await, json!({"type": "user_leave", "room_id": room, "user": who}));
    }

    async fn an_invalid_frame_gets_an_error_and_the_socket_stays_open(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut socket = server.socket(&amy, room).await;
        for (bad, code) in [
            ("", "bad_frame"),
            ("{", "bad_frame"),
            ("[]", "bad_frame"),
            (r#"{"type":"dance"}"#, "bad_frame"),
            (r#"{"type":"chat_message"}"#, "invalid"),
            (r#"{"type":"chat_message","content":" "}"#, "invalid"),
            (r#"{"type":"chat_message","content":"x","reply_to":987654321}"#, "invalid"),
            (r#"{"type":"message_read","message_id":987654321}"#, "invalid"),
        ] {
            socket.send_raw(bad).await;
            let error = socket.next().await;
            assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{bad}");
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
        }
        socket.send(&json!({"type": "chat_message", "content": "", "client_id": "c-9"})).await;
        assert_eq!(socket.next().await["client_id"], "c-9", "the refused message is named");
        socket.says("still open", "c-10").await;
        assert_eq!(socket.next().await["message"]["content"], "still open");
        assert_eq!(amy.reads(room).await, ["still open"]);
    }

    async fn a_repeat_is_echoed_only_to_its_sender(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut bobs = server.socket(&bob, room).await;
        let mut amys = server.socket(&amy, room).await;
        bobs.next_of("user_join").await;
        amys.says("once", "c-1").await;
        let first = amys.next_of("chat_message").await;
        amys.says("once", "c-1").await;
        assert_eq!(amys.next_of("chat_message").await, first);
        bobs.next_of("chat_message").await;
        bobs.assert_silent().await;
        assert_eq!(amy.reads(room).await, ["once"]);
    }

    async fn a_frame_over_the_limit_closes_with_1009(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut socket = server.socket(&amy, room).await;
        socket.says(&"x".repeat(70 * 1024), "c-1").await;
        assert_eq!(socket.until_closed().await.1, 1009);
        assert!(amy.reads(room).await.is_empty());
    }

    async fn a_resuming_client_gets_missed_and_then_live_messages(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let known = amy.says(room, "known").await;
        amy.says(room, "missed").await;
        for resume in [format!("after_id={}", known["id"]), "after_rev=1".into()] {
            let path = format!("/ws/chat/{room}/?{resume}&token={}", amy.access);
            let mut socket = Socket::open(server.upgrade(&path)).await.expect("open");
            assert_eq!(socket.next().await["type"], "connection_established");
            let missed: Value = socket.next().await;
            assert_eq!((&missed["message"]["content"], &missed["rev"]), (&json!("missed"), &json!(2)));
            socket.send(&json!({"type": "ping"})).await;
            assert_eq!(socket.next().await["type"], "pong", "and nothing twice");
        }
    }

    async fn edits_deletions_and_reads_are_sent_to_the_room(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let id = amy.says(room, "frist").await["id"].clone();
        let mut bobs = server.socket(&bob, room).await;
        let path = format!("/api/chat/messages/{id}/");
        let edit = amy.client.request(Method::PATCH, &path).json(&json!({"content": "first"}));
        Client::send(edit).await.expect(200);
        let edited = bobs.next_of("message_edited").await;
        assert_eq!((&edited["message"]["content"], &edited["rev"]), (&json!("first"), &json!(3)));
        assert_eq!((&edited["message"]["id"], &edited["message"]["is_edited"]), (&id, &json!(true)));
        bobs.send(&json!({"type": "message_read", "message_id": id})).await;
        let read = bobs.next_of("message_read").await;
        let user = json!({"id": bob.id, "username": bob.username, "first_name": "", "last_name": ""});
        assert_eq!((&read["message_id"], &read["user"]), (&id, &user));
        assert!(read["read_at"].is_string() && read.get("rev").is_none());
        Client::send(amy.client.request(Method::DELETE, &format!("{path}delete/"))).await.expect(200);
        assert_eq!(bobs.next().await, json!({"type": "message_deleted", "room_id": room, "message_id": id, "rev": 4}));

        let resumed = format!("/ws/chat/{room}/?after_rev=2&token={}", bob.access);
        let mut resumed = Socket::open(server.upgrade(&resumed)).await.expect("open");
        assert_eq!(resumed.next().await["type"], "connection_established");
        assert_eq!(resumed.next().await, json!({"type": "message_deleted", "room_id": room, "message_id": id, "rev": 4}));
    }

    async fn leaving_the_room_closes_its_sockets(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let socket = server.socket(&bob, room).await;
        bob.client.post(&format!("/api/chat/rooms/{room}/leave/"), &json!({})).await.expect(200);
        assert_eq!(socket.until_closed().await, (Some("not_a_member".into()), 4403));
    }
}

#[tokio::test]
async fn one_user_has_no_more_sockets_than_the_limit() {
    let server = Server::start(&["--sockets-per-user=2"]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let (first, _second) = (server.socket(&amy, room).await, server.socket(&amy, room).await);
    let path = format!("/ws/chat/{room}/?token={}", amy.access);
    let third = Socket::open(server.upgrade(&path)).await.expect("open");
    assert_eq!(third.until_closed().await, (Some("throttled".into()), 4429));
    drop(first);
    // The server learns of the close a moment later.
    for attempt in 0.. {
        let mut socket = Socket::open(server.upgrade(&path)).await.expect("open");
        if socket.next().await["type"] == "connection_established" {
            break;
        }
        assert!(attempt < 50, "the place was not given back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_flood_of_frames_closes_the_socket() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let mut socket = server.socket(&amy, room).await;
    for _ in 0..1_000 {
        socket.send(&json!({"type": "typing", "is_typing": true})).await;
    }
    assert_eq!(socket.until_closed().await, (Some("throttled".into()), 4429));
}
