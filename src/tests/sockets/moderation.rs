//! Membership changes on the sockets of a room, and when these are closed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Socket, everywhere};

async fn acts(who: &Person, method: Method, room: i64, path: &str, body: &Value) {
    let request = who.client.request(method, &format!("/api/chat/rooms/{room}/{path}")).json(body);
    let answer = Client::send(request).await;
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
}

everywhere! {
    async fn membership_changes_are_sent_to_the_room(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        let mut amys = server.socket(&amy, room).await;
        let frame = |rev: i64, change: &str, role: &str, count: i64| {
            let user = json!({"id": bob.id, "username": bob.username, "first_name": "", "last_name": ""});
            json!({
                "type": "member_changed", "room_id": room, "user": user, "change": change, "role": role,
                "is_present": change != "left", "is_muted": rev > 1, "is_banned": false,
                "member_count": count, "rev": rev,
            })
        };
        bob.joins(room).await;
        assert_eq!(amys.next().await, frame(1, "joined", "member", 2));
        let member = format!("members/{}/", bob.id);
        acts(&amy, Method::PATCH, room, &member, &json!({"role": "moderator", "is_muted": true})).await;
        assert_eq!(amys.next().await, frame(2, "muted", "member", 2));
        assert_eq!(amys.next().await, frame(3, "role", "moderator", 2));
        acts(&bob, Method::POST, room, "leave/", &json!({})).await;
        assert_eq!(amys.next().await, frame(4, "left", "member", 1));
    }

    async fn a_banned_members_sockets_close_at_once(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        for (kind, reason) in [("public", ("banned", 4403)), ("private", ("not_found", 4404))] {
            let reason = (Some(reason.0.to_owned()), reason.1);
            let room = amy.makes_room(kind).await;
            acts(&amy, Method::POST, room, "members/", &json!({"username": bob.username})).await;
            let mut amys = server.socket(&amy, room).await;
            let sockets = [server.socket(&bob, room).await, server.socket(&bob, room).await];
            acts(&amy, Method::PATCH, room, &format!("members/{}/", bob.id), &json!({"is_banned": true})).await;
            for socket in sockets {
                assert_eq!(socket.until_closed().await, reason);
            }
            // Not `change`: a node that missed the event on the bus reads only the state.
            assert_eq!(amys.next_of("member_changed").await["is_banned"], true);
            let path = format!("/ws/chat/{room}/?token={}", bob.access);
            let again = Socket::open(server.upgrade(&path)).await.expect("open").until_closed().await;
            assert_eq!(again, reason);
            amy.says(room, "quiet now").await;
            assert_eq!(amys.next_of("chat_message").await["message"]["content"], "quiet now", "hers is open");
        }
    }

    async fn a_removed_members_sockets_close_at_once(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let socket = server.socket(&bob, room).await;
        acts(&amy, Method::DELETE, room, &format!("members/{}/", bob.id), &json!({})).await;
        assert_eq!(socket.until_closed().await, (Some("not_a_member".into()), 4403));
    }

    async fn all_sockets_of_a_deleted_room_close(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let sockets = [server.socket(&amy, room).await, server.socket(&bob, room).await];
        acts(&amy, Method::DELETE, room, "", &json!({})).await;
        for socket in sockets {
            assert_eq!(socket.until_closed().await, (Some("not_found".into()), 4404));
        }
        let path = format!("/ws/chat/{room}/?token={}", bob.access);
        let again = Socket::open(server.upgrade(&path)).await.expect("open").until_closed().await;
        assert_eq!(again, (Some("not_found".into()), 4404));
    }
}
