//! `/api/chat/rooms/{id}/members/`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, both};

const MEMBER_FIELDS: [&str; 8] =
    ["id", "is_banned", "is_muted", "joined_at", "last_read_at", "role", "room", "user"];

async fn invite(who: &Person, room: i64, guest: &Person) -> Answer {
    who.client.post(&format!("/api/chat/rooms/{room}/members/"), &json!({"username": guest.username})).await
}

async fn change(who: &Person, room: i64, target: &Person, patch: &Value) -> Answer {
    let member = format!("/api/chat/rooms/{room}/members/{}/", target.id);
    Client::send(who.client.request(Method::PATCH, &member).json(patch)).await
}

async fn remove(who: &Person, room: i64, target: &Person) -> Answer {
    let path = format!("/api/chat/rooms/{room}/members/{}/", target.id);
    Client::send(who.client.request(Method::DELETE, &path)).await
}

both! {
    async fn an_added_member_joins_at_once(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("private").await;
        let member = invite(&amy, room, &bob).await.expect(201);
        let fields: Vec<&str> = member.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, MEMBER_FIELDS);
        assert_eq!((&member["user"]["id"], &member["role"]), (&json!(bob.id), &json!("member")));
        assert_eq!(member["room"], json!({"id": room, "name": "Tea 茶"}));
        bob.says(room, "in").await;
        assert_eq!(invite(&amy, room, &bob).await.expect(200), member, "in already: the same member");
        let members = bob.client.get(&format!("/api/chat/rooms/{room}/members/")).await.expect(200);
        assert_eq!(members.as_array().map(Vec::len), Some(2));
    }

    async fn adding_a_member_fails_with_the_contracts_errors(server: &Server) {
        let (amy, bob, eve) =
            (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let new = json!({"name": "two", "room_type": "public", "max_members": 2});
        let room = amy.client.post("/api/chat/rooms/", &new).await.expect(201)["id"].as_i64().expect("an id");
        let path = format!("/api/chat/rooms/{room}/members/");
        invite(&bob, room, &eve).await.expect_error(403, "not_a_member");
        invite(&amy, room, &bob).await.expect(201);
        invite(&bob, room, &eve).await.expect_error(403, "permission_denied");
        invite(&amy, room, &eve).await.expect_error(400, "room_full");
        let body = amy.client.post(&path, &json!({"username": "no_such_person"})).await;
        let body = body.expect_error(400, "invalid");
        assert_eq!(body["username"], json!(["没有这个用户。"]));
        for bad in [json!({}), json!({"username": null}), json!({"username": {}}), json!({"username": " "})] {
            let body = amy.client.post(&path, &bad).await.expect_error(400, "invalid");
            assert!(body["fields"]["username"].is_array(), "{body}");
        }
        change(&amy, room, &bob, &json!({"is_banned": true})).await.expect(200);
        let body = invite(&amy, room, &bob).await.expect_error(400, "invalid");
        assert_eq!(body["username"], json!(["该用户已被禁止进入此房间，请先解除封禁。"]));
        let hidden = amy.makes_room("group").await;
        invite(&bob, hidden, &eve).await.expect_error(404, "not_found");
    }

    async fn a_member_is_changed_field_by_field(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let answer = change(&amy, room, &bob, &json!({"role": "moderator"})).await.expect(200);
        assert_eq!((&answer["role"], &answer["is_muted"]), (&json!("moderator"), &json!(false)));
        let answer = change(&amy, room, &bob, &json!({"is_muted": true})).await.expect(200);
        assert_eq!((&answer["role"], &answer["is_muted"]), (&json!("moderator"), &json!(true)));
        let draft = json!({"content": "hm"});
        let sent = bob.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft).await;
        sent.expect_error(403, "muted");
        assert_eq!(change(&amy, room, &bob, &json!({})).await.expect(200), answer, "nothing to change");
        for bad in [
            json!({"role": "owner"}), json!({"role": null}), json!({"role": 1}), json!({"is_muted": null}),
            json!({"is_muted": "perhaps"}), json!({"is_banned": 2}),
        ] {
            let body = change(&amy, room, &bob, &bad).await.expect_error(400, "invalid");
            assert_eq!(body["fields"].as_object().map(serde_json::Map::len), Some(1), "{body}");
        }
    }

    async fn missing_permissions_are_a_403(server: &Server) {
        let (amy, bob, eve) =
            (server.person("amy").await, server.person("bob").await, server.person("eve").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mute = json!({"is_muted": true});
        change(&eve, room, &bob, &mute).await.expect_error(403, "not_a_member");
        change(&bob, room, &amy, &mute).await.expect_error(403, "permission_denied");
        change(&amy, room, &amy, &mute).await.expect_error(403, "permission_denied");
        change(&amy, room, &eve, &mute).await.expect_error(404, "not_found");
        remove(&eve, room, &bob).await.expect_error(403, "not_a_member");
        remove(&bob, room, &amy).await.expect_error(403, "permission_denied");
        remove(&amy, room, &amy).await.expect_error(403, "permission_denied");
        remove(&amy, room, &eve).await.expect_error(404, "not_found");
        let hidden = amy.makes_room("private").await;
        change(&eve, hidden, &amy, &mute).await.expect_error(404, "not_found");
        remove(&eve, hidden, &amy).await.expect_error(404, "not_found");
        for user in ["0", "x", "9007199254740993", "01"] {
            let path = format!("/api/chat/rooms/{room}/members/{user}/");
            let answer = Client::send(amy.client.request(Method::DELETE, &path)).await;
            answer.expect_error(404, "not_found");
        }
    }

    async fn a_removed_member_may_rejoin_and_a_banned_one_may_not(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let answer = remove(&amy, room, &bob).await;
        assert_eq!(answer.expect(204), Value::Null);
        let seen = bob.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        assert_eq!((&seen["is_member"], &seen["member_count"]), (&json!(false), &json!(1)));
        bob.joins(room).await;
        change(&amy, room, &bob, &json!({"is_banned": true})).await.expect(200);
        for path in ["", "members/", "messages/"] {
            let answer = bob.client.get(&format!("/api/chat/rooms/{room}/{path}")).await;
            answer.expect_error(403, "banned");
        }
        for path in ["join/", "messages/", "members/"] {
            let body = json!({"content": "x", "username": amy.username});
            let answer = bob.client.post(&format!("/api/chat/rooms/{room}/{path}"), &body).await;
            answer.expect_error(403, "banned");
        }
        change(&amy, room, &bob, &json!({"is_banned": false})).await.expect(200);
        bob.says(room, "back").await;
    }
}
