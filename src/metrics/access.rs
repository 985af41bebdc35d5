//! Access to the metrics on the public port: with the token, or from this machine.

use axum::{
    extract::{Request, State},
    http::header::AUTHORIZATION,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use chat::model::Code;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::{config::MetricsToken, error::ApiError, middleware::client};

/// Headers of a request that came through a proxy. The peer's address is then not the client's.
const FORWARDED: [&str; 2] = ["x-forwarded-for", "forwarded"];

/// Middleware that responds 404 to everybody else.
pub(super) async fn check(State(token): State<MetricsToken>, request: Request, next: Next) -> Response {
    if has_token(&token, &request) || is_local(&request) {
        return next.run(request).await;
    }
    ApiError::from(Code::NotFound).into_response()
}

fn has_token(MetricsToken(token): &MetricsToken, request: &Request) -> bool {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    match (token, given) {
        // Comparing digests leaks nothing about the token through its duration.
        (Some(token), Some((scheme, given))) if scheme.eq_ignore_ascii_case("bearer") => {
            Sha256::digest(token.expose_secret()) == Sha256::digest(given.trim())
        }
        _ => false,
    }
}

fn is_local(request: &Request) -> bool {
    let peer = client::peer(request.extensions()).to_canonical();
    peer.is_loopback() && !FORWARDED.iter().any(|name| request.headers().contains_key(*name))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::{
        Router, body::Body, extract::ConnectInfo, http::StatusCode, middleware::from_fn_with_state,
        routing::get,
    };
    use tower::ServiceExt as _;

    use super::*;

    async fn status(peer: &str, headers: &[(&str, &str)]) -> StatusCode {
        let token = MetricsToken(Some("0123456789abcdef".into()));
        let router =
            Router::new().route("/metrics", get(|| async { "1" })).layer(from_fn_with_state(token, check));
        let mut request = Request::get("/metrics");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let peer: SocketAddr = peer.parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        router.oneshot(request).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn this_machine_reads_them_unless_a_proxy_brought_the_request() {
        for peer in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(status(peer, &[]).await, StatusCode::OK, "{peer}");
            for header in ["x-forwarded-for", "forwarded"] {
                assert_eq!(
                    status(peer, &[(header, "for=192.0.2.1")]).await,
                    StatusCode::NOT_FOUND,
                    "{header}"
                );
            }
        }
        assert_eq!(status("192.0.2.1:1", &[]).await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_token_opens_them_to_anybody() {
        let forwarded = ("x-forwarded-for", "192.0.2.1");
        let good = ("authorization", "Bearer 0123456789abcdef");
        assert_eq!(status("192.0.2.1:1", &[good]).await, StatusCode::OK);
        assert_eq!(status("127.0.0.1:1", &[forwarded, good]).await, StatusCode::OK);
        for bad in ["Bearer 0123456789abcdeg", "Bearer ", "Bearer", "Basic 0123456789abcdef", ""] {
            assert_eq!(
                status("192.0.2.1:1", &[("authorization", bad)]).await,
                StatusCode::NOT_FOUND,
                "{bad}"
            );
        }
    }
}
