//! What `docs/chat` tells the React team is so: every path and method it names exists,
//! and every call that the router has is named.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::support::{Client, Server};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/chat/API_DOCUMENTATION.md");
const ROUTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/router.rs");

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
        // Without a token or a body: refused by the call itself, and not for being none.
        assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
    }
}

#[test]
fn every_path_of_the_api_is_documented() {
    let documented: BTreeSet<String> = named().into_iter().map(|(_, path)| path).collect();
    let router = std::fs::read_to_string(ROUTER).expect("the router");
    let paths: Vec<&str> = router
        .split('"')
        .filter(|text| text.starts_with("/api/") && text.len() > 5 && !text.contains('*'))
        .collect();
    assert!(paths.len() > 15, "the router was read: {paths:?}");
    for path in paths {
        assert!(documented.contains(path), "{path} is not in docs/chat/API_DOCUMENTATION.md");
    }
}
