//! The pages that show the OpenAPI document: `/api/docs/` to read it, `/api/chat/test/` with a console to try it.

use std::sync::Arc;

use app::{
    reference::{Console, reference_page},
    server::request::locale_of,
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use chat::service::accounts::{DEVELOPER, DEVELOPER_PASSWORD};
use leptos::config::LeptosOptions;
use utoipa::IntoResponses;

use super::{TAG_REFERENCE, schema::Documents};
use crate::config::Config;

mod outline;

/// The response of both pages.
#[derive(IntoResponses)]
#[response(
    status = 200,
    description = "The page.",
    content_type = "text/html",
    example = json!("<!DOCTYPE html>…")
)]
struct Html(#[expect(dead_code, reason = "describes a response that is rendered elsewhere")] String);

/// API reference page
///
/// The content of the OpenAPI document as a page that works without JavaScript.
#[utoipa::path(
    get,
    path = "/api/docs/",
    operation_id = "get_docs",
    tag = TAG_REFERENCE,
    responses(Html),
    security(())
)]
pub async fn docs(
    State(options): State<LeptosOptions>,
    Extension(documents): Extension<Documents>,
    request: Request,
) -> Response {
    page(&options, &documents, None, request).await
}

/// API console
///
/// The reference with a console that can make every call and open every socket.
#[utoipa::path(
    get,
    path = "/api/chat/test/",
    operation_id = "get_test_page",
    tag = TAG_REFERENCE,
    responses(Html),
    security(())
)]
pub async fn test_page(
    State(options): State<LeptosOptions>,
    State(config): State<Arc<Config>>,
    Extension(documents): Extension<Documents>,
    request: Request,
) -> Response {
    // The demo's password is public anyway.
    let account = config.demo.then_some((DEVELOPER, DEVELOPER_PASSWORD));
    page(&options, &documents, Some(Console { account }), request).await
}

async fn page(
    options: &LeptosOptions,
    documents: &Documents,
    console: Option<Console>,
    request: Request,
) -> Response {
    let locale = locale_of(request.headers());
    let (options, reference) = (options.clone(), outline::reference(&documents.value(locale)));
    let page = move || reference_page(options.clone(), reference.clone(), console.clone());
    leptos_axum::render_app_async_with_context(|| {}, page)(request.map(Body::new)).await
}
