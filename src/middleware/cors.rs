//! CORS: pages of the listed origins may use the API with a bearer token.
//!
//! Credentials are allowed because clients written for the Django system send them (`withCredentials`). This gives a
//! listed origin no more rights than its token has: the API does not use the session cookie.
//!
//! The layer is around everything that can reject a call, since a browser shows an error response to the page only if
//! it has these headers too.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, Method,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH, LINK, RETRY_AFTER},
    },
    middleware::Next,
    response::Response,
};
use tower::{Layer as _, ServiceExt as _};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use super::request_id;
use crate::config::{ApiOrigins, Config};

/// How long a browser may cache a preflight response.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// The CORS layer of the API, for [`for_api`].
pub fn layer(config: &Config) -> Arc<CorsLayer> {
    let origins = Arc::new(config.api_origins());
    let is_listed = |origin: &HeaderValue, origins: &ApiOrigins| {
        origin.to_str().is_ok_and(|origin| origins.contains(origin))
    };
    let (for_origin, for_credentials) = (Arc::clone(&origins), origins);
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_listed(origin, &for_origin)))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| is_listed(origin, &for_credentials)))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            ACCEPT,
            IF_NONE_MATCH,
            // Clients of the Django system send these with every call.
            HeaderName::from_static("x-csrftoken"),
            HeaderName::from_static("x-requested-with"),
        ])
        .expose_headers([LINK, RETRY_AFTER, HeaderName::from_static(request_id::HEADER)])
        .max_age(PREFLIGHT);
    Arc::new(layer)
}

/// Middleware that applies [`layer`] only to the API: pages and sockets are not for other origins.
pub async fn for_api(State(layer): State<Arc<CorsLayer>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != "/api" && !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let answer: Result<Response, Infallible> = layer.layer(next).oneshot(request).await;
    match answer {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{StatusCode, header},
        middleware::{from_fn, from_fn_with_state},
    };

    use super::*;

    /// The response of an inner layer that rejects the request, requested from a page of `origin`.
    async fn ask(method: Method, path: &str, origin: &str) -> Response {
        let config = Config::of(&[("cors_allowed_origins", "https://react.example")]);
        let refuse = |_: Request, _: Next| async { StatusCode::TOO_MANY_REQUESTS };
        let router = Router::new()
            .fallback(|| async { StatusCode::OK })
            .layer(from_fn(refuse))
            .layer(from_fn_with_state(layer(&config), for_api));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PATCH")
            .body(Body::empty())
            .expect("a request");
        router.oneshot(request).await.expect("an answer")
    }

    fn text<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[tokio::test]
    async fn an_error_response_has_the_headers_too() {
        let response = ask(Method::GET, "/api/me/", "https://react.example").await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(text(&response, "access-control-allow-origin"), "https://react.example");
        assert_eq!(text(&response, "access-control-allow-credentials"), "true");
        assert_eq!(text(&response, "access-control-expose-headers"), "link,retry-after,x-request-id");
        assert!(text(&response, "vary").contains("origin"));
    }

    #[tokio::test]
    async fn a_preflight_lists_what_is_allowed() {
        let response = ask(Method::OPTIONS, "/api/me/", "https://react.example").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, "access-control-allow-methods"), "GET,POST,PUT,PATCH,DELETE,OPTIONS");
        assert_eq!(
            text(&response, "access-control-allow-headers"),
            "authorization,content-type,accept,if-none-match,x-csrftoken,x-requested-with"
        );
        assert_eq!(text(&response, "access-control-allow-credentials"), "true");
    }

    #[tokio::test]
    async fn other_origins_are_not_allowed() {
        for origin in ["https://evil.example", "http://localhost:3000", "null"] {
            for method in [Method::GET, Method::OPTIONS] {
                let response = ask(method, "/api/me/", origin).await;
                assert_eq!(text(&response, "access-control-allow-origin"), "", "{origin}");
                assert_eq!(text(&response, "access-control-allow-credentials"), "", "{origin}");
            }
        }
    }

    #[tokio::test]
    async fn no_origin_is_allowed_outside_of_the_api() {
        for path in ["/", "/ui/sign_in", "/apiary", "/ws/chat/1/"] {
            for method in [Method::GET, Method::OPTIONS] {
                let response = ask(method, path, "https://react.example").await;
                assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
                assert_eq!(text(&response, "access-control-allow-origin"), "", "{path}");
            }
        }
    }
}
