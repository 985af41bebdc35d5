//! A ban takes effect at once, everywhere, and so does lifting it.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Socket, both};

async fn set_banned(who: &Person, room: i64, target: &Person, is_banned: bool) {
    let path = format!("/api/chat/rooms/{room}/members/{}/", target.id);
    let request = who.client.request(Method::PATCH, &path).json(&json!({"is_banned": is_banned}));
    assert_eq!(Client::send(request).await.expect(200)["is_banned"], is_banned);
}

/// Every call about a room and its messages except for leaving, with a valid body.
fn calls(room: i64, other: i64, own: &Value, others: &Value) -> Vec<(Method, String, Option<Value>)> {
    let of_room = |rest: &str| format!("/api/chat/rooms/{room}/{rest}");
    let text = || Some(json!({"content": "still here"}));
    vec![
        (Method::GET, of_room(""), None),
        (Method::PATCH, of_room(""), Some(json!({"name": "mine"}))),
        (Method::DELETE, of_room(""), None),
        (Method::POST, of_room("join/"), None),
        (Method::GET, of_room("members/"), None),
        (Method::POST, of_room("members/"), Some(json!({"username": "somebody"}))),
        (Method::PATCH, of_room(&format!("members/{other}/")), Some(json!({"is_muted": true}))),
        (Method::DELETE, of_room(&format!("members/{other}/")), None),
        (Method::GET, of_room("messages/"), None),
        (Method::GET, of_room("messages/?after_id=0"), None),
        (Method::POST, of_room("messages/"), text()),
        (Method::PATCH, format!("/api/chat/messages/{own}/"), text()),
        (Method::DELETE, format!("/api/chat/messages/{own}/delete/"), None),
        (Method::GET, format!("/api/chat/messages/{own}/reads/"), None),
        (Method::POST, format!("/api/chat/messages/{others}/read/"), None),
    ]
}

both! {
    async fn a_ban_takes_effect_at_once_everywhere(server: &Server) {
        let (amy, bob, cat) = (server.person("amy").await, server.person("bob").await, server.person("cat").await);
        for (kind, status, code, close) in [("public", 403, "banned", 4403), ("private", 404, "not_found", 4404)] {
            let room = amy.makes_room(kind).await;
            for guest in [&bob, &cat] {
                let invitation = json!({"username": guest.username});
                amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &invitation).await.expect(201);
            }
            let others = amy.says(room, "welcome").await["id"].clone();
            let own = bob.says(room, "thank you").await["id"].clone();
            let sockets = [server.socket(&bob, room).await, server.socket(&bob, room).await];
            set_banned(&amy, room, &bob, true).await;
            for socket in sockets {
                assert_eq!(socket.until_closed().await, (Some(code.into()), close));
            }
            for (method, path, body) in calls(room, cat.id, &own, &others) {
                let request = bob.client.request(method.clone(), &path);
                let answer = Client::send(match &body {
                    Some(body) => request.json(body),
                    None => request,
                });
                let answer = answer.await;
                assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{method} {path}");
            }
            for query in ["", "&after_id=0", "&after_rev=0"] {
                let path = format!("/ws/chat/{room}/?token={}{query}", bob.access);
                let socket = Socket::open(server.upgrade(&path)).await.expect("open");
                assert_eq!(socket.until_closed().await, (Some(code.into()), close), "{query}");
            }
            let notices = bob.client.get("/api/chat/notifications/").await.expect(200);
            let of_room = notices.as_array().expect("an array").iter().filter(|one| one["room"]["id"] == room);
            assert_eq!(of_room.count(), 0, "{kind}");
            let listed = bob.client.get("/api/chat/rooms/?mine=true").await.expect(200);
            assert!(listed.as_array().expect("an array").iter().all(|one| one["id"] != room), "{kind}");
            // None of the calls had an effect.
            assert_eq!(amy.reads(room).await, ["thank you", "welcome"]);
            let members = amy.client.get(&format!("/api/chat/rooms/{room}/members/")).await.expect(200);
            assert_eq!(members.as_array().map(Vec::len), Some(3), "the ban can be seen and lifted");
            assert_eq!(members[2]["is_muted"], false);
            let left = bob.client.post(&format!("/api/chat/rooms/{room}/leave/"), &json!({})).await;
            if kind == "public" {
                left.expect(200);
            } else {
                left.expect_error(404, "not_found");
            }
        }
    }

    async fn an_unbanned_member_keeps_access(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        for round in 0..10 {
            let old = server.socket(&bob, room).await;
            set_banned(&amy, room, &bob, true).await;
            set_banned(&amy, room, &bob, false).await;
            // The ban closes only sockets that were opened before.
            let mut new = server.socket(&bob, room).await;
            assert_eq!(old.until_closed().await, (Some("banned".into()), 4403));
            let text = format!("round {round}");
            amy.says(room, &text).await;
            assert_eq!(new.next_of("chat_message").await["message"]["content"], *text);
            new.says("thanks", &text).await;
            assert_eq!(new.next_of("chat_message").await["message"]["content"], "thanks");
        }
    }

    async fn no_socket_opened_during_a_ban_stays_open(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        for _ in 0..3 {
            let room = amy.makes_room("public").await;
            bob.joins(room).await;
            let path = format!("/ws/chat/{room}/?token={}", bob.access);
            let opening = join_all((0..10).map(|_| Socket::open(server.upgrade(&path))));
            let (sockets, ()) = tokio::join!(opening, set_banned(&amy, room, &bob, true));
            amy.says(room, "behind his back").await;
            for socket in sockets {
                let (heard, end) = socket.expect("open").texts_until_closed().await;
                assert_eq!((heard, end.1), (Vec::<String>::new(), 4403), "{:?}", end.0);
            }
        }
    }
}
