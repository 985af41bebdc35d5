//! `/api/register/`, `/api/me/`, the bundled UI's session and the commands on accounts.

use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Server, Socket, both};

fn cookie(answer: &Answer) -> String {
    let cookie = answer.headers["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("a name and a value").to_owned()
}

/// Signs in as the bundled UI's form does, from a page at `origin`, with `cookies`.
async fn sign_in(server: &Server, username: &str, origin: &str, cookies: &str) -> Answer {
    let body = format!("username={username}&password=correct+horse+9");
    let request = server.anyone().request(Method::POST, "/ui/sign_in").body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    Client::send(request.header("origin", origin).header("cookie", cookies)).await
}

/// The user of the session `cookie`, according to the bundled UI.
async fn visitor(server: &Server, cookie: &str) -> Value {
    let request = server.anyone().request(Method::GET, "/ui/visit").header("cookie", cookie);
    Client::send(request).await.expect(200)["user"].clone()
}

/// The output of a successful command.
#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The error message of a failed command.
#[track_caller]
fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

both! {
    async fn registering_creates_a_user(server: &Server) {
        let anyone = server.anyone();
        let username = format!("{}_小明", server.person("amy").await.username);
        let new = json!({"username": username, "password": PASSWORD, "first_name": "小明", "last_name": "王"});
        let user = anyone.post("/api/register/", &new).await.expect(201);
        let expected = json!({"id": user["id"], "username": username, "first_name": "小明", "last_name": "王"});
        assert_eq!(user, expected);
        let tokens = anyone.post("/api/token/", &new).await.expect(200);
        let client = anyone.with_token(tokens["access"].as_str().expect("a token"));
        for path in ["/api/me/", "/api/me"] {
            assert_eq!(client.get(path).await.expect(200), expected);
        }
    }

    async fn an_invalid_registration_reports_every_error(server: &Server) {
        let amy = server.person("amy").await;
        let anyone = server.anyone();
        let fields = async |body: Value| {
            let refusal = anyone.post("/api/register/", &body).await.expect_error(400, "invalid");
            refusal["fields"].as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields(json!({})).await, ["password", "username"]);
        assert_eq!(fields(json!({"username": "a b", "password": "short"})).await, ["password", "username"]);
        let taken = json!({"username": amy.username.to_uppercase(), "password": PASSWORD});
        assert_eq!(fields(taken).await, ["username"]);
        for weak in ["1234567890", "password1", "newcomer1", "12345678"] {
            assert_eq!(fields(json!({"username": "newcomer", "password": weak})).await, ["password"], "{weak}");
        }
        let odd = json!({"username": "newcomer", "password": PASSWORD, "first_name": true, "last_name": []});
        assert_eq!(fields(odd).await, ["first_name", "last_name"]);
        let long = json!({"username": "newcomer", "password": PASSWORD, "first_name": "x".repeat(151)});
        assert_eq!(fields(long).await, ["first_name"]);
    }

    async fn a_session_begins_and_ends_with_the_ui(server: &Server) {
        let amy = server.person("amy").await;
        let answer = sign_in(server, &amy.username, &server.base, "").await;
        let set = answer.headers["set-cookie"].to_str().expect("text").to_owned();
        for attribute in ["liao_session=", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
            assert!(set.contains(attribute), "{attribute} in {set}");
        }
        assert!(!set.contains("Secure"), "plain http: {set}");
        let first = cookie(&answer);
        assert_eq!(visitor(server, &first).await["id"], amy.id);

        let second = cookie(&sign_in(server, &amy.username, &server.base, &first).await);
        assert_ne!(first, second, "a sign-in renews the id");
        assert_eq!(visitor(server, &first).await, Value::Null);
        assert_eq!(visitor(server, &second).await["id"], amy.id);

        let out = server.anyone().request(Method::POST, "/ui/sign_out").header("origin", &server.base);
        let out = Client::send(out.header("cookie", &second)).await;
        assert!(out.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
        assert_eq!(visitor(server, &second).await, Value::Null);
    }

    async fn another_sites_page_cannot_sign_anybody_in(server: &Server) {
        let amy = server.person("amy").await;
        let answer = sign_in(server, &amy.username, "https://evil.example", "").await;
        assert!(!answer.headers.contains_key("set-cookie"));
        answer.expect_error(403, "bad_origin");
    }

    async fn the_session_works_only_for_sockets_of_the_own_pages_and_not_for_rest(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let cookie = cookie(&sign_in(server, &amy.username, &server.base, "").await);
        let request = server.anyone().request(Method::GET, "/api/me/").header("cookie", &cookie);
        Client::send(request).await.expect_error(401, "not_authenticated");

        let upgrade = |origin: Option<&str>| {
            let mut request = server.upgrade(&format!("/ws/chat/{room}/"));
            request.headers_mut().insert("cookie", cookie.parse().expect("a value"));
            if let Some(origin) = origin {
                request.headers_mut().insert("origin", origin.parse().expect("a value"));
            }
            request
        };
        let mut own = Socket::open(upgrade(Some(&server.base))).await.expect("open");
        let first = own.next().await;
        assert_eq!((&first["type"], &first["user"]["id"]), (&json!("connection_established"), &json!(amy.id)));
        assert_eq!(Socket::open(upgrade(Some("https://evil.example"))).await.err(), Some(403));
        let mut unknown = Socket::open(upgrade(None)).await.expect("open");
        unknown.send(&json!({"type": "ping"})).await;
        assert_eq!(unknown.until_closed().await.1, 4401, "the cookie alone says nothing");
    }

    async fn credentials_of_a_socket_have_an_order(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let who = async |path: &str, headers: &[(&'static str, String)]| {
            let mut request = server.upgrade(path);
            for (name, value) in headers {
                request.headers_mut().insert(*name, value.parse().expect("a value"));
            }
            Socket::open(request).await.expect("open").next().await["user"]["id"].clone()
        };
        let path = format!("/ws/chat/{room}/");
        let with_query = format!("{path}?token={}", amy.access);
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        let protocol = |token: &str| ("sec-websocket-protocol", format!("bearer, {token}"));
        assert_eq!(who(&with_query, &[bearer(&bob.access), protocol(&bob.access)]).await, amy.id);
        assert_eq!(who(&path, &[bearer(&amy.access), protocol(&bob.access)]).await, amy.id);
        assert_eq!(who(&path, &[protocol(&amy.access)]).await, amy.id);
        let session = cookie(&sign_in(server, &bob.username, &server.base, "").await);
        let session = [("cookie", session), ("origin", server.base.clone())];
        assert_eq!(who(&path, &[&session[..], &[bearer(&amy.access)]].concat()).await, amy.id);
        assert_eq!(who(&path, &session).await, bob.id);

        let bad = server.upgrade(&format!("{path}?token=bad"));
        let closed = Socket::open(bad).await.expect("open").until_closed().await;
        assert_eq!(closed, (Some("token_not_valid".to_owned()), 4401), "the first found counts");
    }
}

#[tokio::test]
async fn closed_sign_up_still_allows_the_command_line() {
    let server = Server::start(&["--sign-up=false"]);
    let new = json!({"username": "amy", "password": PASSWORD});
    server.anyone().post("/api/register/", &new).await.expect_error(403, "sign_up_closed");
    let said = done(&server.command(&["users", "create", "amy", "--first-name=Amy"], "correct horse 9\n"));
    assert_eq!(said, "The account amy was made.");
    server.anyone().post("/api/token/", &new).await.expect(200);
}

#[tokio::test]
async fn a_deactivated_user_loses_access_at_once() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let session = cookie(&sign_in(&server, &amy.username, &server.base, "").await);
    let said = done(&server.command(&["users", "deactivate", &amy.username], ""));
    assert_eq!(said, format!("The account {} was deactivated.", amy.username));
    for path in ["/api/me/", "/api/chat/rooms/"] {
        let body = amy.client.get(path).await.expect_error(401, "user_inactive");
        assert_eq!(body["detail"], "User is inactive");
    }
    let credentials = json!({"username": amy.username, "password": PASSWORD});
    let body = server.anyone().post("/api/token/", &credentials).await.expect_error(401, "no_active_account");
    assert_eq!(body["detail"], "No active account found with the given credentials");
    let refresh = json!({"refresh": amy.refresh});
    let body =
        server.anyone().post("/api/token/refresh/", &refresh).await.expect_error(401, "no_active_account");
    assert!(body["detail"].as_str().is_some_and(|words| words.starts_with("No active account found")));
    assert_eq!(visitor(&server, &session).await, Value::Null);

    let said = done(&server.command(&["users", "activate", &amy.username], ""));
    assert_eq!(said, format!("The account {} is active again; it has to sign in anew.", amy.username));
    // What ended stays ended.
    server.anyone().post("/api/token/refresh/", &refresh).await.expect_error(401, "token_not_valid");
    amy.client.get("/api/me/").await.expect_error(401, "token_not_valid");
    assert_eq!(visitor(&server, &session).await, Value::Null);
    server.anyone().post("/api/token/", &credentials).await.expect(200);
}

#[tokio::test]
async fn only_the_required_group_may_chat() {
    let server = Server::start(&["--required-group=staff"]);
    let amy = server.person("amy").await;
    assert_eq!(amy.client.get("/api/me/").await.expect(200)["id"], amy.id, "she may know who she is");
    amy.client.get("/api/chat/rooms/").await.expect_error(403, "not_in_group");
    let said = done(&server.command(&["users", "create", "bob", "--group", "staff"], "correct horse 9\n"));
    assert_eq!(said, "The account bob was made, in staff.");
    let credentials = json!({"username": "bob", "password": PASSWORD});
    let tokens = server.anyone().post("/api/token/", &credentials).await.expect(200);
    let bob = server.anyone().with_token(tokens["access"].as_str().expect("a token"));
    bob.get("/api/chat/rooms/").await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_the_old_one() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let session = cookie(&sign_in(&server, &amy.username, &server.base, "").await);
    done(&server.command(&["users", "password", &amy.username], "another horse 7\n"));
    assert_eq!(visitor(&server, &session).await, Value::Null);
    let anyone = server.anyone();
    let old = json!({"username": amy.username, "password": PASSWORD});
    anyone.post("/api/token/", &old).await.expect_error(401, "no_active_account");
    let new = json!({"username": amy.username, "password": "another horse 7"});
    anyone.post("/api/token/", &new).await.expect(200);
}

#[tokio::test]
async fn failed_commands_print_sentences() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await.username;
    let bad = server.command(&["users", "create", &amy], "12345678\n");
    let expected = "liao: The password is too easy to guess: it is common, all digits, or like the username.\n\
        liao: The username is taken.";
    assert_eq!(failed(&bad), expected);
    let empty = failed(&server.command(&["users", "create", "new"], ""));
    assert_eq!(empty, "liao: A password is needed: type it when asked, or give it on standard input.");
    for command in ["password", "deactivate", "activate"] {
        let unknown = server.command(&["users", command, "nobody"], "correct horse 9\n");
        assert_eq!(failed(&unknown), "liao: There is no account nobody.");
    }
}

#[tokio::test]
async fn the_developer_group_is_created_once_and_its_password_printed_once() {
    let server = Server::start(&[]);
    let said = done(&server.command(&["create-developer-group"], ""));
    let made = "Done: made the group developer, made the account developer with the password ";
    let (password, rest) = said.strip_prefix(made).and_then(|rest| rest.split_once(',')).expect(&said);
    assert_eq!(rest, " put the account into the group.");
    assert_eq!(password.len(), 20);
    let credentials = json!({"username": "developer", "password": password});
    server.anyone().post("/api/token/", &credentials).await.expect(200);
    let again = done(&server.command(&["create-developer-group"], ""));
    assert!(again.starts_with("Nothing to do") && !again.contains(password), "{again}");
    server.anyone().post("/api/token/", &credentials).await.expect(200);
    let another = Server::start(&[]);
    assert_ne!(done(&another.command(&["create-developer-group"], "")), said, "each is drawn");
}

#[tokio::test]
async fn a_typed_developer_password_is_not_printed() {
    let server = Server::start(&[]);
    let make = |password: &str| server.command(&["create-developer-group", "--ask-password"], password);
    let weak = "liao: The password is too easy to guess: it is common, all digits, or like the username.";
    assert_eq!(failed(&make("developer123\n")), weak);
    let said = done(&make("correct horse 9\n"));
    assert!(said.contains("made the account developer,") && !said.contains("correct"), "{said}");
    let credentials = json!({"username": "developer", "password": PASSWORD});
    server.anyone().post("/api/token/", &credentials).await.expect(200);
}

#[tokio::test]
async fn secure_cookies_follow_the_settings() {
    let server = Server::start(&["--secure-cookies=always"]);
    let amy = server.person("amy").await;
    let answer = sign_in(&server, &amy.username, &server.base, "").await;
    assert!(answer.headers["set-cookie"].to_str().expect("text").contains("; Secure"));
}
