use std::time::Instant;

use axum::{body::Bytes, http::Response, response::IntoResponse as _, routing};
use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest},
    sync::Semaphore,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::*;

/// Longest wait, with a build running on the same two cores.
const PATIENCE: Duration = Duration::from_secs(30);
const GET: &str = "GET / HTTP/1.1\r\nHost: liao\r\n\r\n";
/// More than fits into the buffers between server and client.
const MUCH: usize = 32 * 1024 * 1024;

const HEADER: Duration = Duration::from_millis(400);
const BODY: Duration = Duration::from_millis(600);
const KEEP_ALIVE: Duration = Duration::from_millis(1_200);
const WRITE: Duration = Duration::from_millis(600);

/// A running server; it ends with the test.
struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
    /// A permit for each slow request that has reached its handler.
    head_began_in: Arc<Semaphore>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn start(connections: usize) -> Running {
    let limits = Limits {
        header: HEADER,
        body: BODY,
        keep_alive: KEEP_ALIVE,
        write: WRITE,
        connections,
        per_address: usize::MAX,
        proxies: Vec::new(),
    };
    let head_began_in = Arc::new(Semaphore::new(0));
    let slow = head_began_in.clone();
    let slow = async move || {
        slow.add_permits(1);
        sleep(2 * KEEP_ALIVE).await;
    };
    let router = Router::new()
        .route("/", routing::get(|| async { "here" }).post(|body: Bytes| async move { body }))
        .route("/slow", routing::get(slow))
        .route("/much", routing::get(|| async { vec![0; MUCH] }))
        .route("/upgrade", routing::get(upgrade));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let server = HttpServer::new(router, limits);
    Running { address, task: tokio::spawn(async move { server.accept(&listener).await }), head_began_in }
}

/// Echoes all input after the upgrade.
async fn upgrade(request: Request<Body>) -> axum::response::Response {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("upgraded");
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let head = Response::builder().status(101).header("connection", "upgrade").header("upgrade", "echo");
    head.body(Body::empty()).expect("an answer").into_response()
}

impl Running {
    /// A connection on which these bytes were sent.
    async fn send(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(bytes.as_bytes()).await.expect("sent");
        stream
    }

    /// A connection with a slow request under way.
    async fn busy(&self) -> TcpStream {
        let stream = self.send("GET /slow HTTP/1.1\r\nHost: liao\r\n\r\n").await;
        self.head_began_in.acquire().await.expect("open").forget();
        stream
    }

    async fn is_served(&self) {
        let mut stream = self.send(GET).await;
        assert_eq!(answer(&mut stream).await, "here");
    }
}

/// The body of the next answer.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = async {
        loop {
            let length: Option<usize> =
                text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if let (Some(length), Some((_, body))) = (length, text.split_once("\r\n\r\n"))
                && body.len() == length
            {
                return body.to_owned();
            }
            text.push(char::from(stream.read_u8().await.expect("an answer")));
        }
    };
    timeout(PATIENCE, read).await.expect("in time")
}

/// Waits until the server closes.
async fn closed(mut stream: TcpStream) -> Instant {
    let mut rest = Vec::new();
    // A reset counts as closed.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time");
    Instant::now()
}

#[tokio::test]
async fn stalled_connections_are_closed_while_others_are_served() {
    let server = start(1_000).await;
    let start = Instant::now();
    let silent = server.send("").await;
    let half_a_head = server.send("GET / HTTP/1.1\r\nHo").await;
    let half_a_body = server.send("POST / HTTP/1.1\r\nHost: liao\r\nContent-Length: 1000\r\n\r\nhello").await;
    let mut idle = server.send(GET).await;
    assert_eq!(answer(&mut idle).await, "here");
    let mut half_a_second = server.send(GET).await;
    assert_eq!(answer(&mut half_a_second).await, "here");
    half_a_second.write_all(b"GET / HT").await.expect("sent");
    let stalled = [silent, half_a_head, half_a_body, idle, half_a_second].map(closed);
    let waits = async {
        loop {
            server.is_served().await;
        }
    };
    let ended = tokio::select! {
        ended = join_all(stalled) => ended,
        () = waits => unreachable!("it goes on for ever"),
    };
    for (ended, limit) in ended.into_iter().zip([HEADER, HEADER, BODY, KEEP_ALIVE, HEADER]) {
        assert!(ended - start >= limit, "{:?} for {limit:?}", ended - start);
    }
}

#[tokio::test]
async fn a_trickling_head_or_body_times_out() {
    let server = start(1_000).await;
    for head in [
        "GET / HTTP/1.1\r\nHost: liao\r\nX: ",
        "POST / HTTP/1.1\r\nHost: liao\r\nContent-Length: 100000\r\n\r\n",
    ] {
        let mut stream = server.send(head).await;
        let trickle = async {
            while stream.write_all(b"x").await.is_ok() {
                sleep(HEADER / 10).await;
            }
        };
        timeout(PATIENCE, trickle).await.expect("closed");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let server = start(1_000).await;
    let stream = server.send(&"GET /much HTTP/1.1\r\nHost: liao\r\n\r\n".repeat(3)).await;
    timeout(PATIENCE, stream.ready(Interest::ERROR)).await.expect("reset in time").expect("watched");
}

#[tokio::test]
async fn a_slow_reader_gets_the_whole_response() {
    let server = start(1_000).await;
    let mut stream = server.send("GET /much HTTP/1.1\r\nHost: liao\r\nConnection: close\r\n\r\n").await;
    let (mut read, mut buffer) = (0, vec![0; MUCH / 16]);
    loop {
        sleep(WRITE / 4).await;
        match stream.read(&mut buffer).await.expect("not reset") {
            0 => break,
            bytes => read += bytes,
        }
    }
    assert!(read > MUCH, "{read}");
}

#[tokio::test]
async fn an_active_connection_outlives_every_timeout() {
    let server = start(1_000).await;
    let mut stream = server.send(GET).await;
    assert_eq!(answer(&mut stream).await, "here");
    for _ in 0..3 {
        // Longer than the head timeout, shorter than the idle timeout.
        sleep(KEEP_ALIVE / 2).await;
        stream.write_all(GET.as_bytes()).await.expect("open");
        assert_eq!(answer(&mut stream).await, "here");
    }
    let mut stream = server.busy().await;
    assert_eq!(answer(&mut stream).await, "", "a handler may take its time");
    let mut stream = server
        .send("GET /upgrade HTTP/1.1\r\nHost: liao\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    sleep(2 * KEEP_ALIVE).await;
    stream.write_all(b"still here").await.expect("sent");
    let mut back = [0; 10];
    timeout(PATIENCE, stream.read_exact(&mut back)).await.expect("in time").expect("given back");
    assert_eq!(&back, b"still here");
}

#[tokio::test]
async fn connections_without_a_request_make_room_for_new_ones() {
    let server = start(4).await;
    let mut busy = server.busy().await;
    let start = Instant::now();
    // More than the limit, then a request. No timeout has passed by then.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(server.send("").await);
    }
    server.is_served().await;
    assert!(start.elapsed() < HEADER, "{:?}", start.elapsed());
    assert_eq!(answer(&mut busy).await, "", "and who has a request under way keeps the connection");
}

#[tokio::test]
async fn a_new_connection_is_rejected_if_all_have_a_request_in_progress() {
    let server = start(2).await;
    let busy = [server.busy().await, server.busy().await];
    let start = Instant::now();
    closed(server.send("").await).await;
    assert!(start.elapsed() < HEADER, "{:?}", start.elapsed());
    for mut stream in busy {
        assert_eq!(answer(&mut stream).await, "");
    }
    server.is_served().await;
}
