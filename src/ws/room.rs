//! The socket of a room, from the upgrade to the close.

use axum::{extract::State, response::Response};
use chat::{
    model::{ClientFrame, Code, MessageId, RoomMessage, ServerFrame},
    service::{AuthenticatedSocket, RoomSession},
};

use super::{
    About, EstablishedSocket, accept,
    connection::{CloseReason, Connection, Incoming},
    frames::{self, BadFrame, RoomIds},
    handshake::Handshake,
    metrics::SocketKind,
    perform_handshake,
    rare_events::{RareEvent, RareEvents},
    receipts::Receipts,
};
use crate::{
    state::AppState,
    websocket::{Socket, Upgrade},
};

/// `GET /ws/chat/{room_id}/`.
pub async fn upgrade(State(state): State<AppState>, handshake: Handshake, upgrade: Upgrade) -> Response {
    accept(state, SocketKind::Room, upgrade, handshake, open)
}

pub(super) async fn open(socket: Socket, state: AppState, handshake: Handshake) -> Option<RoomSocket> {
    let open = async |socket: AuthenticatedSocket| {
        let room = handshake.room.ok_or(Code::NotFound)?;
        socket.open_room(room, handshake.resume).await
    };
    let (connection, session) = perform_handshake(socket, &state, &handshake, open).await?;
    Some(RoomSocket { connection, session, receipts: Receipts::new() })
}

pub(super) struct RoomSocket {
    connection: Connection,
    session: RoomSession,
    /// Messages of this socket that are being stored.
    receipts: Receipts<Option<String>>,
}

impl EstablishedSocket for RoomSocket {
    async fn run(&mut self, stopping: impl Future<Output = ()> + Send) -> CloseReason {
        if let Err(reason) = Box::pin(self.connection.deliver_ready(&mut self.session)).await {
            return reason;
        }
        self.session.write_to(self.connection.sink());
        let stopping = std::pin::pin!(stopping);
        let mut rare_events = RareEvents::new(&self.connection, stopping);
        loop {
            let is_reading = !self.receipts.is_full();
            let step = tokio::select! {
                frame = self.session.next() => match frame {
                    Ok(json) => self.connection.deliver(json, &mut self.session).await,
                    Err(error) => Err(CloseReason::Error(error)),
                },
                Some((client_id, result)) = self.receipts.next(), if !self.receipts.is_empty() => {
                    if !is_reading {
                        rare_events.read_again();
                    }
                    Box::pin(self.answer(client_id, result)).await
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
        }
    }

    fn into_connection(self) -> Connection {
        self.connection
    }
}

impl RoomSocket {
    async fn on_frame(&mut self, incoming: Incoming) -> Result<(), CloseReason> {
        match self.connection.read(incoming, RoomIds::Optional(self.session.room())).await? {
            Some(frame) => self.act(frame).await,
            None => Ok(()),
        }
    }

    /// Sends what the room's echo does not tell the sender: that a message was a repeat, or an error.
    async fn answer(
        &mut self,
        client_id: Option<String>,
        result: chat::Result<chat::writer::Stored>,
    ) -> Result<(), CloseReason> {
        match result {
            Ok(stored) if stored.is_new => Ok(()),
            Ok(stored) => {
                let rev = stored.message.rev;
                let (room_id, message) = (stored.message.room.id, RoomMessage::from(&stored.message));
                let echo = ServerFrame::ChatMessage { room_id, message, rev };
                self.connection.send(&echo).await
            }
            Err(error) => {
                crate::error::log(&error);
                self.connection.send_error(&error.failure(), About { client_id, room_id: None }).await
            }
        }
    }

    async fn act(&mut self, frame: ClientFrame) -> Result<(), CloseReason> {
        // After its token has expired, a client may still send a new one.
        if !matches!(frame, ClientFrame::Authenticate { .. }) {
            self.session.check_credential().map_err(CloseReason::Error)?;
        }
        self.session.set_present(!matches!(frame, ClientFrame::UserLeave { .. })).await;
        match frame {
            ClientFrame::ChatMessage { draft, .. } => {
                let client_id = draft.client_id.clone();
                match self.session.submit(draft) {
                    Ok(receipt) => {
                        self.receipts.push(client_id, receipt);
                        Ok(())
                    }
                    Err(error) => self.answer(client_id, Err(error)).await,
                }
            }
            ClientFrame::Typing { is_typing, .. } => {
                self.session.announce_typing(is_typing).await;
                Ok(())
            }
            ClientFrame::MessageRead { message_id, .. } => {
                let marking = self.session.mark_read(MessageId(message_id));
                match Box::pin(marking).await {
                    Ok(()) => Ok(()),
                    Err(error) if error.code() == Code::NotFound => {
                        self.connection.send_error(&frames::no_such_message(), About::default()).await
                    }
                    Err(error) => self.answer(None, Err(error)).await,
                }
            }
            ClientFrame::Ping => self.connection.send(&ServerFrame::Pong).await,
            ClientFrame::Authenticate { token } => {
                Box::pin(self.connection.authenticate(&token, &mut self.session)).await
            }
            // Presence was set above.
            ClientFrame::UserJoin { .. } | ClientFrame::UserLeave { .. } => Ok(()),
            ClientFrame::Subscribe(_) | ClientFrame::Unsubscribe { .. } => {
                self.connection.send_error(&BadFrame::wrong_socket().failure, About::default()).await
            }
        }
    }
}
