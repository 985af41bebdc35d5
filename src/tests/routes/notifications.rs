//! `/api/chat/notifications/`.

use serde_json::{Value, json};

use crate::support::{Person, both};

const PATH: &str = "/api/chat/notifications/";

async fn all(person: &Person) -> Vec<Value> {
    person.client.get(PATH).await.expect(200).as_array().expect("an array").clone()
}

async fn unread(person: &Person) -> Value {
    person.client.get("/api/chat/notifications/unread_count/").await.expect(200)
}

both! {
    async fn a_message_of_another_member_is_a_notification(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        amy.says(room, "before bob").await;
        bob.joins(room).await;
        assert_eq!(all(&bob).await, Vec::<Value>::new());
        let message = amy.says(room, &format!("hello @{}你好", bob.username)).await;
        let found = all(&bob).await;
        assert_eq!(found.len(), 1);
        let one = found[0].as_object().expect("an object");
        let mut fields: Vec<&str> = one.keys().map(String::as_str).collect();
        fields.sort_unstable();
        let expected =
            ["content", "created_at", "id", "is_read", "message", "notification_type", "room", "title"];
        assert_eq!(fields, expected);
        assert_eq!(one["notification_type"], "mention");
        assert_eq!(one["title"], format!("新消息来自 {}", amy.username));
        assert_eq!((&one["content"], &one["is_read"]), (&message["content"], &json!(false)));
        assert_eq!(one["room"]["id"], room);
        assert_eq!(one["room"]["member_count"], 2, "the room is shown whole");
        let about = json!({
            "id": message["id"], "content": message["content"], "message_type": "text",
            "created_at": message["created_at"],
        });
        assert_eq!(one["message"], about);
        assert_eq!(unread(&bob).await, json!({"count": 1}));
    }

    async fn notifications_are_marked_one_by_one_and_all_at_once(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        for text in ["one", "two", "three"] {
            amy.says(room, text).await;
        }
        let two = all(&bob).await[1]["id"].clone();
        let path = format!("{PATH}{two}/read/");
        amy.client.post(&path, &json!({})).await.expect_error(404, "not_found");
        let marked = json!({"message": "通知已标记为已读"});
        assert_eq!(bob.client.post(&path, &json!({})).await.expect(200), marked);
        assert_eq!(unread(&bob).await, json!({"count": 2}));
        let still = bob.client.get("/api/chat/notifications/?unread=true&limit=1").await.expect(200);
        assert_eq!((&still[0]["content"], still.as_array().map(Vec::len)), (&json!("three"), Some(1)));
        let older = format!("{PATH}?before_id={}", still[0]["id"]);
        let older = bob.client.get(&older).await.expect(200);
        assert_eq!((&older[0]["content"], &older[1]["content"]), (&json!("two"), &json!("one")));
        assert_eq!(bob.client.post(&format!("{PATH}read_all"), &json!({})).await.expect(200), marked);
        assert_eq!(unread(&bob).await, json!({"count": 0}));
        assert!(all(&bob).await.iter().all(|one| one["is_read"] == true));
    }

    async fn invalid_queries_are_rejected(server: &Server) {
        let amy = server.person("amy").await;
        for bad in ["limit=0", "limit=-1", "limit=x", "before_id=-1", "before_id=0", "unread=maybe"] {
            amy.client.get(&format!("{PATH}?{bad}")).await.expect_error(400, "invalid");
        }
        amy.client.get(&format!("{PATH}?before_id=987654321")).await.expect_error(404, "not_found");
        for id in ["0", "1", "987654321", "99999999999999999999", "x"] {
            amy.client.post(&format!("{PATH}{id}/read/"), &json!({})).await.expect_error(404, "not_found");
        }
        server.anyone().get(PATH).await.expect_error(401, "not_authenticated");
    }
}
