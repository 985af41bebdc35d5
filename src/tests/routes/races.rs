//! Concurrent conflicting calls: over REST and sockets, on one server and on two.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Person, Server, Socket, both, mariadb_url};

/// The number of concurrent calls.
const RACERS: usize = 20;

/// A public room of amy's with capacity for one more member.
async fn nearly_full(amy: &Person) -> i64 {
    let small = json!({"name": "small", "room_type": "public", "max_members": 2});
    let room = amy.client.post("/api/chat/rooms/", &small).await.expect(201);
    room["id"].as_i64().expect("an id")
}

/// All of `clients` join at once, and exactly one succeeds.
async fn race_for_the_last_place(clients: Vec<Client>, amy: &Person, room: i64) {
    let join = format!("/api/chat/rooms/{room}/join/");
    let answers = join_all(clients.iter().map(|client| client.post(&join, &Value::Null))).await;
    let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1, "one gets in");
    for answer in bad {
        answer.expect_error(400, "room_full");
    }
    let seen = amy.client.get(&format!("/api/chat/rooms/{room}/")).await.expect(200);
    assert_eq!((&seen["member_count"], seen["members"].as_array().map(Vec::len)), (&json!(2), Some(2)));
}

/// Amy sends one message many times concurrently, by REST and by sockets. All responses must have the same message, and
/// it must be stored once.
async fn retry_everywhere(clients: Vec<Client>, mut sockets: Vec<Socket>, room: i64) -> Value {
    let draft = json!({"content": "once", "client_id": "the-one"});
    let path = format!("/api/chat/rooms/{room}/messages/");
    let posts = join_all(clients.iter().map(|client| client.post(&path, &draft)));
    let frames = join_all(sockets.iter_mut().map(async |socket| {
        socket.says("once", "the-one").await;
        socket.next_of("chat_message").await
    }));
    let (answers, frames) = tokio::join!(posts, frames);
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(created <= 1, "{created} were told that theirs was new");
    let mut ids = BTreeSet::new();
    for answer in answers {
        assert!([200, 201].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
        ids.insert(answer.body["id"].as_i64().expect("an id"));
    }
    for frame in frames {
        assert_eq!(frame["message"]["client_id"], "the-one");
        ids.insert(frame["message"]["id"].as_i64().expect("an id"));
    }
    assert_eq!(ids.len(), 1, "one id for all: {ids:?}");
    let page = clients[0].get(&path).await.expect(200);
    assert_eq!((&page["total"], &page["messages"][0]["id"]), (&json!(1), &json!(ids.first())));
    json!(ids.first())
}

both! {
    async fn one_of_twenty_concurrent_joins_gets_the_last_capacity(server: &Server) {
        let amy = server.person("amy").await;
        let room = nearly_full(&amy).await;
        let racers = join_all((0..RACERS).map(|_| server.person("racer"))).await;
        let clients = racers.into_iter().map(|racer| racer.client).collect();
        race_for_the_last_place(clients, &amy, room).await;
    }

    async fn twenty_concurrent_retries_store_one_message(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mut ear = server.socket(&bob, room).await;
        let sockets = join_all((0..RACERS / 2).map(|_| server.socket(&amy, room))).await;
        // Amy's first socket made her present, which bob receives too.
        ear.next_of("user_join").await;
        let id = retry_everywhere(vec![amy.client.clone(); RACERS / 2], sockets, room).await;
        assert_eq!(ear.next_of("chat_message").await["message"]["id"], id);
    }

    async fn when_two_admins_leave_at_once_an_admin_remains(server: &Server) {
        let (amy, bob, cat) = (server.person("amy").await, server.person("bob").await, server.person("cat").await);
        for _ in 0..5 {
            let room = amy.makes_room("public").await;
            bob.joins(room).await;
            cat.joins(room).await;
            let path = format!("/api/chat/rooms/{room}/members/{}/", bob.id);
            let promotion = amy.client.request(Method::PATCH, &path).json(&json!({"role": "admin"}));
            Client::send(promotion).await.expect(200);
            let leave = format!("/api/chat/rooms/{room}/leave/");
            let (one, other) = tokio::join!(amy.client.post(&leave, &Value::Null), bob.client.post(&leave, &Value::Null));
            one.expect(200);
            other.expect(200);
            let members = cat.client.get(&format!("/api/chat/rooms/{room}/members/")).await.expect(200);
            assert_eq!((members.as_array().map(Vec::len), &members[0]["role"]), (Some(1), &json!("admin")));
        }
    }
}

#[tokio::test]
async fn concurrent_calls_on_two_servers_behave_like_on_one() {
    let database = format!("--database-url={}", mariadb_url("two_servers").await);
    let secret = "--secret-key=a secret that both servers know, 32 bytes";
    let flags = [database.as_str(), secret, "--writes-per-second=0"];
    let (one, other) = (Server::start(&flags), Server::start(&flags));
    let at = |server: &Server, person: &Person| server.anyone().with_token(&person.access);
    let (amy, bob) = (one.person("amy").await, one.person("bob").await);

    let room = nearly_full(&amy).await;
    let racers = join_all((0..RACERS).map(|_| one.person("racer"))).await;
    let clients = racers.iter().enumerate();
    let clients = clients.map(|(n, racer)| at(if n % 2 == 0 { &one } else { &other }, racer)).collect();
    race_for_the_last_place(clients, &amy, room).await;

    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let clients = (0..RACERS / 2).map(|n| at(if n % 2 == 0 { &one } else { &other }, &amy)).collect();
    let mut sockets = Vec::new();
    for n in 0..RACERS / 2 {
        sockets.push(if n % 2 == 0 { &one } else { &other }.socket(&amy, room).await);
    }
    retry_everywhere(clients, sockets, room).await;
}
