//! A room's socket, from the upgrade to the close.

use std::time::Duration;

use app::i18n::Locale;
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use chat::{
    Chat,
    model::{ClientFrame, Code, MessageId, RoomId, RoomMessage, ServerFrame, User},
    service::{Receipt, RoomSession},
};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _, stream::FuturesUnordered};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::{
    GOING_AWAY, SEND_PATIENCE, close,
    frames::{self, BadFrame},
    handshake::{self, Entrance},
    refusal, refuse, send, send_frame, sized,
};
use crate::state::AppState;

/// How often the server asks whether the client is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that said nothing for so long, not even a pong, is gone: two pings unanswered.
const SILENCE: Duration = Duration::from_secs(50);
/// Messages of one socket that may wait for the disk; more are not read from it meanwhile.
const IN_FLIGHT: usize = 128;
/// Frames written before the network is asked to take them.
const BURST: usize = 64;
/// Frames a client may send a second, and at once: far above what a person types or a
/// program may write, and what is more is not a slip.
const FRAMES_PER_SECOND: std::num::NonZeroU32 = std::num::NonZeroU32::new(100).unwrap();
const FRAME_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(300).unwrap();

/// `GET /ws/chat/{room_id}/`.
pub async fn upgrade(
    State(state): State<AppState>,
    entrance: Entrance,
    upgrade: WebSocketUpgrade,
) -> Response {
    let held = state.shutdown.hold();
    sized(upgrade, &state.config).protocols(["bearer"]).on_upgrade(move |socket| async move {
        serve(socket, state, entrance).await;
        drop(held);
    })
}

async fn serve(mut socket: WebSocket, state: AppState, entrance: Entrance) {
    let locale = entrance.locale;
    let user = match handshake::admit(&mut socket, &state, &entrance).await {
        Ok(user) => user,
        Err(failure) => return refuse(socket, locale, &failure).await,
    };
    let opened = match entrance.room {
        Some(room) => state.chat.open_room(&user, room, entrance.resume).await,
        None => Err(Code::NotFound.into()),
    };
    let session = match opened {
        Ok(session) => session,
        Err(error) => {
            crate::error::log(&error);
            return refuse(socket, locale, &error.failure()).await;
        }
    };
    // An operator who lifts the limit on messages means it for the socket too.
    let is_limited = state.config.writes_per_second.0.is_some();
    let mut talk = Talk {
        socket,
        chat: state.chat.clone(),
        user,
        room: session.room(),
        session,
        locale,
        receipts: FuturesUnordered::new(),
        limit: is_limited
            .then(|| RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND).allow_burst(FRAME_BURST))),
        heard_at: Instant::now(),
    };
    let end = talk.run(state.shutdown.token().cancelled_owned()).await;
    let Talk { socket, session, .. } = talk;
    // Gone from the room before the goodbye, which a dead peer makes long.
    drop(session);
    match end {
        End::Lost => {}
        End::Stopping => close(socket, GOING_AWAY).await,
        End::Refused(error) => {
            crate::error::log(&error);
            refuse(socket, locale, &error.failure()).await;
        }
        End::TooLarge => close(socket, crate::error::close_code(Code::TooLarge)).await,
    }
}

/// Why a socket is over.
enum End {
    /// The peer closed it, or is gone.
    Lost,
    /// The process stops.
    Stopping,
    /// The domain, or a limit, says so.
    Refused(chat::Error),
    /// A frame was over the limit.
    TooLarge,
}

type Answered = (Option<String>, chat::Result<chat::writer::Stored>);

struct Talk {
    socket: WebSocket,
    chat: Chat,
    user: User,
    room: RoomId,
    session: RoomSession,
    locale: Locale,
    /// Messages of this socket on their way to the disk.
    receipts: FuturesUnordered<futures::future::BoxFuture<'static, Answered>>,
    limit: Option<DefaultDirectRateLimiter>,
    heard_at: Instant,
}

impl Talk {
    async fn run(&mut self, stopping: impl Future<Output = ()>) -> End {
        let mut stopping = std::pin::pin!(stopping);
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                () = &mut stopping => Err(End::Stopping),
                frame = self.session.next() => match frame {
                    Ok(json) => self.deliver(json).await,
                    Err(error) => Err(End::Refused(error)),
                },
                Some((client_id, result)) = self.receipts.next(), if !self.receipts.is_empty() => {
                    self.answer(client_id, result).await
                }
                message = self.socket.recv(), if self.receipts.len() < IN_FLIGHT => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(lost(error)),
                    None => Err(End::Lost),
                },
                _ = pings.tick() => self.ping().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Writes this frame and those that are ready behind it, then lets the network take them.
    async fn deliver(&mut self, first: bytes::Bytes) -> Result<(), End> {
        let mut next = Some(first);
        let mut ended = Ok(());
        let written = async {
            for _ in 0..BURST {
                let Some(json) = next.take() else { break };
                let text = axum::extract::ws::Utf8Bytes::try_from(json).unwrap_or_default();
                self.socket.feed(Message::Text(text)).await?;
                match self.session.next().now_or_never() {
                    Some(Ok(json)) => next = Some(json),
                    Some(Err(error)) => {
                        ended = Err(End::Refused(error));
                        break;
                    }
                    None => break,
                }
            }
            // What the last look took out of the ring is not lost when the burst is over.
            if let Some(json) = next.take() {
                let text = axum::extract::ws::Utf8Bytes::try_from(json).unwrap_or_default();
                self.socket.feed(Message::Text(text)).await?;
            }
            self.socket.flush().await
        };
        match timeout(SEND_PATIENCE, written).await {
            Ok(Ok(())) => ended,
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }

    /// Tells the sender what the room's echo does not: a repeat, or a refusal.
    async fn answer(
        &mut self,
        client_id: Option<String>,
        result: chat::Result<chat::writer::Stored>,
    ) -> Result<(), End> {
        match result {
            Ok(stored) if stored.is_new => Ok(()),
            Ok(stored) => {
                let rev = stored.message.rev;
                let echo = ServerFrame::ChatMessage { message: RoomMessage::from(&stored.message), rev };
                self.say(&echo).await
            }
            Err(error) => {
                crate::error::log(&error);
                self.say(&refusal(self.locale, &error.failure(), client_id)).await
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard_at = Instant::now();
        let frame = match message {
            Message::Text(text) => {
                self.count()?;
                frames::read(&text)
            }
            Message::Binary(_) => {
                self.count()?;
                Err(BadFrame::not_text())
            }
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Lost),
        };
        match frame {
            Ok(frame) => self.act(frame).await,
            Err(bad) => self.say(&refusal(self.locale, &bad.failure, bad.client_id)).await,
        }
    }

    fn count(&self) -> Result<(), End> {
        match &self.limit {
            Some(limit) if limit.check().is_err() => Err(End::Refused(Code::Throttled.into())),
            _ => Ok(()),
        }
    }

    async fn act(&mut self, frame: ClientFrame) -> Result<(), End> {
        self.session.set_present(frame != ClientFrame::UserLeave);
        match frame {
            ClientFrame::ChatMessage(draft) => {
                let client_id = draft.client_id.clone();
                match self.chat.submit(&self.user, self.room, draft) {
                    Ok(receipt) => {
                        self.receipts.push(named(client_id, receipt).boxed());
                        Ok(())
                    }
                    Err(error) => self.answer(client_id, Err(error)).await,
                }
            }
            ClientFrame::Typing { is_typing } => {
                self.session.announce_typing(is_typing);
                Ok(())
            }
            ClientFrame::MessageRead { message_id } => {
                match self.chat.mark_read_in(&self.user, self.room, MessageId(message_id)).await {
                    Ok(()) => Ok(()),
                    Err(error) if error.code() == Code::NotFound => {
                        self.say(&refusal(self.locale, &frames::no_such_message(), None)).await
                    }
                    Err(error) => self.answer(None, Err(error)).await,
                }
            }
            ClientFrame::Ping => self.say(&ServerFrame::Pong).await,
            // Presence was set above; who it is was settled before.
            ClientFrame::UserJoin | ClientFrame::UserLeave | ClientFrame::Authenticate { .. } => Ok(()),
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() > SILENCE {
            return Err(End::Lost);
        }
        if send(&mut self.socket, Message::Ping(bytes::Bytes::new())).await { Ok(()) } else { Err(End::Lost) }
    }

    async fn say(&mut self, frame: &ServerFrame) -> Result<(), End> {
        if send_frame(&mut self.socket, frame).await { Ok(()) } else { Err(End::Lost) }
    }
}

async fn named(client_id: Option<String>, receipt: Receipt) -> Answered {
    (client_id, receipt.await)
}

/// A frame over the limit is answered; any other error means that the peer is gone.
fn lost(error: axum::Error) -> End {
    match error.into_inner().downcast::<tungstenite::Error>().as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => End::TooLarge,
        Ok(_) | Err(_) => End::Lost,
    }
}
