//! WebSockets of the live pages: one for the open room, which resumes, and one for notifications.
//!
//! `room_frames`, `client_frames`, `notification_frames`, `apply` and `backoff` are pure. `room_socket`, `notification_socket` and
//! `run_until_cleanup` use the network and are built for the browser only.

pub mod apply;
pub mod backoff;
pub mod client_frames;
pub mod notification_frames;
#[cfg(feature = "hydrate")]
pub mod notification_socket;
pub mod room_frames;
#[cfg(feature = "hydrate")]
pub mod room_socket;
#[cfg(feature = "hydrate")]
mod run_until_cleanup;

use chat::model::Code;
use serde::Deserialize;

/// State of the connection, as the page shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// First attempt; nothing is shown yet.
    #[default]
    Connecting,
    Open,
    /// Disconnected, reconnecting.
    Lost,
    /// Closed by the server for good, for this reason.
    Closed(Code),
}

/// The error code of a close code after which a client must not reconnect.
pub fn permanent_close_code(close_code: u16) -> Option<Code> {
    match close_code {
        4401 => Some(Code::NotAuthenticated),
        4403 => Some(Code::NotAMember),
        4404 => Some(Code::NotFound),
        _ => None,
    }
}

#[derive(Deserialize)]
struct FrameType {
    #[serde(rename = "type")]
    name: String,
}

/// The type of a frame; `None` if it is not one.
fn frame_type(frame: &[u8]) -> Option<String> {
    serde_json::from_slice(frame).ok().map(|FrameType { name }| name)
}
