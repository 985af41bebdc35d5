//! The WebSocket handlers: authenticate, then pass frames between the client and the domain. One task per socket,
//! small buffers, no rules of the chat.
//!
//! Errors are sent inside the socket, as one `error` frame and then a close code of the contract, because a browser
//! hides the response to a rejected upgrade.

use std::time::Duration;

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use chat::{
    model::{Failure, RoomId, ServerFrame},
    service::AuthenticatedSocket,
};
use futures::FutureExt as _;
use tokio::time::timeout;

use crate::{error, state::AppState};

pub mod combined;
mod connection;
pub mod frames;
pub mod handshake;
pub mod metrics;
pub mod notifications;
mod rare_events;
mod receipts;
pub mod room;
mod waker_gate;

use connection::{CloseReason, Connection};
use handshake::Handshake;
use metrics::SocketKind;

/// Initial buffer sizes of one socket, in bytes. The read buffer lives as long as the socket. With the library's
/// default of 128 KiB it would be most of an idle socket's memory; chat frames are small, and it grows for a larger
/// one. The write buffer is allocated at the first write.
const READ_BUFFER: usize = 512;
const WRITE_BUFFER: usize = 16 * 1024;

/// How long a peer may take nothing before its socket is closed (contract).
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for the peer's close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// RFC 6455's code for an endpoint that goes away.
pub const GOING_AWAY: u16 = 1001;
/// RFC 6455's code for text that is not UTF-8.
pub const NOT_UTF8: u16 = 1007;

/// Accepts an upgrade and spawns `serve` with the socket. The server's shutdown waits for that task.
fn accept<F>(
    state: &AppState,
    kind: SocketKind,
    upgrade: WebSocketUpgrade,
    serve: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let held = state.shutdown.hold();
    let limit = state.config.frame_limit.0.unwrap_or(usize::MAX);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit)
        .protocols(["bearer"])
        .on_upgrade(async move |socket| {
            // In a task of its own: the upgrade's task would keep the memory of its larger future. And without an
            // async block, which would reserve memory for the inner future twice.
            let counted = metrics::open(kind);
            tokio::spawn(serve(socket).map(move |()| drop((counted, held))));
        })
}

/// Authenticates the client and opens its session with `open`, within the [`handshake::HandshakeLimiter`]. `None` if
/// that failed; the client has then got the error and the socket is closed.
async fn perform_handshake<T, F>(
    socket: WebSocket,
    state: &AppState,
    handshake: &Handshake,
    open: impl FnOnce(AuthenticatedSocket) -> F,
) -> Option<(Connection, T)>
where
    F: Future<Output = chat::Result<T>>,
{
    let mut connection = Connection::new(socket, handshake, state);
    let opened = async {
        let claim = handshake::read_claim(&mut connection, state, handshake).await?;
        let _permit = state.handshakes.acquire().await;
        let opened = async { open(state.chat.connect(claim).await?).await };
        opened.await.map_err(CloseReason::Error)
    };
    match opened.await {
        Ok(opened) => {
            // No pings were sent while it waited for the limiter.
            connection.mark_alive();
            Some((connection, opened))
        }
        Err(reason) => {
            connection.close(reason).await;
            None
        }
    }
}

/// Sends one message. False if the peer is gone.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}

/// Sends one frame. False if the peer is gone.
async fn send_frame(socket: &mut WebSocket, frame: &ServerFrame) -> bool {
    match serde_json::to_string(frame) {
        Ok(json) => send(socket, Message::text(json)).await,
        Err(error) => {
            tracing::error!(%error, "a frame could not be serialised");
            false
        }
    }
}

/// What an error frame is about.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The `client_id` of the message concerned.
    pub client_id: Option<String>,
    /// The room concerned, on a combined socket.
    pub room_id: Option<RoomId>,
}

impl About {
    fn room(room: RoomId) -> Self {
        Self { client_id: None, room_id: Some(room) }
    }
}

/// The error frame of a failure, in the client's language. With invalid fields it is about the first one.
fn error_frame(locale: app::i18n::Locale, failure: &Failure, about: About) -> ServerFrame {
    let message = match failure.fields.first() {
        Some(field) => format!("{}: {}", field.field, app::error::field_error_message(locale, field)),
        None => app::error::error_message(locale, failure),
    };
    let About { client_id, room_id } = about;
    ServerFrame::Error { message, code: failure.code, client_id, room_id }
}

/// Sends an error frame, then closes with the contract's code for it.
async fn close_with_error(mut socket: WebSocket, locale: app::i18n::Locale, failure: &Failure) {
    if send_frame(&mut socket, &error_frame(locale, failure, About::default())).await {
        close(socket, error::close_code(failure.code)).await;
    }
}

/// Closes and waits briefly for the peer's close frame. Otherwise a browser reports a broken connection instead of
/// the code.
async fn close(mut socket: WebSocket, code: u16) {
    metrics::closed(code);
    if send(&mut socket, Message::Close(Some(CloseFrame { code, reason: "".into() }))).await {
        let peers_close = async { while let Some(Ok(_)) = socket.recv().await {} };
        // A peer that does not answer counts as gone.
        let _ = timeout(CLOSE_TIMEOUT, peers_close).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of a function's future.
    fn size<F: Future<Output = ()>>(_: impl Fn(WebSocket, AppState, Handshake) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn socket_tasks_are_small() {
        // An idle socket may take 6 KiB in all, with its buffers, connection and queue.
        let sizes = [size(room::serve), size(notifications::serve), size(combined::serve)];
        assert!(sizes.iter().all(|size| *size < 2_304), "{sizes:?}");
    }
}
