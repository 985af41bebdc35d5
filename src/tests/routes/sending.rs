//! Valid messages, and repeats.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, both};

async fn send(who: &Person, room: i64, draft: Value) -> Answer {
    who.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await
}

both! {
    async fn a_reply_is_to_a_message_of_the_same_room(server: &Server) {
        let amy = server.person("amy").await;
        let (here, there) = (amy.makes_room("public").await, amy.makes_room("public").await);
        let first = amy.says(here, "tea?").await["id"].clone();
        let elsewhere = amy.says(there, "cake?").await["id"].clone();
        let answer = send(&amy, here, json!({"content": "yes", "reply_to": first})).await.expect(201);
        assert_eq!(answer["reply_to"], first);
        for other in [&elsewhere, &json!(9_007_199_254_740_991_i64)] {
            let refused = send(&amy, here, json!({"content": "no", "reply_to": other})).await;
            assert!(refused.expect_error(400, "invalid")["reply_to"].is_array());
        }
        assert_eq!(amy.reads(here).await, ["yes", "tea?"]);
    }

    async fn clients_send_text_images_and_files_but_no_system_messages(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let plain = send(&amy, room, json!({"content": "x"})).await.expect(201);
        assert_eq!((&plain["message_type"], &plain["file_url"], &plain["reply_to"]), (&json!("text"), &Value::Null, &Value::Null));
        for kind in ["text", "image", "file"] {
            let draft = json!({"content": "x", "message_type": kind, "file_url": "http://example.org/聊.png"});
            assert_eq!(send(&amy, room, draft).await.expect(201)["message_type"], kind);
        }
        let system = send(&amy, room, json!({"content": "x", "message_type": "system"})).await;
        assert!(system.expect_error(400, "invalid")["message_type"].is_array());
    }

    async fn ten_thousand_characters_fit_whatever_their_bytes(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        for character in ["x", "聊", "🍵"] {
            let text = character.repeat(10_000);
            assert_eq!(send(&amy, room, json!({"content": text})).await.expect(201)["content"], *text);
            let long = character.repeat(10_001);
            send(&amy, room, json!({"content": long})).await.expect_error(400, "invalid");
        }
        // Line breaks, outer white space and markup are kept.
        let odd = "  <b>\r\n\t\u{202e}*\\\u{0301} ";
        assert_eq!(send(&amy, room, json!({"content": odd})).await.expect(201)["content"], odd);
        assert_eq!(amy.reads(room).await[0], odd);
    }

    async fn a_client_id_is_unique_per_sender_and_room(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let (here, there) = (amy.makes_room("public").await, amy.makes_room("public").await);
        bob.joins(here).await;
        let draft = || json!({"content": "one", "client_id": "1"});
        let first = send(&amy, here, draft()).await.expect(201);
        for (who, room) in [(&bob, here), (&amy, there)] {
            let other = send(who, room, draft()).await.expect(201);
            assert_ne!(other["id"], first["id"]);
        }
        let repeat = send(&amy, here, json!({"content": "other words", "client_id": "1"})).await;
        assert_eq!(repeat.expect(200), first, "the first message again, and nothing of the second");
        assert_eq!(amy.reads(here).await, ["one", "one"]);
    }

    async fn a_muted_member_reads_and_does_not_write(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let own = bob.says(room, "before").await["id"].clone();
        let mute = amy.client.request(Method::PATCH, &format!("/api/chat/rooms/{room}/members/{}/", bob.id));
        Client::send(mute.json(&json!({"is_muted": true}))).await.expect(200);
        send(&bob, room, json!({"content": "after"})).await.expect_error(403, "muted");
        let edit = bob.client.request(Method::PATCH, &format!("/api/chat/messages/{own}/"));
        Client::send(edit.json(&json!({"content": "after"}))).await.expect_error(403, "muted");
        let mut socket = server.socket(&bob, room).await;
        socket.says("after", "m").await;
        let refused = socket.next_of("error").await;
        assert_eq!((&refused["code"], &refused["client_id"]), (&json!("muted"), &json!("m")));
        amy.says(room, "quiet").await;
        assert_eq!(socket.next_of("chat_message").await["message"]["content"], "quiet");
        assert_eq!(bob.reads(room).await, ["quiet", "before"]);
    }
}
