//! The clients of the traffic: they connect, write, listen, and reconnect after errors.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{
    Shared,
    verify::{Acknowledged, Received},
};

/// How long a client waits for a response, and a listener for a frame, before it reconnects.
const ANSWER: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(5);
/// The pause before a retry.
const PAUSE: Duration = Duration::from_millis(50);
type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Shared {
    /// An open socket, after its first frame.
    async fn connect(&self, token: &str, resume: &str) -> Option<Stream> {
        let address = self.nodes.next()?;
        let url = format!("ws://{address}/ws/chat/{}/?token={token}{resume}", self.room);
        let (mut stream, _) = timeout(ANSWER, connect_async(url)).await.ok()?.ok()?;
        let first = next(&mut stream, ANSWER).await?;
        if first["type"] == "connection_established" {
            return Some(stream);
        }
        self.refuse(first["code"].as_str().unwrap_or_default());
        None
    }

    /// Counts a response, and waits until the next message is due.
    async fn is_acknowledged(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
    }

    pub(super) async fn send_by_socket(self: Arc<Self>, name: String, token: String) -> Acknowledged {
        let mut sent = Vec::new();
        loop {
            let Some(mut stream) = self.connect(&token, "").await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            loop {
                // A message that may have been stored is retried even after the end.
                let text = format!("{name}-{}", sent.len());
                match say(&mut stream, &text).await {
                    Said::Acknowledged => {
                        sent.push(text);
                        self.is_acknowledged().await;
                    }
                    Said::Refused(code) => {
                        self.refuse(&code);
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Said::Lost => break,
                }
                if self.is_over() {
                    return sent;
                }
            }
        }
    }

    pub(super) async fn send_by_rest(self: Arc<Self>, name: String, token: String) -> Acknowledged {
        let http = reqwest::Client::builder().timeout(ANSWER).build().expect("a client");
        let mut acknowledged = Vec::new();
        for number in 0.. {
            if self.is_over() {
                break;
            }
            let Some(address) = self.nodes.next() else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let text = format!("{name}-{number}");
            let url = format!("http://{address}/api/chat/rooms/{}/messages/", self.room);
            let request = http.request(Method::POST, url).bearer_auth(&token).json(&json!({"content": text}));
            match request.send().await {
                Ok(answer) if answer.status() == 201 => {
                    acknowledged.push(text);
                    self.is_acknowledged().await;
                    continue;
                }
                Ok(answer) => {
                    let status = answer.status().as_u16().to_string();
                    let body: Value = answer.json().await.unwrap_or_default();
                    self.refuse(body["code"].as_str().unwrap_or(&status));
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        acknowledged
    }

    pub(super) async fn listen(self: Arc<Self>, name: String, token: String) -> Vec<Received> {
        let mut heard: Vec<Received> = Vec::new();
        // The last change received: of a message or of a membership.
        let mut last_rev = 0;
        let is_done = |heard: &Vec<Received>| {
            let count = i64::try_from(heard.len()).unwrap_or(i64::MAX);
            self.last.borrow().is_some_and(|last| count >= last)
        };
        while !is_done(&heard) {
            let Some(mut stream) = self.connect(&token, &format!("&after_rev={last_rev}")).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            while !is_done(&heard) {
                // After a timeout it reconnects, since the server may be frozen.
                let Some(frame) = next(&mut stream, SILENCE).await else { break };
                // The first frame has the room's number, not the position.
                let rev = frame["rev"].as_i64().filter(|_| frame["type"] != "connection_established");
                if let Some(rev) = rev {
                    if rev <= last_rev {
                        self.fault(format!("{name}: {rev} came after {last_rev}"));
                        return heard;
                    }
                    last_rev = rev;
                }
                match frame["type"].as_str() {
                    Some("chat_message") => heard.push(Received::of(&frame["message"])),
                    Some("resync") => {
                        self.fault(format!("{name}: too much was missed"));
                        return heard;
                    }
                    _ => {}
                }
            }
        }
        heard
    }
}

enum Said {
    Acknowledged,
    Refused(String),
    Lost,
}

/// Sends a message with its text as `client_id`, and waits for the echo.
async fn say(stream: &mut Stream, text: &str) -> Said {
    let frame = json!({"type": "chat_message", "content": text, "client_id": text}).to_string();
    if stream.send(Message::text(frame)).await.is_err() {
        return Said::Lost;
    }
    while let Some(frame) = next(stream, ANSWER).await {
        let is_mine = frame["client_id"] == text || frame["message"]["client_id"] == text;
        match frame["type"].as_str() {
            Some("chat_message") if is_mine => return Said::Acknowledged,
            Some("error") if is_mine => {
                return Said::Refused(frame["code"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    Said::Lost
}

/// The next frame; `None` if the socket is closed or nothing arrives within `patience`.
async fn next(stream: &mut Stream, patience: Duration) -> Option<Value> {
    loop {
        match timeout(patience, stream.next()).await.ok()??.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
