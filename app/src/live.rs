//! The room's socket: connect, resume, and hand each frame to the state.
//!
//! `frames`, `apply` and `backoff` decide and are pure; `connection` is the browser's half, and the only one that touches
//! the network.

pub mod apply;
pub mod backoff;
#[cfg(feature = "hydrate")]
pub mod connection;
pub mod frames;

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
