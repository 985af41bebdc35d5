//! Authenticates the client of a new socket.

use std::time::Duration;

use chat::{
    credential::Claim,
    model::{ClientFrame, Code, Failure},
};
use tokio::time::timeout;

use super::{
    connection::{CloseReason, Connection, FRAME_BURST},
    frames::{self, RoomIds},
    handshake::Handshake,
};
use crate::{state::AppState, websocket::Message};

/// How long a client without credentials in its request has to send an `authenticate` frame (contract).
const AUTH_TIMEOUT: Duration = Duration::from_secs(10);

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
