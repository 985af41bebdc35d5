//! The WebSocket handlers: authenticate, then pass frames between the client and the domain. One task per socket,
//! small buffers, no rules of the chat.
//!
//! Errors are sent inside the socket, as one `error` frame and then a close code of the contract, because a browser
//! hides the response to a rejected upgrade.

use std::{pin::pin, task::Poll, time::Duration};

use axum::response::Response;
use chat::{
    model::{Failure, RoomId, ServerFrame},
    service::AuthenticatedSocket,
};
use futures::{FutureExt as _, poll};
use tokio::time::timeout;

use crate::{
    error,
    state::AppState,
    websocket::{Socket, Upgrade},
};

mod authentication;
pub mod combined;
mod connection;
pub mod frames;
pub mod handshake;
pub mod handshake_limiter;
pub mod metrics;
pub mod notifications;
mod rare_events;
mod receipts;
pub mod room;
mod shared_socket;
mod waker_gate;

use connection::{CloseReason, Connection};
use handshake::Handshake;
use metrics::SocketKind;
use shared_socket::SharedSocket;

/// How long a peer may take nothing before its socket is closed (contract).
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for the peer's close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket after its handshake.
trait EstablishedSocket: Send + 'static {
    /// Serves the client until there is a reason to close.
    fn run(&mut self, stopping: impl Future<Output = ()> + Send) -> impl Future<Output = CloseReason> + Send;

    /// Ends the session.
    fn into_connection(self) -> Connection;
}

/// Accepts an upgrade and spawns a task that opens the socket with `open` and serves it. The server's shutdown waits for
/// that task.
fn accept<S, F>(
    state: AppState,
    kind: SocketKind,
    upgrade: Upgrade,
    handshake: Handshake,
    open: impl FnOnce(Socket, AppState, Handshake) -> F + Send + 'static,
) -> Response
where
    S: EstablishedSocket,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let held = state.shutdown.hold();
    let limit = state.config.frame_limit.0.unwrap_or(usize::MAX);
    upgrade.accept(limit, move |socket| {
        // Without an async block, which would reserve memory for the inner future twice.
        let counted = metrics::open(kind);
        let stopping = state.shutdown.token().cancelled_owned();
        serve(open(socket, state, handshake), stopping).map(move |()| drop((counted, held)))
    })
}

/// A task is as large as the largest future that it awaits. Futures that are awaited once or rarely are boxed, and freed
/// when they are done, so that an idle socket takes a few KiB instead of thirty.
fn serve<S: EstablishedSocket>(
    opening: impl Future<Output = Option<S>> + Send + 'static,
    stopping: impl Future<Output = ()> + Send,
) -> impl Future<Output = ()> + Send {
    let opening = Box::pin(opening);
    async {
        let Some(mut socket) = opening.await else { return };
        let reason = socket.run(stopping).await;
        // Leaves the rooms before closing, which takes long with a dead peer.
        let connection = socket.into_connection();
        Box::pin(connection.close(reason)).await;
    }
}

/// Authenticates the client and opens its session with `open`, within the [`handshake::HandshakeLimiter`]. `None` if
/// that failed; the client has then got the error and the socket is closed.
async fn perform_handshake<T, F>(
    socket: Socket,
    state: &AppState,
    handshake: &Handshake,
    open: impl FnOnce(AuthenticatedSocket) -> F,
) -> Option<(Connection, T)>
where
    F: Future<Output = chat::Result<T>>,
{
    let mut connection = Connection::new(socket, handshake, state);
    let opened = async {
        let claim = authentication::read_claim(&mut connection, state, handshake).await?;
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

/// Writes what was fed to the socket.
async fn flush(socket: &SharedSocket) -> Result<(), CloseReason> {
    loop {
        let before = socket.lock().queued();
        let flushing = {
            let mut flushing = pin!(socket.flush());
            // Mostly the write completes at once, and no timer is needed.
            match poll!(flushing.as_mut()) {
                Poll::Ready(done) => Ok(done),
                Poll::Pending => timeout(SEND_TIMEOUT, flushing).await,
            }
        };
        match flushing {
            Ok(done) => return done.map_err(|_| CloseReason::PeerLost),
            Err(_) if socket.lock().queued() < before => {}
            Err(_) => return Err(CloseReason::Stalled),
        }
    }
}

/// Sends one frame.
async fn send_frame(socket: &SharedSocket, frame: &ServerFrame) -> Result<(), CloseReason> {
    match serde_json::to_vec(frame) {
        Ok(json) => socket.lock().feed_text(&json),
        Err(error) => tracing::error!(%error, "a frame could not be serialised"),
    }
    flush(socket).await
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
async fn close_with_error(socket: &SharedSocket, locale: app::i18n::Locale, failure: &Failure) {
    if send_frame(socket, &error_frame(locale, failure, About::default())).await.is_ok() {
        close(socket, error::close_code(failure.code)).await;
    }
}

/// Closes and waits briefly for the peer's close frame. Otherwise a browser reports a broken connection instead of
/// the code.
async fn close(socket: &SharedSocket, code: u16) {
    metrics::closed(code);
    socket.lock().feed_close(Some(code));
    if flush(socket).await.is_ok() {
        let peers_close = async { while let Some(Ok(_)) = socket.recv().await {} };
        // A peer that does not answer counts as gone.
        let _ = timeout(CLOSE_TIMEOUT, peers_close).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::WaitForCancellationFutureOwned;

    use super::*;

    /// The size of the task of a socket that is opened with this function.
    fn size<S: EstablishedSocket, F: Future<Output = Option<S>> + Send + 'static>(
        _: impl Fn(Socket, AppState, Handshake) -> F,
    ) -> usize {
        fn size_of_output<A, B, O>(_: impl Fn(A, B) -> O) -> usize {
            size_of::<O>()
        }
        size_of_output(serve::<S> as fn(F, WaitForCancellationFutureOwned) -> _)
    }

    #[test]
    fn socket_tasks_are_small() {
        // An idle socket may take 6 KiB in all, with its buffers, connection and queue.
        let sizes = [size(room::open), size(notifications::open), size(combined::open)];
        assert!(sizes.iter().all(|size| *size < 2_304), "{sizes:?}");
    }
}
