//! Names that people see, and texts that show nothing.

use reqwest::Method;
use serde_json::json;

use crate::support::{Client, PASSWORD, both};

/// Names that turn, break or pile up on the text around them.
fn unruly() -> Vec<String> {
    let tower = format!("a{}", "\u{301}".repeat(5));
    ["a\u{202e}b", "\u{2067}a", "a\u{200b}b", "a\u{2028}b", "a\nb", "a\u{ad}b", &tower]
        .map(str::to_owned)
        .into()
}

const BLANK: [&str; 6] = ["\u{3164}", "\u{2800}", "\u{ad}", "\u{202e}", "\u{200b}\u{feff}", "\u{fe0f}"];

both! {
    async fn a_room_has_a_name_that_is_seen_and_stays_in_its_place(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("private").await;
        let path = format!("/api/chat/rooms/{room}/");
        let bad = unruly().into_iter().chain(BLANK.map(str::to_owned));
        for name in bad {
            let made = amy.client.post("/api/chat/rooms/", &json!({"name": name, "room_type": "private"})).await;
            assert!(made.expect_error(400, "invalid")["fields"]["name"].is_array(), "{name:?}");
            let edit = amy.client.request(Method::PATCH, &path).json(&json!({"name": name}));
            Client::send(edit).await.expect_error(400, "invalid");
        }
        assert_eq!(amy.client.get(&path).await.expect(200)["name"], "Tea 茶");
        for name in ["می\u{200c}خواهم", "👩\u{200d}💻 team", "U\u{308}nal", "עברית"] {
            let edit = amy.client.request(Method::PATCH, &path).json(&json!({"name": name}));
            assert_eq!(Client::send(edit).await.expect(200)["name"], name);
        }
    }

    async fn people_have_names_that_are_seen_and_are_not_the_systems(server: &Server) {
        let anyone = server.anyone();
        let register = |username: &str, first_name: &str| {
            let body = json!({"username": username, "password": PASSWORD, "first_name": first_name});
            let anyone = &anyone;
            async move { anyone.post("/api/register/", &body).await.expect_error(400, "invalid") }
        };
        for name in ["admin", "All", "everyone", "所有人", "ｓｙｓｔｅｍ", "bo\u{3164}b", "\u{3164}", "\u{202e}bob", "bob\u{fe0f}"] {
            assert!(register(name, "").await["fields"]["username"].is_array(), "{name:?}");
        }
        for name in unruly().iter().map(String::as_str).chain(BLANK) {
            let body = register("somebody_else", name).await;
            assert!(body["fields"]["first_name"].is_array(), "{name:?} {body}");
        }
    }

    async fn a_username_that_looks_like_another_one_is_refused(server: &Server) {
        let anyone = server.anyone();
        let register = async |username: &str| {
            let body = json!({"username": username, "password": PASSWORD});
            anyone.post("/api/register/", &body).await
        };
        // Cyrillic and Latin letters that look alike.
        register("соре").await.expect(201);
        let refused = register("cope").await.expect_error(400, "invalid");
        assert_eq!(refused["fields"]["username"], json!(["该用户名与已有的过于相似。"]));
        let mixed = register("pаypal").await.expect_error(400, "invalid");
        assert_eq!(mixed["username"], json!(["不能混用这些文字，它们的字母容易混淆。"]));
        register("小明bob").await.expect(201);
    }

    async fn rooms_are_found_in_any_case_on_every_database(server: &Server) {
        let amy = server.person("amy").await;
        for (name, search) in [("Ünal", "ünal"), ("École", "ÉCOLE"), ("Привет", "привет"), ("Tea茶", "ｔｅａ茶")] {
            let name = format!("{name} {}", amy.username);
            let new = json!({"name": name, "room_type": "private"});
            amy.client.post("/api/chat/rooms/", &new).await.expect(201);
            let search = url::form_urlencoded::byte_serialize(search.as_bytes()).collect::<String>();
            let found = amy.client.get(&format!("/api/chat/rooms/?mine=true&search={search}")).await.expect(200);
            assert_eq!((found.as_array().map(Vec::len), &found[0]["name"]), (Some(1), &json!(name)));
        }
    }

    async fn a_message_that_shows_nothing_is_blank(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("private").await;
        for content in BLANK {
            let sent = amy.client.post(&format!("/api/chat/rooms/{room}/messages/"), &json!({"content": content})).await;
            sent.expect_error(400, "invalid");
        }
        // Text is data: what turns it stays in it, and the page keeps it in its place.
        amy.says(room, "a\u{202e}b").await;
        assert_eq!(amy.reads(room).await, ["a\u{202e}b"]);
    }
}
