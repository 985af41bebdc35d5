//! The handshake of a socket: credentials, room and resume position.

use std::sync::Arc;

use app::i18n::Locale;
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use chat::{
    credential::Claim,
    model::{Code, Failure, RoomId},
    service::room_session::Resume,
};

use crate::{
    api::query::Params,
    auth::extract::SocketIdentity,
    connections::state::ConnectionState,
    error::{self, ApiError},
    middleware::{client::Client, origin::Origin},
    state::AppState,
};

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
    /// What the request's credentials claim; `None` without any.
    pub(super) claim: Result<Option<Claim>, Failure>,
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
