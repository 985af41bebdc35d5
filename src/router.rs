//! The whole surface, grouped by who calls it. Each path answers with and without its
//! slash at the end: a redirected POST would lose its body.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn,
    routing::{MethodRouter, any, delete, get, patch, post},
};

use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::{self, accounts, members, messages, notifications, rooms, tokens},
    assets,
    auth::session,
    dev_reload, error,
    health::Health,
    metrics::Metrics,
    middleware::{self, cors},
    ssr,
    state::AppState,
    ws,
};

/// The process's router, ready to be served.
pub fn router(state: AppState, health: Health, metrics: Metrics) -> Router {
    let config = state.config.clone();
    let sessions = session::layer(state.chat.clone(), config.session_lifetime);
    let limit = match config.body_limit.0 {
        Some(bytes) => DefaultBodyLimit::max(bytes),
        None => DefaultBodyLimit::disable(),
    };
    let router = Router::new()
        .merge(api(&state))
        .merge(ssr::routes(&state))
        .merge(sockets())
        // Only what has a session above this line: files and machines have none.
        .layer(sessions)
        .merge(assets::routes())
        .merge(dev_reload::routes())
        .merge(health.routes())
        .merge(metrics.routes())
        .layer(limit)
        .with_state(state);
    middleware::around(router, &config)
}

/// For the React client and programs: bearer tokens, JSON, errors in the contract's shape.
fn api(state: &AppState) -> Router<AppState> {
    let router = Router::new();
    let router = both(router, "/api/token/", post(tokens::obtain));
    let router = both(router, "/api/token/refresh/", post(tokens::refresh));
    let router = both(router, "/api/token/verify/", post(tokens::verify));
    let router = both(router, "/api/token/blacklist/", post(tokens::blacklist));
    let router = both(router, "/api/register/", post(accounts::register));
    let router = both(router, "/api/me/", get(accounts::me));
    let router = both(router, "/api/chat/rooms/", get(rooms::list).post(rooms::create));
    let room = get(rooms::detail).patch(rooms::edit).delete(rooms::delete);
    let router = both(router, "/api/chat/rooms/{id}/", room);
    let router = both(router, "/api/chat/rooms/{id}/join/", post(rooms::join));
    let router = both(router, "/api/chat/rooms/{id}/leave/", post(rooms::leave));
    let router = both(router, "/api/chat/rooms/{id}/members/", get(members::list).post(members::invite));
    let member = patch(members::change).delete(members::remove);
    let router = both(router, "/api/chat/rooms/{id}/members/{user_id}/", member);
    let router = both(router, "/api/chat/rooms/{id}/messages/", get(messages::list).post(messages::send));
    let router = both(router, "/api/chat/messages/{id}/", patch(messages::edit));
    let router = both(router, "/api/chat/messages/{id}/delete/", delete(messages::delete));
    let router = both(router, "/api/chat/messages/{id}/read/", post(messages::read));
    let router = both(router, "/api/chat/messages/{id}/reads/", get(messages::reads));
    let router = both(router, "/api/chat/notifications/", get(notifications::list));
    let router = both(router, "/api/chat/notifications/read_all/", post(notifications::read_all));
    let router = both(router, "/api/chat/notifications/unread_count/", get(notifications::unread_count));
    let router = both(router, "/api/chat/notifications/{id}/read/", post(notifications::read));
    both(router, "/api/", any(api::not_found))
        .route("/api/{*rest}", any(api::not_found))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(error::in_words))
        .layer(cors::layer(&state.config))
}

/// For whoever listens.
fn sockets() -> Router<AppState> {
    let router = both(Router::new(), "/ws/chat/{room_id}/", any(ws::room::upgrade));
    both(router, "/ws/notifications/", any(ws::notifications::upgrade))
        .route("/ws/{*rest}", any(api::not_found))
        .layer(from_fn(error::in_words))
}

/// `path`, which ends in a slash, and the same without it.
fn both(router: Router<AppState>, path: &str, methods: MethodRouter<AppState>) -> Router<AppState> {
    router.route(path.trim_end_matches('/'), methods.clone()).route(path, methods)
}
