//! The live pages' one WebSocket, and the store that it feeds.
//!
//! The store outlives the pages of rooms: it follows the rooms that were opened last, so that another look at one needs no
//! request, and keeps what was written until the server has it.
//! `incoming` with `room_frames` and `notification_frames`, `client_frames`, `apply` and `backoff` are pure. `connection`,
//! `store` and `run_until_cleanup` are built for the browser only.

pub mod apply;
pub mod backoff;
pub mod client_frames;
#[cfg(feature = "hydrate")]
mod connection;
pub mod incoming;
pub mod notification_frames;
pub mod room_frames;
#[cfg(feature = "hydrate")]
mod run_until_cleanup;
#[cfg(feature = "hydrate")]
pub mod store;

use chat::model::Code;
use leptos::prelude::*;

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

/// State of the page as a whole, provided as context.
#[derive(Clone, Copy)]
pub struct PageStatus {
    pub connection: RwSignal<ConnectionState>,
    /// Whether the server has another release than the page.
    pub is_outdated: RwSignal<bool>,
}

impl PageStatus {
    pub fn provide() -> Self {
        let connection = RwSignal::new(ConnectionState::Connecting);
        let status = Self { connection, is_outdated: RwSignal::new(false) };
        provide_context(status);
        status
    }
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
