//! Reloads open pages after `cargo xtask watch` has restarted the server. Enabled only if [`VARIABLE`] is set, so never
//! in production.

use axum::{Router, http::header, response::Response, routing::get};

use crate::websocket::Upgrade;

/// Set by `cargo xtask watch` for the server that it starts.
const VARIABLE: &str = "LIAO_DEV_RELOAD";

/// Reloads the page when its socket reconnects, which means that the server was restarted.
const SCRIPT: &str = "(function () {
  const url = location.origin.replace(/^http/, 'ws') + '/dev/reload';
  let wasOpen = false;
  (function connect() {
    const socket = new WebSocket(url);
    socket.onopen = () => { if (wasOpen) location.reload(); wasOpen = true; };
    socket.onclose = () => setTimeout(connect, 300);
  })();
})();
";

/// Is reloading enabled?
pub fn is_on() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// The routes `/dev/reload` and `/dev/reload.js`, if [`is_on`].
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    if !is_on() {
        return Router::new();
    }
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT) };
    Router::new().route("/dev/reload.js", get(script)).route("/dev/reload", get(upgrade))
}

async fn upgrade(upgrade: Upgrade) -> Response {
    const LIMIT: usize = 1024;
    upgrade.accept(LIMIT, |mut socket| async move { while let Some(Ok(_)) = socket.recv().await {} })
}
