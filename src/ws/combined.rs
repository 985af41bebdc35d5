//! The combined socket of a user (`/ws/`), from the upgrade to the close: notifications, and subscriptions to rooms.

use app::i18n::Locale;
use axum::{extract::State, response::Response};
use bytes::Bytes;
use chat::{
    credential::Claim,
    model::{ClientFrame, Code, Failure, MessageDraft, MessageId, RoomId, ServerFrame, Subscribe},
    owned_task::OwnedTask,
    service::{AuthenticatedSocket, CombinedEvent, CombinedSession, OpenedSubscription},
    writer::Stored,
};

use super::{
    About, EstablishedSocket, accept,
    connection::{CloseReason, Connection, Incoming, Session},
    error_frame,
    frames::{self, RoomIds},
    handshake::Handshake,
    handshake_limiter::HandshakeLimiter,
    metrics::SocketKind,
    perform_handshake,
    rare_events::{RareEvent, RareEvents},
    receipts::Receipts,
};
use crate::{
    state::AppState,
    websocket::{Socket, Upgrade},
};

/// `GET /ws/`.
pub async fn upgrade(State(state): State<AppState>, handshake: Handshake, upgrade: Upgrade) -> Response {
    accept(state, SocketKind::Combined, upgrade, handshake, open)
}

pub(super) async fn open(socket: Socket, state: AppState, handshake: Handshake) -> Option<CombinedSocket> {
    let after_rev = handshake.after_rev();
    let open = |socket: AuthenticatedSocket| socket.open_combined(after_rev);
    let (connection, session) = perform_handshake(socket, &state, &handshake, open).await?;
    Some(CombinedSocket {
        connection,
        frames: Frames { session, locale: handshake.locale },
        handshakes: state.handshakes,
        opening: None,
        receipts: Receipts::new(),
    })
}

/// The session's frames. The end of a subscription is one too.
struct Frames {
    session: CombinedSession,
    locale: Locale,
}

impl Frames {
    async fn next(&mut self) -> chat::Result<Bytes> {
        loop {
            let event = self.session.next().await?;
            if let Some(json) = self.json(event) {
                return Ok(json);
            }
        }
    }

    fn json(&self, event: CombinedEvent) -> Option<Bytes> {
        match event {
            CombinedEvent::Frame(json) => Some(json),
            CombinedEvent::Ended(room, error) => {
                crate::error::log(&error);
                let frame = error_frame(self.locale, &error.failure(), About::room(room));
                serde_json::to_vec(&frame).map(Bytes::from).ok()
            }
        }
    }
}

impl Session for Frames {
    fn try_next(&mut self) -> Option<chat::Result<Bytes>> {
        loop {
            match self.session.try_next()? {
                Err(error) => return Some(Err(error)),
                Ok(event) => {
                    if let Some(json) = self.json(event) {
                        return Some(Ok(json));
                    }
                }
            }
        }
    }

    async fn renew(&mut self, claim: Claim) -> chat::Result<()> {
        self.session.renew(claim).await
    }
}

pub(super) struct CombinedSocket {
    connection: Connection,
    frames: Frames,
    handshakes: HandshakeLimiter,
    /// The subscription that is being opened. Until it is, nothing is read from the client, so that frames keep their
    /// order and a client has the database for itself for one subscription at a time.
    opening: Option<OwnedTask<OpenedSubscription>>,
    /// Messages that wait for their commit.
    receipts: Receipts<About>,
}

impl EstablishedSocket for CombinedSocket {
    async fn run(&mut self, stopping: impl Future<Output = ()> + Send) -> CloseReason {
        Box::pin(self.serve(stopping)).await
    }

    fn into_connection(self) -> Connection {
        self.connection
    }
}

impl CombinedSocket {
    async fn serve(&mut self, stopping: impl Future<Output = ()> + Send) -> CloseReason {
        if let Err(reason) = Box::pin(self.connection.deliver_ready(&mut self.frames)).await {
            return reason;
        }
        let stopping = std::pin::pin!(stopping);
        let mut rare_events = RareEvents::new(&self.connection, stopping);
        loop {
            let is_reading = self.opening.is_none() && !self.receipts.is_full();
            let step = tokio::select! {
                frame = self.frames.next() => match frame {
                    Ok(json) => self.connection.deliver(json, &mut self.frames).await,
                    Err(error) => Err(CloseReason::Error(error)),
                },
                Some((about, result)) = self.receipts.next(), if !self.receipts.is_empty() => {
                    Box::pin(self.answer(about, result)).await
                }
                opened = opening(&mut self.opening) => {
                    self.opening = None;
                    Box::pin(self.add(opened)).await
                }
                event = rare_events.next(&mut self.connection, is_reading) => match event {
                    RareEvent::Incoming(incoming) => Box::pin(self.on_frame(incoming)).await,
                    RareEvent::RestToFlush => Box::pin(self.connection.flush()).await,
                    RareEvent::PingDue => Box::pin(self.connection.ping()).await,
                    RareEvent::ShuttingDown => Err(CloseReason::ShuttingDown),
                },
            };
            if let Err(reason) = step {
                return reason;
            }
            if !is_reading {
                // It may read now, and its input was not polled meanwhile.
                rare_events.read_again();
            }
        }
    }

    async fn on_frame(&mut self, incoming: Incoming) -> Result<(), CloseReason> {
        match self.connection.read(incoming, RoomIds::Required).await? {
            Some(frame) => {
                // Earlier answers come before those to this frame.
                if self.frames.session.has_answers() {
                    self.connection.deliver_ready(&mut self.frames).await?;
                }
                self.act(frame).await
            }
            None => Ok(()),
        }
    }

    async fn act(&mut self, frame: ClientFrame) -> Result<(), CloseReason> {
        let session = &mut self.frames.session;
        // After its token has expired, a client may still send a new one.
        if !matches!(frame, ClientFrame::Authenticate { .. }) {
            session.check_credential().map_err(CloseReason::Error)?;
        }
        match frame {
            ClientFrame::ChatMessage { room_id, draft } => self.send(room(room_id), draft).await,
            ClientFrame::Typing { room_id, is_typing } => {
                session.mark_active(room(room_id)).await;
                session.announce_typing(room(room_id), is_typing).await;
                Ok(())
            }
            ClientFrame::UserJoin { room_id } => {
                session.set_present(room(room_id), true).await;
                Ok(())
            }
            ClientFrame::UserLeave { room_id } => {
                session.set_present(room(room_id), false).await;
                Ok(())
            }
            ClientFrame::MessageRead { room_id, message_id } => {
                self.mark_read(room(room_id), MessageId(message_id)).await
            }
            ClientFrame::Subscribe(request) => self.subscribe(request).await,
            ClientFrame::Unsubscribe { room_id } => {
                session.remove(RoomId(room_id));
                self.connection.send(&ServerFrame::Unsubscribed { room_id: RoomId(room_id) }).await
            }
            ClientFrame::Ping => self.connection.send(&ServerFrame::Pong).await,
            ClientFrame::Authenticate { token } => {
                self.connection.authenticate(&token, &mut self.frames).await
            }
        }
    }

    async fn subscribe(&mut self, request: Subscribe) -> Result<(), CloseReason> {
        match self.frames.session.subscribe(request) {
            Ok(opening) => {
                let handshakes = self.handshakes.clone();
                self.opening = Some(OwnedTask::spawn(async move {
                    let _permit = handshakes.acquire().await;
                    opening.await
                }));
                Ok(())
            }
            Err(error) => self.send_error(&error, About::room(RoomId(request.room_id))).await,
        }
    }

    async fn add(&mut self, opened: OpenedSubscription) -> Result<(), CloseReason> {
        // Nothing was read meanwhile, not even the answers to pings.
        self.connection.mark_alive();
        let room = opened.room();
        match self.frames.session.add(opened) {
            Ok(()) => Ok(()),
            Err(error) => self.send_error(&error, About::room(room)).await,
        }
    }

    async fn send(&mut self, room: RoomId, draft: MessageDraft) -> Result<(), CloseReason> {
        let session = &mut self.frames.session;
        session.mark_active(room).await;
        let about = About { client_id: draft.client_id.clone(), room_id: Some(room) };
        match session.submit(room, draft) {
            Ok(receipt) => {
                self.receipts.push(about, receipt);
                Ok(())
            }
            Err(error) => self.send_error(&error, about).await,
        }
    }

    /// Sends the outcome of a message: its echo, which comes from the room if it is new and subscribed to, or an error.
    async fn answer(&mut self, about: About, result: chat::Result<Stored>) -> Result<(), CloseReason> {
        match result {
            Ok(stored) => {
                self.frames.session.echo(&stored.message, stored.is_new);
                Ok(())
            }
            Err(error) => self.send_error(&error, about).await,
        }
    }

    async fn mark_read(&mut self, room: RoomId, message: MessageId) -> Result<(), CloseReason> {
        let session = &mut self.frames.session;
        session.mark_active(room).await;
        match session.mark_read(room, message).await {
            Ok(()) => Ok(()),
            Err(error) if error.code() == Code::NotFound => {
                self.connection.send_error(&frames::no_such_message(), About::room(room)).await
            }
            Err(error) => self.send_error(&error, About::room(room)).await,
        }
    }

    async fn send_error(&mut self, error: &chat::Error, about: About) -> Result<(), CloseReason> {
        crate::error::log(error);
        let failure: Failure = error.failure();
        self.connection.send_error(&failure, about).await
    }
}

/// The room of a frame in which [`RoomIds::Required`] has found one.
fn room(id: Option<i64>) -> RoomId {
    RoomId(id.unwrap_or_default())
}

/// Waits for the subscription that is being opened.
async fn opening(opening: &mut Option<OwnedTask<OpenedSubscription>>) -> OpenedSubscription {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}
