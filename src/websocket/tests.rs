use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::{
    decoder::{Decoder, FRAGMENTS},
    *,
};

const MASK: [u8; 4] = [0xA1, 0x00, 0x5C, 0xFF];
const LIMIT: usize = 70_000;
/// First bytes of frames.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const TEXT_BEGUN: u8 = 0x01;
const BINARY_BEGUN: u8 = 0x02;
const CONTINUED: u8 = 0x00;
const ENDED: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// A masked frame, as a client sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        size @ 0..126 => bytes.push(0x80 | u8::try_from(size).expect("small")),
        size @ 126..=0xFFFF => {
            bytes.push(0x80 | 0x7E);
            bytes.extend(u16::try_from(size).expect("small").to_be_bytes());
        }
        size => {
            bytes.push(0x80 | 0x7F);
            bytes.extend(u64::try_from(size).expect("small").to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The messages in `bytes`, of which `cut` come at a time, and the violation after them.
fn decode(bytes: &[u8], cut: usize) -> (Vec<Message>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    for part in bytes.chunks(cut) {
        decoder.push(part);
        loop {
            match decoder.next() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    (messages, None)
}

fn text(text: impl Into<String>) -> Message {
    Message::Text(text.into())
}

/// Bytes, the messages in them, and the violation after those.
type Case = (Vec<u8>, Vec<Message>, Option<Violation>);

fn well_formed() -> Vec<Case> {
    let long = "聊".repeat(20_000);
    let closed = |code: u16| [&code.to_be_bytes()[..], "再见".as_bytes()].concat();
    vec![
        (frame(TEXT, b""), vec![text("")], None),
        (frame(TEXT, "a聊😀".as_bytes()), vec![text("a聊😀")], None),
        (frame(TEXT, &[b'a'; 125]), vec![text("a".repeat(125))], None),
        (frame(TEXT, &[b'a'; 126]), vec![text("a".repeat(126))], None),
        (frame(TEXT, &vec![b'a'; 0xFFFF]), vec![text("a".repeat(0xFFFF))], None),
        (frame(TEXT, &vec![b'a'; LIMIT]), vec![text("a".repeat(LIMIT))], None),
        (frame(TEXT, long.as_bytes()), vec![text(long.clone())], None),
        (frame(BINARY, &[0xFF, 0xFE]), vec![Message::Binary], None),
        ([frame(TEXT, b"a"), frame(TEXT, b"b")].concat(), vec![text("a"), text("b")], None),
        (frame(PING, b"now"), vec![Message::Ping(b"now".to_vec())], None),
        (frame(PONG, &[7; 125]), vec![Message::Pong], None),
        (frame(CLOSE, b""), vec![Message::Close(None)], None),
        (frame(CLOSE, &closed(1000)), vec![Message::Close(Some(1000))], None),
        (frame(CLOSE, &closed(4999)), vec![Message::Close(Some(4999))], None),
        // A character cut in two by fragments, with a ping between them.
        (
            [
                frame(TEXT_BEGUN, &[0xE8]),
                frame(PING, b""),
                frame(CONTINUED, b""),
                frame(ENDED, &[0x81, 0x8A]),
            ]
            .concat(),
            vec![Message::Ping(Vec::new()), text("聊")],
            None,
        ),
        ([frame(BINARY_BEGUN, &[0xFF]), frame(ENDED, &[0xFF])].concat(), vec![Message::Binary], None),
        (frame(TEXT_BEGUN, b"waits"), vec![], None),
        (frame(TEXT, b"waits")[..8].to_vec(), vec![], None),
    ]
}

fn violations() -> Vec<Case> {
    use Violation::{NotUtf8, Protocol, TooLarge};
    let fails = |bytes: Vec<u8>, violation| (bytes, vec![], Some(violation));
    let unmasked = |first: u8| vec![first, 0];
    let sized = |second: u8, size: u64| {
        let size = size.to_be_bytes();
        [&[TEXT, 0x80 | second][..], if second == 126 { &size[6..] } else { &size[..] }, &MASK].concat()
    };
    vec![
        fails(unmasked(TEXT), Protocol),
        fails(unmasked(PING), Protocol),
        fails(frame(0xC1, b"rsv1"), Protocol),
        fails(frame(0xA1, b"rsv2"), Protocol),
        fails(frame(0x91, b"rsv3"), Protocol),
        fails(frame(0x83, b"reserved"), Protocol),
        fails(frame(0x8B, b"reserved"), Protocol),
        fails(frame(0x09, b"a ping in parts"), Protocol),
        fails(frame(PING, &[0; 126]), Protocol),
        fails(frame(CLOSE, &[0; 126]), Protocol),
        fails(frame(CONTINUED, b"of nothing"), Protocol),
        fails(frame(ENDED, b"of nothing"), Protocol),
        fails([frame(TEXT_BEGUN, b"a"), frame(TEXT, b"b")].concat(), Protocol),
        fails([frame(BINARY_BEGUN, b"a"), frame(TEXT_BEGUN, b"b")].concat(), Protocol),
        fails(frame(CLOSE, &[3]), Protocol),
        fails(frame(CLOSE, &1005_u16.to_be_bytes()), Protocol),
        fails(frame(CLOSE, &999_u16.to_be_bytes()), Protocol),
        fails(frame(CLOSE, &5000_u16.to_be_bytes()), Protocol),
        fails(frame(CLOSE, &[0x03, 0xE8, 0xFF]), NotUtf8),
        fails(frame(TEXT, &[0xFF]), NotUtf8),
        fails(frame(TEXT, &[0xE8, 0x81]), NotUtf8),
        // A surrogate, and an overlong form.
        fails(frame(TEXT, &[0xED, 0xA0, 0x80]), NotUtf8),
        fails(frame(TEXT, &[0xC0, 0xAF]), NotUtf8),
        // Refused before the message ends.
        fails(frame(TEXT_BEGUN, b"a\xFFb"), NotUtf8),
        fails(sized(127, u64::MAX), TooLarge),
        fails(sized(127, 1 << 62), TooLarge),
        fails(sized(127, 70_001), TooLarge),
        fails([frame(TEXT_BEGUN, &vec![b'a'; LIMIT]), frame(ENDED, b"a")].concat(), TooLarge),
        ([frame(TEXT, b"a"), frame(0xF1, b"b")].concat(), vec![text("a")], Some(Protocol)),
        fails([frame(TEXT_BEGUN, b"a"), frame(CONTINUED, b"").repeat(FRAGMENTS)].concat(), TooLarge),
    ]
}

#[test]
fn messages_are_decoded_wherever_their_bytes_are_cut() {
    for (bytes, messages, violation) in well_formed().into_iter().chain(violations()) {
        let cuts = [1, 2, 3, 7, 4096, usize::MAX];
        for cut in cuts.into_iter().filter(|cut| *cut > 1 || bytes.len() < 1_000) {
            let expected = (messages.clone(), violation);
            assert!(decode(&bytes, cut) == expected, "{:x?}, by {cut}", &bytes[..bytes.len().min(30)]);
        }
    }
}

#[test]
fn nothing_is_read_after_a_violation() {
    let mut decoder = Decoder::new(LIMIT);
    decoder.push(&frame(0xF1, b""));
    for _ in 0..2 {
        assert_eq!(decoder.next(), Err(Violation::Protocol));
        decoder.push(&frame(TEXT, b"a"));
    }
}

fn pair(buffer: usize) -> (Socket<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(buffer);
    (Socket::new(server, &[], LIMIT), client)
}

async fn read(client: &mut DuplexStream, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    client.read_exact(&mut bytes).await.expect("more to read");
    bytes
}

#[tokio::test]
async fn frames_are_written_with_the_shortest_header() {
    let (mut socket, mut client) = pair(200_000);
    for (size, header) in [
        (0, vec![0x81, 0]),
        (125, vec![0x81, 125]),
        (126, vec![0x81, 126, 0, 126]),
        (0xFFFF, vec![0x81, 126, 0xFF, 0xFF]),
        (0x1_0000, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        socket.feed_text(&vec![b'a'; size]);
        socket.flush().await.expect("written");
        assert_eq!(read(&mut client, header.len()).await, header);
        assert_eq!(read(&mut client, size).await, vec![b'a'; size]);
    }
    assert_eq!((socket.queued(), socket.output_capacity()), (0, 0), "an idle socket has no buffer");
}

#[tokio::test]
async fn a_ping_is_answered_while_the_client_is_waited_for() {
    let (mut socket, mut client) = pair(64);
    client.write_all(&frame(PING, b"one")).await.expect("sent");
    let served = tokio::spawn(async move {
        let ping = socket.recv().await;
        let end = socket.recv().await;
        (ping.and_then(Result::ok), end.is_none())
    });
    assert_eq!(read(&mut client, 5).await, [0x8A, 3, b'o', b'n', b'e']);
    drop(client);
    assert_eq!(served.await.expect("no panic"), (Some(Message::Ping(b"one".to_vec())), true));
}

#[tokio::test]
async fn pings_of_a_client_that_reads_nothing_take_no_memory() {
    let (mut socket, mut client) = pair(256);
    socket.feed_text(&[b'a'; 300]);
    let flood = tokio::spawn(async move {
        for number in 0..10_000_u16 {
            client.write_all(&frame(PING, &number.to_be_bytes())).await.expect("taken");
        }
        client
    });
    for _ in 0..10_000 {
        assert!(matches!(socket.recv().await, Some(Ok(Message::Ping(_)))));
    }
    assert!(socket.queued() < 400, "{}", socket.queued());
    let mut client = flood.await.expect("no panic");
    let reading = tokio::spawn(async move { read(&mut client, 304 + 4).await });
    socket.flush().await.expect("written");
    assert_eq!(reading.await.expect("no panic")[304..], [0x8A, 2, 0x27, 0x0F], "the last one is answered");
}

#[tokio::test]
async fn a_close_is_answered_once_and_ends_the_socket() {
    let (mut socket, mut client) = pair(64);
    client.write_all(&frame(CLOSE, &[0x03, 0xE8])).await.expect("sent");
    assert!(matches!(socket.recv().await, Some(Ok(Message::Close(Some(1000))))));
    socket.feed_text(b"too late");
    socket.feed_close(Some(4401));
    assert!(socket.recv().await.is_none());
    drop(socket);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("read");
    assert_eq!(rest, [0x88, 2, 0x03, 0xE8]);
}

#[tokio::test]
async fn bytes_that_came_with_the_upgrade_are_read_first() {
    let (server, mut client) = duplex(64);
    let bytes = frame(TEXT, b"early");
    let mut socket = Socket::new(server, &bytes[..4], LIMIT);
    client.write_all(&bytes[4..]).await.expect("sent");
    assert!(matches!(socket.recv().await, Some(Ok(Message::Text(text))) if text == "early"));
}
