//! The bundled UI: its forms, its session, and their protection.

mod errors;
mod hostile;

use futures::future::join_all;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::json;

use crate::support::{Client, PASSWORD, Server, both};

/// Sends a form with this cookie. Returns the status and the headers.
pub async fn form(
    server: &Server,
    path: &str,
    cookie: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, HeaderMap) {
    let request = server.anyone().request(Method::POST, path).form(fields);
    let request = request.header("accept", "text/html").header("origin", &server.base);
    let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
    let answer = Client::send(request).await;
    (answer.status, answer.headers)
}

/// The session cookie set by these headers, and its attributes.
pub fn session(headers: &HeaderMap) -> Option<(String, String)> {
    named("liao_session=", headers)
}

/// The cookie with this name, and its attributes.
fn named(name: &str, headers: &HeaderMap) -> Option<(String, String)> {
    let cookies = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let cookie = cookies.into_iter().find(|cookie| cookie.starts_with(name))?;
    let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
    Some((pair.to_owned(), attributes.to_owned()))
}

pub async fn get(server: &Server, path: &str, cookie: &str) -> (StatusCode, HeaderMap, String) {
    let request = server.anyone().request(Method::GET, path).header("accept", "text/html");
    let response = request.header("cookie", cookie).send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.text().await.expect("text"))
}

both! {
    async fn a_session_is_renewed_at_sign_in_and_gone_at_sign_out(server: &Server) {
        let amy = server.person("amy").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD), ("next", "/rooms")];
        let (status, headers) = form(server, "/ui/sign_in", "", &fields).await;
        assert!(status.is_redirection(), "{status}");
        assert_eq!(headers["location"], "/rooms");
        let (first, attributes) = session(&headers).expect("a session");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(attribute), "{attribute} in {attributes}");
        }
        let (status, _, page) = get(server, "/rooms", &first).await;
        assert!(status.is_success() && page.contains(&amy.username));

        let (_, headers) = form(server, "/ui/sign_in", &first, &fields).await;
        let (second, _) = session(&headers).expect("a new session");
        assert_ne!(first, second, "an id planted before is worth nothing");
        let (status, _, _) = get(server, "/rooms", &first).await;
        assert!(status.is_redirection(), "the old one is gone");

        form(server, "/ui/sign_out", &second, &[]).await;
        let (status, headers, _) = get(server, "/rooms", &second).await;
        assert!(status.is_redirection());
        assert!(headers["location"].to_str().is_ok_and(|to| to.starts_with("/sign-in")));
    }

    async fn a_failed_edit_keeps_the_typed_text_without_javascript(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let (_, headers) =
            form(server, "/ui/sign_in", "", &[("username", &amy.username), ("password", PASSWORD)]).await;
        let (cookie, _) = session(&headers).expect("a session");
        let path = format!("/api/chat/rooms/{room}/messages/");
        let message = amy.client.post(&path, &json!({"content": "at three"})).await.expect(201);
        let message = message["id"].to_string();
        let fields = [("room", &*room.to_string()), ("message", &message), ("content", "at four\0 or so")];
        let (status, headers) = form(server, "/ui/edit_message", &cookie, &fields).await;
        assert!(status.is_redirection(), "{status}");
        let refusal = named("liao_refusal=", &headers).expect("why").0;
        let back = headers["location"].to_str().expect("text").to_owned();
        let (_, _, page) = get(server, &back, &format!("{cookie}; {refusal}")).await;
        assert!(page.contains(">at four"), "{page}");
        let (_, _, page) = get(server, &back, &cookie).await;
        assert!(!page.contains("at four") && page.contains(">at three</textarea>"), "once, and it was not stored");
    }

    async fn pages_work_with_and_without_a_trailing_slash(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = form(server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = session(&headers).expect("a session");
        let title = |page: &str| page.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
        let room = format!("/rooms/{room}");
        for (path, cookie) in [("/rooms", &*cookie), (&*room, &*cookie), ("/rooms/new", &*cookie), ("/sign-in", ""), ("/sign-up", "")] {
            let (status, headers, bare) = get(server, path, cookie).await;
            assert_eq!(status, 200, "{path}");
            let (status, slashed_headers, slashed) = get(server, &format!("{path}/"), cookie).await;
            assert_eq!((status, title(&slashed)), (StatusCode::OK, title(&bare)), "{path}/");
            assert_eq!(slashed_headers["content-type"], headers["content-type"]);
        }
        let (status, headers, _) = get(server, "/rooms/?x=/y/", "").await;
        let (bare, bare_headers, _) = get(server, "/rooms?x=/y/", "").await;
        assert_eq!((status, &headers["location"]), (bare, &bare_headers["location"]), "strangers are led on");
        assert_eq!(get(server, "/nowhere/", "").await.0, 404);
        assert_eq!(get(server, "//", "").await.0, get(server, "/", "").await.0);
    }

    async fn concurrent_pages_are_all_rendered(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        amy.says(room, "tea").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = form(server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = session(&headers).expect("a session");
        let paths = ["/rooms", &format!("/rooms/{room}"), "/notifications", "/settings", "/rooms/browse"];
        // Many rounds, since such a race shows only sometimes.
        let readers = (0..12).map(|_| async {
            for path in paths.iter().cycle().take(40) {
                let (status, _, page) = get(server, path, &cookie).await;
                assert_eq!(status, 200, "{path}: {page}");
            }
        });
        join_all(readers).await;
    }

    async fn another_sites_page_cannot_use_the_cookie(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = form(server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = session(&headers).expect("a session");
        let room_text = room.to_string();
        for (origin, site) in [("https://evil.example", None), ("null", None), (server.base.as_str(), Some("cross-site"))] {
            let request = server.anyone().request(Method::POST, "/ui/send_message");
            let request = request.form(&[("room", room_text.as_str()), ("content", "forged")]);
            let request = request.header("cookie", &cookie).header("origin", origin);
            let request = if let Some(site) = site { request.header("sec-fetch-site", site) } else { request };
            Client::send(request).await.expect_error(403, "bad_origin");
        }
        assert!(amy.reads(room).await.is_empty());
    }

    async fn a_room_is_readable_without_javascript(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        amy.says(room, "<script>alert('x')</script> 你好").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = form(server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = session(&headers).expect("a session");
        let (status, headers, page) = get(server, &format!("/rooms/{room}"), &cookie).await;
        assert!(status.is_success());
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; 你好"), "text stays text");
        assert!(!page.contains("<script>alert"));
        let policy = headers["content-security-policy"].to_str().expect("text");
        for part in ["'nonce-", "frame-ancestors 'none'", "'wasm-unsafe-eval'"] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
}

/// A page in English.
async fn reference(server: &Server, path: &str) -> (HeaderMap, String) {
    let request = server.anyone().request(Method::GET, path).header("accept-language", "en");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    (response.headers().clone(), response.text().await.expect("text"))
}

#[tokio::test]
async fn the_reference_and_the_test_page_have_every_call_and_frame_of_the_document() {
    let server = Server::on_sqlite().await;
    let request = server.anyone().request(Method::GET, "/api/schema/").header("accept-language", "en");
    let document = Client::send(request).await.expect(200);
    let items = document["paths"].as_object().expect("paths").values();
    let calls: Vec<_> = items.flat_map(|item| item.as_object().expect("methods").values()).collect();
    assert!(calls.len() > 25, "{}", calls.len());
    for path in ["/api/docs/", "/api/chat/test/", "/api/docs"] {
        let (headers, page) = reference(server, path).await;
        for call in &calls {
            let (id, summary) = (call["operationId"].as_str(), call["summary"].as_str());
            let (id, summary) = (id.expect("a name"), summary.expect("text"));
            assert!(page.contains(&format!("data-testid=\"operation-{id}\"")), "{id} on {path}");
            assert!(page.contains(summary), "{summary} on {path}");
        }
        for frame in ["chat_message", "connection_established", "message_read", "unread", "resync"] {
            assert!(page.contains(frame), "{frame} on {path}");
        }
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert!(
            !page.contains(" style=\"") && !page.contains(" onclick="),
            "nothing that the policy forbids"
        );
        let is_test_page = path == "/api/chat/test/";
        assert_eq!(page.contains("data-testid=\"try-list_rooms\""), is_test_page, "{path}");
        assert_eq!(page.contains("value=\"developer123\""), is_test_page, "{path}");
    }
}

#[tokio::test]
async fn failed_sign_ins_of_pages_and_api_count_together() {
    let server = Server::start(&["--signin-failures-per-account=3"]);
    let amy = server.person("amy").await;
    let guess = async |password: &str| {
        let fields = [("username", amy.username.as_str()), ("password", password)];
        let request = server.anyone().request(Method::POST, "/ui/sign_in").form(&fields);
        Client::send(request.header("accept", "application/json")).await.status.as_u16()
    };
    let wrong = json!({"username": amy.username, "password": "wrong"});
    server.anyone().post("/api/token/", &wrong).await.expect_error(401, "no_active_account");
    for _ in 0..2 {
        let status = guess("wrong").await;
        assert!(status == 400 || status == 401, "{status}");
    }
    assert_eq!(guess(PASSWORD).await, 429, "even the right one must wait");
}

#[tokio::test]
async fn an_expired_session_is_not_logged_by_default() {
    for (flags, is_told) in [(&[][..], false), (&["--log=info"][..], true)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let server = Server::start_logged(flags, std::fs::File::create(&log).expect("a file"));
        let amy = server.person("amy").await;
        let fields = [("username", amy.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = form(&server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = session(&headers).expect("a session");
        form(&server, "/ui/sign_out", &cookie, &[]).await;
        assert!(get(&server, "/rooms", &cookie).await.0.is_redirection());
        let told = std::fs::read_to_string(&log).expect("the log");
        assert_eq!(told.contains("tower_sessions"), is_told, "{told}");
        assert!(told.contains("path=\"/rooms\""), "the log was read: {told}");
    }
}

#[tokio::test]
async fn a_throttled_form_shows_the_error() {
    let server = Server::start(&["--acts-per-minute=1", "--act-burst=1"]);
    let amy = server.person("amy").await;
    let fields = [("username", &*amy.username), ("password", PASSWORD)];
    let (_, headers) = form(&server, "/ui/sign_in", "", &fields).await;
    let (cookie, _) = session(&headers).expect("a session");
    let new = [("name", "Tea"), ("description", ""), ("room_type", "public")];
    form(&server, "/ui/create_room", &cookie, &new).await;
    let (status, headers) = form(&server, "/ui/create_room", &cookie, &new).await;
    assert!(status.is_redirection() && headers["location"] == "/rooms/new", "{status}");
    let (refusal, _) = named("liao_refusal=", &headers).expect("why");
    let (_, _, page) = get(&server, "/rooms/new", &format!("{cookie}; {refusal}")).await;
    assert!(page.contains("操作太频繁，请稍后再试。"), "{page}");
}
