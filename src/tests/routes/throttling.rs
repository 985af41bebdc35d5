//! Rate limits: 429 with `Retry-After`, by account and by address.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Server, both};

/// Signs in with this password, as the client that a proxy reports.
async fn sign_in(server: &Server, username: &str, password: &str, forwarded: &str) -> Answer {
    let request = server.anyone().request(Method::POST, "/api/token/");
    let body = json!({"username": username, "password": password});
    Client::send(request.header("x-forwarded-for", forwarded).json(&body)).await
}

#[track_caller]
fn expect_throttled(answer: Answer, most: u64) {
    let wait: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=most).contains(&wait), "{wait}");
    let body = answer.expect_error(429, "throttled");
    assert_eq!(body["error"], body["detail"]);
}

both! {
    /// Normalisation makes eighteen characters of each of these, so the length is checked first.
    async fn a_username_of_a_megabyte_is_rejected_by_its_length(server: &Server) {
        let (anyone, amy) = (server.anyone(), server.person("amy").await);
        let room = amy.makes_room("public").await;
        let long = "\u{fdfa}".repeat(340_000);
        let members = format!("/api/chat/rooms/{room}/members/");
        for (client, path) in [(&anyone, "/api/token/"), (&anyone, "/api/register/"), (&amy.client, &members)] {
            let body = client.post(path, &json!({"username": long, "password": PASSWORD})).await;
            let body = body.expect_error(400, "invalid");
            assert!(body["fields"]["username"].is_array(), "{path}: {body}");
        }
        // A password is compared with each part of a name.
        let parts = "horse.".repeat(80_000);
        let new = json!({"username": "bob", "password": PASSWORD, "first_name": parts, "last_name": parts});
        let body = anyone.post("/api/register/", &new).await.expect_error(400, "invalid");
        assert!(body["fields"]["first_name"].is_array() && body["fields"]["last_name"].is_array(), "{body}");
        let search = format!("/api/chat/rooms/?search={}", "%EF%B7%BA".repeat(5_000));
        amy.client.get(&search).await.expect_error(400, "invalid");
    }
}

/// The server's CPU time so far, in hundredths of a second.
fn processor_time(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("its figures");
    let (_, figures) = stat.rsplit_once(')').expect("a name in parentheses");
    let of = |field: usize| figures.split_whitespace().nth(field).and_then(|text| text.parse::<u64>().ok());
    of(11).expect("in the program") + of(12).expect("in the system")
}

#[tokio::test]
async fn a_username_of_a_megabyte_costs_no_more_cpu_than_other_fields() {
    let server = Server::start(&[]);
    let long = "\u{fdfa}".repeat(340_000);
    let spent = async |path: &str, body: &Value| {
        let before = processor_time(&server);
        for _ in 0..4 {
            server.anyone().post(path, body).await.expect_error(400, "invalid");
        }
        processor_time(&server) - before
    };
    for path in ["/api/token/", "/api/register/"] {
        let elsewhere = spent(path, &json!({"username": "bob", "password": "", "note": long})).await;
        let as_a_name = spent(path, &json!({"username": long, "password": ""})).await;
        assert!(as_a_name <= 2 * elsewhere + 20, "{path}: {as_a_name} and not {elsewhere}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_limit() {
    let server = Server::start(&["--trusted-proxies=127.0.0.1", "--signin-failures-per-address=2"]);
    let amy = server.person("amy").await;
    for name in ["ann", "ben"] {
        sign_in(&server, name, "wrong horse 9", "198.51.100.7").await.expect_error(401, "no_active_account");
    }
    expect_throttled(sign_in(&server, &amy.username, PASSWORD, "198.51.100.7").await, 300);
    // Addresses further left may be forged by the client.
    expect_throttled(sign_in(&server, &amy.username, PASSWORD, "203.0.113.1, 198.51.100.7").await, 300);
    sign_in(&server, &amy.username, PASSWORD, "198.51.100.8").await.expect(200);
    // The IPv6 addresses of one subscriber are one client.
    for host in ["2001:db8:1:2::1", "2001:db8:1:2::2"] {
        sign_in(&server, "ann", "wrong horse 9", host).await.expect_error(401, "no_active_account");
    }
    expect_throttled(sign_in(&server, &amy.username, PASSWORD, "2001:db8:1:2::3").await, 300);
    sign_in(&server, &amy.username, PASSWORD, "2001:db8:1:3::1").await.expect(200);
}

#[tokio::test]
async fn forwarded_headers_of_an_untrusted_peer_are_ignored() {
    let server = Server::start(&["--trusted-proxies=192.0.2.1", "--signin-failures-per-address=2"]);
    for (name, forwarded) in [("ann", "198.51.100.7"), ("ben", "198.51.100.8")] {
        sign_in(&server, name, "wrong horse 9", forwarded).await.expect_error(401, "no_active_account");
    }
    expect_throttled(sign_in(&server, "cat", "wrong horse 9", "198.51.100.9").await, 300);
}

#[tokio::test]
async fn sign_ups_are_limited_per_address() {
    let server = Server::start(&["--sign-ups-per-address=3", "--trusted-proxies=127.0.0.1"]);
    let sign_up = async |name: &str, address: &str| {
        let request =
            server.anyone().request(Method::POST, "/api/register/").header("x-forwarded-for", address);
        Client::send(request.json(&json!({"username": name, "password": PASSWORD}))).await
    };
    let home = "198.51.100.7";
    sign_up("two words", home).await.expect_error(400, "invalid");
    sign_up("ann", home).await.expect(201);
    sign_up("ann", home).await.expect_error(400, "invalid");
    for name in ["ben", "cat"] {
        sign_up(name, home).await.expect(201);
    }
    expect_throttled(sign_up("dan", home).await, 300);
    let form = server.anyone().request(Method::POST, "/ui/sign_up").header("x-forwarded-for", home);
    let form = form.header("origin", &server.base).form(&[("username", "dan"), ("password", PASSWORD)]);
    let answer = Client::send(form).await;
    assert!(
        !answer
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.to_str().is_ok_and(|cookie| cookie.contains("liao_session")))
    );
    let credentials = json!({"username": "dan", "password": PASSWORD});
    server.anyone().post("/api/token/", &credentials).await.expect_error(401, "no_active_account");
    sign_up("dan", "198.51.100.8").await.expect(201);
}

/// Each rejected sign-up may reveal that a name is taken.
#[tokio::test]
async fn rejected_sign_ups_are_limited_per_address() {
    let server = Server::start(&["--sign-up-failures-per-address=3", "--trusted-proxies=127.0.0.1"]);
    let taken = server.person("amy").await.username;
    let sign_up = async |name: &str, address: &str| {
        let request =
            server.anyone().request(Method::POST, "/api/register/").header("x-forwarded-for", address);
        Client::send(request.json(&json!({"username": name, "password": PASSWORD}))).await
    };
    let home = "198.51.100.7";
    for name in [&taken, "two words", &taken] {
        sign_up(name, home).await.expect_error(400, "invalid");
    }
    expect_throttled(sign_up(&taken, home).await, 300);
    expect_throttled(sign_up("free", home).await, 300);
    sign_up("free", "198.51.100.8").await.expect(201);
}

#[tokio::test]
async fn concurrent_sign_ups_do_not_exceed_the_limit() {
    let server = Server::start(&["--sign-ups-per-address=4"]);
    let attempts = futures::future::join_all((0..40).map(async |n| {
        let body = json!({"username": format!("bot{n}"), "password": PASSWORD});
        server.anyone().post("/api/register/", &body).await.status.as_u16()
    }));
    let made = attempts.await.into_iter().filter(|status| *status == 201).count();
    assert_eq!(made, 4);
}

#[tokio::test]
async fn messages_by_socket_and_rest_count_together() {
    let server = Server::start(&["--writes-per-second=1", "--write-burst=6"]);
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let mut socket = server.socket(&amy, room).await;
    for n in 0..3 {
        socket.says("by socket", &n.to_string()).await;
        socket.next_of("chat_message").await;
        amy.says(room, "by REST").await;
    }
    let path = format!("/api/chat/rooms/{room}/messages/");
    let draft = json!({"content": "too much"});
    let mut refused: Option<Answer> = None;
    // One more is allowed each second, so some of a few concurrent ones are rejected.
    for _ in 0..5 {
        let answer = amy.client.post(&path, &draft).await;
        if answer.status == 429 {
            refused = Some(answer);
        }
    }
    expect_throttled(refused.expect("one of them was refused"), 2);
    socket.send(&json!({"type": "chat_message", "content": "too much", "client_id": "x"})).await;
    socket.send(&json!({"type": "chat_message", "content": "too much", "client_id": "y"})).await;
    let frame: Value = socket.next_of("error").await;
    assert_eq!(frame["code"], "throttled");
    bob.says(room, "I am not too fast").await;
}
