//! Who opens a socket, to which room, and from where in its history.

use std::{sync::Arc, time::Duration};

use app::i18n::Locale;
use axum::{
    extract::{FromRequestParts, Path, ws::Message},
    http::request::Parts,
};
use chat::{
    credential::Claim,
    model::{ClientFrame, Code, Failure, RoomId},
    service::room_session::Resume,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    frames,
    line::{End, FRAME_BURST, Line},
};
use crate::{
    api::query::Params,
    auth::extract::SocketClaim,
    connections::connection::Connection,
    error::{self, ApiError},
    middleware::{client::Client, origin::Origin},
    state::AppState,
};

/// How long a client that brought no credentials has to say who it is (contract).
const INTRODUCTION: Duration = Duration::from_secs(10);

/// Sockets whose credentials and rooms are looked up at once: enough to keep the database busy.
const TURNS: usize = 8;

/// The order in which sockets are let in. A crowd that comes back after a restart waits here, each for its turn. Waiting
/// for one of the database's connections it would be turned away after some seconds, come again, and keep the
/// server so busy with coming that nobody gets in; and calls of the API would wait in the same crowd.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TURNS)))
    }
}

impl Turns {
    /// Waits for one's turn; it lasts until what is returned is dropped. Nobody's may depend on what a client does.
    pub async fn take(&self) -> Option<SemaphorePermit<'_>> {
        // None would say that it was closed, which nobody does.
        self.0.acquire().await.ok()
    }
}

/// What the upgrade request said. What is wrong with it is told inside the socket;
/// only a foreign page is refused before.
pub struct Entrance {
    /// The language to word refusals in.
    pub locale: Locale,
    /// The room; `None` when the path names none.
    pub room: Option<RoomId>,
    /// What a returning client knows already.
    pub resume: Option<Resume>,
    /// What the socket goes over.
    pub connection: Option<Arc<Connection>>,
    claim: Result<Option<Claim>, Failure>,
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
        let claim = if let Err(error) = params.finish() {
            Err(error.failure().clone())
        } else {
            let _turn = state.turns.take().await;
            match SocketClaim::from_request_parts(parts, state).await {
                Ok(SocketClaim(claim)) => Ok(claim),
                Err(error) => Err(error.failure().clone()),
            }
        };
        let connection = parts.extensions.get::<Arc<Connection>>().cloned();
        Ok(Self { locale: error::locale(&parts.headers), room, resume, connection, claim })
    }
}

/// Who it says it is: by the request's credentials, else by the first frame.
///
/// # Errors
/// Why it may not come in.
pub async fn identify(line: &mut Line, state: &AppState, entrance: &Entrance) -> Result<Claim, End> {
    let refused = |failure: Failure| End::Refused(chat::Error::Refused(failure));
    if let Some(claim) = entrance.claim.clone().map_err(refused)? {
        return Ok(claim);
    }
    let nobody = || refused(Failure::new(Code::NotAuthenticated));
    let token = timeout(INTRODUCTION, introduction(line)).await.map_err(|_| nobody())??;
    let token = token.ok_or_else(nobody)?;
    state.auth.claim(&token).map_err(|error| refused(error.failure().clone()))
}

/// The token of the first frame; `None` when it is another frame.
async fn introduction(line: &mut Line) -> Result<Option<String>, End> {
    // Pings count as frames do, whoever sends them.
    for _ in 0..FRAME_BURST.get() {
        match line.recv().await? {
            Message::Text(text) => {
                return match frames::read(&text) {
                    Ok(ClientFrame::Authenticate { token }) => Ok(Some(token)),
                    Ok(_) | Err(_) => Ok(None),
                };
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) => return Ok(None),
            Message::Close(_) => return Err(End::Left),
        }
    }
    Ok(None)
}
