//! A user's socket for notifications, from the upgrade to the close.

use axum::{
    extract::{State, WebSocketUpgrade, ws::WebSocket},
    response::Response,
};
use chat::{
    model::{ClientFrame, ServerFrame},
    service::{AuthenticatedSocket, NotificationSession},
};

use super::{
    accept, enter,
    figures::Kind,
    frames::BadFrame,
    handshake::Entrance,
    line::{Came, End, Line},
    rare::{Rare, Rares},
};
use crate::state::AppState;

/// `GET /ws/notifications/`.
pub async fn upgrade(
    State(state): State<AppState>,
    entrance: Entrance,
    upgrade: WebSocketUpgrade,
) -> Response {
    accept(&state.clone(), Kind::Notifications, upgrade, move |socket| serve(socket, state, entrance))
}

pub(super) fn serve(socket: WebSocket, state: AppState, entrance: Entrance) -> impl Future<Output = ()> {
    let stopping = state.shutdown.token().cancelled_owned();
    // In boxes for the reason that a room's socket gives.
    let opening = Box::pin(open(socket, state, entrance));
    async {
        let Some((mut line, mut session)) = opening.await else { return };
        let end = run(&mut line, &mut session, stopping).await;
        // Nothing more is kept for it during the goodbye, which a dead peer makes long.
        drop(session);
        Box::pin(line.end(end)).await;
    }
}

async fn open(socket: WebSocket, state: AppState, entrance: Entrance) -> Option<(Line, NotificationSession)> {
    enter(socket, &state, &entrance, AuthenticatedSocket::open_notifications).await
}

async fn run(line: &mut Line, session: &mut NotificationSession, stopping: impl Future<Output = ()>) -> End {
    let stopping = std::pin::pin!(stopping);
    let mut rares = Rares::new(line, stopping);
    loop {
        let step = tokio::select! {
            frame = session.next() => match frame {
                Ok(json) => line.deliver(json, session).await,
                Err(error) => Err(End::Refused(error)),
            },
            rare = rares.next(line, true) => match rare {
                Rare::Came(came) => Box::pin(hear(line, session, came)).await,
                Rare::Ping => Box::pin(line.ping()).await,
                Rare::Stop => Err(End::Stopping),
            },
        };
        if let Err(end) = step {
            return end;
        }
    }
}

async fn hear(line: &mut Line, session: &mut NotificationSession, came: Came) -> Result<(), End> {
    let Some(frame) = line.read(came).await? else { return Ok(()) };
    match frame {
        ClientFrame::Ping => line.say(&ServerFrame::Pong).await,
        ClientFrame::Authenticate { token } => line.authenticate(&token, session).await,
        // Frames of a room's socket, which this is not.
        ClientFrame::ChatMessage(_)
        | ClientFrame::Typing { .. }
        | ClientFrame::UserJoin
        | ClientFrame::UserLeave
        | ClientFrame::MessageRead { .. } => line.refuse(&BadFrame::out_of_place().failure, None).await,
    }
}
