//! Stalled connections must not keep the server from serving others.

use std::{fs, process::Command, time::Duration};

use futures::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep, timeout},
};

use crate::support::{Person, Server, rounds};

/// Longest wait for a response while other connections stall, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Within which all of them must be closed.
const MINUTE: Duration = Duration::from_mins(1);
/// Short timeouts, instead of the defaults.
const SHORT: [&str; 4] =
    ["--header-timeout=1s", "--body-timeout=1s", "--keep-alive-timeout=2s", "--write-timeout=2s"];

/// `cargo xtask soak` runs the full form, with the default timeouts and many connections.
fn is_full() -> bool {
    rounds(0) > 0
}

/// The server's flags, and the number of connections, which is `full` in the full form.
fn form(full: usize) -> (&'static [&'static str], usize) {
    if is_full() { (&[], full) } else { (&SHORT, full / 10) }
}

async fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    stream
}

/// Sends requests on new connections for as long as it is polled.
async fn others_are_served(server: &Server) {
    loop {
        let asked = reqwest::get(format!("{}/readyz", server.base));
        let answer = timeout(TIMEOUT, asked).await.expect("served in time").expect("served");
        assert_eq!(answer.status(), 200);
        sleep(Duration::from_millis(50)).await;
    }
}

/// The value of a metric without labels.
async fn metric(server: &Server, name: &str) -> f64 {
    let page =
        reqwest::get(format!("{}/metrics", server.base)).await.expect("answered").text().await.expect("text");
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect("the figure");
    line.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_connections_are_gone_within_a_minute_and_others_are_served_meanwhile() {
    let (flags, each) = form(150);
    let server = Server::start(flags);
    let idle = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    let kinds = [
        "",
        "GET / HTTP/1.1\r\nHost: ",
        "POST /api/token/ HTTP/1.1\r\nHost: liao\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"use",
        &idle,
    ];
    let start = Instant::now();
    let mut stalled = Vec::new();
    for _ in 0..each {
        for kind in kinds {
            stalled.push(send(&server, kind.as_bytes()).await);
        }
    }
    let ended = join_all(stalled.into_iter().map(async |mut stream| {
        let mut rest = Vec::new();
        // A reset counts as closed.
        let _ = stream.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }));
    let answers = tokio::select! {
        answers = timeout(MINUTE, ended) => answers.expect("all are gone within a minute"),
        () = others_are_served(&server) => unreachable!("it goes on for ever"),
    };
    assert!(start.elapsed() < MINUTE, "{:?}", start.elapsed());
    let answered = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 ")).count();
    assert_eq!(answered, each, "those who asked were answered first");
}

/// Fills a room with large messages.
async fn filled_room(amy: &Person) -> i64 {
    let room = amy.makes_room("public").await;
    let text = "x".repeat(3_000);
    for _ in 0..100 {
        amy.says(room, &text).await;
    }
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_read_no_responses_are_closed_and_their_memory_is_freed() {
    let (flags, readers) = form(200);
    let server = Server::start(&[flags, &["--writes-per-second=0"]].concat());
    let amy = server.person("amy").await;
    let room = filled_room(&amy).await;
    let page = format!(
        "GET /api/chat/rooms/{room}/messages/?page_size=100 HTTP/1.1\r\nHost: liao\r\nAuthorization: Bearer {}\r\n\r\n",
        amy.access
    );
    // What one page takes is kept for the next in any case.
    for _ in 0..20 {
        amy.reads(room).await;
    }
    let before = metric(&server, "process_resident_memory_bytes").await;
    let start = Instant::now();
    let mut stalled = Vec::new();
    for _ in 0..readers {
        let small = TcpSocket::new_v4().expect("a socket");
        small.set_recv_buffer_size(4 * 1024).expect("a small buffer");
        let address = server.address().parse().expect("an address");
        let mut stream = small.connect(address).await.expect("connected");
        stream.write_all(page.repeat(10).as_bytes()).await.expect("sent");
        stalled.push(stream);
    }
    // The connection of this request, and perhaps one that is closing.
    while metric(&server, "liao_connections").await > 3.0 {
        // The timeout starts when the buffers are full, which takes a while with so many connections.
        assert!(start.elapsed() < 4 * MINUTE, "they are still there");
        sleep(Duration::from_millis(200)).await;
    }
    let held = metric(&server, "process_resident_memory_bytes").await - before;
    assert!(held < 48.0 * 1024.0 * 1024.0, "{held} bytes more than before are held");
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_up_to_the_limit_lock_nobody_out() {
    // With the default timeouts, none of which passes here.
    let server = Server::start(&["--connections=60"]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let mut socket = server.socket(&amy, room).await;
    let mut silent = Vec::new();
    for number in 0..300 {
        silent.push(TcpStream::connect(server.address()).await.expect("connected"));
        if number % 50 == 49 {
            assert_eq!(server.anyone().get("/readyz").await.status, 200, "after {number} silent ones");
        }
    }
    socket.says("still here", "c-1").await;
    assert_eq!(
        socket.next_of("chat_message").await["message"]["content"],
        "still here",
        "a socket is not idle"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_descriptors_recovers_when_some_are_free() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("its descriptors").count();
    // Lower than at the server's start, so that accepting fails before its own limit is reached.
    let allowed = format!("--nofile={}:", open + 20);
    let limited =
        Command::new("prlimit").args(["--pid", server.pid(), &allowed]).status().expect("prlimit runs");
    assert!(limited.success());
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.address()).await.expect("connected"));
    }
    // The connections at the front of the queue are closed, and later ones are served.
    let draft = json!({"content": "there is room"});
    let path = format!("/api/chat/rooms/{room}/messages/");
    // On a new connection: the kept one may be among those that were closed.
    let amy = server.anyone().with_token(&amy.access);
    let sent = timeout(MINUTE, amy.post(&path, &draft));
    sent.await.expect("served in time").expect(201);
}
