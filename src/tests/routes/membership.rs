//! Joining, leaving and moderation, as required by the contract.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, both};

async fn invite(who: &Person, room: i64, guest: &Person) -> Answer {
    who.client.post(&format!("/api/chat/rooms/{room}/members/"), &json!({"username": guest.username})).await
}

async fn change(who: &Person, room: i64, target: &Person, changes: Value) -> Answer {
    let path = format!("/api/chat/rooms/{room}/members/{}/", target.id);
    Client::send(who.client.request(Method::PATCH, &path).json(&changes)).await
}

async fn post(who: &Person, room: i64, what: &str) -> Answer {
    who.client.post(&format!("/api/chat/rooms/{room}/{what}/"), &json!({})).await
}

/// Names and roles of the members, by join time.
async fn roles(who: &Person, room: i64) -> Vec<(String, String)> {
    let members = who.client.get(&format!("/api/chat/rooms/{room}/members/")).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let members = members.as_array().expect("an array");
    members.iter().map(|one| (text(&one["user"]["username"]), text(&one["role"]))).collect()
}

fn role(person: &Person, role: &str) -> (String, String) {
    (person.username.clone(), role.to_owned())
}

both! {
    async fn rejoining_a_private_room_needs_an_invitation(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        for kind in ["private", "group"] {
            let room = amy.makes_room(kind).await;
            post(&bob, room, "join").await.expect_error(404, "not_found");
            invite(&amy, room, &bob).await.expect(201);
            post(&bob, room, "leave").await.expect(200);
            post(&bob, room, "join").await.expect_error(404, "not_found");
            bob.client.get(&format!("/api/chat/rooms/{room}/")).await.expect_error(404, "not_found");
            invite(&amy, room, &bob).await.expect(201);
            bob.says(room, "back again").await;
        }
    }

    async fn leaving_lifts_neither_mute_nor_ban(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        change(&amy, room, &bob, json!({"is_muted": true})).await.expect(200);
        post(&bob, room, "leave").await.expect(200);
        bob.joins(room).await;
        let path = format!("/api/chat/rooms/{room}/messages/");
        bob.client.post(&path, &json!({"content": "x"})).await.expect_error(403, "muted");
        post(&bob, room, "leave").await.expect(200);
        change(&amy, room, &bob, json!({"is_banned": true})).await.expect(200);
        post(&bob, room, "join").await.expect_error(403, "banned");
        change(&amy, room, &bob, json!({"is_muted": false, "is_banned": false})).await.expect(200);
        bob.joins(room).await;
        bob.says(room, "thank you").await;
    }

    async fn when_the_last_admin_leaves_a_successor_is_promoted(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let (cat, dan) = (server.person("cat").await, server.person("dan").await);
        let room = amy.makes_room("public").await;
        for guest in [&bob, &cat, &dan] {
            guest.joins(room).await;
        }
        change(&amy, room, &dan, json!({"role": "moderator"})).await.expect(200);
        post(&amy, room, "leave").await.expect(200);
        assert_eq!(roles(&bob, room).await, [role(&bob, "member"), role(&cat, "member"), role(&dan, "admin")]);
        change(&dan, room, &bob, json!({"is_banned": true})).await.expect(200);
        post(&dan, room, "leave").await.expect(200);
        assert!(roles(&cat, room).await.contains(&role(&cat, "admin")), "never a banned one");
        post(&cat, room, "leave").await.expect(200);
        let seen = amy.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        assert_eq!((&seen["member_count"], &seen["is_active"]), (&json!(0), &json!(true)), "an empty room stays");
        amy.joins(room).await;
    }

    async fn a_moderator_acts_on_members_and_an_admin_on_everyone_but_the_last_admin(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let (cat, dan) = (server.person("cat").await, server.person("dan").await);
        let room = amy.makes_room("public").await;
        for guest in [&bob, &cat, &dan] {
            guest.joins(room).await;
        }
        for moderator in [&bob, &cat] {
            change(&amy, room, moderator, json!({"role": "moderator"})).await.expect(200);
        }
        let mute = || json!({"is_muted": true});
        change(&bob, room, &dan, mute()).await.expect(200);
        for other in [&amy, &cat] {
            change(&bob, room, other, mute()).await.expect_error(403, "permission_denied");
        }
        change(&bob, room, &dan, json!({"role": "moderator"})).await.expect_error(403, "permission_denied");
        change(&dan, room, &bob, mute()).await.expect_error(403, "permission_denied");
        change(&amy, room, &bob, mute()).await.expect(200);
        for patch in [json!({"role": "member"}), json!({"is_banned": true})] {
            change(&amy, room, &amy, patch).await.expect_error(403, "permission_denied");
        }
        change(&amy, room, &cat, json!({"role": "admin"})).await.expect(200);
        change(&cat, room, &amy, json!({"role": "member"})).await.expect(200);
        assert_eq!(roles(&dan, room).await[..3], [role(&amy, "member"), role(&bob, "moderator"), role(&cat, "admin")]);
    }

    async fn a_public_rooms_detail_and_members_may_be_seen_by_anyone_signed_in(server: &Server) {
        let (amy, eve) = (server.person("amy").await, server.person("eve").await);
        let room = amy.makes_room("public").await;
        let seen = eve.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
        assert_eq!((&seen["is_member"], &seen["my_role"], &seen["unread_count"]), (&json!(false), &Value::Null, &json!(0)));
        assert_eq!(seen["members"][0]["username"], *amy.username);
        assert_eq!(roles(&eve, room).await, [role(&amy, "admin")]);
        invite(&eve, room, &eve).await.expect_error(403, "not_a_member");
    }

    async fn leaving_removal_and_ban_free_capacity(server: &Server) {
        let (amy, bob, cat) = (server.person("amy").await, server.person("bob").await, server.person("cat").await);
        let small = json!({"name": "small", "room_type": "public", "max_members": 2});
        let room = amy.client.post("/api/chat/rooms/", &small).await.expect(201)["id"].as_i64().expect("an id");
        bob.joins(room).await;
        post(&cat, room, "join").await.expect_error(400, "room_full");
        invite(&amy, room, &cat).await.expect_error(400, "room_full");
        post(&bob, room, "leave").await.expect(200);
        cat.joins(room).await;
        let path = format!("/api/chat/rooms/{room}/members/{}/", cat.id);
        assert_eq!(Client::send(amy.client.request(Method::DELETE, &path)).await.status, 204);
        bob.joins(room).await;
        change(&amy, room, &bob, json!({"is_banned": true})).await.expect(200);
        cat.joins(room).await;
        change(&amy, room, &bob, json!({"is_banned": false})).await.expect_error(400, "room_full");
    }
}
