//! A room's socket, from the upgrade to the close.

use axum::{
    extract::{State, WebSocketUpgrade, ws::WebSocket},
    response::Response,
};
use chat::{
    model::{ClientFrame, Code, MessageId, RoomMessage, ServerFrame},
    service::{AuthenticatedSocket, Receipt, RoomSession},
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};

use super::{
    accept, enter,
    figures::Kind,
    frames,
    handshake::Entrance,
    line::{Came, End, Line},
    rare::{Rare, Rares},
};
use crate::state::AppState;

/// Messages of one socket that may wait for the disk; more are not read from it meanwhile.
const IN_FLIGHT: usize = 128;

/// `GET /ws/chat/{room_id}/`.
pub async fn upgrade(
    State(state): State<AppState>,
    entrance: Entrance,
    upgrade: WebSocketUpgrade,
) -> Response {
    accept(&state.clone(), Kind::Room, upgrade, move |socket| serve(socket, state, entrance))
}

pub(super) fn serve(socket: WebSocket, state: AppState, entrance: Entrance) -> impl Future<Output = ()> {
    let stopping = state.shutdown.token().cancelled_owned();
    // A task is as large as the largest thing that it ever waits for, and as what it began with. What is waited for
    // once, or seldom, is in a box of its own that goes when it is done: an idle socket then costs a few KiB and not
    // thirty.
    let opening = Box::pin(open(socket, state, entrance));
    async {
        let Some(mut talk) = opening.await else { return };
        let end = talk.run(stopping).await;
        let Talk { line, session, .. } = talk;
        // Gone from the room before the goodbye, which a dead peer makes long.
        drop(session);
        Box::pin(line.end(end)).await;
    }
}

async fn open(socket: WebSocket, state: AppState, entrance: Entrance) -> Option<Talk> {
    let open = async |socket: AuthenticatedSocket| {
        let room = entrance.room.ok_or(Code::NotFound)?;
        socket.open_room(room, entrance.resume).await
    };
    let (line, session) = enter(socket, &state, &entrance, open).await?;
    Some(Talk { line, session, receipts: FuturesUnordered::new() })
}

type Answered = (Option<String>, chat::Result<chat::writer::Stored>);

struct Talk {
    line: Line,
    session: RoomSession,
    /// Messages of this socket on their way to the disk.
    receipts: FuturesUnordered<futures::future::BoxFuture<'static, Answered>>,
}

impl Talk {
    async fn run(&mut self, stopping: impl Future<Output = ()>) -> End {
        let stopping = std::pin::pin!(stopping);
        let mut rares = Rares::new(&self.line, stopping);
        loop {
            let is_reading = self.receipts.len() < IN_FLIGHT;
            let step = tokio::select! {
                frame = self.session.next() => match frame {
                    Ok(json) => self.line.deliver(json, &mut self.session).await,
                    Err(error) => Err(End::Refused(error)),
                },
                Some((client_id, result)) = self.receipts.next(), if !self.receipts.is_empty() => {
                    if !is_reading {
                        rares.read_again();
                    }
                    Box::pin(self.answer(client_id, result)).await
                }
                rare = rares.next(&mut self.line, is_reading) => match rare {
                    Rare::Came(came) => Box::pin(self.hear(came)).await,
                    Rare::Ping => Box::pin(self.line.ping()).await,
                    Rare::Stop => Err(End::Stopping),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Does what the client says.
    async fn hear(&mut self, came: Came) -> Result<(), End> {
        match self.line.read(came).await? {
            Some(frame) => self.act(frame).await,
            None => Ok(()),
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
                self.line.say(&echo).await
            }
            Err(error) => {
                crate::error::log(&error);
                self.line.refuse(&error.failure(), client_id).await
            }
        }
    }

    async fn act(&mut self, frame: ClientFrame) -> Result<(), End> {
        // A fresh token is what one whose token has just expired may still send.
        if !matches!(frame, ClientFrame::Authenticate { .. }) {
            self.session.check_credential().map_err(End::Refused)?;
        }
        self.session.set_present(frame != ClientFrame::UserLeave).await;
        match frame {
            ClientFrame::ChatMessage(draft) => {
                let client_id = draft.client_id.clone();
                match self.session.submit(draft) {
                    Ok(receipt) => {
                        self.receipts.push(named(client_id, receipt).boxed());
                        Ok(())
                    }
                    Err(error) => self.answer(client_id, Err(error)).await,
                }
            }
            ClientFrame::Typing { is_typing } => {
                self.session.announce_typing(is_typing).await;
                Ok(())
            }
            ClientFrame::MessageRead { message_id } => {
                let marking = self.session.mark_read(MessageId(message_id));
                match Box::pin(marking).await {
                    Ok(()) => Ok(()),
                    Err(error) if error.code() == Code::NotFound => {
                        self.line.refuse(&frames::no_such_message(), None).await
                    }
                    Err(error) => self.answer(None, Err(error)).await,
                }
            }
            ClientFrame::Ping => self.line.say(&ServerFrame::Pong).await,
            ClientFrame::Authenticate { token } => {
                Box::pin(self.line.authenticate(&token, &mut self.session)).await
            }
            // Presence was set above.
            ClientFrame::UserJoin | ClientFrame::UserLeave => Ok(()),
        }
    }
}

async fn named(client_id: Option<String>, receipt: Receipt) -> Answered {
    (client_id, receipt.await)
}
