//! Logs one line per request: method, path, status, time, id.
//!
//! Never the query string, which may have a token; no headers, no body, no address.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use tracing::Instrument;

use super::request_id;

/// Paths that monitoring requests every few seconds. Logged at `debug`.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The logged length of a path, in bytes. A path can be as long as the request head.
const MAX_PATH: usize = 256;

/// Middleware that logs the line when the response begins. Events in between have the request id.
pub async fn log(request: Request, next: Next) -> Response {
    // Of the highest level, so that a log of errors only has the ids as well.
    let span = tracing::error_span!("request", request_id = request_id::of(&request));
    let method = request.method().clone();
    let uri = request.uri().clone();
    let start = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let _inside = span.enter();
    let (status, path) = (response.status().as_u16(), truncated(uri.path()));
    let latency_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    if PROBES.contains(&path) {
        tracing::debug!(%method, path, status, latency_us, "answered");
    } else {
        tracing::info!(%method, path, status, latency_us, "answered");
    }
    response
}

/// The path, cut to the length that is logged.
pub fn truncated(path: &str) -> &str {
    &path[..path.floor_char_boundary(MAX_PATH)]
}
