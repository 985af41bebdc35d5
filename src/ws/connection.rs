//! What all kinds of sockets share: rate limit, pings, batched writes and closing. It does not know what the frames
//! mean.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use app::i18n::Locale;
use bytes::Bytes;
use chat::{
    credential::Claim,
    model::{ClientFrame, Code, Failure, ServerFrame},
    service::{NotificationSession, RoomSession},
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::{
    About, CLOSE_TIMEOUT, close, close_with_error, error_frame, flush,
    frames::{self, BadFrame, RoomIds},
    handshake::Handshake,
    metrics, send_frame,
    shared_socket::SharedSocket,
};
use crate::{
    auth::Auth,
    connections::state::ConnectionState,
    state::AppState,
    websocket::{GOING_AWAY, Message, NOT_UTF8, PROTOCOL_ERROR, Socket, SocketError, Violation},
};

/// Bytes of frames that are gathered for one write.
const WRITE: usize = 16 * 1024;
/// Writes before the client's input is looked at.
const BURST: usize = 8;
/// Frames that a client may send per second, and in a burst: far above what people type and programs may write.
const FRAMES_PER_SECOND: std::num::NonZeroU32 = std::num::NonZeroU32::new(100).unwrap();
pub(super) const FRAME_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(300).unwrap();

/// The source of a socket's frames.
pub trait Session: Send {
    /// The next frame to send, as JSON in UTF-8; `None` if none is ready.
    ///
    /// # Errors
    /// The reason to close the socket with.
    fn try_next(&mut self) -> Option<chat::Result<Bytes>>;

    /// Replaces the credential by another one of the same user.
    ///
    /// # Errors
    /// Why the new credential is not valid. The session then keeps the old one.
    fn renew(&mut self, claim: Claim) -> impl Future<Output = chat::Result<()>> + Send;
}

impl Session for RoomSession {
    fn try_next(&mut self) -> Option<chat::Result<Bytes>> {
        Self::try_next(self)
    }

    async fn renew(&mut self, claim: Claim) -> chat::Result<()> {
        Self::renew(self, claim).await
    }
}

impl Session for NotificationSession {
    fn try_next(&mut self) -> Option<chat::Result<Bytes>> {
        Self::try_next(self)
    }

    async fn renew(&mut self, claim: Claim) -> chat::Result<()> {
        Self::renew(self, claim).await
    }
}

/// Why a socket is closed.
pub enum CloseReason {
    /// The connection broke, or the peer does not respond.
    PeerLost,
    /// The peer has taken nothing for too long.
    Stalled,
    /// The client sent a close frame.
    ClosedByClient,
    /// The server is shutting down.
    ShuttingDown,
    /// An error of the domain, or an exceeded limit.
    Error(chat::Error),
    /// A frame was larger than `frame_limit`.
    TooLarge,
    /// A text frame was not UTF-8.
    NotUtf8,
    /// The client's bytes were no frames.
    ProtocolError,
}

/// The client's next message; `None` at the end of the connection.
pub type Incoming = Option<Result<Message, SocketError>>;

/// An open socket.
pub struct Connection {
    socket: Arc<SharedSocket>,
    locale: Locale,
    auth: Auth,
    limit: Option<DefaultDirectRateLimiter>,
    ping_interval: Duration,
    last_seen: Instant,
    /// The TCP connection; `None` outside of the server, as in a handler's unit test.
    tcp: Option<Arc<ConnectionState>>,
}

impl Connection {
    /// Wraps an accepted socket.
    pub fn new(socket: Socket, handshake: &Handshake, state: &AppState) -> Self {
        let config = &state.config;
        // An operator who turns the message limit off wants no frame limit either.
        let is_limited = config.writes_per_second.0.is_some();
        let limit = is_limited
            .then(|| RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND).allow_burst(FRAME_BURST)));
        Self {
            socket: Arc::new(SharedSocket::new(socket)),
            locale: handshake.locale,
            auth: state.auth.clone(),
            limit,
            ping_interval: config.ping_interval,
            last_seen: Instant::now(),
            tcp: handshake.connection.clone(),
        }
    }

    /// Records that the client is alive.
    pub fn mark_alive(&mut self) {
        self.last_seen = Instant::now();
    }

    /// The timer for [`Self::ping`].
    pub fn pings(&self) -> Interval {
        let mut pings = interval_at(Instant::now() + self.ping_interval, self.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings
    }

    /// Sends a ping, unless the client has been silent for too long.
    pub async fn ping(&mut self) -> Result<(), CloseReason> {
        // Two pings without an answer or any other frame: the client is gone.
        if self.last_seen.elapsed() > self.ping_interval * 5 / 2 {
            return Err(CloseReason::PeerLost);
        }
        self.socket.lock().feed_ping();
        self.flush().await
    }

    /// Polls for the client's next message, to be passed to [`Self::parse_frame`].
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        self.socket.poll_recv(context)
    }

    /// Waits until a direct write has left a rest, for [`Self::flush`].
    pub fn poll_rest(&self, context: &Context<'_>) -> Poll<()> {
        self.socket.poll_rest(context)
    }

    /// What the room's publisher writes to.
    pub fn sink(&self) -> Arc<SharedSocket> {
        Arc::clone(&self.socket)
    }

    /// Parses the client's message. `None` for control frames, and for invalid frames, which are answered with an
    /// error.
    pub async fn read(
        &mut self,
        incoming: Incoming,
        room_ids: RoomIds,
    ) -> Result<Option<ClientFrame>, CloseReason> {
        let frame = match self.message(incoming)? {
            Message::Text(text) => {
                self.check_rate()?;
                frames::read(&text, room_ids)
            }
            Message::Binary => {
                self.check_rate()?;
                Err(BadFrame::not_text())
            }
            Message::Ping(_) | Message::Pong => {
                self.check_rate()?;
                return Ok(None);
            }
            Message::Close(_) => return Err(CloseReason::ClosedByClient),
        };
        metrics::received(frame.as_ref().ok());
        match frame {
            Ok(frame) => Ok(Some(frame)),
            Err(bad) => self.send_error(&bad.failure, bad.about).await.map(|()| None),
        }
    }

    /// The client's next message of any kind.
    pub async fn recv(&mut self) -> Result<Message, CloseReason> {
        let incoming = self.socket.recv().await;
        self.message(incoming)
    }

    fn message(&mut self, incoming: Incoming) -> Result<Message, CloseReason> {
        let message = incoming.ok_or(CloseReason::PeerLost)?.map_err(|error| lost(&error))?;
        self.mark_alive();
        Ok(message)
    }

    fn check_rate(&self) -> Result<(), CloseReason> {
        match &self.limit {
            Some(limit) if limit.check().is_err() => Err(CloseReason::Error(Code::Throttled.into())),
            _ => Ok(()),
        }
    }

    /// Writes this frame and the frames that are ready behind it.
    pub async fn deliver(&mut self, first: Bytes, session: &mut impl Session) -> Result<(), CloseReason> {
        let mut next = Some(Ok(first));
        for _ in 0..BURST {
            let mut frames = 0;
            while self.socket.lock().queued() < WRITE
                && let Some(frame) = next.take()
            {
                match frame {
                    Ok(json) => {
                        self.socket.lock().feed_text(&json);
                        frames += 1;
                        next = session.try_next();
                    }
                    Err(error) => {
                        self.flush().await?;
                        return Err(CloseReason::Error(error));
                    }
                }
            }
            metrics::sent(frames);
            self.flush().await?;
            if next.is_none() {
                return Ok(());
            }
        }
        // The frame that was taken from the session last.
        match next {
            Some(Ok(json)) => {
                self.socket.lock().feed_text(&json);
                metrics::sent(1);
                self.flush().await
            }
            Some(Err(error)) => Err(CloseReason::Error(error)),
            None => Ok(()),
        }
    }

    /// Writes the frames that are ready, before what the client has already sent is answered.
    pub async fn deliver_ready(&mut self, session: &mut impl Session) -> Result<(), CloseReason> {
        match session.try_next() {
            Some(Ok(first)) => self.deliver(first, session).await,
            Some(Err(error)) => Err(CloseReason::Error(error)),
            None => Ok(()),
        }
    }

    /// Writes what was fed to the socket.
    pub async fn flush(&mut self) -> Result<(), CloseReason> {
        flush(&self.socket).await
    }

    /// Replaces the session's access token. An invalid one is answered with an error and changes nothing.
    pub async fn authenticate(&mut self, token: &str, session: &mut impl Session) -> Result<(), CloseReason> {
        let renewed = match self.auth.claim(token) {
            Ok(claim) => session.renew(claim).await.map_err(|error| {
                crate::error::log(&error);
                error.failure()
            }),
            Err(error) => Err(error.failure().clone()),
        };
        match renewed {
            Ok(()) => self.send(&ServerFrame::Authenticated).await,
            Err(failure) => self.send_error(&failure, About::default()).await,
        }
    }

    pub async fn send(&mut self, frame: &ServerFrame) -> Result<(), CloseReason> {
        send_frame(&self.socket, frame).await
    }

    /// Sends an error frame.
    pub async fn send_error(&mut self, failure: &Failure, about: About) -> Result<(), CloseReason> {
        let frame = error_frame(self.locale, failure, about);
        self.send(&frame).await
    }

    /// Reports the reason to the client and closes the socket.
    pub async fn close(self, reason: CloseReason) {
        // The client may still be sending. A connection that is closed with unread input is reset, and a browser then
        // reports 1006 instead of the code.
        if let (Some(connection), false) = (&self.tcp, matches!(reason, CloseReason::PeerLost)) {
            connection.drain_on_close();
        }
        match reason {
            CloseReason::PeerLost => metrics::lost(),
            CloseReason::Stalled => {
                let failure = Failure::new(Code::TooSlow);
                let closing = close_with_error(&self.socket, self.locale, &failure);
                if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
                    metrics::lost();
                }
            }
            CloseReason::ClosedByClient => {
                metrics::lost();
                // The next read sends the answer to the client's close frame. Without it a browser reports 1006.
                drop(timeout(CLOSE_TIMEOUT, self.socket.recv()).await);
            }
            CloseReason::ShuttingDown => close(&self.socket, GOING_AWAY).await,
            CloseReason::Error(error) => {
                crate::error::log(&error);
                close_with_error(&self.socket, self.locale, &error.failure()).await;
            }
            CloseReason::TooLarge => {
                close_with_error(&self.socket, self.locale, &Failure::new(Code::TooLarge)).await;
            }
            CloseReason::NotUtf8 => close(&self.socket, NOT_UTF8).await,
            CloseReason::ProtocolError => close(&self.socket, PROTOCOL_ERROR).await,
        }
    }
}

/// The close reason of a read error.
fn lost(error: &SocketError) -> CloseReason {
    match error {
        SocketError::Violation(Violation::TooLarge) => CloseReason::TooLarge,
        SocketError::Violation(Violation::NotUtf8) => CloseReason::NotUtf8,
        SocketError::Violation(Violation::Protocol) => CloseReason::ProtocolError,
        SocketError::Lost(_) => CloseReason::PeerLost,
    }
}
