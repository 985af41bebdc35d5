//! What every handler may need, and the parts that extractors take from it.

use std::sync::Arc;

use axum::extract::FromRef;
use chat::Chat;
use leptos::prelude::LeptosOptions;

use crate::{auth::Auth, config::Config, shutdown::Shutdown, ws::handshake::HandshakeLimiter};

/// The process's parts. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The domain.
    pub chat: Chat,
    /// Tokens and the throttling of sign-ins.
    pub auth: Auth,
    /// The settings in force.
    pub config: Arc<Config>,
    /// The will to stop.
    pub shutdown: Shutdown,
    /// The order in which sockets are let in.
    pub handshakes: HandshakeLimiter,
    /// Where pages find their files.
    pub options: LeptosOptions,
}
