//! The bundled UI: pages rendered on the server, and its server functions under `/ui/`.

use std::sync::Arc;

use app::{
    App,
    server::{Context, SignIn},
    shell,
};
use axum::{
    Router,
    extract::FromRequestParts as _,
    http::HeaderMap,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use chat::model::Code;
use futures::FutureExt as _;
use leptos::prelude::provide_context;
use leptos_axum::{ErrorHandler, LeptosRoutes, generate_route_list};

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
        demo: state.config.allows_demo_account(),
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
        .layer(from_fn(session::keep_alive))
        .layer(from_fn(error::in_words))
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

fn refuse_foreign(_headers: &HeaderMap) -> Response {
    ApiError::from(Code::BadOrigin).into_response()
}
