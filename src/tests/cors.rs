//! CORS: what a page of another origin may do, judged by the headers of preflights and responses as a browser would.

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, Server};

/// The origin of a React development server, allowed in a demo.
const LISTED: &str = "http://localhost:5173";
/// Headers that axios and clients of the Django system send.
const AXIOS: &str = "accept,authorization,content-type,if-none-match,x-csrftoken,x-requested-with";

/// The items of a header that is a list, in lower case.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let items = texts.flat_map(|text| text.split(','));
    items.map(|item| item.trim().to_lowercase()).filter(|item| !item.is_empty()).collect()
}

/// May a page of `origin` that sends credentials read this response?
fn shows(headers: &HeaderMap, origin: &str) -> bool {
    headers.get("access-control-allow-origin").is_some_and(|allowed| allowed == origin)
        && headers.get("access-control-allow-credentials").is_some_and(|allowed| allowed == "true")
        && list(headers, "vary").contains(&"origin".to_owned())
}

/// The preflight request of such a call.
async fn preflight(server: &Server, path: &str, origin: &str, method: &str) -> Answer {
    let request = server.anyone().request(Method::OPTIONS, path);
    let request = request.header("origin", origin).header("access-control-request-method", method);
    Client::send(request.header("access-control-request-headers", AXIOS)).await
}

/// Would a browser send the call after this preflight?
fn passes(answer: &Answer, origin: &str, method: &str) -> bool {
    let allowed = list(&answer.headers, "access-control-allow-headers");
    answer.status.is_success()
        && shows(&answer.headers, origin)
        && list(&answer.headers, "access-control-allow-methods").contains(&method.to_lowercase())
        && AXIOS.split(',').all(|name| allowed.contains(&name.to_owned()))
}

#[tokio::test]
async fn every_call_passes_the_preflight_of_an_axios_client_with_credentials() {
    let server = Server::on_sqlite().await;
    let mut calls = crate::documents::named();
    calls.retain(|(_, path)| path.starts_with("/api/"));
    assert!(calls.len() > 25, "the page was read: {calls:?}");
    for (method, path) in calls {
        let path = path.replace("{id}", "1").replace("{user_id}", "1");
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let answer = preflight(server, path, LISTED, &method).await;
            assert!(passes(&answer, LISTED, &method), "{method} {path}: {answer:?}");
            let answer = preflight(server, path, "https://evil.example", &method).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{method} {path}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_configured_site_may_call_with_and_without_a_demo() {
    let site = "https://react.example";
    let server = Server::start(&[&format!("--cors-allowed-origins={site}")]);
    for (origin, may) in [(site, true), (LISTED, false), ("http://127.0.0.1:3000", false)] {
        let answer = preflight(&server, "/api/token/", origin, "POST").await;
        assert_eq!(passes(&answer, origin, "POST"), may, "{origin}");
    }
}

#[tokio::test]
async fn a_page_can_read_error_responses() {
    let server = Server::start(&["--demo", "--body-limit=1KiB", "--signin-failures-per-account=1"]);
    let from_page = |method: Method, path: &str| {
        server
            .anyone()
            .request(method, path)
            .header("origin", LISTED)
            .header("x-requested-with", "XMLHttpRequest")
    };
    let wrong = json!({"username": "developer", "password": "wrong horse 9"});
    let sign_in = || from_page(Method::POST, "/api/token/").json(&wrong);
    let large = json!({"username": "developer", "password": "x".repeat(2_000)});
    for (request, status, code) in [
        (sign_in(), 401, "no_active_account"),
        (sign_in(), 429, "throttled"),
        (from_page(Method::GET, "/api/me/"), 401, "not_authenticated"),
        (from_page(Method::GET, "/api/nothing/here/"), 404, "not_found"),
        (from_page(Method::DELETE, "/api/me/"), 405, "method_not_allowed"),
        (from_page(Method::POST, "/api/register/").json(&large), 413, "too_large"),
        (from_page(Method::POST, "/api/register/").body("x"), 415, "unsupported_media_type"),
        (from_page(Method::POST, "/api/register/").json(&json!({})), 400, "invalid"),
    ] {
        let answer = Client::send(request).await;
        assert!(shows(&answer.headers, LISTED), "{code}: {answer:?}");
        let exposed = list(&answer.headers, "access-control-expose-headers");
        assert_eq!(exposed, ["link", "retry-after", "x-request-id"], "{code}");
        assert!(answer.headers.contains_key("x-request-id"), "{code}");
        answer.expect_error(status, code);
    }
}

#[tokio::test]
async fn a_cookie_from_another_origin_does_not_authenticate() {
    let server = Server::on_sqlite().await;
    let amy = server.person("amy").await;
    let form = [("username", amy.username.as_str()), ("password", PASSWORD)];
    let request = server.anyone().request(Method::POST, "/ui/sign_in").header("origin", &server.base);
    let answer = Client::send(request.form(&form)).await;
    let cookie = answer.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair");
    let call = |token: Option<&str>| {
        let request = server.anyone().request(Method::GET, "/api/me/");
        let request = request.header("origin", LISTED).header("sec-fetch-site", "same-site");
        let request = request.header("cookie", cookie);
        Client::send(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    };
    call(None).await.expect_error(401, "not_authenticated");
    let me: Value = call(Some(&amy.access)).await.expect(200);
    assert_eq!(me["id"], amy.id, "the token counts, and the cookie does no harm");
}

#[tokio::test]
async fn pages_and_forms_have_no_cors_headers() {
    let server = Server::on_sqlite().await;
    for path in ["/", "/sign-in", "/ui/sign_in", "/ui/visit", "/healthz", "/metrics"] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let request = server.anyone().request(method.clone(), path).header("origin", LISTED);
            let answer = Client::send(request.header("access-control-request-method", "POST")).await;
            for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
                assert!(!answer.headers.contains_key(name), "{method} {path}: {answer:?}");
            }
        }
    }
}
