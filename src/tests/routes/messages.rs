//! `/api/chat/rooms/{id}/messages/` and `/api/chat/messages/{id}/`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Server, both};

both! {
    async fn a_message_has_the_fields_of_the_contract(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let draft = json!({
            "content": "看 <b>", "message_type": "file", "file_url": "https://example.org/a", "file_name": "a",
            "file_size": 3, "client_id": "c-1",
        });
        let sent = amy.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await.expect(201);
        let fields: Vec<&str> = sent.as_object().expect("an object").keys().map(String::as_str).collect();
        let expected = [
            "client_id", "content", "created_at", "file_name", "file_size", "file_url", "id", "is_deleted",
            "is_edited", "message_type", "reply_to", "rev", "room", "sender", "updated_at",
        ];
        assert_eq!(fields, expected);
        assert_eq!(sent["room"], json!({"id": room, "name": "Tea 茶"}));
        assert_eq!((&sent["content"], &sent["file_size"]), (&json!("看 <b>"), &json!(3)));
        let page = amy.client.get(&format!("/api/chat/rooms/{room}/messages/")).await.expect(200);
        let expected = json!({"messages": [sent], "page": 1, "page_size": 20, "total": 1, "has_more": false});
        assert_eq!(page, expected);
    }

    async fn a_repeated_client_id_returns_the_stored_message(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let path = format!("/api/chat/rooms/{room}/messages/");
        let draft = json!({"content": "once", "client_id": "again"});
        let first = amy.client.post(&path, &draft).await.expect(201);
        let again = amy.client.post(&path, &draft).await.expect(200);
        assert_eq!(first, again);
        assert_eq!(amy.reads(room).await, ["once"]);
    }

    async fn a_non_member_gets_not_a_member(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        let path = format!("/api/chat/rooms/{room}/messages/");
        bob.client.get(&path).await.expect_error(403, "not_a_member");
        bob.client.post(&path, &json!({"content": "hi"})).await.expect_error(403, "not_a_member");
        assert!(amy.reads(room).await.is_empty());
    }

    async fn malformed_input_is_a_clear_400_and_stores_nothing(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let path = format!("/api/chat/rooms/{room}/messages/");
        let deep = "[".repeat(10_000);
        for bad in ["", "{", "[]", "nul", "{\"content\":\"\\ud800\"}", deep.as_str(), "\u{1}"] {
            amy.client.post_raw(&path, bad.to_owned()).await.expect_error(400, "parse_error");
        }
        for bad in [
            json!({}), json!({"content": null}), json!({"content": true}), json!({"content": " \n"}),
            json!({"content": "a\u{0}b"}), json!({"content": "x".repeat(10_001)}),
            json!({"content": "x", "message_type": "system"}), json!({"content": "x", "file_url": "javascript:alert(1)"}),
            json!({"content": "x", "reply_to": -1}), json!({"content": "x", "reply_to": 1_i64 << 53}),
            json!({"content": "x", "client_id": "y".repeat(65)}), json!({"content": "x", "file_size": -1}),
        ] {
            amy.client.post(&path, &bad).await.expect_error(400, "invalid");
        }
        let form = amy.client.request(Method::POST, &path).header("content-type", "text/plain").body("content=x");
        Client::send(form).await.expect_error(415, "unsupported_media_type");
        let huge = vec![b' '; 2 * 1024 * 1024];
        amy.client.post_raw(&path, huge).await.expect_error(413, "too_large");
        for query in ["page=0", "page=-1", "page_size=-1", "page=x", "before_id=1&after_id=1", "after_id=-1"] {
            amy.client.get(&format!("{path}?{query}")).await.expect_error(400, "invalid");
        }
        assert!(amy.reads(room).await.is_empty());
    }

    async fn marking_a_message_read_clears_the_count(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let first = amy.says(room, "1").await["id"].clone();
        amy.says(room, "2").await;
        let detail = format!("/api/chat/rooms/{room}/");
        assert_eq!(bob.client.get(&detail).await.expect(200)["unread_count"], 2);
        let read = bob.client.post(&format!("/api/chat/messages/{first}/read/"), &json!({})).await;
        assert_eq!(read.expect(200), json!({"message": "消息已标记为已读"}));
        assert_eq!(bob.client.get(&detail).await.expect(200)["unread_count"], 1);
        let eve = server.person("eve").await;
        eve.client.post(&format!("/api/chat/messages/{first}/read/"), &json!({})).await.expect_error(403, "not_a_member");
        eve.client.post("/api/chat/messages/987654321/read/", &json!({})).await.expect_error(404, "not_found");
    }
}

both! {
    async fn a_message_is_edited_by_its_sender(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let message = amy.says(room, "frist").await;
        let path = format!("/api/chat/messages/{}/", message["id"]);
        let change = async |who: &Person, path: &str, body: Value| {
            Client::send(who.client.request(Method::PATCH, path).json(&body)).await
        };
        let edited = change(&amy, &path, json!({"content": "first 聊"})).await.expect(200);
        assert_eq!((&edited["content"], &edited["is_edited"]), (&json!("first 聊"), &json!(true)));
        assert_eq!((&edited["id"], &edited["created_at"]), (&message["id"], &message["created_at"]));
        assert_eq!(amy.reads(room).await, ["first 聊"]);
        change(&bob, &path, json!({"content": "x"})).await.expect_error(403, "permission_denied");
        for bad in [json!({}), json!({"content": null}), json!({"content": true}), json!({"content": " "})] {
            let refusal = change(&amy, &path, bad).await.expect_error(400, "invalid");
            assert!(refusal["content"].is_array());
        }
        for unknown in ["/api/chat/messages/987654321/", "/api/chat/messages/0/", "/api/chat/messages/99999999999999999999/"] {
            change(&amy, unknown, json!({"content": "x"})).await.expect_error(404, "not_found");
        }
        let anyone = server.anyone().request(Method::PATCH, &path).json(&json!({"content": "x"}));
        Client::send(anyone).await.expect_error(401, "not_authenticated");
        assert_eq!(amy.client.get(&path).await.headers["allow"], "PATCH");
    }

    async fn a_message_is_deleted_softly_and_again_is_the_same(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let file = json!({
            "content": "look", "message_type": "file", "file_url": "https://example.org/a.png",
            "file_name": "a.png", "file_size": 7,
        });
        let path = format!("/api/chat/rooms/{room}/messages/");
        let message = bob.client.post(&path, &file).await.expect(201);
        let amys = amy.says(room, "amy's").await;
        let delete = async |who: &Person, id: &Value| {
            Client::send(who.client.request(Method::DELETE, &format!("/api/chat/messages/{id}/delete/"))).await
        };
        delete(&bob, &amys["id"]).await.expect_error(403, "permission_denied");
        for who in [&bob, &bob, &amy] {
            let answer = delete(who, &message["id"]).await.expect(200);
            assert_eq!(answer, json!({"message": "消息已删除"}));
        }
        delete(&amy, &json!(987_654_321)).await.expect_error(404, "not_found");
        let page = amy.client.get(&path).await.expect(200);
        let shown = &page["messages"][1];
        assert_eq!((&shown["content"], &shown["is_deleted"]), (&json!("[消息已删除]"), &json!(true)));
        for field in ["file_url", "file_name", "file_size"] {
            assert_eq!(shown[field], Value::Null, "{field}");
        }
        let edit = amy.client.request(Method::PATCH, &format!("/api/chat/messages/{}/", message["id"]));
        Client::send(edit.json(&json!({"content": "x"}))).await.expect_error(403, "permission_denied");
        let edit = bob.client.request(Method::PATCH, &format!("/api/chat/messages/{}/", message["id"]));
        Client::send(edit.json(&json!({"content": "back"}))).await.expect_error(404, "not_found");
    }

    async fn a_messages_readers_are_listed(server: &Server) {
        let (amy, bob, eve) =
            (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let message = amy.says(room, "one").await;
        let path = format!("/api/chat/messages/{}/reads/", message["id"]);
        assert_eq!(amy.client.get(&path).await.expect(200), json!([]));
        bob.client.post(&format!("/api/chat/messages/{}/read/", message["id"]), &json!({})).await.expect(200);
        let readers = amy.client.get(&path).await.expect(200);
        let user = json!({"id": bob.id, "username": bob.username, "first_name": "", "last_name": ""});
        assert_eq!(readers[0]["user"], user);
        assert!(readers[0]["read_at"].as_str().is_some_and(|at| at.ends_with('Z')));
        assert_eq!(readers.as_array().map(Vec::len), Some(1));
        eve.client.get(&path).await.expect_error(403, "not_a_member");
        amy.client.get("/api/chat/messages/987654321/reads/").await.expect_error(404, "not_found");
    }
}

#[tokio::test]
async fn writing_too_fast_is_a_429_with_retry_after() {
    let server = Server::start(&["--writes-per-second=1", "--write-burst=3"]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let path = format!("/api/chat/rooms/{room}/messages/");
    let mut refused = None;
    for n in 0..10 {
        let answer = amy.client.post(&path, &json!({"content": n.to_string()})).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("throttled within ten");
    let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=2).contains(&wait));
    refused.expect_error(429, "throttled");
}
