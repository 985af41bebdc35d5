//! Compares `docs/chat` with the router and the OpenAPI document: every documented path and method exists, and every
//! call is documented.

mod words;

use std::collections::BTreeSet;

use reqwest::Method;

use crate::support::{Client, Server};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/chat/API_DOCUMENTATION.md");

/// `METHOD /path` of each call that the page names in a code span.
pub fn named() -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(DOCUMENT).expect("the page");
    let calls = text.split('`').filter_map(|span| span.split_once(' '));
    calls
        .filter(|(method, path)| Method::from_bytes(method.as_bytes()).is_ok() && path.starts_with('/'))
        .filter(|(method, path)| method.chars().all(|c| c.is_ascii_uppercase()) && !path.contains(' '))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect()
}

#[tokio::test]
async fn every_call_that_is_documented_exists() {
    let server = Server::on_sqlite().await;
    let calls = named();
    assert!(calls.len() > 25, "the page was read: {calls:?}");
    for (method, path) in calls {
        let path = path.replace("{id}", "1").replace("{user_id}", "1");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = Client::send(server.anyone().request(method.clone(), &path)).await;
        // Without a token or a body the call fails, but not with 404 or 405.
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
    }
}

/// `METHOD /path` of each call of the OpenAPI document.
async fn described(server: &Server) -> BTreeSet<(String, String)> {
    let document = server.anyone().get("/api/schema/").await.expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let calls = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").keys();
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    calls.collect()
}

#[tokio::test]
async fn every_call_of_the_schema_is_documented() {
    let server = Server::on_sqlite().await;
    let (documented, described) = (named(), described(server).await);
    assert!(described.len() > 25, "the schema was read: {described:?}");
    for call in described {
        assert!(documented.contains(&call), "{call:?} is not in docs/chat/API_DOCUMENTATION.md");
    }
}

#[tokio::test]
async fn the_schema_has_each_method_of_its_paths_with_and_without_the_slash() {
    let server = Server::on_sqlite().await;
    let described = described(server).await;
    let paths: BTreeSet<&String> = described.iter().map(|(_, path)| path).collect();
    let other = Method::from_bytes(b"PROPFIND").expect("a method");
    for path in paths {
        let mut methods: BTreeSet<&str> =
            described.iter().filter(|(_, of)| of == path).map(|(method, _)| method.as_str()).collect();
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        let path = path.replace("{id}", "1").replace("{user_id}", "1");
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let answer = Client::send(server.anyone().request(other.clone(), path)).await;
            let allowed = answer.headers["allow"].to_str().expect("text").to_owned();
            answer.expect_error(405, "method_not_allowed");
            assert_eq!(allowed.split(',').map(str::trim).collect::<BTreeSet<_>>(), methods, "{path}");
        }
    }
}
