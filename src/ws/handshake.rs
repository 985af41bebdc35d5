//! The handshake of a socket: credentials, room and resume position.

use std::{sync::Arc, time::Duration};

use app::i18n::Locale;
use axum::{
    extract::{FromRequestParts, Path},
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
    connection::{CloseReason, Connection, FRAME_BURST},
    frames::{self, RoomIds},
};
use crate::{
    api::query::Params,
    auth::extract::SocketIdentity,
    connections::state::ConnectionState,
    error::{self, ApiError},
    middleware::{client::Client, origin::Origin},
    state::AppState,
    websocket::Message,
};

/// How long a client without credentials in its request has to send an `authenticate` frame (contract).
const AUTH_TIMEOUT: Duration = Duration::from_secs(10);

/// Handshakes that use the database at the same time: enough to keep it busy.
const CONCURRENT_HANDSHAKES: usize = 8;

/// Limits concurrent handshakes. After a restart thousands of clients reconnect at once. If they all waited for a
/// database connection from the pool, they would time out and reconnect again and again, and API calls would wait
/// behind them.
#[derive(Clone, Debug)]
pub struct HandshakeLimiter(Arc<Semaphore>);

impl Default for HandshakeLimiter {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CONCURRENT_HANDSHAKES)))
    }
}

impl HandshakeLimiter {
    /// Waits for a permit. Never hold it while waiting for the client.
    pub async fn acquire(&self) -> Option<SemaphorePermit<'_>> {
        // `None` only if the semaphore were closed, which never happens.
        self.0.acquire().await.ok()
    }
}

/// The data of the upgrade request. Errors are reported inside the socket; only pages of foreign origins are rejected
/// before the upgrade. An extractor.
pub struct Handshake {
    /// The language of error messages.
    pub locale: Locale,
    /// The room; `None` if the path has no valid id.
    pub room: Option<RoomId>,
    /// The position from which a returning client resumes.
    pub resume: Option<Resume>,
    /// The TCP connection of the socket.
    pub connection: Option<Arc<ConnectionState>>,
    claim: Result<Option<Claim>, Failure>,
}

impl Handshake {
    /// The number in the user's stream from which a returning client resumes.
    pub fn after_rev(&self) -> Option<i64> {
        match self.resume {
            Some(Resume::AfterRev(rev)) => Some(rev),
            Some(Resume::AfterId(_)) | None => None,
        }
    }
}

impl FromRequestParts<AppState> for Handshake {
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
            let _permit = state.handshakes.acquire().await;
            match SocketIdentity::from_request_parts(parts, state).await {
                Ok(SocketIdentity(claim)) => Ok(claim),
                Err(error) => Err(error.failure().clone()),
            }
        };
        let connection = parts.extensions.get::<Arc<ConnectionState>>().cloned();
        Ok(Self { locale: error::locale(&parts.headers), room, resume, connection, claim })
    }
}

/// Reads the claim from the request's credentials, or else from the first frame.
///
/// # Errors
/// Why the client cannot be authenticated.
pub async fn read_claim(
    connection: &mut Connection,
    state: &AppState,
    handshake: &Handshake,
) -> Result<Claim, CloseReason> {
    let failed = |failure: Failure| CloseReason::Error(chat::Error::Refused(failure));
    if let Some(claim) = handshake.claim.clone().map_err(failed)? {
        return Ok(claim);
    }
    let nobody = || failed(Failure::new(Code::NotAuthenticated));
    let token = timeout(AUTH_TIMEOUT, auth_frame(connection)).await.map_err(|_| nobody())??;
    let token = token.ok_or_else(nobody)?;
    state.auth.claim(&token).map_err(|error| failed(error.failure().clone()))
}

/// The token of the first frame; `None` if it is not an `authenticate` frame.
async fn auth_frame(connection: &mut Connection) -> Result<Option<String>, CloseReason> {
    // Bounded, since a client could send control frames without end.
    for _ in 0..FRAME_BURST.get() {
        match connection.recv().await? {
            Message::Text(text) => {
                return match frames::read(&text, RoomIds::Ignored) {
                    Ok(ClientFrame::Authenticate { token }) => Ok(Some(token)),
                    Ok(_) | Err(_) => Ok(None),
                };
            }
            Message::Ping(_) | Message::Pong => {}
            Message::Binary => return Ok(None),
            Message::Close(_) => return Err(CloseReason::ClosedByClient),
        }
    }
    Ok(None)
}
