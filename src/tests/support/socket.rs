//! A WebSocket client.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, Utf8Bytes, client::IntoClientRequest as _, http::Request},
};

use super::{Person, Server};

/// Longest wait for a frame, with a build running on the same two cores.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Far longer than a message takes between nodes.
const SETTLE: Duration = Duration::from_millis(200);
/// How long to wait to assert that no frame arrives.
const SILENCE: Duration = Duration::from_millis(300);

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    patience: Duration,
}

impl Server {
    /// An upgrade request for `path`, to be given headers.
    pub fn upgrade(&self, path: &str) -> Request<()> {
        let address = self.next_node().trim_start_matches("http://");
        format!("ws://{address}{path}").into_client_request().expect("a request")
    }

    /// Waits until events of earlier calls have reached all nodes, since a socket that opens before that would receive
    /// them. Not needed with a single node.
    async fn settle(&self) {
        if self.nodes().len() > 1 {
            tokio::time::sleep(SETTLE).await;
        }
    }

    /// A socket of `person` to `room`, after its first frame.
    pub async fn socket(&self, person: &Person, room: i64) -> Socket {
        self.settle().await;
        let path = format!("/ws/chat/{room}/?token={}", person.access);
        let mut socket = Socket::open(self.upgrade(&path)).await.expect("open");
        let first = socket.next().await;
        assert_eq!(first["type"], "connection_established", "{first}");
        socket
    }
}

impl Socket {
    /// Opens a socket. The error is the status of a rejected upgrade.
    pub async fn open(request: Request<()>) -> Result<Self, u16> {
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self { stream, patience: TIMEOUT }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no connection: {error}"),
        }
    }

    /// Opens a socket over an existing connection.
    pub async fn over(connection: TcpStream, request: Request<()>) -> Self {
        let connection = MaybeTlsStream::Plain(connection);
        let (stream, _) = client_async(request, connection).await.expect("an upgrade");
        Self { stream, patience: TIMEOUT }
    }

    /// Sets how long to wait for each frame.
    pub fn with_timeout(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.send_raw(&frame.to_string()).await;
    }

    /// Sends a frame on a socket that the server may be closing.
    pub async fn try_send(&mut self, frame: &Value) {
        // What the server has sent before closing can still be read.
        drop(self.stream.send(Message::text(frame.to_string())).await);
    }

    /// Sends raw text.
    pub async fn send_raw(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("sent");
    }

    /// Sends a WebSocket ping, not the `ping` frame of the contract.
    pub async fn ping(&mut self) {
        self.stream.send(Message::Ping(Vec::new().into())).await.expect("sent");
    }

    /// Sends all of these frames while reading and discarding the responses, then closes.
    pub async fn pour(self, frames: impl Iterator<Item = String>) {
        let (mut sink, mut stream) = self.stream.split();
        let reading = async { while let Some(Ok(_)) = stream.next().await {} };
        let sending = async {
            for frame in frames {
                sink.send(Message::text(frame)).await.expect("sent");
            }
            sink.close().await.expect("closed");
        };
        tokio::join!(reading, sending);
    }

    /// Sends a message with this text and `client_id`.
    pub async fn says(&mut self, text: &str, client_id: &str) {
        self.send(&json!({"type": "chat_message", "content": text, "client_id": client_id})).await;
    }

    /// The next frame. Panics if none arrives.
    pub async fn next(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    async fn text(&mut self) -> Utf8Bytes {
        loop {
            let message = timeout(self.patience, self.stream.next()).await.expect("a frame in time");
            match message.expect("an open socket").expect("a good frame") {
                Message::Text(text) => return text,
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a frame: {other:?}"),
            }
        }
    }

    /// The next frame of this type. Skips others, and panics if none arrives.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        // Skipped frames are not parsed, since there are many presence frames.
        let start = format!(r#"{{"type":"{kind}""#);
        loop {
            let text = self.text().await;
            if text.starts_with(&start) {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }

    /// Asserts that no frame arrives for a while.
    pub async fn assert_silent(&mut self) {
        if let Ok(Some(Ok(message))) = timeout(SILENCE, self.stream.next()).await {
            assert!(message.is_ping() || message.is_pong(), "unexpected {message:?}");
        }
    }

    /// Reads until the close. Returns the code of the last `error` frame, and the close code.
    pub async fn until_closed(self) -> (Option<String>, u16) {
        self.texts_until_closed().await.1
    }

    /// Reads until the close. Returns the texts of the received messages, and the codes.
    pub async fn texts_until_closed(self) -> (Vec<String>, (Option<String>, u16)) {
        let (frames, end) = self.frames_until_closed().await;
        let texts = frames.iter().filter_map(|frame| frame["message"]["content"].as_str().map(str::to_owned));
        (texts.collect(), end)
    }

    /// Reads until the close. Returns all frames, and the codes.
    pub async fn frames_until_closed(mut self) -> (Vec<Value>, (Option<String>, u16)) {
        let mut frames: Vec<Value> = Vec::new();
        loop {
            match timeout(TIMEOUT, self.stream.next()).await.expect("a close in time") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    let last = frames.iter().rfind(|frame| frame["type"] == "error");
                    let reason = last.and_then(|error| error["code"].as_str().map(str::to_owned));
                    return (frames, (reason, frame.code.into()));
                }
                Some(Ok(Message::Text(text))) => frames.push(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(_)) => {}
                other => panic!("closed without a code: {other:?}"),
            }
        }
    }
}
