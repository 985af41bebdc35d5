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

/// All pages, the server functions, and the UI's 404 page as the fallback.
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
        // CSRF: a browser sends the cookie with requests from any page.
        .layer(from_fn_with_state(reject_foreign_origin as fn(&HeaderMap) -> Response, origin::require_same))
        .layer(from_fn_with_state(errors::ErrorPages { options, context }, errors::render_errors))
        .layer(compression())
        .layer(from_fn(session::extend_used))
}

/// Compresses pages. Each has its content twice, as markup and as data for hydration, and shrinks to a quarter. A fast
/// level, since no page is sent twice.
///
/// The compressed size could reveal a secret in a response that also has text chosen by an attacker (BREACH). But no
/// page has a secret: the session is in an `HttpOnly` cookie, forms have no CSRF token since their origin is checked,
/// and the nonce changes with each response. The API, whose responses contain tokens, is not compressed.
fn compression() -> CompressionLayer {
    CompressionLayer::new().br(true).gzip(true).quality(CompressionLevel::Precise(4))
}

/// How long rendering a page may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Middleware that runs a request in a task of its own and collects the whole response. If the client disconnects, a
/// request with an unsafe method still runs to completion; one with a safe method is cancelled with all its tasks.
/// Pages are not streamed, so collecting them costs no time.
///
/// After `deadline` the response is a 503, and the path is logged.
pub async fn run_to_completion(State(deadline): State<Duration>, request: Request, next: Next) -> Response {
    let path = truncated(request.uri().path()).to_owned();
    let changes_nothing = request.method().is_safe();
    let page = async move {
        let (mut parts, body) = next.run(request).await.into_parts();
        // A page is personal and in the user's language: not for shared caches.
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

/// Middleware that reads the body before the handler. Leptos would report a body that is too large as an internal
/// error.
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

/// The sign-in of pages, throttled together with that of the API.
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

/// The sign-up of pages, throttled together with that of the API.
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
