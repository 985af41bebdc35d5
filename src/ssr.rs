//! The bundled UI: pages rendered on the server, and its server functions under `/ui/`.

use std::sync::Arc;

use app::{
    App,
    server::{Context, SignIn, SignUp},
    shell,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts as _, Request},
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
use tower_http::{CompressionLevel, compression::CompressionLayer};
use tracing::Instrument as _;

use crate::{
    auth::session,
    error::{self, ApiError},
    middleware::{client::ClientAddr, origin},
    state::AppState,
};

/// Every page, the server functions, and the UI's own 404 for everything else.
pub fn routes(state: &AppState) -> Router<AppState> {
    let context = Context {
        chat: state.chat.clone(),
        sign_in: sign_in(state),
        sign_up: sign_up(state),
        demo: state.config.demo,
        signup_open: state.config.sign_up,
    };
    let provide = move || provide_context(context.clone());
    let options = state.options.clone();
    let pages = Router::new().leptos_routes_with_context(state, generate_route_list(App), provide.clone(), {
        let options = options.clone();
        move || shell(options.clone())
    });
    let missing = ErrorHandler::new_with_context(provide, shell, options);
    pages
        .fallback_service(missing)
        // A cookie goes with every request, whichever page makes it.
        .layer(from_fn_with_state(refuse_foreign as fn(&HeaderMap) -> Response, origin::require_same))
        .layer(from_fn(to_the_end))
        .layer(compression())
        .layer(from_fn(session::keep_alive))
        .layer(from_fn(error::in_words))
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

/// Renders a page to its end, also for a visitor who has gone meanwhile. A page that is
/// dropped half rendered takes its signals with it, and Leptos' tasks that still read
/// them panic. Pages are sent whole, so nothing is streamed later for being collected here.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    let rendered = tokio::spawn(
        async move {
            let (mut parts, body) = next.run(request).await.into_parts();
            // Somebody's own page, in their language: not for a cache that others share.
            parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
            parts.headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
            let body = to_bytes(body, usize::MAX).await?;
            Ok::<_, axum::Error>(Response::from_parts(parts, Body::from(body)))
        }
        .in_current_span(),
    );
    match rendered.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "a page broke off");
            ApiError::from(Code::Internal).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            ApiError::from(Code::Internal).into_response()
        }
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

fn refuse_foreign(_headers: &HeaderMap) -> Response {
    ApiError::from(Code::BadOrigin).into_response()
}
