//! `/ws/`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Server, Socket, everywhere};

/// A combined socket of `person`, after its first frame.
async fn open(server: &Server, person: &Person) -> Socket {
    let mut socket =
        Socket::open(server.upgrade(&format!("/ws/?token={}", person.access))).await.expect("open");
    let mut first = socket.next().await;
    assert!(first["rev"].take().is_i64() && first["build"].take().is_string(), "{first}");
    let user = json!({"id": person.id, "username": person.username, "first_name": "", "last_name": ""});
    let expected = json!({
        "type": "connection_established", "message": "连接成功", "user": user, "rev": null, "build": null,
    });
    assert_eq!(first, expected);
    socket
}

async fn subscribe(socket: &mut Socket, room: i64) -> Value {
    socket.send(&json!({"type": "subscribe", "room_id": room})).await;
    let answer = socket.next_of("subscribed").await;
    assert_eq!(answer["room_id"], room);
    answer
}

/// The next `error` frame: its room, code and `client_id`.
async fn next_error(socket: &mut Socket) -> (Value, Value, Value) {
    let mut error = socket.next_of("error").await;
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    (error["room_id"].take(), error["code"].take(), error["client_id"].take())
}

/// Waits for the answer to everything that was sent before.
async fn until_answered(socket: &mut Socket) -> Vec<Value> {
    socket.send_raw("ping").await;
    let mut heard = Vec::new();
    loop {
        let frame = socket.next().await;
        if frame["type"] == "pong" {
            return heard;
        }
        heard.push(frame);
    }
}

everywhere! {
    async fn the_first_frame_is_first_whatever_the_client_has_sent_before(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        for path in ["/ws/".to_owned(), "/ws/notifications/".to_owned(), format!("/ws/chat/{room}/")] {
            for _ in 0..10 {
                let request = server.upgrade(&format!("{path}?token={}", amy.access));
                let mut socket = Socket::open(request).await.expect("open");
                socket.send_raw("ping").await;
                let types = [socket.next().await, socket.next_of("pong").await].map(|frame| frame["type"].clone());
                assert_eq!(types, [json!("connection_established"), json!("pong")], "{path}");
            }
        }
    }

    async fn a_message_is_echoed_once_whatever_happens_to_its_subscription(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut socket = open(server, &amy).await;
        let subscribe = |rev: i64| json!({"type": "subscribe", "room_id": room, "after_rev": rev});
        let unsubscribe = json!({"type": "unsubscribe", "room_id": room});
        for number in 0..20 {
            let id = number.to_string();
            let send = json!({"type": "chat_message", "room_id": room, "content": id, "client_id": id});
            let frames = match number % 4 {
                0 => vec![send, subscribe(number)],
                1 => vec![send, unsubscribe.clone()],
                2 => vec![subscribe(number), send, unsubscribe.clone(), subscribe(number)],
                _ => vec![subscribe(number), send, json!({"type": "subscribe", "room_id": room})],
            };
            for frame in &frames {
                socket.send(frame).await;
            }
            // What resumes may return earlier ones once more.
            while socket.next_of("chat_message").await["message"]["client_id"] != id {}
            let rest = until_answered(&mut socket).await;
            let is_own = |frame: &&Value| frame["type"] == "chat_message" && frame["message"]["client_id"] == id;
            let resumed = usize::from(number % 4 != 1);
            assert!(rest.iter().filter(is_own).count() <= resumed, "{frames:?}: {rest:?}");
        }
    }

    async fn rooms_and_notifications_come_on_one_socket(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let rooms = [amy.makes_room("public").await, amy.makes_room("public").await];
        for room in rooms {
            bob.joins(room).await;
        }
        let last = amy.says(rooms[0], "one").await["id"].clone();
        let mut bobs = open(server, &bob).await;
        assert_eq!(bobs.next().await, json!({"type": "unread", "room_id": rooms[0], "unread_count": 1}));
        let answer = subscribe(&mut bobs, rooms[0]).await;
        let expected = json!({
            "type": "subscribed", "room_id": rooms[0], "last_message_id": last, "rev": 2, "present": [bob.id],
        });
        assert_eq!(answer, expected);
        amy.says(rooms[1], "elsewhere").await;
        let told = bobs.next_of("notification").await;
        assert_eq!(told["notification"]["content"], "elsewhere");
        bobs.send(&json!({"type": "chat_message", "room_id": rooms[0], "content": "hi", "client_id": "c"})).await;
        let echo = bobs.next_of("chat_message").await;
        assert_eq!((&echo["room_id"], &echo["message"]["client_id"]), (&json!(rooms[0]), &json!("c")));
        bobs.send(&json!({"type": "unsubscribe", "room_id": rooms[0]})).await;
        let answer = bobs.next_of("unsubscribed").await;
        assert_eq!(answer, json!({"type": "unsubscribed", "room_id": rooms[0]}));
        bobs.send(&json!({"type": "unsubscribe", "room_id": 424_242})).await;
        assert_eq!(bobs.next().await, json!({"type": "unsubscribed", "room_id": 424_242}));
    }

    async fn frames_of_two_rooms_are_told_apart(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let rooms = [amy.makes_room("public").await, amy.makes_room("public").await];
        let (mut amys, mut bobs) = (open(server, &amy).await, open(server, &bob).await);
        let who = json!({"id": bob.id, "username": bob.username});
        for room in rooms {
            bob.joins(room).await;
            subscribe(&mut amys, room).await;
            subscribe(&mut bobs, room).await;
            let joined = amys.next_of("user_join").await;
            assert_eq!(joined, json!({"type": "user_join", "room_id": room, "user": who}));
        }
        for room in rooms {
            bobs.send(&json!({"type": "typing", "room_id": room, "is_typing": true})).await;
            assert_eq!(amys.next_of("typing").await["room_id"], room);
            bobs.send(&json!({"type": "chat_message", "room_id": room, "content": room.to_string()})).await;
            let frame = amys.next_of("chat_message").await;
            assert_eq!((&frame["room_id"], &frame["message"]["content"]), (&json!(room), &json!(room.to_string())));
            let read = json!({"type": "message_read", "room_id": room, "message_id": frame["message"]["id"]});
            amys.send(&read).await;
            assert_eq!(bobs.next_of("message_read").await["room_id"], room);
        }
        bobs.send(&json!({"type": "user_leave", "room_id": rooms[1]})).await;
        let left = amys.next_of("user_leave").await;
        assert_eq!(left, json!({"type": "user_leave", "room_id": rooms[1], "user": who}));
        bobs.send(&json!({"type": "user_join", "room_id": rooms[1]})).await;
        assert_eq!(amys.next_of("user_join").await["room_id"], rooms[1]);
        drop(bobs);
        // In any order: who leaves and comes back is announced once a second.
        let offline = json!({"type": "presence", "user_id": bob.id, "is_online": false});
        let left = rooms.map(|room| json!({"type": "user_leave", "room_id": room, "user": who}));
        let mut awaited = vec![offline, left[0].clone(), left[1].clone()];
        while !awaited.is_empty() {
            let frame = amys.next().await;
            awaited.retain(|awaited| *awaited != frame);
        }
    }

    async fn a_message_without_subscription_is_answered_to_its_socket_alone(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let (mut first, mut second) = (open(server, &amy).await, open(server, &amy).await);
        let frame = json!({"type": "chat_message", "room_id": room, "content": "hi", "client_id": "c-1"});
        for _ in 0..2 {
            first.send(&frame).await;
            let echo = first.next_of("chat_message").await;
            assert_eq!((&echo["room_id"], &echo["rev"]), (&json!(room), &json!(1)));
            assert_eq!(echo["message"]["client_id"], "c-1");
        }
        let heard = until_answered(&mut second).await;
        assert!(heard.iter().all(|frame| frame["type"] != "chat_message"), "{heard:?}");
        assert_eq!(amy.reads(room).await, ["hi"]);
        let hidden = server.person("bob").await.makes_room("private").await;
        first.send(&json!({"type": "chat_message", "room_id": hidden, "content": "hi", "client_id": "c"})).await;
        assert_eq!(next_error(&mut first).await, (json!(hidden), json!("not_found"), json!("c")));
    }

    async fn a_missed_part_is_sent_between_the_answer_and_live_frames(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut ids = Vec::new();
        for text in ["1", "2", "3"] {
            ids.push(amy.says(room, text).await["id"].clone());
        }
        let mut socket = open(server, &amy).await;
        for (name, value) in [("after_rev", json!(1)), ("after_id", ids[0].clone())] {
            socket.send(&json!({"type": "subscribe", "room_id": room, name: value})).await;
            socket.next_of("subscribed").await;
            for text in ["2", "3"] {
                let frame = socket.next_of("chat_message").await;
                assert_eq!((&frame["message"]["content"], &frame["room_id"]), (&json!(text), &json!(room)));
            }
        }
        let both = json!({"type": "subscribe", "room_id": room, "after_rev": 1, "after_id": ids[0]});
        socket.send(&both).await;
        assert_eq!(next_error(&mut socket).await, (json!(room), json!("invalid"), Value::Null));
        amy.says(room, "live").await;
        let live = socket.next_of("chat_message").await;
        assert_eq!(live["message"]["content"], "live", "the refused frame changed nothing");
    }

    async fn losing_a_room_ends_its_subscription_alone(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let kept = amy.makes_room("public").await;
        bob.joins(kept).await;
        let mut bobs = open(server, &bob).await;
        subscribe(&mut bobs, kept).await;
        for (kind, code) in [("public", "banned"), ("private", "not_found")] {
            let room = amy.makes_room(kind).await;
            let invite = json!({"username": bob.username});
            amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &invite).await.expect(201);
            subscribe(&mut bobs, room).await;
            let path = format!("/api/chat/rooms/{room}/members/{}/", bob.id);
            let ban = amy.client.request(Method::PATCH, &path).json(&json!({"is_banned": true}));
            Client::send(ban).await.expect(200);
            let (mut error, mut removed) = (None, None);
            while error.is_none() || removed.is_none() {
                let frame = bobs.next().await;
                match frame["type"].as_str() {
                    Some("error") => error = Some(frame),
                    Some("room_removed") => removed = Some(frame),
                    _ => {}
                }
            }
            let error = error.expect("set");
            assert_eq!((&error["room_id"], &error["code"]), (&json!(room), &json!(code)));
            assert_eq!(removed.expect("set")["room_id"], room);
            bobs.send(&json!({"type": "subscribe", "room_id": room})).await;
            assert_eq!(next_error(&mut bobs).await, (json!(room), json!(code), Value::Null));
        }
        amy.says(kept, "still here").await;
        assert_eq!(bobs.next_of("chat_message").await["message"]["content"], "still here");
    }

    async fn bad_frames_are_answered_and_change_nothing(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let (room, strange) = (amy.makes_room("public").await, bob.makes_room("public").await);
        let mut socket = open(server, &amy).await;
        subscribe(&mut socket, room).await;
        let huge: i64 = 1 << 60;
        for (frame, about, code) in [
            (json!({"type": "subscribe"}), Value::Null, "invalid"),
            (json!({"type": "subscribe", "room_id": "7"}), Value::Null, "invalid"),
            (json!({"type": "subscribe", "room_id": [room]}), Value::Null, "invalid"),
            (json!({"type": "subscribe", "room_id": 1.5}), Value::Null, "invalid"),
            (json!({"type": "subscribe", "room_id": room, "here": "no"}), json!(room), "invalid"),
            (json!({"type": "subscribe", "room_id": room, "after_rev": "1"}), json!(room), "invalid"),
            (json!({"type": "subscribe", "room_id": huge}), json!(huge), "not_found"),
            (json!({"type": "subscribe", "room_id": -1}), json!(-1), "not_found"),
            (json!({"type": "subscribe", "room_id": 424_242}), json!(424_242), "not_found"),
            (json!({"type": "subscribe", "room_id": strange}), json!(strange), "not_a_member"),
            (json!({"type": "unsubscribe"}), Value::Null, "invalid"),
            (json!({"type": "typing", "is_typing": true}), Value::Null, "invalid"),
            (json!({"type": "user_join"}), Value::Null, "invalid"),
            (json!({"type": "message_read", "message_id": 1}), Value::Null, "invalid"),
            (json!({"type": "message_read", "room_id": room, "message_id": huge}), json!(room), "invalid"),
            (json!({"type": "chat_message", "content": "hi"}), Value::Null, "invalid"),
            (json!({"type": "chat_message", "room_id": room, "content": ""}), json!(room), "invalid"),
            (json!({"type": "dance", "room_id": room}), Value::Null, "bad_frame"),
        ] {
            socket.send(&frame).await;
            assert_eq!(next_error(&mut socket).await, (about, json!(code), Value::Null), "{frame}");
        }
        for frame in [
            json!({"type": "typing", "room_id": strange, "is_typing": true}),
            json!({"type": "user_leave", "room_id": huge}),
        ] {
            socket.send(&frame).await;
        }
        let heard = until_answered(&mut socket).await;
        assert!(heard.iter().all(|frame| frame["type"] != "error"), "{heard:?}");
        amy.says(room, "still subscribed").await;
        assert_eq!(socket.next_of("chat_message").await["message"]["content"], "still subscribed");
    }
}

#[tokio::test]
async fn subscriptions_are_limited_in_number() {
    let server = Server::start(&["--acts-per-minute=0", "--rooms-per-day=0"]);
    let amy = server.person("amy").await;
    let mut rooms = Vec::new();
    for _ in 0..201 {
        rooms.push(amy.makes_room("public").await);
    }
    let mut socket = open(&server, &amy).await;
    for room in &rooms[..200] {
        subscribe(&mut socket, *room).await;
    }
    socket.send(&json!({"type": "subscribe", "room_id": rooms[200]})).await;
    let refused = (json!(rooms[200]), json!("too_many_subscriptions"), Value::Null);
    assert_eq!(next_error(&mut socket).await, refused);
    subscribe(&mut socket, rooms[0]).await;
    // A storm: each is answered, in order.
    for room in &rooms[..5] {
        for _ in 0..50 {
            socket.send(&json!({"type": "subscribe", "room_id": room, "after_rev": 0})).await;
            socket.send(&json!({"type": "unsubscribe", "room_id": room})).await;
        }
        let heard = until_answered(&mut socket).await;
        assert_eq!(heard.iter().filter(|frame| frame["type"] == "unsubscribed").count(), 50);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    subscribe(&mut socket, rooms[199]).await;
    amy.says(rooms[199], "still served").await;
    assert_eq!(socket.next_of("chat_message").await["room_id"], rooms[199]);
}
