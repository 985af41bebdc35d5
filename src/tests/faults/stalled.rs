//! Connections on which nothing goes on: a server that waits for them serves nobody else.

use std::{fs, process::Command, time::Duration};

use futures::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep, timeout},
};

use crate::support::{Person, Server, rounds};

/// Longest wait for one answer while others stall, beside a build on two cores.
const PATIENCE: Duration = Duration::from_secs(20);
/// In which all of them must have gone.
const MINUTE: Duration = Duration::from_mins(1);
/// Short deadlines, in place of the real ones.
const SHORT: [&str; 4] =
    ["--header-timeout=1s", "--body-timeout=1s", "--keep-alive-timeout=2s", "--write-timeout=2s"];

/// `cargo xtask soak` runs the full form: the real deadlines, and as many as one host once locked everybody out with.
fn is_full() -> bool {
    rounds(0) > 0
}

/// The server's flags, and how many connections there are to be of the `full` number.
fn form(full: usize) -> (&'static [&'static str], usize) {
    if is_full() { (&[], full) } else { (&SHORT, full / 10) }
}

async fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    stream
}

/// Asks again and again on connections of their own, for as long as it is polled.
async fn others_are_served(server: &Server) {
    loop {
        let asked = reqwest::get(format!("{}/readyz", server.base));
        let answer = timeout(PATIENCE, asked).await.expect("served in time").expect("served");
        assert_eq!(answer.status(), 200);
        sleep(Duration::from_millis(50)).await;
    }
}

/// The value of a figure without labels.
async fn figure(server: &Server, name: &str) -> f64 {
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
        // A reset is an end as well.
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

/// Fills a room so that a page of its history is large.
async fn filled_room(amy: &Person) -> i64 {
    let room = amy.makes_room("public").await;
    let text = "x".repeat(3_000);
    for _ in 0..100 {
        amy.says(room, &text).await;
    }
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_pages_and_reads_none_is_gone_and_so_is_what_was_kept_for_them() {
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
    let before = figure(&server, "process_resident_memory_bytes").await;
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
    // The one that asks, and perhaps one that is about to end.
    while figure(&server, "liao_connections").await > 3.0 {
        // The deadline runs once the buffers between them are full, and to fill so many takes the server its time.
        assert!(start.elapsed() < 4 * MINUTE, "they are still there");
        sleep(Duration::from_millis(200)).await;
    }
    let held = figure(&server, "process_resident_memory_bytes").await - before;
    assert!(held < 48.0 * 1024.0 * 1024.0, "{held} bytes more than before are held");
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_up_to_the_cap_keep_nobody_out() {
    // The deadlines are the real ones: none of them passes here.
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
async fn a_server_without_descriptors_goes_on_once_it_has_some() {
    let server = Server::start(&[]);
    let amy = server.person("amy").await;
    let room = amy.makes_room("public").await;
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("its descriptors").count();
    // Below what the server found at its start, so that accepting fails before its own cap is reached.
    let allowed = format!("--nofile={}:", open + 20);
    let limited =
        Command::new("prlimit").args(["--pid", server.pid(), &allowed]).status().expect("prlimit runs");
    assert!(limited.success());
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.address()).await.expect("connected"));
    }
    // Those at the front of the queue are closed, and who comes behind them is served.
    let draft = json!({"content": "there is room"});
    let path = format!("/api/chat/rooms/{room}/messages/");
    // On a connection of its own: the one that is kept was among those that were closed, perhaps.
    let amy = server.anyone().with_token(&amy.access);
    let sent = timeout(MINUTE, amy.post(&path, &draft));
    sent.await.expect("served in time").expect(201);
}
