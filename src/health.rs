//! The probes: `GET /healthz` (liveness) and `GET /readyz` (readiness).
//!
//! A function passed to [`Health::new`] checks the dependencies. This module knows neither the database nor Redis.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::future::BoxFuture;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::shutdown::Shutdown;

/// The message if the database does not respond, also used for a check that hangs.
pub const NO_DATABASE: &str = "The database does not answer.";

/// How long a check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a result is reused, so that frequent requests do not load the database.
const CACHE_FOR: Duration = Duration::from_secs(1);

/// A dependency does not respond.
#[derive(Clone, Debug)]
pub struct DependencyDown {
    /// One sentence, sent to the client.
    pub sentence: &'static str,
    /// The cause, for the log only.
    pub reason: String,
}

type Check = dyn Fn() -> BoxFuture<'static, Result<(), DependencyDown>> + Send + Sync;

/// Checks whether the process is ready. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    shutdown: Shutdown,
    check: Arc<Check>,
    last: Arc<Mutex<Option<CachedCheck>>>,
}

#[derive(Clone, Copy)]
struct CachedCheck {
    checked_at: Instant,
    failure: Option<&'static str>,
}

impl Health {
    /// `check` checks the dependencies.
    pub fn new<F>(shutdown: Shutdown, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), DependencyDown>> + Send + 'static,
    {
        let check = move || -> BoxFuture<'static, _> { Box::pin(check()) };
        Self { shutdown, check: Arc::new(check), last: Arc::default() }
    }

    /// The routes `GET /healthz` and `GET /readyz`.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new().route("/healthz", get("ok")).route("/readyz", get(ready).with_state(self))
    }

    /// A sentence about the dependency that does not respond, if any. Concurrent requests share one check.
    async fn failure(&self) -> Option<&'static str> {
        let mut last = self.last.lock().await;
        if let Some(CachedCheck { checked_at, failure }) = *last
            && checked_at.elapsed() < CACHE_FOR
        {
            return failure;
        }
        let failure = match timeout(CHECK_TIMEOUT, (self.check)()).await {
            Ok(Ok(())) => None,
            Ok(Err(DependencyDown { sentence, reason })) => {
                tracing::warn!(%reason, "not ready");
                Some(sentence)
            }
            Err(_) => {
                tracing::warn!(
                    timeout_seconds = CHECK_TIMEOUT.as_secs(),
                    "not ready: the database does not answer"
                );
                Some(NO_DATABASE)
            }
        };
        *last = Some(CachedCheck { checked_at: Instant::now(), failure });
        failure
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let failure = if health.shutdown.is_stopping() {
        "The server is stopping."
    } else if let Some(sentence) = health.failure().await {
        sentence
    } else {
        return "ok".into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], failure).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use tower::ServiceExt;

    use super::*;

    async fn ask(health: &Health, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = health.clone().routes::<()>().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1000).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn ready_while_the_check_succeeds_and_results_are_reused() {
        let (up, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let health = Health::new(Shutdown::new(), {
            let (up, asked) = (up.clone(), asked.clone());
            move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let up = up.load(Ordering::SeqCst);
                let gone =
                    DependencyDown { sentence: "The cat does not answer.", reason: "asleep".to_owned() };
                async move { if up { Ok(()) } else { Err(gone) } }
            }
        });
        for _ in 0..3 {
            assert_eq!(ask(&health, "/readyz").await, (StatusCode::OK, "ok".to_owned()));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        up.store(false, Ordering::SeqCst);
        tokio::time::advance(CACHE_FOR).await;
        let gone = (StatusCode::SERVICE_UNAVAILABLE, "The cat does not answer.".to_owned());
        assert_eq!(ask(&health, "/readyz").await, gone);
        assert_eq!(ask(&health, "/healthz").await.0, StatusCode::OK, "the process is up all the same");

        up.store(true, Ordering::SeqCst);
        tokio::time::advance(CACHE_FOR).await;
        assert_eq!(ask(&health, "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_check_times_out() {
        let health = Health::new(Shutdown::new(), std::future::pending::<Result<(), DependencyDown>>);
        let silent = (StatusCode::SERVICE_UNAVAILABLE, NO_DATABASE.to_owned());
        assert_eq!(ask(&health, "/readyz").await, silent);
    }

    #[tokio::test]
    async fn not_ready_while_stopping() {
        let shutdown = Shutdown::new();
        let health = Health::new(shutdown.clone(), || async { Ok(()) });
        assert_eq!(ask(&health, "/readyz").await.0, StatusCode::OK);
        shutdown.stop();
        let stopping = (StatusCode::SERVICE_UNAVAILABLE, "The server is stopping.".to_owned());
        assert_eq!(ask(&health, "/readyz").await, stopping);
    }
}
