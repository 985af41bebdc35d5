//! Clients that stop reading, or vanish without closing.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::support::{Person, Proxy, Server, Socket};

/// Messages of the maximum length, more than fit into the buffers between server and client and into the room's ring.
const LONG: usize = 10_000;
const MANY: i64 = 300;
/// A slow reader reads one message while the others hear this many. One that reads nothing for thirty seconds counts as
/// gone, and not as slow.
const SLOWNESS: i64 = 20;
/// Users who join the room besides its creator.
const JOINED: i64 = 2;

/// Reads these chat messages, with the expected text. Before the first, `joined` users had joined the room.
async fn hears(socket: &mut Socket, joined: i64, numbers: RangeInclusive<i64>) {
    for number in numbers {
        let frame = socket.next_of("chat_message").await;
        assert_eq!(frame["rev"], joined + number);
        assert_eq!(frame["message"]["client_id"], number.to_string());
    }
}

struct SlowReader {
    socket: Socket,
    /// The number and the id of the message that was read last.
    number: i64,
    last: i64,
}

impl SlowReader {
    /// Reads the next message, which follows the last one; returns the code of an error instead.
    async fn read(&mut self) -> Option<Value> {
        loop {
            let frame = self.socket.next().await;
            match frame["type"].as_str() {
                Some("chat_message") => {
                    self.number += 1;
                    assert_eq!(frame["rev"], JOINED + self.number);
                    self.last = frame["message"]["id"].as_i64().expect("an id");
                    return None;
                }
                Some("error") => return Some(frame["code"].clone()),
                _ => {}
            }
        }
    }
}

async fn resume(server: &Server, person: &Person, room: i64, rev: i64) -> Socket {
    let path = format!("/ws/chat/{room}/?token={}&after_rev={rev}", person.access);
    Socket::open(server.upgrade(&path)).await.expect("open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_reader_is_closed_and_resumes_without_loss() {
    let server = Server::start(&["--writes-per-second=0"]);
    let (amy, bob, eve) =
        (server.person("amy").await, server.person("bob").await, server.person("eve").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    eve.joins(room).await;
    let small = TcpSocket::new_v4().expect("a socket");
    small.set_recv_buffer_size(16 * 1024).expect("a small buffer");
    let path = format!("/ws/chat/{room}/?token={}", eve.access);
    let address = server.address().parse().expect("an address");
    let mut slow =
        Socket::over(small.connect(address).await.expect("connected"), server.upgrade(&path)).await;
    assert_eq!(slow.next().await["type"], "connection_established");

    let mut brisk = server.socket(&bob, room).await;
    let text = "聊".repeat(LONG);
    let frame = |number: i64| {
        json!({"type": "chat_message", "content": text, "client_id": number.to_string()}).to_string()
    };
    let frames = (1..=MANY).map(frame).collect::<Vec<_>>();
    let writer = server.socket(&amy, room).await;
    let writing = tokio::spawn(async move { writer.pour(frames.into_iter()).await });
    let mut slow = SlowReader { socket: slow, number: 0, last: 0 };
    let mut reason = None;
    // Who reads hears everything, whoever else does not.
    for round in 1..=MANY / SLOWNESS {
        hears(&mut brisk, JOINED, (round - 1) * SLOWNESS + 1..=round * SLOWNESS).await;
        if reason.is_none() {
            reason = slow.read().await;
        }
    }
    writing.await.expect("everything was sent");
    while reason.is_none() {
        reason = slow.read().await;
    }
    assert_eq!((reason, slow.socket.until_closed().await.1), (Some(json!("too_slow")), 4408));
    let SlowReader { mut number, mut last, .. } = slow;
    assert!(number < MANY, "it did miss something");
    // A ring of such messages is more text than a resume sends: the rest is read by REST.
    let mut back = resume(&server, &eve, room, JOINED + number).await;
    assert_eq!(back.next_of("resync").await["rev"], JOINED + MANY);
    while number < MANY {
        let path = format!("/api/chat/rooms/{room}/messages/?after_id={last}&page_size=100");
        let page = eve.client.get(&path).await.expect(200);
        let messages = page["messages"].as_array().expect("messages");
        assert!(!messages.is_empty(), "nothing after {number}");
        for message in messages {
            number += 1;
            assert_eq!(message["client_id"], number.to_string());
            last = message["id"].as_i64().expect("an id");
        }
    }
    server.socket(&amy, room).await.says("and on", "on").await;
    assert_eq!(back.next_of("chat_message").await["message"]["client_id"], "on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_client_is_detected_and_resumes_without_loss() {
    let server = Server::start(&["--ping-interval=1s"]);
    let (amy, bob) = (server.person("amy").await, server.person("bob").await);
    let room = amy.makes_room("public").await;
    bob.joins(room).await;
    let mut watcher = server.socket(&amy, room).await;
    let proxy = Proxy::to(server.address()).await;
    let path = format!("/ws/chat/{room}/?token={}", bob.access);
    let mut vanishing = Socket::open(proxy.upgrade(&path)).await.expect("open through the proxy");
    assert_eq!(vanishing.next().await["type"], "connection_established");
    watcher.next_of("user_join").await;
    watcher.says("heard", "1").await;
    hears(&mut vanishing, 1, 1..=1).await;

    proxy.fall_silent();
    watcher.says("not heard", "2").await;
    let gone = watcher.next_of("user_leave").await;
    assert_eq!(gone["user"]["id"], bob.id);
    watcher.says("after", "3").await;
    hears(&mut resume(&server, &bob, room, 2).await, 1, 2..=3).await;
}
