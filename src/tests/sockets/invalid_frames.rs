//! Invalid frames and invalid WebSocket data over real sockets. `src/tests/fuzz` feeds a million of them to the parser.

use chat::model::RoomId;
use futures::future::join_all;
use liao::ws::frames::RoomIds;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::support::{Person, Server, both};

#[path = "../fuzz/frame.rs"]
mod frame;

use frame::Source;

/// Frames per socket.
const FRAMES: usize = 1_000;
/// Connections that send no valid WebSocket data.
const STRANGERS: usize = 60;

/// Upgrades a raw connection and writes these bytes instead of frames, until the server closes or waits for more.
async fn shout(server: &Server, person: &Person, room: i64, bytes: &[u8]) {
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    let request = format!(
        "GET /ws/chat/{room}/?token={} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        person.access,
        server.address()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, b"HTTP/1.1 101");
    // The server may have closed before all of it was sent.
    let _ = stream.write_all(bytes).await;
    let _ = timeout(Duration::from_millis(200), stream.read_to_end(&mut Vec::new())).await;
}

both! {
    async fn invalid_frames_get_an_error_and_valid_ones_still_work(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut socket = server.socket(&amy, room).await;
        let mut source = Source::new(7);
        let mut refused = 0;
        while refused < FRAMES {
            let text = source.next();
            let Err(bad) = liao::ws::frames::read(&text, RoomIds::Optional(RoomId(room))) else { continue };
            socket.send_raw(&text).await;
            let answer = socket.next().await;
            let code = serde_json::to_value(bad.failure.code).expect("a word");
            assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &code), "{text}");
            refused += 1;
        }
        socket.says("still here", "c-1").await;
        assert_eq!(socket.next_of("chat_message").await["message"]["content"], "still here");
        assert_eq!(amy.reads(room).await, ["still here"], "and nothing else was stored");
    }

    async fn invalid_websocket_data_harms_nobody(server: &Server) {
        let amy = server.person("amy").await;
        let room = amy.makes_room("public").await;
        let mut witness = server.socket(&amy, room).await;
        let mut source = Source::new(11);
        let noise: Vec<Vec<u8>> = (0..STRANGERS).map(|_| (0..40).flat_map(|_| source.next().into_bytes()).collect()).collect();
        for some in noise.chunks(20) {
            join_all(some.iter().map(|bytes| shout(server, &amy, room, bytes))).await;
        }
        witness.says("unharmed", "c-1").await;
        assert_eq!(witness.next_of("chat_message").await["message"]["content"], "unharmed");
        assert_eq!(amy.reads(room).await, ["unharmed"]);
    }
}
