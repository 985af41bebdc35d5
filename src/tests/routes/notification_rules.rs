//! Which notifications exist, and when they count as read.

use serde_json::{Value, json};

use crate::support::{Person, both};

async fn all(person: &Person, query: &str) -> Vec<Value> {
    let found = person.client.get(&format!("/api/chat/notifications/{query}")).await.expect(200);
    found.as_array().expect("an array").clone()
}

async fn unread(person: &Person) -> Value {
    person.client.get("/api/chat/notifications/unread_count/").await.expect(200)["count"].clone()
}

both! {
    async fn a_mention_matches_the_whole_name(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let name = &bob.username;
        for (text, kind) in [
            (format!("@{name}你好"), "mention"),
            (format!("({name}) @{name}, tea?"), "mention"),
            (format!("@{}!", name.to_uppercase()), "mention"),
            (format!("@{name}by"), "message"),
            (format!("@{name}_"), "message"),
            (format!("@{name}7"), "message"),
            (name.clone(), "message"),
        ] {
            let said = amy.says(room, &text).await;
            let newest = all(&bob, "?limit=1").await.remove(0);
            assert_eq!((&newest["notification_type"], &newest["message"]["id"]), (&json!(kind), &said["id"]), "{text}");
            assert_eq!(newest["title"], format!("新消息来自 {}", amy.username));
        }
        assert_eq!(all(&amy, "").await, Vec::<Value>::new(), "one's own messages are none");
    }

    async fn a_reply_is_a_mention_with_a_reason(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let first = bob.says(room, "tea?").await;
        for (text, reason) in [("yes".to_owned(), json!("reply")), (format!("yes, @{}", bob.username), Value::Null)] {
            let draft = json!({"content": text, "reply_to": first["id"]});
            amy.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await.expect(201);
            let newest = all(&bob, "?limit=1").await.remove(0);
            assert_eq!((&newest["notification_type"], &newest["content"]), (&json!("mention"), &json!(text)));
            assert_eq!(newest.get("reason").cloned().unwrap_or_default(), reason, "{text}");
            assert_eq!(newest.as_object().expect("an object").contains_key("reason"), !reason.is_null());
        }
    }

    async fn an_invitation_notification_has_its_room(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("private").await;
        let path = format!("/api/chat/rooms/{room}/members/");
        amy.client.post(&path, &json!({"username": bob.username})).await.expect(201);
        let found = all(&bob, "").await;
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!((&one["notification_type"], &one["message"], &one["is_read"]), (&json!("room_invite"), &Value::Null, &json!(false)));
        assert_eq!((&one["room"]["id"], &one["room"]["my_role"]), (&json!(room), &json!("member")));
        assert!(one["content"].as_str().expect("text").contains(&amy.username));
        let read = format!("/api/chat/notifications/{}/read/", one["id"]);
        bob.client.post(&read, &json!({})).await.expect(200);
        assert_eq!((unread(&bob).await, all(&bob, "?unread=true").await.len()), (json!(0), 0));
    }

    async fn reading_a_message_reads_its_notification_and_those_before(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut said = Vec::new();
        for text in ["one", "two", "three"] {
            said.push(amy.says(room, text).await["id"].clone());
        }
        bob.client.post(&format!("/api/chat/messages/{}/read/", said[1]), &json!({})).await.expect(200);
        let read: Vec<bool> = all(&bob, "").await.iter().map(|one| one["is_read"] == true).collect();
        assert_eq!(read, [false, true, true], "newest first");
        assert_eq!(unread(&bob).await, 1);
        let room = bob.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        assert_eq!(room["unread_count"], 1);
    }

    async fn the_default_limit_is_50_and_the_maximum_200(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let said = futures::future::join_all((0..203).map(|n| {
            let amy = &amy;
            async move { amy.says(room, &n.to_string()).await }
        }));
        assert_eq!(said.await.len(), 203);
        for (query, count) in [("", 50), ("?limit=7", 7), ("?limit=200", 200), ("?limit=5000", 200)] {
            assert_eq!(all(&bob, query).await.len(), count, "{query}");
        }
        let first = all(&bob, "?limit=200").await;
        let last = all(&bob, &format!("?before_id={}", first[199]["id"])).await;
        assert_eq!(last.len(), 3);
        let ids: std::collections::BTreeSet<_> =
            first.iter().chain(&last).filter_map(|one| one["message"]["id"].as_i64()).collect();
        assert_eq!(ids.len(), 203, "each once");
        assert_eq!(unread(&bob).await, 203);
    }
}
