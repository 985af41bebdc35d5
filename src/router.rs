//! All routes. Each path works with and without a trailing slash. A redirect instead would lose the body of a POST.

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request},
    http::Uri,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, any},
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{
    api::{self, accounts, body, members, messages, notifications, reference, rooms, schema, tokens},
    assets,
    auth::session,
    dev_reload, error,
    health::Health,
    metrics::Metrics,
    middleware::{self, shared_service::SharedServiceLayer},
    ssr,
    state::AppState,
    ws,
};

/// The router of the server, ready to be served.
pub fn router(state: AppState, health: Health, metrics: Metrics) -> Router {
    let config = state.config.clone();
    let sessions = session::layer(state.chat.clone(), config.session_lifetime);
    let limit = match config.body_limit.0 {
        Some(bytes) => DefaultBodyLimit::max(bytes),
        None => DefaultBodyLimit::disable(),
    };
    let router = Router::new()
        .merge(ssr::routes(&state))
        .merge(sockets())
        // Only the routes above this line have sessions.
        .layer(sessions)
        .merge(api(&state))
        .merge(assets::routes())
        .merge(dev_reload::routes())
        .merge(health.routes())
        .merge(metrics.public_routes(config.metrics_token.clone()))
        .layer(limit)
        .with_state(state);
    let router = middleware::apply(router, &config);
    // A router matches the path before its layers run, so the path is changed outside of it.
    Router::new().fallback_service(ServiceBuilder::new().map_request(without_slash).service(router))
}

/// Removes the trailing slash of pages and files.
fn without_slash(request: Request) -> Request {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && !path.starts_with("/ws/");
    if path.len() < 2 || !path.ends_with('/') || !is_page {
        return request;
    }
    let bare = match path.trim_end_matches('/') {
        "" => "/",
        bare => bare,
    };
    let bare = request.uri().query().map_or_else(|| bare.to_owned(), |query| format!("{bare}?{query}"));
    let Ok(bare) = bare.parse() else { return request };
    let mut request = request;
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(bare);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// The REST API: bearer tokens, JSON, errors in the contract's shape.
fn api(state: &AppState) -> Router<AppState> {
    let (router, collected) = calls().split_for_parts();
    let layers = ServiceBuilder::new()
        .layer(from_fn(error::to_json_error))
        .layer(from_fn_with_state(state.config.body_limit, body::limit))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(Extension(schema::Documents::new(&collected)))
        .layer(SharedServiceLayer);
    with_and_without_slash(router, "/api/", any(api::not_found))
        .route("/api/{*rest}", any(api::not_found))
        .layer(layers)
}

/// All calls of the API with their OpenAPI annotations, so that none can be routed without being in the document.
pub(crate) fn calls() -> OpenApiRouter<AppState> {
    [
        routes!(tokens::obtain),
        routes!(tokens::refresh),
        routes!(tokens::verify),
        routes!(tokens::blacklist),
        routes!(accounts::register),
        routes!(accounts::me),
        routes!(rooms::list, rooms::create),
        routes!(rooms::detail, rooms::edit, rooms::delete),
        routes!(rooms::join),
        routes!(rooms::leave),
        routes!(members::list, members::invite),
        routes!(members::change, members::remove),
        routes!(messages::list, messages::send),
        routes!(messages::edit),
        routes!(messages::delete),
        routes!(messages::read),
        routes!(messages::reads),
        routes!(notifications::list),
        routes!(notifications::read_all),
        routes!(notifications::unread_count),
        routes!(notifications::read),
        routes!(schema::show),
        routes!(reference::docs).layer(from_fn_with_state(ssr::DEADLINE, ssr::run_to_completion)),
        routes!(reference::test_page).layer(from_fn_with_state(ssr::DEADLINE, ssr::run_to_completion)),
    ]
    .into_iter()
    .fold(OpenApiRouter::with_openapi(schema::BaseDocument::openapi()), add_calls)
}

/// Adds the calls of a path with and without its trailing slash. The document has the form with the slash.
fn add_calls(
    router: OpenApiRouter<AppState>,
    calls: UtoipaMethodRouter<AppState>,
) -> OpenApiRouter<AppState> {
    let bare: Vec<String> = calls.1.paths.keys().map(|path| path.trim_end_matches('/').to_owned()).collect();
    let methods = calls.2.clone();
    bare.iter().fold(router.routes(calls), |router, path| router.route(path, methods.clone()))
}

/// The WebSockets.
fn sockets() -> Router<AppState> {
    let router = with_and_without_slash(Router::new(), "/ws/chat/{room_id}/", any(ws::room::upgrade));
    let router = with_and_without_slash(router, "/ws/notifications/", any(ws::notifications::upgrade));
    with_and_without_slash(router, "/ws/", any(ws::combined::upgrade))
        .route("/ws/{*rest}", any(api::not_found))
        .layer(from_fn(error::to_json_error))
}

/// Adds a route for `path`, which ends with a slash, and one without the slash.
fn with_and_without_slash(
    router: Router<AppState>,
    path: &str,
    methods: MethodRouter<AppState>,
) -> Router<AppState> {
    router.route(path.trim_end_matches('/'), methods.clone()).route(path, methods)
}
