//! Prometheus metrics: `GET /metrics`, and the metrics of requests.
//!
//! All parts of the program record with the macros of the `metrics` crate; this module installs the recorder and
//! renders the metrics. Clients cannot multiply label values: a path counts under its matched route, an unknown method
//! as `other`.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use chat::metrics::{COMMIT_CHANGES, RESUME_FRAMES, SIZES};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{config::MetricsToken, connections, start_error::StartError, ws};

mod access;

/// Requests by method, route and class of status.
const REQUESTS: &str = "liao_http_requests_total";

/// Time until the response began, in seconds.
const DURATION: &str = "liao_http_request_duration_seconds";

/// Histogram buckets, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// How often recorded samples are moved into their buckets. Until then they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Arc<Collector>,
}

impl Metrics {
    /// Installs the recorder. Later calls in the same process share it.
    ///
    /// # Errors
    /// [`StartError::System`] if another recorder is installed already.
    pub fn install() -> Result<Self, StartError> {
        static INSTALLED: OnceLock<Result<Metrics, String>> = OnceLock::new();
        INSTALLED
            .get_or_init(|| Self::start().map_err(|error| error.to_string()))
            .clone()
            .map_err(StartError::System)
    }

    fn start() -> Result<Self, metrics_exporter_prometheus::BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(COMMIT_CHANGES.to_owned()), &SIZES)?
            .set_buckets_for_metric(Matcher::Full(RESUME_FRAMES.to_owned()), &SIZES)?
            .install_recorder()?;
        metrics::describe_counter!(REQUESTS, "Requests answered");
        metrics::describe_histogram!(DURATION, metrics::Unit::Seconds, "Time until the answer began");
        chat::metrics::describe();
        ws::metrics::describe();
        connections::metrics::describe();
        let process = Arc::new(Collector::default());
        process.describe();
        Ok(Self { handle, process })
    }

    /// Runs the upkeep until `stopping`. To be spawned once.
    pub async fn run_upkeep(self, stopping: CancellationToken) {
        let mut ticks = time::interval(UPKEEP);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.handle.run_upkeep();
        }
    }

    /// The route `GET /metrics` for the public port.
    pub fn public_routes<S: Clone + Send + Sync + 'static>(self, token: MetricsToken) -> Router<S> {
        self.routes().layer(from_fn_with_state(token, access::check))
    }

    /// `GET /metrics` for whoever reaches it.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new().route("/metrics", get(render).with_state(self))
    }
}

async fn render(State(metrics): State<Metrics>) -> Response {
    metrics.process.collect();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.handle.render())
        .into_response()
}

/// Middleware that counts requests. To be added with `Router::layer`, where the matched route is known.
pub async fn count(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route =
        route.map_or_else(|| "other".into(), |route| metrics::SharedString::from(route.as_str().to_owned()));
    let status = class(response.status());
    metrics::counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!(DURATION, "method" => method, "route" => route, "status" => status)
        .record(start.elapsed());
    response
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        middleware::from_fn,
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn unknown_paths_and_methods_are_counted_as_other() {
        let metrics = Metrics::install().expect("installed");
        let router = Router::new()
            .route("/rooms/{id}/", get(|| async {}))
            .merge(metrics.routes())
            .fallback(|| async { StatusCode::NOT_FOUND })
            .layer(from_fn(count));
        let ask = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            String::from_utf8_lossy(&body).into_owned()
        };
        for (method, path) in [("GET", "/rooms/4711/"), ("GET", "/rooms/4712/"), ("BREW", "/invented")] {
            ask(method, path).await;
        }
        let text = ask("GET", "/metrics").await;
        for line in [
            "liao_http_requests_total{method=\"GET\",route=\"/rooms/{id}/\",status=\"2xx\"} 2",
            "liao_http_requests_total{method=\"other\",route=\"other\",status=\"4xx\"} 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{text}");
        }
        assert!(text.contains("liao_http_request_duration_seconds_bucket"), "{text}");
        assert!(!text.contains("/471") && !text.contains("BREW") && !text.contains("invented"), "{text}");
        assert!(!cfg!(target_os = "linux") || text.contains("process_resident_memory_bytes"), "{text}");
    }
}
