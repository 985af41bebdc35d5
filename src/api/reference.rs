//! The pages that show the OpenAPI document: `/api/docs/`.

use app::reference::reference_page;
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use leptos::config::LeptosOptions;

use super::{TAG_REFERENCE, schema::Document};

mod outline;

/// The reference as a page
///
/// What you are reading, where you read it in a browser.
#[utoipa::path(
    get,
    path = "/api/docs/",
    operation_id = "get_docs",
    tag = TAG_REFERENCE,
    responses((
        status = 200,
        description = "The page.",
        content_type = "text/html; charset=utf-8",
        body = String,
        example = json!("<!DOCTYPE html>…")
    )),
    security(())
)]
pub async fn docs(
    State(options): State<LeptosOptions>,
    Extension(document): Extension<Document>,
    request: Request,
) -> Response {
    let reference = outline::of(&document.value);
    let page = move || reference_page(options.clone(), reference.clone());
    leptos_axum::render_app_async_with_context(|| {}, page)(request.map(Body::new)).await
}
