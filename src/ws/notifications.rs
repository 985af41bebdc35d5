//! The notification socket of a user, from the upgrade to the close.

use axum::{extract::State, response::Response};
use chat::{
    model::{ClientFrame, ServerFrame},
    service::{AuthenticatedSocket, NotificationSession},
};

use super::{
    About, EstablishedSocket, accept,
    connection::{CloseReason, Connection, Incoming},
    frames::{BadFrame, RoomIds},
    handshake::Handshake,
    metrics::SocketKind,
    perform_handshake,
    rare_events::{RareEvent, RareEvents},
};
use crate::{
    state::AppState,
    websocket::{Socket, Upgrade},
};

/// `GET /ws/notifications/`.
pub async fn upgrade(State(state): State<AppState>, handshake: Handshake, upgrade: Upgrade) -> Response {
    accept(state, SocketKind::Notifications, upgrade, handshake, open)
}

pub(super) async fn open(
    socket: Socket,
    state: AppState,
    handshake: Handshake,
) -> Option<NotificationSocket> {
    let after_rev = handshake.after_rev();
    let open = |socket: AuthenticatedSocket| socket.open_notifications(after_rev);
    let (connection, session) = perform_handshake(socket, &state, &handshake, open).await?;
    Some(NotificationSocket { connection, session })
}

pub(super) struct NotificationSocket {
    connection: Connection,
    session: NotificationSession,
}

impl EstablishedSocket for NotificationSocket {
    async fn run(&mut self, stopping: impl Future<Output = ()> + Send) -> CloseReason {
        let Self { connection, session } = self;
        if let Err(reason) = Box::pin(connection.deliver_ready(session)).await {
            return reason;
        }
        let stopping = std::pin::pin!(stopping);
        let mut rare_events = RareEvents::new(connection, stopping);
        loop {
            let step = tokio::select! {
                frame = session.next() => match frame {
                    Ok(json) => connection.deliver(json, session).await,
                    Err(error) => Err(CloseReason::Error(error)),
                },
                event = rare_events.next(connection, true) => match event {
                    RareEvent::Incoming(incoming) => Box::pin(on_frame(connection, session, incoming)).await,
                    RareEvent::RestToFlush => Box::pin(connection.flush()).await,
                    RareEvent::PingDue => Box::pin(connection.ping()).await,
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

async fn on_frame(
    connection: &mut Connection,
    session: &mut NotificationSession,
    incoming: Incoming,
) -> Result<(), CloseReason> {
    let Some(frame) = connection.read(incoming, RoomIds::Ignored).await? else { return Ok(()) };
    match frame {
        ClientFrame::Ping => connection.send(&ServerFrame::Pong).await,
        ClientFrame::Authenticate { token } => connection.authenticate(&token, session).await,
        // Frames about a room.
        ClientFrame::ChatMessage { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::UserJoin { .. }
        | ClientFrame::UserLeave { .. }
        | ClientFrame::MessageRead { .. }
        | ClientFrame::Subscribe(_)
        | ClientFrame::Unsubscribe { .. } => {
            connection.send_error(&BadFrame::wrong_socket().failure, About::default()).await
        }
    }
}
