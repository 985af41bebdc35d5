//! The socket door: find out who it is, then pass frames between the client and the
//! domain. One task a socket, small buffers, no rule of the chat.
//!
//! A refusal is said inside the socket, one `error` frame and then a close code of
//! the contract, because a browser hides the answer to a refused upgrade.

use std::time::Duration;

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::Response,
};
use chat::{
    model::{Failure, ServerFrame},
    service::AuthenticatedSocket,
};
use futures::FutureExt as _;
use tokio::time::timeout;

use crate::{error, state::AppState};

mod connection;
pub mod frames;
pub mod handshake;
pub mod metrics;
pub mod notifications;
mod rare_events;
pub mod room;
mod waker_gate;

use connection::{CloseReason, Connection};
use handshake::Handshake;
use metrics::SocketKind;

/// Buffers of one socket. That for reading is there as long as the socket, and most of an idle one's memory by the
/// library's default of 128 KiB; frames of a chat are small, and a larger one makes it grow. That for writing is
/// made when something is written.
const READ_BUFFER: usize = 512;
const WRITE_BUFFER: usize = 16 * 1024;

/// How long the network may refuse to take what is sent before the peer counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a peer may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// RFC 6455's code for an endpoint that goes away.
pub const GOING_AWAY: u16 = 1001;
/// RFC 6455's code for text that is not UTF-8.
pub const NOT_UTF8: u16 = 1007;

/// Answers an upgrade and lets `serve` have the socket, with small buffers and within the
/// limits; stopping waits for it.
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
            // In a task of its own: that of the upgrade would keep the room that it took to come so far. And not in
            // an async block, which would have room for the future twice: where it came from, and where it waits.
            let counted = metrics::open(kind);
            tokio::spawn(serve(socket).map(move |()| drop((counted, held))));
        })
}

/// Lets the client in as far as `open` does, which is asked when its turn has come. Who may not come in has been told
/// why.
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
            // It could not be asked whether it is there while it waited for its turn.
            connection.mark_alive();
            Some((connection, opened))
        }
        Err(reason) => {
            connection.close(reason).await;
            None
        }
    }
}

/// Sends one message; `false` when the peer is gone.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}

/// Sends one frame; `false` when the peer is gone.
async fn send_frame(socket: &mut WebSocket, frame: &ServerFrame) -> bool {
    match serde_json::to_string(frame) {
        Ok(json) => send(socket, Message::text(json)).await,
        Err(error) => {
            tracing::error!(%error, "a frame could not be serialised");
            false
        }
    }
}

/// A refusal as a frame, in the reader's language: about the first bad field, where
/// there is one.
fn error_frame(locale: app::i18n::Locale, failure: &Failure, client_id: Option<String>) -> ServerFrame {
    let message = match failure.fields.first() {
        Some(field) => format!("{}: {}", field.field, app::error::problem_sentence(locale, field)),
        None => app::error::sentence(locale, failure),
    };
    ServerFrame::Error { message, code: failure.code, client_id }
}

/// Says why, then closes with the code that the contract has for it.
async fn close_with_error(mut socket: WebSocket, locale: app::i18n::Locale, failure: &Failure) {
    if send_frame(&mut socket, &error_frame(locale, failure, None)).await {
        close(socket, error::close_code(failure.code)).await;
    }
}

/// Closes and waits a moment for the peer's own close, without which a browser
/// reports a broken connection instead of the code.
async fn close(mut socket: WebSocket, code: u16) {
    metrics::closed(code);
    if send(&mut socket, Message::Close(Some(CloseFrame { code, reason: "".into() }))).await {
        let peers_close = async { while let Some(Ok(_)) = socket.recv().await {} };
        // A peer that does not answer is gone as well.
        let _ = timeout(CLOSE_TIMEOUT, peers_close).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a function's future keeps.
    fn size<F: Future<Output = ()>>(_: impl Fn(WebSocket, AppState, Handshake) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_task_is_small_whatever_it_does_on_the_way() {
        // Of the 6 KiB that an idle socket may take, buffers, connection and queue included.
        let sizes = [size(room::serve), size(notifications::serve)];
        assert!(sizes.iter().all(|size| *size < 2_304), "{sizes:?}");
    }
}
