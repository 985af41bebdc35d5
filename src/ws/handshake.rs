//! Who opens a socket, to which room, and from where in its history.

use std::time::Duration;

use app::i18n::Locale;
use axum::{
    extract::{
        FromRequestParts, Path,
        ws::{Message, WebSocket},
    },
    http::request::Parts,
};
use chat::{
    model::{ClientFrame, Code, Failure, RoomId, User},
    service::sockets::Resume,
};
use tokio::time::timeout;

use super::frames;
use crate::{
    api::query::Params,
    auth::extract::Visitor,
    error::{self, ApiError},
    middleware::{client::Client, origin::Origin},
    state::AppState,
};

/// How long a client that brought no credentials has to say who it is (contract).
const INTRODUCTION: Duration = Duration::from_secs(10);

/// What the upgrade request said. What is wrong with it is told inside the socket;
/// only a foreign page is refused before.
pub struct Entrance {
    /// The language to word refusals in.
    pub locale: Locale,
    /// The room; `None` when the path names none.
    pub room: Option<RoomId>,
    /// What a returning client knows already.
    pub resume: Option<Resume>,
    visitor: Result<Option<User>, Failure>,
}

impl FromRequestParts<AppState> for Entrance {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Ok(client) = Client::from_request_parts(parts, state).await;
        match Origin::of(&parts.headers, &client, &state.config.api_origins()) {
            Origin::Absent | Origin::Same | Origin::Listed => {}
            Origin::Foreign => return Err(Code::BadOrigin.into()),
        }
        let room = Path::<String>::from_request_parts(parts, state).await.ok();
        let room = room.and_then(|Path(text)| text.parse().ok()).and_then(RoomId::checked);
        let mut params = Params::parse(parts.uri.query().unwrap_or_default());
        let resume = match (params.number("after_rev"), params.number("after_id")) {
            (Some(rev), _) => Some(Resume::AfterRev(rev)),
            (None, Some(id)) => Some(Resume::AfterId(id)),
            (None, None) => None,
        };
        let visitor = match params.finish() {
            Err(error) => Err(error.failure().clone()),
            Ok(()) => match Visitor::from_request_parts(parts, state).await {
                Ok(Visitor(user)) => Ok(user),
                Err(error) => Err(error.failure().clone()),
            },
        };
        Ok(Self { locale: error::locale(&parts.headers), room, resume, visitor })
    }
}

/// Who it is: by the request's credentials, else by the first frame.
///
/// # Errors
/// Why it may not come in.
pub async fn admit(socket: &mut WebSocket, state: &AppState, entrance: &Entrance) -> Result<User, Failure> {
    if let Some(user) = entrance.visitor.clone()? {
        return Ok(user);
    }
    let token = timeout(INTRODUCTION, introduction(socket)).await.ok().flatten();
    let token = token.ok_or(Failure::new(Code::NotAuthenticated))?;
    state.auth.admit(&state.chat, &token).await.map_err(|error| error.failure().clone())
}

/// The token of the first frame; `None` when it is another frame, or none comes.
async fn introduction(socket: &mut WebSocket) -> Option<String> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(text) => {
                return match frames::read(&text) {
                    Ok(ClientFrame::Authenticate { token }) => Some(token),
                    Ok(_) | Err(_) => None,
                };
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}
