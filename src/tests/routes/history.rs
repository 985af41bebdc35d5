//! The history of a room: pages, cursors, one order for all readers, and deleted messages.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Socket, both};

async fn history(who: &Person, room: i64, query: &str) -> Value {
    who.client.get(&format!("/api/chat/rooms/{room}/messages/{query}")).await.expect(200)
}

fn texts(page: &Value) -> Vec<&str> {
    page["messages"].as_array().expect("messages").iter().filter_map(|one| one["content"].as_str()).collect()
}

/// The metadata of a page.
fn about(page: &Value) -> [&Value; 4] {
    ["page", "page_size", "total", "has_more"].map(|field| &page[field])
}

both! {
    async fn pages_are_newest_first_and_say_how_many_there_are(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        for n in 1..=5 {
            amy.says(room, &n.to_string()).await;
        }
        let first = history(&amy, room, "?page=1&page_size=2").await;
        assert_eq!(about(&first), [&json!(1), &json!(2), &json!(5), &json!(true)]);
        assert_eq!(texts(&first), ["5", "4"]);
        let last = history(&amy, room, "?page=3&page_size=2").await;
        assert_eq!((texts(&last), about(&last)), (vec!["1"], [&json!(3), &json!(2), &json!(5), &json!(false)]));
        let past = history(&amy, room, "?page=9007199254740991").await;
        assert_eq!((texts(&past), &past["total"]), (vec![], &json!(5)), "past the end is an empty list");
        assert_eq!(about(&history(&amy, room, "").await)[..2], [&json!(1), &json!(20)], "without a word: page 1 of 20");
        assert_eq!(history(&amy, room, "?page_size=5000").await["page_size"], 100, "more than 100 counts as 100");
    }

    async fn cursors_go_back_from_a_message_and_on_from_one(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut ids = Vec::new();
        for n in 1..=5 {
            ids.push(amy.says(room, &n.to_string()).await["id"].clone());
        }
        let older = history(&amy, room, &format!("?before_id={}&page_size=2", ids[3])).await;
        assert_eq!((texts(&older), &older["has_more"]), (vec!["3", "2"], &json!(true)), "newest first");
        let oldest = history(&amy, room, &format!("?before_id={}", ids[1])).await;
        assert_eq!((texts(&oldest), &oldest["has_more"]), (vec!["1"], &json!(false)));
        let newer = history(&amy, room, &format!("?after_id={}&page_size=2", ids[1])).await;
        assert_eq!((texts(&newer), &newer["has_more"]), (vec!["3", "4"], &json!(true)), "oldest first");
        let start = history(&amy, room, "?after_id=0").await;
        assert_eq!((texts(&start), &start["has_more"]), (vec!["1", "2", "3", "4", "5"], &json!(false)));
        assert_eq!(start["total"], 5);
    }

    async fn all_readers_and_sockets_see_the_same_order_with_increasing_ids(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut ears = [server.socket(&amy, room).await, server.socket(&bob, room).await];
        join_all((0..20).map(|n| {
            let sender = if n % 2 == 0 { &amy } else { &bob };
            async move { sender.says(room, &n.to_string()).await }
        }))
        .await;
        let page = history(&bob, room, "?after_id=0").await;
        let read: Vec<i64> =
            page["messages"].as_array().expect("messages").iter().filter_map(|one| one["id"].as_i64()).collect();
        assert!(read.len() == 20 && read.is_sorted_by(|a, b| a < b), "{read:?}");
        for ear in &mut ears {
            let mut heard = Vec::new();
            let mut revs = Vec::new();
            while heard.len() < 20 {
                let frame = ear.next_of("chat_message").await;
                heard.push(frame["message"]["id"].as_i64().expect("an id"));
                revs.push(frame["rev"].as_i64().expect("a number"));
            }
            assert_eq!(heard, read);
            assert_eq!(revs, (2..=21).collect::<Vec<_>>(), "without a gap after bob's joining");
        }
    }

    async fn times_are_in_utc_with_microseconds(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let said = amy.says(room, "tea").await;
        let seen = amy.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        for time in [&said["created_at"], &said["updated_at"], &seen["created_at"], &seen["last_message"]["created_at"]] {
            let text = time.as_str().expect("text");
            let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
        }
    }

    async fn what_was_deleted_is_gone_everywhere(server: &Server) {
        const GONE: &str = "[消息已删除]";
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut ear = server.socket(&bob, room).await;
        let draft = json!({
            "content": format!("a secret, @{}", bob.username), "message_type": "file",
            "file_url": "https://example.org/secret", "file_name": "secret", "file_size": 1, "client_id": "secret",
        });
        let path = format!("/api/chat/rooms/{room}/messages/");
        let id = amy.client.post(&path, &draft).await.expect(201)["id"].clone();
        assert_eq!(ear.next_of("chat_message").await["message"]["file_name"], "secret");
        let delete = amy.client.request(Method::DELETE, &format!("/api/chat/messages/{id}/delete/"));
        Client::send(delete).await.expect(200);
        assert_eq!(ear.next_of("message_deleted").await["message_id"], id);

        let page = history(&bob, room, "").await;
        let message = &page["messages"][0];
        assert_eq!((&message["content"], &message["is_deleted"]), (&json!(GONE), &json!(true)));
        let notices = bob.client.get("/api/chat/notifications/").await.expect(200);
        assert_eq!((&notices[0]["content"], &notices[0]["message"]["content"]), (&json!(GONE), &json!(GONE)));
        let rooms = bob.client.get("/api/chat/rooms/?mine=true").await.expect(200);
        assert_eq!(rooms[0]["last_message"]["content"], GONE);
        let seen = bob.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        let again = amy.client.post(&path, &draft).await.expect(200);
        let resumed = Socket::open(server.upgrade(&format!("/ws/chat/{room}/?token={}&after_id=0", bob.access)));
        let mut resumed = resumed.await.expect("open");
        let frame = resumed.next_of("chat_message").await;
        assert_eq!((&frame["message"]["content"], &frame["message"]["file_name"]), (&json!(GONE), &Value::Null));
        for place in [&page, &notices, &rooms, &seen, &again, &frame] {
            assert!(!place.to_string().contains("a secret"), "{place}");
            assert!(!place.to_string().contains("example.org/secret"), "{place}");
        }
    }
}
