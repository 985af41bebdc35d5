//! The bundled UI: pages rendered on the server, and its server functions under `/ui/`.

use std::{sync::Arc, time::Duration};

use app::{
    App,
    server::{Context, SignIn, SignUp},
    shell,
};
use axum::{
    Router,
    body::{Body, HttpBody as _, to_bytes},
    extract::{FromRequestParts as _, Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{CACHE_CONTROL, VARY},
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use chat::model::Code;
use futures::FutureExt as _;
use leptos::prelude::provide_context;
use leptos_axum::{ErrorHandler, LeptosRoutes, generate_route_list};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tower_http::{CompressionLevel, compression::CompressionLayer};
use tracing::Instrument as _;

use crate::{
    api::body,
    auth::session,
    error::ApiError,
    middleware::{client::ClientAddr, origin, request_log::truncated},
    state::AppState,
};

mod errors;
mod tasks;
#[cfg(test)]
mod tests;

/// Every page, the server functions, and the UI's own 404 for everything else.
pub fn routes(state: &AppState) -> Router<AppState> {
    tasks::install();
    let context = Context {
        chat: state.chat.clone(),
        sign_in: sign_in(state),
        sign_up: sign_up(state),
        demo: state.config.demo,
        signup_open: state.config.sign_up,
    };
    let provide = {
        let context = context.clone();
        move || provide_context(context.clone())
    };
    let options = state.options.clone();
    let pages = Router::new().leptos_routes_with_context(state, generate_route_list(App), provide.clone(), {
        let options = options.clone();
        move || shell(options.clone())
    });
    let missing = ErrorHandler::new_with_context(provide, shell, options.clone());
    pages
        .fallback_service(missing)
        .layer(from_fn_with_state(DEADLINE, run_to_completion))
        .layer(from_fn(read_body))
        // A cookie goes with every request, whichever page makes it.
        .layer(from_fn_with_state(reject_foreign_origin as fn(&HeaderMap) -> Response, origin::require_same))
        .layer(from_fn_with_state(errors::ErrorPages { options, context }, errors::render_errors))
        .layer(compression())
        .layer(from_fn(session::extend_used))
}

/// Pages say everything twice, as markup and as the data that the script starts from: a quarter of their size comes
/// through. Fast rather than small, since each page is another.
///
/// Size tells something of what a page says, which matters where one answer has a secret and text of somebody else's
/// choice (BREACH). No page has a secret: the session is in a cookie no script reads, forms are told by their origin
/// and have no token, and the nonce is another one each time. The API, whose answers carry tokens, is not compressed.
fn compression() -> CompressionLayer {
    CompressionLayer::new().br(true).gzip(true).quality(CompressionLevel::Precise(4))
}

/// How long a page may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Renders a page to its end. A call that changes something comes to its end also where the visitor has gone meanwhile
/// or waits no longer; a page that only shows something is then given up, with all its tasks. Pages are sent whole, so
/// nothing is streamed later for being collected here.
///
/// What takes longer than `deadline` is answered with 503, and the log says which.
pub async fn run_to_completion(State(deadline): State<Duration>, request: Request, next: Next) -> Response {
    let path = truncated(request.uri().path()).to_owned();
    let changes_nothing = request.method().is_safe();
    let page = async move {
        let (mut parts, body) = next.run(request).await.into_parts();
        // Somebody's own page, in their language: not for a cache that others share.
        parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
        parts.headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
        let body = to_bytes(body, usize::MAX).await?;
        Ok::<_, axum::Error>(Response::from_parts(parts, Body::from(body)))
    };
    let rendering = tokio::spawn(tasks::run_with_tasks(page).in_current_span());
    let rendered = if changes_nothing {
        timeout(deadline, AbortOnDropHandle::new(rendering)).await
    } else {
        timeout(deadline, rendering).await
    };
    let code = match rendered {
        Ok(Ok(Ok(response))) => return response,
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, path, "a page broke off");
            Code::Internal
        }
        Ok(Err(error)) => {
            tracing::error!(%error, path, "a page could not be rendered");
            Code::Internal
        }
        Err(_elapsed) => {
            tracing::error!(path, ?deadline, "a page took too long and was given up");
            Code::Unavailable
        }
    };
    ApiError::from(code).into_response()
}

/// Middleware that reads the body before the handler: Leptos, which would read it too, takes one that is too large for
/// a failure of ours.
async fn read_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    match body::read(Request::from_parts(parts.clone(), body), &()).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => error.into_response(),
    }
}

/// The pages' way to sign in counts the same failures as the API's.
fn sign_in(state: &AppState) -> SignIn {
    let (auth, chat) = (state.auth.clone(), state.chat.clone());
    Arc::new(move |parts, username, password| {
        let (auth, chat) = (auth.clone(), chat.clone());
        async move {
            let mut parts = parts;
            let Ok(from) = ClientAddr::from_request_parts(&mut parts, &()).await;
            auth.sign_in(&chat, &username, &password, from).await
        }
        .boxed()
    })
}

/// And so with new accounts.
fn sign_up(state: &AppState) -> SignUp {
    let (auth, chat) = (state.auth.clone(), state.chat.clone());
    Arc::new(move |parts, new| {
        let (auth, chat) = (auth.clone(), chat.clone());
        async move {
            let mut parts = parts;
            let Ok(from) = ClientAddr::from_request_parts(&mut parts, &()).await;
            auth.sign_up(&chat, &new, from).await
        }
        .boxed()
    })
}

fn reject_foreign_origin(_headers: &HeaderMap) -> Response {
    ApiError::from(Code::BadOrigin).into_response()
}
