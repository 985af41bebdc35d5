//! Error responses of the UI: an error page if the client accepts HTML, JSON otherwise.

use app::{
    error_page,
    server::{
        Context,
        request::{locale_of, wants_page},
    },
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use chat::model::Code;
use leptos::{config::LeptosOptions, server_fn::error::SERVER_FN_ERROR_HEADER};

use crate::error::{ApiError, JSON, code_of_status};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What is needed to render an error page.
#[derive(Clone)]
pub(super) struct ErrorPages {
    pub(super) options: LeptosOptions,
    pub(super) context: Context,
}

/// Middleware that writes the bodies of errors. Inside of the compression, since it replaces bodies.
pub(super) async fn render_errors(State(pages): State<ErrorPages>, request: Request, next: Next) -> Response {
    let (asked, body) = request.into_parts();
    let response = next.run(Request::from_parts(asked.clone(), body)).await;
    if let Some(error) = response.extensions().get::<ApiError>().cloned() {
        return error_response(pages, asked, &error, response);
    }
    if response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return failed_call(pages, asked, response).await;
    }
    match code_of(&response) {
        Some(code) => error_response(pages, asked, &code.into(), response),
        None => response,
    }
}

fn error_response(pages: ErrorPages, asked: Parts, error: &ApiError, instead_of: Response) -> Response {
    if wants_page(&asked.headers) {
        let html = error_page(pages.options, asked, pages.context, error.failure());
        error.with_body(instead_of, HTML, html)
    } else {
        error.with_body(instead_of, JSON, error.body(locale_of(&asked.headers)).to_string())
    }
}

/// The response for an error of a server function. Its body is the code. Leptos sends it with status 500, or redirects
/// a form back to its page; here it gets the status of the code. The calling script reads the body.
async fn failed_call(pages: ErrorPages, asked: Parts, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let code = serde_json::from_slice(&bytes).unwrap_or(Code::Internal);
    let mut response = Response::from_parts(parts, Body::from(bytes));
    if wants_page(&asked.headers) {
        return error_response(pages, asked, &code.into(), response);
    }
    *response.status_mut() = ApiError::from(code).status();
    response
}

/// The code for an error response that has no body of ours.
fn code_of(response: &Response) -> Option<Code> {
    if has_content_type(response.headers(), "text/html")
        || has_content_type(response.headers(), "application/json")
    {
        return None;
    }
    match response.status() {
        StatusCode::BAD_REQUEST => Some(Code::Invalid),
        StatusCode::NOT_FOUND => Some(Code::NotFound),
        status => code_of_status(status),
    }
}

fn has_content_type(headers: &HeaderMap, kind: &str) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(kind.as_bytes()))
}
