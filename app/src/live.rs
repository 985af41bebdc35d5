//! The sockets: the room's, which is resumed, and that of the notifications; each frame goes to the state.
//!
//! `frames`, `apply`, `notices` and `backoff` decide and are pure; `connection` (the room's), `bell` (the
//! notifications') and `stay` are the browser's half, and the only ones that touch the network.

pub mod apply;
pub mod backoff;
#[cfg(feature = "hydrate")]
pub mod bell;
#[cfg(feature = "hydrate")]
pub mod connection;
pub mod frames;
pub mod notices;
#[cfg(feature = "hydrate")]
mod stay;

use chat::model::Code;

/// How the connection is, as far as a person cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Not connected yet, for the first time: nothing to say.
    #[default]
    Opening,
    /// Live.
    Open,
    /// Lost; being tried again.
    Lost,
    /// The server will not have us here, and why.
    Closed(Code),
}

/// The close codes of the contract that mean: do not come back; and why.
pub fn closed_for_good(close_code: u16) -> Option<Code> {
    match close_code {
        4401 => Some(Code::NotAuthenticated),
        4403 => Some(Code::NotAMember),
        4404 => Some(Code::NotFound),
        _ => None,
    }
}
