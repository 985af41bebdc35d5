//! `--demo`: the public account, and that it does not exist otherwise.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Server, failure};

const ONE_CLICK: &str = "/ui/sign_in_demo";

fn credentials() -> Value {
    json!({"username": "developer", "password": "developer123"})
}

/// The HTML of a page without a session.
async fn page(server: &Server, path: &str) -> String {
    let request = server.anyone().request(Method::GET, path).header("accept", "text/html");
    request.send().await.expect("an answer").text().await.expect("text")
}

/// Does the page have the button to sign in with the demo account?
async fn clicks_in(server: &Server) -> bool {
    let request = server.anyone().request(Method::POST, ONE_CLICK).header("origin", &server.base);
    let answer = Client::send(request.form(&[("next", "/rooms")])).await;
    answer.headers.get("set-cookie").is_some_and(|cookie| cookie.as_bytes().starts_with(b"liao_session="))
}

/// May a page of a development server call the API?
async fn lets_development_in(server: &Server) -> bool {
    let request = server.anyone().request(Method::GET, "/api/me/").header("origin", "http://localhost:5173");
    Client::send(request).await.headers.contains_key("access-control-allow-origin")
}

#[tokio::test]
async fn a_demo_creates_the_account_in_an_empty_database() {
    let server = Server::start(&["--demo"]);
    assert!(server.greeting.contains("developer / developer123"), "{}", server.greeting);
    server.anyone().post("/api/token/", &credentials()).await.expect(200);
    assert!(page(&server, "/sign-in").await.contains(ONE_CLICK));
    assert!(page(&server, "/api/chat/test/").await.contains("developer123"));
    assert!(clicks_in(&server).await && lets_development_in(&server).await);
    let again = server.kill_and_restart();
    assert!(!again.greeting.contains("developer123"), "told once, when it was made");
    again.anyone().post("/api/token/", &credentials()).await.expect(200);
}

#[tokio::test]
async fn without_demo_there_is_no_account_whatever_the_server_listens_on() {
    let server = Server::start(&[]);
    assert!(server.base.contains("127.0.0.1"));
    server.anyone().post("/api/token/", &credentials()).await.expect_error(401, "no_active_account");
    assert!(!page(&server, "/sign-in").await.contains(ONE_CLICK));
    for path in ["/api/chat/test/", "/api/docs/", "/api/schema/"] {
        assert!(!page(&server, path).await.contains("developer123"), "{path}");
    }
    assert!(!clicks_in(&server).await && !lets_development_in(&server).await);
    // Nor can somebody register it.
    let problem = server.anyone().post("/api/register/", &credentials()).await.expect_error(400, "invalid");
    assert!(problem["fields"]["password"].is_array(), "{problem}");
    let made = server.command(&["users", "create", "developer"], "developer123\n");
    assert!(!made.status.success());
}

#[tokio::test]
async fn a_demos_database_is_not_served_without_demo_before_the_password_is_changed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    drop(Server::start_on(&data, &["--demo"]));
    let flag = format!("--data={}", data.display());
    let others = ["serve", "--listen=127.0.0.1:0", &flag];
    let (sentence, code) = failure(&others);
    for part in ["liao users password developer", "liao users deactivate developer", "--demo", "liao.db"] {
        assert!(sentence.contains(part), "{part} in {sentence}");
    }
    assert_eq!(code, Some(1));
    drop(Server::start_on(&data, &["--demo"]));
    // The advice in the error message works.
    let run = |input: &str| {
        let words = ["users", "password", "developer", &flag].map(str::to_owned);
        crate::support::run(&words, input).status.success()
    };
    assert!(!run("developer123\n"), "the same password is no other");
    assert!(run("correct horse 9\n"));
    let server = Server::start_on(&data, &[]);
    server.anyone().post("/api/token/", &credentials()).await.expect_error(401, "no_active_account");
}

#[tokio::test]
async fn a_demos_database_is_served_without_demo_when_the_account_is_deactivated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let demo = Server::start_on(&data, &["--demo"]);
    let closed = demo.command(&["users", "deactivate", "developer"], "");
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
    drop(demo);
    let server = Server::start_on(&data, &[]);
    server.anyone().post("/api/token/", &credentials()).await.expect_error(401, "no_active_account");
}

#[tokio::test]
async fn a_demo_creates_no_account_in_a_database_with_users() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start_on(folder.path(), &[]);
    server.person("amy").await;
    drop(server);
    let demo = Server::start_on(folder.path(), &["--demo"]);
    assert!(!demo.greeting.contains("developer123"), "{}", demo.greeting);
    demo.anyone().post("/api/token/", &credentials()).await.expect_error(401, "no_active_account");
}
