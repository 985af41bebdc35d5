//! A client of the room socket.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, Utf8Bytes, client::IntoClientRequest as _, http::Request},
};

use super::{Person, Server};

/// Longest wait for what must come, beside a build on two cores.
const PATIENCE: Duration = Duration::from_secs(20);
/// Far longer than a message takes from node to node.
const SETTLE: Duration = Duration::from_millis(200);
/// How long nothing must come for it to count as silence.
const SILENCE: Duration = Duration::from_millis(300);

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    patience: Duration,
}

impl Server {
    /// An upgrade request for `path`, to be given headers.
    pub fn upgrade(&self, path: &str) -> Request<()> {
        let address = self.entrance().trim_start_matches("http://");
        format!("ws://{address}{path}").into_client_request().expect("a request")
    }

    /// Waits for what the nodes told each other of what was answered so far: a socket that opens in that moment
    /// would hear of it too. One node has told it before it answers.
    async fn settle(&self) {
        if self.nodes().len() > 1 {
            tokio::time::sleep(SETTLE).await;
        }
    }

    /// A socket of `person` to `room`, past its first frame.
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
    /// Opens a socket; the status where the upgrade was refused.
    pub async fn open(request: Request<()>) -> Result<Self, u16> {
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self { stream, patience: PATIENCE }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no connection: {error}"),
        }
    }

    /// Opens a socket over a connection that is there already.
    pub async fn over(connection: TcpStream, request: Request<()>) -> Self {
        let connection = MaybeTlsStream::Plain(connection);
        let (stream, _) = client_async(request, connection).await.expect("an upgrade");
        Self { stream, patience: PATIENCE }
    }

    /// The same, waiting so long for each frame that must come.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.send_raw(&frame.to_string()).await;
    }

    /// Sends text, whatever it is.
    pub async fn send_raw(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("sent");
    }

    /// Sends a WebSocket ping, which is no frame of the contract.
    pub async fn ping(&mut self) {
        self.stream.send(Message::Ping(Vec::new().into())).await.expect("sent");
    }

    /// Sends all of these frames without waiting for answers, reading what comes meanwhile; then closes.
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

    /// Sends a message's text under a client id.
    pub async fn says(&mut self, text: &str, client_id: &str) {
        self.send(&json!({"type": "chat_message", "content": text, "client_id": client_id})).await;
    }

    /// The next frame, which must come.
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

    /// The next frame of this type, which must come; others are passed over.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        // What is passed over is not parsed: a crowd hears much of each other's coming.
        let start = format!(r#"{{"type":"{kind}""#);
        loop {
            let text = self.text().await;
            if text.starts_with(&start) {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }

    /// Nothing comes for a while.
    pub async fn assert_silent(&mut self) {
        if let Ok(Some(Ok(message))) = timeout(SILENCE, self.stream.next()).await {
            assert!(message.is_ping() || message.is_pong(), "unexpected {message:?}");
        }
    }

    /// Reads up to the close: the code of the last `error` frame, and the close code.
    pub async fn until_closed(self) -> (Option<String>, u16) {
        self.texts_until_closed().await.1
    }

    /// Reads up to the close: the texts of the messages that came, and how it ended.
    pub async fn texts_until_closed(mut self) -> (Vec<String>, (Option<String>, u16)) {
        let (mut texts, mut reason) = (Vec::new(), None);
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("a close in time") {
                Some(Ok(Message::Close(Some(frame)))) => return (texts, (reason, frame.code.into())),
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] == "error" {
                        reason = frame["code"].as_str().map(str::to_owned);
                    }
                    texts.extend(frame["message"]["content"].as_str().map(str::to_owned));
                }
                Some(Ok(_)) => {}
                other => panic!("closed without a code: {other:?}"),
            }
        }
    }
}
