//! Bodies as clients of the Django system send them: what its serializers and parsers take is taken.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, both};

const ROOMS: &str = "/api/chat/rooms/";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=liao";

async fn send(client: &Client, method: Method, path: &str, content_type: &str, body: String) -> Answer {
    Client::send(client.request(method, path).header("content-type", content_type).body(body)).await
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let parts = fields.iter().map(|(name, value)| {
        format!("--liao\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    parts.chain(["--liao--\r\n".to_owned()]).collect()
}

fn assert_field(answer: Answer, field: &str) {
    let body = answer.expect_error(400, "invalid");
    assert!(body["fields"][field].is_array(), "{body}");
}

both! {
    async fn numbers_texts_and_flags_are_coerced_in_json(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let sent = json!({"name": 123, "room_type": "public", "max_members": "60", "description": ""});
        let room = amy.client.post(ROOMS, &sent).await.expect(201);
        assert_eq!((&room["name"], &room["max_members"]), (&json!("123"), &json!(60)));

        let room = room["id"].as_i64().expect("an id");
        let messages = format!("{ROOMS}{room}/messages/");
        let first = amy.says(room, "tea?").await;
        let sent = json!({
            "content": 7, "reply_to": first["id"].to_string(), "file_url": "", "file_name": "",
            "file_size": "", "message_type": "", "client_id": "",
        });
        let stored = amy.client.post(&messages, &sent).await.expect(201);
        assert_eq!((&stored["content"], &stored["reply_to"]), (&json!("7"), &first["id"]));
        for left_out in ["file_url", "file_name", "file_size", "client_id"] {
            assert_eq!(stored[left_out], Value::Null, "{left_out}");
        }
        assert_eq!(stored["message_type"], "text");

        bob.joins(room).await;
        let member = format!("{ROOMS}{room}/members/{}/", bob.id);
        for (word, expected) in [(json!("True"), true), (json!("off"), false), (json!(1), true), (json!("n"), false)] {
            let sent = json!({"is_muted": word});
            let request = amy.client.request(Method::PATCH, &member).json(&sent);
            assert_eq!(Client::send(request).await.expect(200)["is_muted"], expected, "{sent}");
        }
        let page = amy.client.get(&format!("{messages}?page=1.0&page_size=%201")).await.expect(200);
        assert_eq!((&page["page"], &page["page_size"]), (&json!(1), &json!(1)));
        assert_eq!(amy.client.get(&format!("{ROOMS}?mine=True")).await.expect(200), amy.client.get(&format!("{ROOMS}?mine=1")).await.expect(200));
    }

    async fn an_empty_text_empties_a_description_and_is_no_value_of_another_change(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let path = format!("{ROOMS}{room}/");
        let send_patch = |body: Value| Client::send(amy.client.request(Method::PATCH, &path).json(&body));
        send_patch(json!({"description": "about tea"})).await.expect(200);
        for (field, value) in [("name", json!("")), ("max_members", json!("")), ("description", Value::Null)] {
            assert_field(send_patch(json!({field: value})).await, field);
        }
        assert_eq!(send_patch(json!({})).await.expect(200)["description"], "about tea");
        assert_eq!(send_patch(json!({"description": ""})).await.expect(200)["description"], "");
    }

    async fn forms_of_both_kinds_are_bodies(server: &Server) {
        let amy = server.person("amy").await;
        for (content_type, encode) in [(URLENCODED, urlencoded as fn(&[(&str, &str)]) -> String), (MULTIPART, multipart)] {
            let made = encode(&[("name", "茶 & tea"), ("room_type", "private"), ("max_members", "5"), ("description", "")]);
            let room = send(&amy.client, Method::POST, ROOMS, content_type, made).await.expect(201);
            assert_eq!((&room["name"], &room["max_members"]), (&json!("茶 & tea"), &json!(5)));
            let room = format!("{ROOMS}{}/", room["id"]);
            let said = encode(&[("content", " with blanks "), ("reply_to", ""), ("file_size", "")]);
            let stored = send(&amy.client, Method::POST, &format!("{room}messages/"), content_type, said).await.expect(201);
            assert_eq!(stored["content"], " with blanks ", "text is stored as it came");
            let patched = send(&amy.client, Method::PATCH, &room, content_type, encode(&[("max_members", "6")])).await;
            assert_eq!(patched.expect(200)["max_members"], 6);
            let bad = send(&amy.client, Method::PATCH, &room, content_type, encode(&[("max_members", "many")])).await;
            assert_field(bad, "max_members");
        }
    }

    async fn a_form_with_a_file_or_cut_short_stores_nothing(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let path = format!("{ROOMS}{room}/messages/");
        let file = "--liao\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.txt\"\r\n\r\nx\r\n--liao--\r\n";
        assert_field(send(&amy.client, Method::POST, &path, MULTIPART, file.into()).await, "content");
        let whole = multipart(&[("content", "tea?")]);
        for cut in [&whole[..whole.len() - 12], &whole[..20], ""] {
            send(&amy.client, Method::POST, &path, MULTIPART, cut.into()).await.expect_error(400, "parse_error");
        }
        let nameless = whole.replace("; name=\"content\"", "");
        send(&amy.client, Method::POST, &path, MULTIPART, nameless).await.expect_error(400, "parse_error");
        assert_eq!(amy.reads(room).await, Vec::<String>::new());
    }

    async fn a_byte_order_mark_before_json_is_skipped(server: &Server) {
        let amy = server.person("amy").await;
        let body = format!("\u{feff}{}", json!({"name": "Tea", "room_type": "public"}));
        assert_eq!(amy.client.post_raw(ROOMS, body).await.expect(201)["name"], "Tea");
    }

    async fn frames_of_sockets_stay_strict_but_for_a_bare_ping(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut socket = server.socket(&amy, room).await;
        socket.send_raw("ping").await;
        assert_eq!(socket.next().await, json!({"type": "pong"}));
        for frame in [json!({"type": "chat_message", "content": 7}), json!({"type": "typing", "is_typing": "true"})] {
            socket.send(&frame).await;
            assert_eq!(socket.next_of("error").await["code"], "invalid", "{frame}");
        }
        socket.send_raw("\u{feff}{\"type\":\"ping\"}").await;
        assert_eq!(socket.next_of("error").await["code"], "bad_frame");
        assert_eq!(amy.reads(room).await, Vec::<String>::new());
    }
}
