//! The middleware around every request, from the outermost layer to the innermost:
//!
//! | layer | does |
//! |---|---|
//! | [`request_id`] | assigns the request id; outermost, so that every response has it |
//! | [`client`] | determines the client's address, TLS and host, which the inner layers use |
//! | [`request_log`] | logs one line per request, in a span with the request id |
//! | [`crate::metrics::count`] | counts requests |
//! | [`security_headers`] | adds security headers |
//! | [`secure_cookies`] | marks cookies `Secure` |
//! | [`drain_body`] | reads the rest of a request body that the handler did not read |
//! | [`cors`] | CORS for the API; around everything that can reject a request |
//! | [`target`] | rejects invalid request targets and `Host` headers |
//!
//! [`origin`] is applied only to the server functions of the UI.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use tower::ServiceBuilder;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::{
    config::{Config, SecureCookies},
    metrics,
};

pub mod client;
pub mod cors;
pub mod drain_body;
pub mod origin;
pub mod request_id;
pub mod request_log;
pub mod secure_cookies;
pub mod security_headers;
pub mod shared_service;
pub mod target;

/// Applies the layers of the table to a router that has its state and all its routes.
///
/// One stack instead of several calls of `Router::layer`, each of which boxes every route again.
pub fn apply(router: Router, config: &Config) -> Router {
    let layers = ServiceBuilder::new()
        .layer(from_fn(request_id::sanitise))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn_with_state(client::Proxies::new(config), client::resolve))
        .layer(from_fn(request_log::log))
        .layer(from_fn(metrics::count))
        .layer(from_fn(security_headers::add))
        .option_layer(
            (config.secure_cookies != SecureCookies::Never)
                .then(|| from_fn_with_state(config.secure_cookies, secure_cookies::mark)),
        )
        .layer(from_fn(drain_body::drain))
        .layer(from_fn_with_state(cors::layer(config), cors::for_api))
        .layer(from_fn_with_state(config.hosts(), target::check))
        .layer(shared_service::SharedServiceLayer);
    router.layer(layers)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::SocketAddr,
        sync::{Arc, Mutex},
    };

    use axum::{
        Extension,
        body::Body,
        extract::ConnectInfo,
        http::{HeaderMap, Request, header::SET_COOKIE},
        response::Html,
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    /// The response headers of a page and of a 404, requested with `headers` through a trusted proxy.
    async fn answers(headers: &[(&str, &str)]) -> [HeaderMap; 2] {
        let config = Config::of(&[("trusted_proxies", "127.0.0.1")]);
        let page = get(|| async { ([(SET_COOKIE, "a=1")], Html("page")) });
        let router = apply(Router::new().route("/page", page), &config)
            .layer(Extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711)))));
        let ask = async |path: &str| {
            let mut request =
                Request::get(path).header("host", "liao").body(Body::empty()).expect("a request");
            for (name, value) in headers {
                let name = axum::http::HeaderName::try_from(*name).expect("a name");
                request.headers_mut().insert(name, value.parse().expect("a value"));
            }
            router.clone().oneshot(request).await.expect("an answer").headers().clone()
        };
        [ask("/page?token=hunter2").await, ask("/nowhere").await]
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[tokio::test]
    async fn every_response_has_a_request_id_the_callers_if_it_is_valid() {
        for headers in answers(&[("x-request-id", "from-the-proxy_1")]).await {
            assert_eq!(text(&headers, "x-request-id"), "from-the-proxy_1");
        }
        for headers in answers(&[("x-request-id", "two words")]).await {
            assert_eq!(text(&headers, "x-request-id").len(), 36);
        }
        let [one, other] = answers(&[]).await;
        assert_ne!(text(&one, "x-request-id"), text(&other, "x-request-id"));
    }

    #[tokio::test]
    async fn security_headers_are_added() {
        let [page, missing] = answers(&[]).await;
        assert!(text(&page, "content-security-policy").contains("frame-ancestors 'none'"));
        for headers in [&page, &missing] {
            assert_eq!(text(headers, "x-content-type-options"), "nosniff");
            assert_eq!(text(headers, "referrer-policy"), "same-origin");
        }
    }

    #[tokio::test]
    async fn behind_tls_hsts_and_secure_cookies_are_set() {
        let [page, _] = answers(&[("x-forwarded-proto", "https")]).await;
        assert_eq!(text(&page, "strict-transport-security"), "max-age=31536000");
        assert_eq!(text(&page, "set-cookie"), "a=1; Secure");
        let [page, _] = answers(&[]).await;
        assert_eq!(text(&page, "strict-transport-security"), "");
        assert_eq!(text(&page, "set-cookie"), "a=1");
    }

    /// Collects log lines.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().map_or(Ok(0), |mut lines| lines.write(bytes))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_log_has_one_line_per_request_with_its_id_and_without_its_query() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        // With only one dispatcher in the process, tracing caches whether a call site is enabled, and tests on other
        // threads, which have no subscriber, would disable it.
        let _another = tracing::Dispatch::new(tracing_subscriber::registry());
        let logging = tracing::subscriber::set_default(log);
        answers(&[("x-request-id", "the-id")]).await;
        drop(logging);
        let bytes = lines.0.lock().expect("not poisoned").clone();
        let text = String::from_utf8(bytes).expect("text");
        let told: Vec<_> = text.lines().collect();
        assert_eq!(told.len(), 2, "{text}");
        for part in ["request_id=\"the-id\"", "method=GET", "path=\"/page\"", "status=200", "latency_us="] {
            assert!(told[0].contains(part), "{text}");
        }
        assert!(told[1].contains("status=404"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
