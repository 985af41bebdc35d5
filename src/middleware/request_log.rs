//! One line for each request: method, path, status, time, id.
//!
//! Never the query, where sockets have their token; no header, no body, no address.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use tracing::Instrument;

use super::request_id;

/// Paths that machines ask for every few seconds: logged at `debug`.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// A path can be as long as a request's head; nobody reads past this.
const MAX_PATH: usize = 256;

/// Middleware that writes the line when the answer begins. Events on the way bear the request's id.
pub async fn log(request: Request, next: Next) -> Response {
    // Of the highest level, so that a log of errors alone has the ids as well.
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

/// As much of a path as a line of the log has.
pub fn truncated(path: &str) -> &str {
    &path[..path.floor_char_boundary(MAX_PATH)]
}
