//! Error responses of the UI: a page for browsers, JSON for scripts.

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{form, session};
use crate::support::{PASSWORD, Person, Server, both};

/// Larger than the body limit.
const TOO_MUCH: usize = 1_100_000;

/// A request of a browser that accepts Brotli, in Chinese unless the language cookie says otherwise.
fn as_browser(request: RequestBuilder, accept: &str, cookie: &str) -> RequestBuilder {
    let request = request.header("accept", accept).header("accept-encoding", "br");
    if cookie.is_empty() { request } else { request.header("cookie", cookie) }
}

/// The response, with its body decompressed.
async fn answer(request: RequestBuilder) -> (StatusCode, HeaderMap, String) {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.expect("a body");
    let body = match headers.get("content-encoding").map(reqwest::header::HeaderValue::as_bytes) {
        None => body.to_vec(),
        Some(b"br") => {
            let mut unpacked = Vec::new();
            brotli::BrotliDecompress(&mut &body[..], &mut unpacked).expect("it is what it is said to be");
            unpacked
        }
        Some(other) => panic!("{other:?}"),
    };
    (status, headers, String::from_utf8(body).expect("text"))
}

/// Asserts that the response is a page with this text.
#[track_caller]
fn assert_page((status, headers, body): (StatusCode, HeaderMap, String), expected: u16, words: &str) {
    assert_eq!(status, expected, "{body}");
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(body.starts_with("<!DOCTYPE html>") && body.contains("rel=\"stylesheet\""), "{body}");
    assert!(body.contains(&format!("<h1>{words}</h1>")), "{words} in {body}");
    assert!(headers.contains_key("content-security-policy"), "{headers:?}");
    assert!(!headers.contains_key("location"), "{headers:?}");
}

/// Asserts that the response is JSON: an error of the contract's shape, or the code alone.
#[track_caller]
fn assert_json((status, headers, body): (StatusCode, HeaderMap, String), expected: u16, code: &str) {
    assert_eq!(status, expected, "{body}");
    assert_eq!(headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert!(body == code || body["code"] == code, "{body}");
}

async fn cookie_of(server: &Server, person: &Person) -> String {
    let fields = [("username", person.username.as_str()), ("password", PASSWORD)];
    let (_, headers) = form(server, "/ui/sign_in", "", &fields).await;
    session(&headers).expect("a session").0
}

both! {
    async fn a_body_that_is_too_large_is_a_413(server: &Server) {
        let much = format!("username={}", "x".repeat(TOO_MUCH));
        let post = |accept| {
            let request = server.anyone().request(Method::POST, "/ui/sign_in").body(much.clone());
            as_browser(request, accept, "").header("content-type", "application/x-www-form-urlencoded")
        };
        assert_json(answer(post("application/json")).await, 413, "too_large");
        assert_page(answer(post("text/html")).await, 413, "提交的内容太大。");
    }

    async fn an_error_of_a_server_function_has_the_status_of_its_code(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        bob.joins(room).await;
        let mute = amy.client.request(Method::PATCH, &format!("/api/chat/rooms/{room}/members/{}/", bob.id));
        assert!(mute.json(&json!({"is_muted": true})).send().await.expect("an answer").status().is_success());
        let cookie = cookie_of(server, &bob).await;
        let room = room.to_string();
        let call_from = |origin: &str, path: &str, fields: &[(&str, &str)]| {
            let request = server.anyone().request(Method::POST, path).form(fields).header("origin", origin);
            as_browser(request, "application/json", &cookie)
        };
        let call = |path: &str, fields: &[(&str, &str)]| call_from(&server.base, path, fields);
        let said = [("room", &*room), ("content", "tea?")];
        assert_json(answer(call("/ui/send_message", &said)).await, 403, "muted");
        assert_json(answer(call("/ui/send_message", &said[1..])).await, 400, "invalid");
        let garbled = call("/ui/send_message", &[]).body(&b"room=\xff\xfe"[..]);
        assert_json(answer(garbled).await, 400, "parse_error");
        assert_json(answer(call("/ui/delete_room", &said[..1])).await, 403, "permission_denied");
        assert_json(answer(call_from("https://evil.example", "/ui/send_message", &said)).await, 403, "bad_origin");
    }

    async fn malformed_forms_get_an_error_page(server: &Server) {
        let page = |method, path: &str, cookie: &str| as_browser(server.anyone().request(method, path), "text/html,*/*;q=0.8", cookie);
        assert_page(answer(page(Method::GET, "/ui/send_message", "")).await, 405, "不支持这种请求方法。");
        assert_page(answer(page(Method::GET, "/ui/send_message", "liao_language=en")).await, 405, "This method is not supported here.");
        let foreign = page(Method::POST, "/ui/send_message", "").header("origin", "https://evil.example");
        assert_eq!(answer(foreign).await.0, 403);
        let empty = page(Method::POST, "/ui/send_message", "a=b").header("origin", &server.base).header("referer", format!("{}/rooms", server.base));
        let empty = empty.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(answer(empty).await.0, 400);
        let json = as_browser(server.anyone().request(Method::GET, "/ui/send_message"), "*/*", "");
        assert_json(answer(json).await, 405, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_failed_page_is_an_error_page() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let cookie = cookie_of(&server, &amy).await;
    let database = format!("sqlite://{}", server.data().join("liao.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&database).await.expect("connected");
    sqlx::query("ALTER TABLE chat_notification RENAME TO gone")
        .execute(&mut connection)
        .await
        .expect("renamed");
    for path in ["/notifications", "/rooms"] {
        let request = as_browser(server.anyone().request(Method::GET, path), "text/html", &cookie);
        let (status, headers, body) = answer(request).await;
        assert!(status == 500 || path == "/rooms", "{path}: {status}");
        assert_eq!(headers["content-encoding"], "br");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert!(body.starts_with("<!DOCTYPE html>") && body.contains("</html>"), "{path}: {body}");
    }
}
