//! A user's socket for notifications, from the upgrade to the close.

use axum::{
    extract::{State, WebSocketUpgrade, ws::WebSocket},
    response::Response,
};
use chat::{
    model::{ClientFrame, ServerFrame},
    service::NotificationSession,
};

use super::{
    accept,
    figures::Kind,
    frames::BadFrame,
    handshake::{self, Entrance},
    line::{End, Line},
    refuse,
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

async fn serve(socket: WebSocket, state: AppState, entrance: Entrance) {
    let stopping = state.shutdown.token().cancelled_owned();
    // In boxes for the reason that a room's socket gives.
    let Some((mut line, mut session)) = Box::pin(open(socket, state, entrance)).await else { return };
    let end = run(&mut line, &mut session, stopping).await;
    // Nothing more is kept for it during the goodbye, which a dead peer makes long.
    drop(session);
    Box::pin(line.end(end)).await;
}

/// Lets the client in; who may not come in has been told why.
async fn open(
    mut socket: WebSocket,
    state: AppState,
    entrance: Entrance,
) -> Option<(Line, NotificationSession)> {
    let locale = entrance.locale;
    let user = match handshake::admit(&mut socket, &state, &entrance).await {
        Ok(user) => user,
        Err(failure) => {
            refuse(socket, locale, &failure).await;
            return None;
        }
    };
    let turn = state.turns.take().await;
    let opened = state.chat.open_notifications(&user).await;
    drop(turn);
    match opened {
        Ok(session) => Some((Line::new(socket, locale, &state.config), session)),
        Err(error) => {
            crate::error::log(&error);
            refuse(socket, locale, &error.failure()).await;
            None
        }
    }
}

async fn run(line: &mut Line, session: &mut NotificationSession, stopping: impl Future<Output = ()>) -> End {
    let mut stopping = std::pin::pin!(stopping);
    let mut pings = line.pings();
    loop {
        let step = tokio::select! {
            () = &mut stopping => Err(End::Stopping),
            frame = session.next() => match frame {
                Ok(json) => line.deliver(json, session).await,
                Err(error) => Err(End::Refused(error)),
            },
            came = line.recv() => match line.read(came).await {
                Ok(Some(frame)) => answer(line, &frame).await,
                Ok(None) => Ok(()),
                Err(end) => Err(end),
            },
            _ = pings.tick() => line.ping().await,
        };
        if let Err(end) = step {
            return end;
        }
    }
}

async fn answer(line: &mut Line, frame: &ClientFrame) -> Result<(), End> {
    match frame {
        ClientFrame::Ping => line.say(&ServerFrame::Pong).await,
        // Who it is was settled before.
        ClientFrame::Authenticate { .. } => Ok(()),
        // Frames of a room's socket, which this is not.
        ClientFrame::ChatMessage(_)
        | ClientFrame::Typing { .. }
        | ClientFrame::UserJoin
        | ClientFrame::UserLeave
        | ClientFrame::MessageRead { .. } => line.refuse(&BadFrame::out_of_place().failure, None).await,
    }
}
