//! Adds security headers to responses.
//!
//! A page with inline scripts sets its own content security policy, with the nonce of its scripts. All other HTML
//! responses get the same policy without a nonce.

use app::policy::content_security_policy;
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue,
        header::{
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

use super::client::Client;

/// One year, as the preload lists require. Without subdomains, which may belong to other services.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Middleware that adds the headers to every response.
pub async fn add(client: Client, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: browsers would then send `Origin: null` with a form, and the origin check would fail.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if client.is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if is_html(headers) && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, content_security_policy(""));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}
