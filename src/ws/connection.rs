//! An open socket as every kind of them has it: limits, signs of life, frames in bursts,
//! and the end. What is said over it, it does not know.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use app::i18n::Locale;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use chat::{
    credential::Claim,
    model::{ClientFrame, Code, Failure, ServerFrame},
    service::{NotificationSession, RoomSession},
};
use futures::{SinkExt as _, StreamExt as _, poll};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::{
    CLOSE_TIMEOUT, GOING_AWAY, NOT_UTF8, SEND_TIMEOUT, close, close_with_error, error_frame,
    frames::{self, BadFrame},
    handshake::Handshake,
    metrics, send, send_frame,
};
use crate::{auth::Auth, connections::state::ConnectionState, state::AppState};

/// Frames written before the network is asked to take them.
const BURST: usize = 64;
/// Frames a client may send a second, and at once: far above what a person types or a
/// program may write, and what is more is not a slip.
const FRAMES_PER_SECOND: std::num::NonZeroU32 = std::num::NonZeroU32::new(100).unwrap();
pub(super) const FRAME_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(300).unwrap();

/// Where the frames of a socket come from.
pub trait Session: Send {
    /// The next frame to send, JSON in UTF-8, if it is there already; `None` when it has to be
    /// waited for.
    ///
    /// # Errors
    /// The reason to close the socket with.
    fn try_next(&mut self) -> Option<chat::Result<Bytes>>;

    /// Goes on with another credential of the same person.
    ///
    /// # Errors
    /// Why it is not good; nothing has changed then.
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

/// Why a socket is over.
pub enum CloseReason {
    /// The peer closed it, or is gone.
    PeerLost,
    /// The client closed the socket.
    ClosedByClient,
    /// The process stops.
    ShuttingDown,
    /// The domain, or a limit, says so.
    Error(chat::Error),
    /// A frame was over the limit.
    TooLarge,
    /// A text was not UTF-8.
    NotUtf8,
}

/// What comes from a client; none once it has gone.
pub type Incoming = Option<Result<Message, axum::Error>>;

/// An open socket.
pub struct Connection {
    socket: WebSocket,
    locale: Locale,
    auth: Auth,
    limit: Option<DefaultDirectRateLimiter>,
    /// How often the client is asked whether it is there.
    ping_interval: Duration,
    last_seen: Instant,
    /// What the socket goes over; `None` outside the server, as in a handler's own test.
    tcp: Option<Arc<ConnectionState>>,
}

impl Connection {
    /// Takes over a socket that was accepted.
    pub fn new(socket: WebSocket, handshake: &Handshake, state: &AppState) -> Self {
        let config = &state.config;
        // An operator who lifts the limit on messages means it for the socket too.
        let is_limited = config.writes_per_second.0.is_some();
        let limit = is_limited
            .then(|| RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND).allow_burst(FRAME_BURST)));
        Self {
            socket,
            locale: handshake.locale,
            auth: state.auth.clone(),
            limit,
            ping_interval: config.ping_interval,
            last_seen: Instant::now(),
            tcp: handshake.connection.clone(),
        }
    }

    /// The client is there.
    pub fn mark_alive(&mut self) {
        self.last_seen = Instant::now();
    }

    /// When to [`Self::ping`].
    pub fn pings(&self) -> Interval {
        let mut pings = interval_at(Instant::now() + self.ping_interval, self.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings
    }

    /// Asks whether the client is there.
    pub async fn ping(&mut self) -> Result<(), CloseReason> {
        // Two pings unanswered, and not a word else: it is gone.
        if self.last_seen.elapsed() > self.ping_interval * 5 / 2 {
            return Err(CloseReason::PeerLost);
        }
        if send(&mut self.socket, Message::Ping(Bytes::new())).await {
            Ok(())
        } else {
            Err(CloseReason::PeerLost)
        }
    }

    /// The next thing that comes from the client, for [`Self::read`].
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        self.socket.poll_next_unpin(context)
    }

    /// The frame in what came; none in a sign of life, and none in a bad one, which is answered.
    pub async fn read(&mut self, incoming: Incoming) -> Result<Option<ClientFrame>, CloseReason> {
        let frame = match self.message(incoming)? {
            Message::Text(text) => {
                self.check_rate()?;
                frames::read(&text)
            }
            Message::Binary(_) => {
                self.check_rate()?;
                Err(BadFrame::not_text())
            }
            Message::Ping(_) | Message::Pong(_) => {
                self.check_rate()?;
                return Ok(None);
            }
            Message::Close(_) => return Err(CloseReason::ClosedByClient),
        };
        metrics::received(frame.as_ref().ok());
        match frame {
            Ok(frame) => Ok(Some(frame)),
            Err(bad) => self.send_error(&bad.failure, bad.client_id).await.map(|()| None),
        }
    }

    /// The next message from the client, whatever it is.
    pub async fn recv(&mut self) -> Result<Message, CloseReason> {
        let incoming = self.socket.recv().await;
        self.message(incoming)
    }

    fn message(&mut self, incoming: Incoming) -> Result<Message, CloseReason> {
        let message = incoming.ok_or(CloseReason::PeerLost)?.map_err(lost)?;
        self.mark_alive();
        Ok(message)
    }

    fn check_rate(&self) -> Result<(), CloseReason> {
        match &self.limit {
            Some(limit) if limit.check().is_err() => Err(CloseReason::Error(Code::Throttled.into())),
            _ => Ok(()),
        }
    }

    /// Writes this frame and those that are ready behind it, then lets the network take them.
    pub async fn deliver(&mut self, first: Bytes, session: &mut impl Session) -> Result<(), CloseReason> {
        let mut next = Some(first);
        let mut ended = Ok(());
        let mut frames = 0;
        let written = {
            let mut written = pin!(async {
                for _ in 0..BURST {
                    let Some(json) = next.take() else { break };
                    self.socket.feed(text(json)).await?;
                    frames += 1;
                    match session.try_next() {
                        Some(Ok(json)) => next = Some(json),
                        Some(Err(error)) => {
                            ended = Err(CloseReason::Error(error));
                            break;
                        }
                        None => break,
                    }
                }
                // What the last look took out of the session is not lost when the burst is over.
                if let Some(json) = next.take() {
                    self.socket.feed(text(json)).await?;
                    frames += 1;
                }
                self.socket.flush().await
            });
            // The network mostly takes it at once, and then there is nothing to time.
            match poll!(written.as_mut()) {
                Poll::Ready(done) => Ok(done),
                Poll::Pending => timeout(SEND_TIMEOUT, written).await,
            }
        };
        metrics::sent(frames);
        match written {
            Ok(Ok(())) => ended,
            Ok(Err(_)) | Err(_) => Err(CloseReason::PeerLost),
        }
    }

    /// Lets the session go on with this access token. One that is not good is answered, and changes nothing.
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
            Err(failure) => self.send_error(&failure, None).await,
        }
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: &ServerFrame) -> Result<(), CloseReason> {
        if send_frame(&mut self.socket, frame).await { Ok(()) } else { Err(CloseReason::PeerLost) }
    }

    /// Says that something the client sent was refused.
    pub async fn send_error(
        &mut self,
        failure: &Failure,
        client_id: Option<String>,
    ) -> Result<(), CloseReason> {
        let frame = error_frame(self.locale, failure, client_id);
        self.send(&frame).await
    }

    /// Says why it is over, and closes.
    pub async fn close(mut self, reason: CloseReason) {
        // The client may be sending still: a connection that is closed with that unread is reset, and a browser then
        // reports 1006 in place of the code. Who is gone sends nothing.
        if let (Some(connection), false) = (&self.tcp, matches!(reason, CloseReason::PeerLost)) {
            connection.drain_on_close();
        }
        match reason {
            CloseReason::PeerLost => metrics::lost(),
            CloseReason::ClosedByClient => {
                metrics::lost();
                // The answer to the client's close goes out with the next look; a browser that gets none says 1006.
                drop(timeout(CLOSE_TIMEOUT, self.socket.recv()).await);
            }
            CloseReason::ShuttingDown => close(self.socket, GOING_AWAY).await,
            CloseReason::Error(error) => {
                crate::error::log(&error);
                close_with_error(self.socket, self.locale, &error.failure()).await;
            }
            CloseReason::TooLarge => {
                close_with_error(self.socket, self.locale, &Failure::new(Code::TooLarge)).await
            }
            CloseReason::NotUtf8 => close(self.socket, NOT_UTF8).await,
        }
    }
}

/// A text message of what the domain serialised, which is always UTF-8.
fn text(json: Bytes) -> Message {
    Message::Text(Utf8Bytes::try_from(json).unwrap_or_default())
}

/// A frame over the limit and text that is none are answered; any other error means that the peer is gone.
fn lost(error: axum::Error) -> CloseReason {
    match error.into_inner().downcast::<tungstenite::Error>().as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => CloseReason::TooLarge,
        Ok(tungstenite::Error::Utf8(_)) => CloseReason::NotUtf8,
        Ok(_) | Err(_) => CloseReason::PeerLost,
    }
}
