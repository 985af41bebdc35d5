//! `/api/chat/rooms/`.

use serde_json::json;

use crate::support::{Client, Person, both};

const ROOM_FIELDS: [&str; 14] = [
    "created_at",
    "created_by",
    "description",
    "id",
    "is_active",
    "is_member",
    "last_message",
    "max_members",
    "member_count",
    "my_role",
    "name",
    "room_type",
    "unread_count",
    "updated_at",
];

both! {
    async fn a_room_has_the_fields_of_the_contract(server: &Server) {
        let amy = server.person("amy").await;
        let new = json!({"name": "大厅", "description": "d", "room_type": "group", "max_members": 7});
        let answer = amy.client.post("/api/chat/rooms/", &new).await;
        assert!(answer.headers.contains_key("x-request-id"));
        let room = answer.expect(201);
        let mut fields: Vec<&str> = room.as_object().expect("an object").keys().map(String::as_str).collect();
        fields.retain(|field| *field != "members");
        assert_eq!(fields, ROOM_FIELDS);
        assert_eq!((&room["name"], &room["room_type"], &room["max_members"]), (&json!("大厅"), &json!("group"), &json!(7)));
        let maker = json!({"id": amy.id, "username": amy.username, "first_name": "", "last_name": ""});
        assert_eq!((&room["created_by"], &room["members"]), (&maker, &json!([maker])));
        let created_at = room["created_at"].as_str().expect("a time");
        assert!(created_at.len() == 27 && created_at.ends_with('Z'), "{created_at}");

        amy.says(room["id"].as_i64().expect("an id"), "hello").await;
        let rooms = amy.client.get("/api/chat/rooms/").await.expect(200);
        let row = rooms.as_array().expect("an array").iter().find(|r| r["id"] == room["id"]).expect("listed");
        let fields: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ROOM_FIELDS, "without members in a list");
        let last = row["last_message"].as_object().expect("a last message");
        assert_eq!(last.keys().collect::<Vec<_>>(), ["content", "created_at", "id", "sender"]);
        assert_eq!((&last["content"], &last["sender"]), (&json!("hello"), &json!(amy.username)));
    }

    async fn paths_work_with_and_without_a_trailing_slash(server: &Server) {
        let amy = server.person("amy").await;
        let new = json!({"name": "no slash", "room_type": "public"});
        let room = amy.client.post("/api/chat/rooms", &new).await.expect(201)["id"].clone();
        let with = amy.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        let without = amy.client.get(&format!("/api/chat/rooms/{room}")).await.expect(200);
        assert_eq!(with, without);
    }

    async fn joining_and_leaving_return_the_contracts_messages(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        for _ in 0..2 {
            let joined = bob.client.post(&format!("/api/chat/rooms/{room}/join/"), &json!({})).await;
            assert_eq!(joined.expect(200), json!({"message": "成功加入房间"}));
        }
        let members = bob.client.get(&format!("/api/chat/rooms/{room}/members/")).await.expect(200);
        assert_eq!(members.as_array().map(Vec::len), Some(2));
        let fields: Vec<&str> = members[1].as_object().expect("an object").keys().map(String::as_str).collect();
        let expected =
            ["id", "is_banned", "is_muted", "joined_at", "last_read_at", "role", "room", "user"];
        assert_eq!(fields, expected);
        let left = bob.client.post(&format!("/api/chat/rooms/{room}/leave/"), &json!({})).await;
        assert_eq!(left.expect(200), json!({"message": "成功离开房间"}));
        let again = bob.client.post(&format!("/api/chat/rooms/{room}/leave/"), &json!({})).await;
        again.expect_error(400, "not_a_member");
    }

    async fn joining_a_full_room_fails(server: &Server) {
        let (amy, bob, eve) =
            (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let new = json!({"name": "two", "room_type": "public", "max_members": 2});
        let room = amy.client.post("/api/chat/rooms/", &new).await.expect(201)["id"].as_i64().expect("an id");
        bob.joins(room).await;
        let answer = eve.client.post(&format!("/api/chat/rooms/{room}/join/"), &json!({})).await;
        answer.expect_error(400, "room_full");
    }

    async fn a_hidden_room_is_a_404_for_non_members(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let hidden = amy.makes_room("private").await;
        amy.client.get(&format!("/api/chat/rooms/{hidden}/")).await.expect(200);
        for room in [hidden.to_string(), "987654321".into()] {
            for path in ["", "members/", "messages/"] {
                let answer = bob.client.get(&format!("/api/chat/rooms/{room}/{path}")).await;
                answer.expect_error(404, "not_found");
            }
            for path in ["join/", "leave/", "messages/"] {
                let body = json!({"content": "x"});
                let answer = bob.client.post(&format!("/api/chat/rooms/{room}/{path}"), &body).await;
                answer.expect_error(404, "not_found");
            }
        }
    }

    async fn invalid_ids_are_a_404(server: &Server) {
        let amy = server.person("amy").await;
        for id in ["0", "-1", "abc", "1.5", "9007199254740993", "99999999999999999999", "%00", "01"] {
            amy.client.get(&format!("/api/chat/rooms/{id}/")).await.expect_error(404, "not_found");
        }
    }

    async fn invalid_rooms_report_each_field(server: &Server) {
        let amy = server.person("amy").await;
        let body = amy.client.post("/api/chat/rooms/", &json!({})).await.expect_error(400, "invalid");
        assert_eq!(body["name"], json!(["该字段是必填项。"]));
        assert_eq!(body["fields"]["room_type"], json!(["该字段是必填项。"]));
        let wrong = json!({"name": [], "room_type": "secret", "max_members": "many"});
        let body = amy.client.post("/api/chat/rooms/", &wrong).await.expect_error(400, "invalid");
        assert!(body["name"].is_array() && body["max_members"].is_array(), "{body}");
        let request = amy.client.request(reqwest::Method::POST, "/api/chat/rooms/").json(&json!({}));
        let english = Client::send(request.header("accept-language", "en")).await;
        assert!(english.headers.get_all("vary").iter().any(|v| v.to_str().is_ok_and(|v| v.contains("accept-language"))));
        assert_eq!(english.expect(400)["name"], json!(["This field is required."]));
    }

    async fn the_list_is_paginated_with_links(server: &Server) {
        let amy = server.person("amy").await;
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(amy.makes_room("private").await);
        }
        let first = amy.client.get("/api/chat/rooms/?mine=true&page_size=2").await;
        let link = first.headers["link"].to_str().expect("text").to_owned();
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect("one link");
        assert!(next.starts_with("/api/chat/rooms/?mine=true&page_size=2&page=2&after="), "{next}");
        assert_eq!(first.expect(200).as_array().map(Vec::len), Some(2));
        for path in [next, "/api/chat/rooms/?mine=true&page_size=2&page=2"] {
            let second = amy.client.get(path).await;
            let link = "</api/chat/rooms/?mine=true&page_size=2&page=1>; rel=\"prev\"";
            assert_eq!(second.headers["link"].to_str().expect("text"), link);
            let rooms = second.expect(200);
            assert_eq!(rooms.as_array().map(Vec::len), Some(1));
            assert_eq!(rooms[0]["id"], made[0], "the oldest");
        }
        for bad in ["page=0", "page_size=-1", "page=x", "after=x", "after=1-", "room_type=direct", "mine=perhaps"] {
            amy.client.get(&format!("/api/chat/rooms/?{bad}")).await.expect_error(400, "invalid");
        }
    }

    async fn an_admin_changes_a_room_field_by_field(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let change = async |who: &Person, body: serde_json::Value| {
            let request = who.client.request(reqwest::Method::PATCH, &format!("/api/chat/rooms/{room}/"));
            Client::send(request.json(&body)).await
        };
        let changed = change(&amy, json!({"name": "茶馆", "max_members": 2})).await.expect(200);
        assert_eq!((&changed["name"], &changed["max_members"]), (&json!("茶馆"), &json!(2)));
        assert_eq!(changed, amy.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200));
        let changed = change(&amy, json!({"description": ""})).await.expect(200);
        assert_eq!((&changed["name"], &changed["description"]), (&json!("茶馆"), &json!("")));
        for bad in [
            json!({"name": null}), json!({"name": " "}), json!({"name": false}), json!({"name": "茶".repeat(101)}),
            json!({"description": null}), json!({"max_members": null}), json!({"max_members": 1}),
            json!({"max_members": 100_001}), json!({"max_members": "nine"}),
        ] {
            let body = change(&amy, bad).await.expect_error(400, "invalid");
            assert_eq!(body["fields"].as_object().map(serde_json::Map::len), Some(1), "{body}");
        }
        change(&bob, json!({"name": "mine"})).await.expect_error(403, "permission_denied");
    }

    async fn a_deleted_room_is_gone_but_members_can_read_its_messages(server: &Server) {
        let (amy, bob, eve) =
            (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        bob.says(room, "before").await;
        let path = format!("/api/chat/rooms/{room}/");
        let delete = async |who: &Person| Client::send(who.client.request(reqwest::Method::DELETE, &path)).await;
        delete(&eve).await.expect_error(403, "not_a_member");
        delete(&bob).await.expect_error(403, "permission_denied");
        assert_eq!(delete(&amy).await.expect(204), serde_json::Value::Null);
        delete(&amy).await.expect_error(404, "not_found");
        assert_eq!(bob.client.get(&path).await.expect(200)["is_active"], false);
        assert_eq!(bob.reads(room).await, ["before"]);
        eve.client.get(&path).await.expect_error(404, "not_found");
        for who in [&amy, &bob, &eve] {
            for path in ["join/", "messages/"] {
                let body = json!({"content": "x"});
                let answer = who.client.post(&format!("/api/chat/rooms/{room}/{path}"), &body).await;
                answer.expect_error(404, "not_found");
            }
            let list = who.client.get("/api/chat/rooms/?page_size=100").await.expect(200);
            assert!(list.as_array().expect("an array").iter().all(|listed| listed["id"] != room));
        }
    }

    async fn an_unknown_path_is_a_json_404_and_a_wrong_method_names_the_right_ones(server: &Server) {
        let anyone = server.anyone();
        for path in ["/api/nope/", "/api/chat/rooms/1/nope", "/api", "/api/"] {
            anyone.get(path).await.expect_error(404, "not_found");
        }
        let answer = Client::send(anyone.request(reqwest::Method::PUT, "/api/chat/rooms/")).await;
        assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
        answer.expect_error(405, "method_not_allowed");
    }
}
