//! Requests for proxies and malformed HTTP: each gets an error response or a close, and none is an internal error.

use std::{fs::File, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Server, both};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The response to this head, until the server closes or has responded.
async fn ask(server: &Server, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let answered = async {
        while stream.read_buf(&mut answer).await.is_ok_and(|bytes| bytes > 0) {
            if answer.windows(4).any(|end| end == b"\r\n\r\n") {
                // The start of the response is enough.
                let _ = stream.shutdown().await;
            }
        }
    };
    timeout(TIMEOUT, answered).await.expect("an answer, or an end, in time");
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ").or(answer.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()
}

both! {
    async fn requests_for_proxies_are_rejected(server: &Server) {
        for (head, expected) in [
            ("CONNECT evil.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET evil.example:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /healthz HTTP/1.1\r\n\r\n", 400),
            ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("GET /healthz HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400),
            ("GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
            ("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400),
            ("GET /healthz HTTP/1.0\r\n\r\n", 200),
            ("GET http://evil.example/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ] {
            let answer = ask(server, head).await;
            assert_eq!(status(&answer), Some(expected), "{head}{answer}");
            assert!(answer.contains("x-request-id: "), "{head}{answer}");
            if expected == 405 {
                assert!(answer.contains("allow: GET, HEAD, POST"), "{answer}");
            }
            if expected != 200 {
                let code = if expected == 405 { "method_not_allowed" } else { "invalid" };
                assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
            }
        }
    }
}

/// All combinations of these methods, targets, versions and headers.
fn heads() -> Vec<String> {
    const METHODS: [&str; 12] = [
        "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "TRACE", "PRI", "BREW", "get", "M-SEARCH", "G\u{e9}T",
        "",
    ];
    const TARGETS: [&str; 24] = [
        "/",
        "*",
        "//",
        "///",
        "/rooms/../../etc/passwd",
        "/%",
        "/%00",
        "/%ff%fe",
        "/rooms/%2e%2e/",
        "/?%",
        "?a=b",
        "#",
        "a",
        "a:80",
        "a:b",
        "@",
        ":",
        "http:",
        "http://",
        "http://a",
        "http://a?b",
        "ftp://a/b",
        "/api/chat/rooms/\u{204d}",
        "",
    ];
    const ENDS: [&str; 5] = [
        " HTTP/1.1\r\nHost: a\r\n\r\n",
        " HTTP/1.1\r\n\r\n",
        " HTTP/1.0\r\n\r\n",
        " HTTP/2.0\r\n\r\n",
        "\r\n\r\n",
    ];
    let targets =
        METHODS.iter().flat_map(|method| TARGETS.iter().map(move |target| format!("{method} {target}")));
    let lines = targets.flat_map(|target| ENDS.iter().map(move |end| format!("{target}{end}")));
    let headers = [
        "Upgrade: websocket\r\nConnection: upgrade",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: gzip",
        "Expect: 200-maybe",
        "Cookie: liao_session=\u{1}",
        "Accept-Language: ,;q=,*",
        "X-Forwarded-For: ,,,",
        "Host: b",
        "No colon",
        ": no name",
    ];
    let odd = headers.iter().flat_map(|header| {
        ["GET /", "POST /api/token/", "GET /ws/notifications/"]
            .map(|line| format!("{line} HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n"))
    });
    lines.chain(odd).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_no_internal_errors() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("log");
    // For some the server waits for more input.
    let flags = ["--header-timeout=2s", "--body-timeout=2s", "--keep-alive-timeout=2s"];
    let server = Server::start_logged(&flags, File::create(&path).expect("a file"));
    let heads = heads();
    for some in heads.chunks(50) {
        let asked = futures::future::join_all(some.iter().map(|head| ask(&server, head)));
        for (head, answer) in some.iter().zip(asked.await) {
            // Empty: hyper may close without a response if it is not HTTP.
            assert!(status(&answer).is_none_or(|status| status < 500), "{head:?}: {answer}");
        }
    }
    assert_eq!(server.anyone().get("/readyz").await.status, 200);
    let log = std::fs::read_to_string(&path).expect("the log");
    for word in ["panicked", "status=5", "ERROR"] {
        assert!(!log.contains(word), "{}", log.lines().find(|line| line.contains(word)).unwrap_or_default());
    }
}
