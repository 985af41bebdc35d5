//! The sockets: the room's, which is resumed, and that of the notifications; each frame goes to the state.
//!
//! `frames`, `apply`, `notices` and `backoff` decide and are pure; `connection` (the room's), `bell` (the
//! notifications') and `stay` are the browser's half, and the only ones that touch the network.

pub mod apply;
pub mod backoff;
pub mod notification_frames;
#[cfg(feature = "hydrate")]
pub mod notification_socket;
pub mod room_frames;
#[cfg(feature = "hydrate")]
pub mod room_socket;
#[cfg(feature = "hydrate")]
mod run_until_cleanup;

use chat::model::Code;

/// How the connection is, as far as a person cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// Not connected yet, for the first time: nothing to say.
    #[default]
    Connecting,
    /// Live.
    Open,
    /// Lost; being tried again.
    Lost,
    /// The server will not have us here, and why.
    Closed(Code),
}

/// The close codes of the contract that mean: do not come back; and why.
pub fn permanent_close_code(close_code: u16) -> Option<Code> {
    match close_code {
        4401 => Some(Code::NotAuthenticated),
        4403 => Some(Code::NotAMember),
        4404 => Some(Code::NotFound),
        _ => None,
    }
}
