//! A socket as its client sees it: the frames of a session, which a task takes ahead as the server's own task does.
//!
//! So a session is always driven, whatever the client does. A read from the database that nobody goes on with would keep
//! its connection.

use std::time::Duration;

use bytes::Bytes;
use chat::{
    model::Code,
    service::{NotificationSession, RoomSession},
};
use serde::de::DeserializeOwned;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// How long a client that takes what is there waits for it. Nothing is concluded from its end.
pub const PATIENCE: Duration = Duration::from_millis(5);
/// How long a client waits for a frame that must come.
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// Frames that are on their way to the client.
const IN_FLIGHT: usize = 4;

/// Dropping it ends the session.
pub struct Socket {
    frames: mpsc::Receiver<Result<Bytes, Code>>,
    task: JoinHandle<()>,
}

/// A session of either kind.
pub trait Session: Send + 'static {
    fn next(&mut self) -> impl Future<Output = chat::Result<Bytes>> + Send;
}

impl Session for RoomSession {
    async fn next(&mut self) -> chat::Result<Bytes> {
        Self::next(self).await
    }
}

impl Session for NotificationSession {
    async fn next(&mut self) -> chat::Result<Bytes> {
        Self::next(self).await
    }
}

impl Socket {
    pub fn new(mut session: impl Session) -> Self {
        let (sender, frames) = mpsc::channel(IN_FLIGHT);
        let task = tokio::spawn(async move {
            loop {
                let received = session.next().await.map_err(|error| error.code());
                let is_closed = received.is_err();
                if sender.send(received).await.is_err() || is_closed {
                    return;
                }
            }
        });
        Self { frames, task }
    }

    /// The next frame, or the reason of the end; `None` if nothing comes within this time.
    pub async fn next<F: DeserializeOwned>(
        &mut self,
        within: Duration,
    ) -> Result<Option<Result<F, Code>>, String> {
        match timeout(within, self.frames.recv()).await.ok().flatten() {
            None => Ok(None),
            Some(Err(code)) => Ok(Some(Err(code))),
            Some(Ok(json)) => {
                serde_json::from_slice(&json).map(|frame| Some(Ok(frame))).map_err(|error| error.to_string())
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}
