//! What pages of other sites may do with the API: everything a bearer token allows, if the site is on the list.
//!
//! Cookies never go along (no `Access-Control-Allow-Credentials`), so a listed site has no more rights than the token
//! it holds. The layer stands around the whole API, its 404 included: a browser shows a refusal to the page only if it
//! bears these headers too.

use std::time::Duration;

use axum::http::{
    HeaderName, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, LINK, RETRY_AFTER},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_id;
use crate::config::Config;

/// For how long a browser need not ask again.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// The layer for the API's router.
pub fn layer(config: &Config) -> CorsLayer {
    let origins = config.api_origins();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().filter_map(crate::config::WebOrigin::header_value)))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([LINK, RETRY_AFTER, HeaderName::from_static(request_id::HEADER)])
        .max_age(PREFLIGHT)
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode, header},
        response::Response,
    };
    use tower::ServiceExt;

    use super::*;

    async fn ask(method: Method, origin: &str) -> Response {
        let config =
            Config::of(&[("listen", "0.0.0.0:8000"), ("cors_allowed_origins", "https://react.example")]);
        let api = Router::new().fallback(|| async { StatusCode::UNAUTHORIZED }).layer(layer(&config));
        let request = Request::builder()
            .method(method)
            .uri("/api/me/")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PATCH")
            .body(Body::empty())
            .expect("a request");
        api.oneshot(request).await.expect("an answer")
    }

    fn text<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_refusal_bears_the_headers_too() {
        let response = ask(Method::GET, "https://react.example").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(text(&response, "access-control-allow-origin"), "https://react.example");
        assert_eq!(text(&response, "access-control-expose-headers"), "link,retry-after,x-request-id");
        assert!(text(&response, "vary").contains("origin"));
        assert_eq!(text(&response, "access-control-allow-credentials"), "");
    }

    #[tokio::test]
    async fn a_preflight_lists_what_is_allowed() {
        let response = ask(Method::OPTIONS, "https://react.example").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, "access-control-allow-methods"), "GET,POST,PUT,PATCH,DELETE,OPTIONS");
        assert_eq!(text(&response, "access-control-allow-headers"), "authorization,content-type");
    }

    #[tokio::test]
    async fn others_are_not_let_in_nor_is_a_development_server_where_all_can_reach_this_one() {
        for origin in ["https://evil.example", "http://localhost:3000", "null"] {
            let response = ask(Method::GET, origin).await;
            assert_eq!(text(&response, "access-control-allow-origin"), "", "{origin}");
        }
    }
}
