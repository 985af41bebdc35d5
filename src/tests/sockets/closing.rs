//! A client gets the close code even while it is still sending. A connection that is closed with unread input is reset,
//! and a browser then reports 1006 instead of the code.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Person, Server, both};

const TIMEOUT: Duration = Duration::from_secs(30);
/// How much a browser may still be sending.
const MUCH: usize = 5_000_000;
const TEXT: u8 = 0x81;
const TEXT_TO_GO_ON: u8 = 0x01;
const GOING_ON: u8 = 0x00;

/// The header of a client frame of this length, with a zero mask.
fn head(kind: u8, length: usize) -> Vec<u8> {
    let mut head = vec![kind, 0xff];
    head.extend(u64::try_from(length).expect("a length").to_be_bytes());
    head.extend([0; 4]);
    head
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [head(kind, payload.len()).as_slice(), payload].concat()
}

/// Opens a raw socket, sends these bytes without reading, and then reads to the end. Returns the received frames.
/// Neither may fail.
async fn shout(server: &Server, query: &str, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    let request = format!(
        "GET /ws/notifications/{query} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    // In pieces, as a browser does. The server sends its close frame long before all of it is sent.
    for piece in bytes.chunks(100_000) {
        timeout(TIMEOUT, stream.write_all(piece)).await.expect("read away").expect("no reset");
    }
    stream.shutdown().await.expect("all was sent");
    let mut came = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut came)).await.expect("closed in time").expect("no reset");
    let mut frames = Vec::new();
    let mut rest = came.as_slice();
    while let [kind, length, more @ ..] = rest {
        let (length, more) = match (*length, more) {
            (126, [high, low, more @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), more),
            (short, more) => (usize::from(short), more),
        };
        let (payload, more) = more.split_at(length);
        frames.push((*kind, payload.to_vec()));
        rest = more;
    }
    frames
}

/// The code of the last `error` frame, and the close code.
fn last_words(frames: &[(u8, Vec<u8>)]) -> (Option<String>, Option<u16>) {
    let texts = frames.iter().filter(|(kind, _)| *kind == TEXT);
    let mut texts = texts.map(|(_, text)| serde_json::from_slice::<Value>(text).expect("JSON"));
    let reason = texts.rfind(|frame| frame["type"] == "error");
    let code = match frames.last() {
        Some((0x88, payload)) => payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
        _ => None,
    };
    (reason.and_then(|frame| Some(frame["code"].as_str()?.to_owned())), code)
}

fn signed_in(person: &Person) -> String {
    format!("?token={}", person.access)
}

both! {
    async fn an_oversized_frame_is_reported_while_it_is_being_sent(server: &Server) {
        let amy = server.person("amy").await;
        let too_large = (Some("too_large".to_owned()), Some(1009));
        let whole = frame(TEXT, &vec![b'x'; MUCH]);
        let just_over = frame(TEXT, &vec![b'x'; 64 * 1024 + 1]);
        // Each fragment is within the limit, but not their sum.
        let mut in_parts = frame(TEXT_TO_GO_ON, &vec![b'x'; 60_000]);
        for _ in 0..MUCH / 60_000 {
            in_parts.extend(frame(GOING_ON, &vec![b'x'; 60_000]));
        }
        for (bytes, what) in [(&whole, "at once"), (&just_over, "just too large"), (&in_parts, "in parts")] {
            for (query, who) in [(signed_in(&amy), "signed in"), (String::new(), "nobody yet")] {
                assert_eq!(last_words(&shout(server, &query, bytes).await), too_large, "{what}, {who}");
            }
        }
    }

    async fn text_that_is_not_utf_8_is_closed_with_1007(server: &Server) {
        let amy = server.person("amy").await;
        let mut bytes = frame(TEXT, b"{\"type\":\"ping\",\"x\":\"\xff\"}");
        for query in [signed_in(&amy), String::new()] {
            assert_eq!(last_words(&shout(server, &query, &bytes).await), (None, Some(1007)));
        }
        for _ in 0..MUCH / 50_000 {
            bytes.extend(frame(TEXT, &vec![b'x'; 50_000]));
        }
        for query in [signed_in(&amy), String::new()] {
            assert_eq!(last_words(&shout(server, &query, &bytes).await), (None, Some(1007)));
        }
    }

    async fn a_rejected_client_gets_the_error_while_sending(server: &Server) {
        let mut bytes = Vec::new();
        for _ in 0..MUCH / 50_000 {
            bytes.extend(frame(TEXT, &vec![b'x'; 50_000]));
        }
        let refused = shout(server, "?token=forged", &bytes).await;
        assert_eq!(last_words(&refused), (Some("token_not_valid".to_owned()), Some(4401)));
    }
}
