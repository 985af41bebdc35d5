//! The request id, which is in the log and in the `X-Request-Id` of the response.
//!
//! tower-http assigns and returns it. This module only removes unsafe ids of clients.

use axum::{extract::Request, middleware::Next, response::Response};
use tower_http::request_id::RequestId;

/// The header of the request id.
pub const HEADER: &str = "x-request-id";

/// The longest id that is kept.
const MAX_LENGTH: usize = 64;

/// Middleware before tower-http's: keeps a client's id only if it is safe in a log line.
pub async fn sanitise(mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    if headers.get(HEADER).is_some_and(|id| !is_valid(id.as_bytes())) {
        headers.remove(HEADER);
    }
    next.run(request).await
}

/// The id of a request.
pub fn of(request: &Request) -> &str {
    let id = request.extensions().get::<RequestId>();
    id.and_then(|id| id.header_value().to_str().ok()).unwrap_or_default()
}

fn is_valid(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_letters_digits_hyphens_and_underscores_is_kept() {
        assert!(is_valid(b"4f0c9d1e-7a_B"));
        assert!(is_valid(&[b'a'; MAX_LENGTH]));
    }

    #[test]
    fn an_id_that_could_forge_or_flood_a_log_line_is_removed() {
        assert!(!is_valid(b""));
        assert!(!is_valid(&[b'a'; MAX_LENGTH + 1]));
        assert!(!is_valid(b"a b"));
        assert!(!is_valid(b"a\"},{\"level\":\"x"));
        assert!(!is_valid("请求".as_bytes()));
    }
}
