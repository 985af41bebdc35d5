//! A socket lives as long as the credential that opened it. Tests each way to end one by HTTP or by a command, for
//! sockets opened by cookie and by token, on the same node and on another one.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Person, Server, Socket, both, mariadb_url};

const NEW_PASSWORD: &str = "another horse 7";

/// A way to end credentials.
struct Way {
    name: &'static str,
    /// Does it end the browser's session, and the tokens?
    ends: [bool; 2],
    code: &'static str,
    act: Act,
}

enum Act {
    /// A form of the bundled UI, sent by the browser itself.
    OwnForm(&'static str, &'static [(&'static str, &'static str)]),
    /// A form sent by another browser of the same person.
    OtherForm(&'static str, &'static [(&'static str, &'static str)]),
    /// `POST /api/token/blacklist/`.
    Blacklist,
    /// `liao users …`, and its input.
    Command(&'static str, &'static str),
}

const BROWSER: [bool; 2] = [true, false];
const TOKENS: [bool; 2] = [false, true];
const ALL: [bool; 2] = [true, true];

/// Every way to end a credential.
const WAYS: &[Way] = &[
    way("signing out", BROWSER, Act::OwnForm("sign_out", &[])),
    way(
        "signing in anew",
        BROWSER,
        Act::OwnForm("sign_in", &[("username", "{username}"), ("password", PASSWORD)]),
    ),
    way("ending the session", BROWSER, Act::OtherForm("end_session", &[("session", "{session}")])),
    way("ending the token", TOKENS, Act::OtherForm("end_token", &[("token", "{token}")])),
    way("signing out elsewhere", ALL, Act::OtherForm("sign_out_elsewhere", &[])),
    way(
        "a new password",
        ALL,
        Act::OtherForm("change_password", &[("old_password", PASSWORD), ("password", NEW_PASSWORD)]),
    ),
    way("blacklisting the token", TOKENS, Act::Blacklist),
    way("a new password by the operator", ALL, Act::Command("password", "another horse 7\n")),
    Way { name: "deactivation", ends: ALL, code: "user_inactive", act: Act::Command("deactivate", "") },
];

const fn way(name: &'static str, ends: [bool; 2], act: Act) -> Way {
    Way { name, ends, code: "token_not_valid", act }
}

/// Sends a form of the bundled UI as the browser with this cookie does.
async fn submit(server: &Server, name: &str, cookie: &str, fields: &[(&str, String)]) -> Answer {
    let request = server.anyone().request(Method::POST, &format!("/ui/{name}"));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    Client::send(request.header("origin", &server.base).header("cookie", cookie)).await
}

fn cookie_of(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let session =
        set.filter_map(|value| value.split(';').next()).find(|value| value.starts_with("liao_session="));
    session.expect("a session").to_owned()
}

/// Signs a browser in and returns its cookie.
async fn browser(server: &Server, person: &Person) -> String {
    let fields = [("username", person.username.clone()), ("password", PASSWORD.to_owned())];
    cookie_of(&submit(server, "sign_in", "", &fields).await)
}

/// A socket to `path` by cookie, after its first frame.
async fn by_cookie(server: &Server, path: &str, cookie: &str) -> Socket {
    let mut socket = Socket::open(upgrade(server, path, cookie)).await.expect("open");
    assert_eq!(socket.next().await["type"], "connection_established");
    socket
}

fn upgrade(server: &Server, path: &str, cookie: &str) -> tokio_tungstenite::tungstenite::http::Request<()> {
    let mut request = server.upgrade(path);
    for (name, value) in [("cookie", cookie), ("origin", server.base.as_str())] {
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    request
}

/// A socket to `path` by token, after its first frame.
async fn by_token(server: &Server, path: &str, token: &str) -> Socket {
    let mut socket = Socket::open(server.upgrade(&format!("{path}?token={token}"))).await.expect("open");
    assert_eq!(socket.next().await["type"], "connection_established");
    socket
}

/// The sessions or tokens on the settings page, by the form field's name, except for those in `but`.
async fn listed(server: &Server, cookie: &str, field: &str, but: &[String]) -> Vec<String> {
    let request = server.anyone().request(Method::GET, "/settings").header("cookie", cookie);
    let page = request.send().await.expect("an answer").text().await.expect("a page");
    let mark = format!("name=\"{field}\" value=\"");
    let all = page.split(mark.as_str()).skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned));
    all.filter(|found| !but.contains(found)).collect()
}

/// Ends credentials in this way on the node `by`, with the sockets on the node `at`.
async fn check(at: &Server, by: &Server, way: &Way) {
    let amy = by.person("amy").await;
    let room = amy.makes_room("public").await;
    let paths = [format!("/ws/chat/{room}/"), "/ws/notifications/".to_owned()];
    let other = browser(by, &amy).await;
    // A session has a handle from its first page on, which is listed on the second.
    listed(by, &other, "session", &[]).await;
    let others = listed(by, &other, "session", &[]).await;
    let own = browser(by, &amy).await;
    listed(by, &own, "session", &[]).await;
    let own_handles = listed(by, &other, "session", &others).await;
    let tokens = listed(by, &other, "token", &[]).await;

    let mut sockets = Vec::new();
    for path in &paths {
        sockets.push(("cookie", path, way.ends[0], by_cookie(at, path, &own).await));
        sockets.push(("token", path, way.ends[1], by_token(at, path, &amy.access).await));
    }
    let filled = |fields: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        let fill = |value: &str| match value {
            "{username}" => amy.username.clone(),
            "{session}" => own_handles.first().expect("a session's handle").clone(),
            "{token}" => tokens.first().expect("a token").clone(),
            other => other.to_owned(),
        };
        fields.iter().map(|(name, value)| (*name, fill(value))).collect()
    };
    match &way.act {
        Act::OwnForm(name, fields) => drop(submit(by, name, &own, &filled(fields)).await),
        Act::OtherForm(name, fields) => drop(submit(by, name, &other, &filled(fields)).await),
        Act::Blacklist => {
            let refresh = json!({"refresh": amy.refresh});
            by.anyone().post("/api/token/blacklist/", &refresh).await.expect(200);
        }
        Act::Command(command, input) => {
            let done = by.command(&["users", command, &amy.username], input);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
    }
    for (means, path, ends, mut socket) in sockets {
        let what = format!("{}, {path} by {means}", way.name);
        if ends {
            let closed = socket.until_closed().await;
            assert_eq!(closed, (Some(way.code.to_owned()), 4401), "{what}");
        } else {
            socket.send(&json!({"type": "ping"})).await;
            assert_eq!(socket.next_of("pong").await, json!({"type": "pong"}), "{what}");
        }
    }
}

/// Asserts that messages sent right after the end are neither stored nor echoed.
async fn check_sends(server: &Server) {
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let mut bobs = server.socket(&bob, room).await;
    let cookie = browser(server, &amy).await;
    let mut socket = by_cookie(server, &format!("/ws/chat/{room}/"), &cookie).await;
    submit(server, "sign_out", &cookie, &[]).await;
    socket.says("after the end", "late").await;
    assert_eq!(socket.until_closed().await, (Some("token_not_valid".to_owned()), 4401));
    amy.says(room, "the fence").await;
    assert_eq!(bobs.next_of("chat_message").await["message"]["content"], "the fence");
    assert_eq!(bob.reads(room).await, ["the fence"]);
}

both! {
    async fn messages_sent_after_the_end_are_neither_stored_nor_echoed(server: &Server) {
        check_sends(server).await;
    }

    async fn an_invalid_cookie_is_rejected_at_once(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let cookie = browser(server, &amy).await;
        submit(server, "sign_out", &cookie, &[]).await;
        let start = Instant::now();
        for path in [format!("/ws/chat/{room}/"), "/ws/notifications/".to_owned()] {
            let socket = Socket::open(upgrade(server, &path, &cookie)).await.expect("open");
            assert_eq!(socket.until_closed().await, (Some("not_authenticated".to_owned()), 4401));
        }
        assert!(start.elapsed() < Duration::from_secs(10), "without waiting for a first frame");
    }

    async fn an_open_socket_continues_with_a_new_token(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        let cookie = browser(server, &amy).await;
        for path in [format!("/ws/chat/{room}/"), "/ws/notifications/".to_owned()] {
            let mut socket = by_cookie(server, &path, &cookie).await;
            for bad in ["a.b.c", &amy.refresh, &bob.access] {
                socket.send(&json!({"type": "authenticate", "token": bad})).await;
                assert_eq!(socket.next_of("error").await["code"], "token_not_valid");
            }
            socket.send(&json!({"type": "authenticate", "token": amy.access})).await;
            assert_eq!(socket.next_of("authenticated").await, json!({"type": "authenticated"}));
            let fresh = browser(server, &amy).await;
            let other = by_cookie(server, &path, &fresh).await;
            submit(server, "sign_out", &fresh, &[]).await;
            assert_eq!(other.until_closed().await.1, 4401);
            socket.send(&json!({"type": "ping"})).await;
            assert_eq!(socket.next_of("pong").await, json!({"type": "pong"}));
        }
        let mut socket = by_cookie(server, "/ws/notifications/", &cookie).await;
        socket.send(&json!({"type": "authenticate", "token": amy.access})).await;
        assert_eq!(socket.next_of("authenticated").await["type"], "authenticated");
        submit(server, "sign_out", &cookie, &[]).await;
        socket.send(&json!({"type": "ping"})).await;
        assert_eq!(socket.next_of("pong").await, json!({"type": "pong"}), "it lives by the token now");
        server.anyone().post("/api/token/blacklist/", &json!({"refresh": amy.refresh})).await.expect(200);
        assert_eq!(socket.until_closed().await, (Some("token_not_valid".to_owned()), 4401));
    }
}

#[tokio::test]
async fn every_end_closes_what_was_opened_on_one_server_and_by_the_command_line() {
    let server = Server::start(&["--signin-failures-per-address=0"]);
    for way in WAYS {
        check(&server, &server, way).await;
    }
}

#[tokio::test]
async fn every_end_closes_what_was_opened_on_another_node_without_redis() {
    let flags = [
        format!("--database-url={}", mariadb_url("credentials").await),
        format!("--secret-key={}", "k".repeat(40)),
        "--signin-failures-per-address=0".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (at, by) = (Server::start(&flags), Server::start(&flags));
    for way in WAYS.iter().filter(|way| !matches!(way.act, Act::Command(..))) {
        check(&at, &by, way).await;
    }
}

#[tokio::test]
async fn a_socket_ends_with_its_access_token() {
    let server = Server::start(&["--access-token-lifetime=3s"]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let path = format!("/ws/chat/{room}/");
    let brief = by_token(&server, &path, &amy.access).await;
    let mut renewed = by_token(&server, &path, &amy.access).await;
    let credentials = json!({"username": amy.username, "password": PASSWORD});
    let ended = tokio::spawn(brief.until_closed());
    // With renewals the socket outlives its first token.
    while !ended.is_finished() {
        let tokens = server.anyone().post("/api/token/", &credentials).await.expect(200);
        renewed.send(&json!({"type": "authenticate", "token": tokens["access"]})).await;
        assert_eq!(renewed.next_of("authenticated").await["type"], "authenticated");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(ended.await.expect("no panic"), (Some("token_not_valid".to_owned()), 4401));
    renewed.send(&json!({"type": "ping"})).await;
    assert_eq!(renewed.next_of("pong").await, json!({"type": "pong"}));
    assert_eq!(renewed.until_closed().await, (Some("token_not_valid".to_owned()), 4401));
}

#[tokio::test]
async fn the_database_does_not_contain_session_cookies() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let cookie = browser(&server, &amy).await;
    let secret = cookie.split_once('=').expect("a value").1.as_bytes().to_vec();
    let mut files = 0;
    for file in ["liao.db", "liao.db-wal"] {
        let Ok(bytes) = std::fs::read(server.data().join(file)) else { continue };
        files += 1;
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file} has the cookie");
    }
    assert!(files > 0, "the database was read");
    let visit = server.anyone().request(Method::GET, "/ui/visit").header("cookie", &cookie);
    assert_ne!(Client::send(visit).await.expect(200)["user"], Value::Null, "the session is there");
}
