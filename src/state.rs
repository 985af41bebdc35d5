//! The state of the router, from which handlers and extractors take their parts.

use std::sync::Arc;

use axum::extract::FromRef;
use chat::Chat;
use leptos::prelude::LeptosOptions;

use crate::{auth::Auth, config::Config, shutdown::Shutdown, ws::handshake_limiter::HandshakeLimiter};

/// The state of the router. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The domain.
    pub chat: Chat,
    /// Authentication, and throttling of sign-ins.
    pub auth: Auth,
    /// The settings in force.
    pub config: Arc<Config>,
    /// The shutdown token.
    pub shutdown: Shutdown,
    /// The limit on concurrent handshakes of sockets.
    pub handshakes: HandshakeLimiter,
    /// Leptos' options, such as the paths of scripts and styles.
    pub options: LeptosOptions,
}
