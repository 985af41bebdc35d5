//! What all responses have in common: texts, ids, headers.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Client, Server, both};

/// Longest wait for a response, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The response to raw bytes.
async fn raw(server: &Server, head: &str, chunk: &[u8], chunks: usize) -> String {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(head.as_bytes()).await.expect("written");
    for _ in 0..chunks {
        stream.write_all(chunk).await.expect("the server reads on");
    }
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.expect("an answer in time").expect("no reset");
    String::from_utf8_lossy(&answer).into_owned()
}

both! {
    async fn every_answer_has_a_request_id(server: &Server) {
        let anyone = server.anyone();
        for path in ["/api/me/", "/api/nothing/", "/api/token/", "/sign-in", "/nothing", "/healthz", "/metrics"] {
            let answer = anyone.get(path).await;
            assert!(!answer.headers["x-request-id"].is_empty(), "{path}");
        }
        let request = anyone.request(Method::GET, "/api/me/").header("x-request-id", "mine-1");
        assert_eq!(Client::send(request).await.headers["x-request-id"], "mine-1");
    }

    async fn the_message_of_a_success_is_chinese_in_both_languages(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let room = amy.makes_room("public").await;
        let said = amy.says(room, "tea?").await["id"].clone();
        for (method, path, message) in [
            (Method::POST, format!("/api/chat/rooms/{room}/join/"), "成功加入房间"),
            (Method::POST, format!("/api/chat/messages/{said}/read/"), "消息已标记为已读"),
            (Method::POST, "/api/chat/notifications/read_all/".into(), "通知已标记为已读"),
            (Method::POST, format!("/api/chat/rooms/{room}/leave/"), "成功离开房间"),
        ] {
            let request = bob.client.request(method, &path).header("accept-language", "en");
            assert_eq!(Client::send(request).await.expect(200), json!({"message": message}));
        }
        let request = amy.client.request(Method::DELETE, &format!("/api/chat/messages/{said}/delete/"));
        let answer = Client::send(request.header("accept-language", "en")).await;
        assert_eq!(answer.expect(200), json!({"message": "消息已删除"}));
    }

    async fn errors_do_not_echo_the_request(server: &Server) {
        const MARKUP: &str = "<script>alert(1)</script>";
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let escaped = "%3Cscript%3Ealert(1)%3C/script%3E";
        let answers = [
            amy.client.get(&format!("/api/{escaped}/")).await,
            amy.client.get(&format!("/api/chat/rooms/{escaped}/")).await,
            amy.client.get(&format!("/api/chat/rooms/?room_type={escaped}&page={escaped}")).await,
            amy.client.post("/api/chat/rooms/", &json!({"name": MARKUP, "room_type": MARKUP})).await,
            amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &json!({"username": MARKUP})).await,
            amy.client.post_raw("/api/chat/rooms/", MARKUP).await,
            server.anyone().post("/api/token/", &json!({"username": MARKUP, "password": MARKUP})).await,
            server.anyone().post("/api/register/", &json!({"username": MARKUP, "password": MARKUP})).await,
            server.anyone().with_token("<script>").get("/api/me/").await,
            Client::send(amy.client.request(Method::PUT, "/api/me/").header("accept-language", MARKUP)).await,
        ];
        for answer in answers {
            assert!(answer.status.is_client_error(), "{}", answer.body);
            assert_eq!(answer.headers["content-type"], "application/json");
            assert!(!answer.body.to_string().contains("<script"), "{}", answer.body);
        }
    }

    async fn an_unknown_path_is_a_json_404_in_either_language(server: &Server) {
        for path in ["/api", "/api/", "/api/chat", "/api/chat/", "/api/rooms/", "/api/chat/rooms/1/nothing/", "/api/token/x"] {
            for (language, sentence) in [("zh", "找不到"), ("en", "Not found")] {
                let request = server.anyone().request(Method::GET, path).header("accept-language", language);
                let body = Client::send(request).await.expect_error(404, "not_found");
                assert!(body["error"].as_str().expect("text").contains(sentence), "{body}");
            }
        }
    }

    async fn a_client_that_sends_too_much_can_read_the_error(server: &Server) {
        let amy = server.person("amy").await;
        let mebibyte = vec![b'x'; 1024 * 1024];
        let head = |more: &str| {
            format!(
                "POST /api/chat/rooms/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/json\r\n{more}\r\n\r\n",
                amy.access
            )
        };
        // The whole body is sent before the response is read, with a Content-Length or chunked.
        let told = raw(server, &head("Content-Length: 10485760"), &mebibyte, 10).await;
        let mut chunk = b"100000\r\n".to_vec();
        chunk.extend(&mebibyte);
        chunk.extend(b"\r\n");
        let chunked = raw(server, &head("Transfer-Encoding: chunked"), &chunk, 10).await;
        for answer in [told, chunked] {
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert!(answer.contains("too_large"), "{answer}");
        }
        let head = head("Content-Length: 10485760").replace("Authorization", "X-Nobody");
        let early = raw(server, &head, &mebibyte, 10).await;
        assert!(early.starts_with("HTTP/1.1 413 "), "{early}");
    }

    async fn a_client_with_an_early_error_can_read_it_and_reuse_the_connection(server: &Server) {
        let mut stream = TcpStream::connect(server.address()).await.expect("connected");
        let body = vec![b'x'; 500_000];
        let head = "POST /api/chat/rooms/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 500000\r\n\r\n";
        for _ in 0..3 {
            stream.write_all(head.as_bytes()).await.expect("written");
            stream.write_all(&body).await.expect("the server reads on");
            let mut answer = vec![0; 12];
            timeout(TIMEOUT, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
            assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 401");
            let mut rest = Vec::new();
            while !rest.ends_with(b"}") {
                rest.push(stream.read_u8().await.expect("the rest of it"));
            }
        }
    }
}

#[tokio::test]
async fn body_limits_are_settings_and_0_means_none() {
    let draft = |bytes: usize| json!({"content": "x", "padding": "x".repeat(bytes)});
    for (flag, bytes, status) in [
        ("--body-limit=4096", 5_000, 413),
        ("--body-limit=4096", 3_000, 201),
        ("--body-limit=0", 3_000_000, 201),
    ] {
        let server = Server::start(&[flag]);
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let answer = amy.client.post(&format!("/api/chat/rooms/{room}/messages/"), &draft(bytes)).await;
        assert_eq!(answer.status.as_u16(), status, "{flag} {bytes}");
    }
}

#[tokio::test]
async fn lifetimes_of_tokens_are_settings() {
    let server = Server::start(&["--access-token-lifetime=5m", "--refresh-token-lifetime=2h"]);
    let amy = server.person("amy").await;
    for (token, seconds) in [(&amy.access, 300), (&amy.refresh, 7_200)] {
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).expect("a token").claims;
        let (exp, iat) = (claims["exp"].as_i64().expect("exp"), claims["iat"].as_i64().expect("iat"));
        assert_eq!(exp - iat, seconds);
    }
}
