//! Pages that hang, panic or are cancelled.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use any_spawner::Executor;
use axum::{Router, body::Bytes, http::StatusCode, routing::get};
use futures::{channel::oneshot, stream};
use tower::ServiceExt as _;

use super::*;

const SHORT: Duration = Duration::from_millis(100);

/// Requests a page of `handler`. Returns the status, and whether there is a `Retry-After`.
async fn rendered<H, T>(deadline: Duration, handler: H) -> (StatusCode, bool)
where
    H: axum::handler::Handler<T, ()>,
    T: 'static,
{
    tasks::install();
    let router =
        Router::new().route("/page", get(handler)).layer(from_fn_with_state(deadline, run_to_completion));
    let request = Request::get("/page").body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    (response.status(), response.headers().contains_key("retry-after"))
}

#[tokio::test]
async fn a_page_that_hangs_is_cancelled_at_the_deadline() {
    let never_begins = || std::future::pending::<&str>();
    assert_eq!(rendered(SHORT, never_begins).await, (StatusCode::SERVICE_UNAVAILABLE, true));
    let never_ends = async || {
        let begun = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"<p>"))]);
        Body::from_stream(futures::StreamExt::chain(begun, stream::pending()))
    };
    assert_eq!(rendered(SHORT, never_ends).await, (StatusCode::SERVICE_UNAVAILABLE, true));
    let waits_for_a_task = async || {
        let (done, wait) = oneshot::channel::<()>();
        Executor::spawn(async move {
            std::future::pending::<()>().await;
            drop(done);
        });
        let _ = wait.await;
        "page"
    };
    assert_eq!(rendered(SHORT, waits_for_a_task).await, (StatusCode::SERVICE_UNAVAILABLE, true));
}

#[tokio::test]
async fn a_panic_in_a_page_or_its_tasks_is_a_500_at_once() {
    let long = Duration::from_mins(1);
    #[expect(unreachable_code, reason = "a handler has an answer")]
    let panics = async || {
        panic!("in the page");
        "page"
    };
    assert_eq!(rendered(long, panics).await, (StatusCode::INTERNAL_SERVER_ERROR, false));
    let panics_in_a_task = async || {
        Executor::spawn(async { panic!("in a task") });
        std::future::pending::<&str>().await
    };
    assert_eq!(rendered(long, panics_in_a_task).await, (StatusCode::INTERNAL_SERVER_ERROR, false));
}

#[tokio::test]
async fn a_disconnect_cancels_a_get_but_not_a_post() {
    tasks::install();
    for (method, goes_on) in [("GET", false), ("POST", true)] {
        let (end, mut ended) = oneshot::channel::<()>();
        let (started, has_started) = oneshot::channel::<()>();
        let (release, released) = oneshot::channel::<()>();
        let parts = Arc::new(Mutex::new(Some((started, released, end))));
        let handler = async move || {
            let (started, released, end) = parts.lock().expect("not poisoned").take().expect("once");
            let _ = started.send(());
            let _ = released.await;
            let _ = end.send(());
        };
        let layer = from_fn_with_state(Duration::from_mins(1), run_to_completion);
        let router = Router::new().route("/page", axum::routing::any(handler)).layer(layer);
        let request = Request::builder().method(method).uri("/page").body(Body::empty()).expect("a request");
        let asked = tokio::spawn(router.oneshot(request));
        has_started.await.expect("it began");
        asked.abort();
        assert!(asked.await.is_err_and(|error| error.is_cancelled()));
        let _ = release.send(());
        assert_eq!((&mut ended).await.is_ok(), goes_on, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tasks_of_a_page_run_in_its_task_and_end_with_it() {
    let (left, gone) = oneshot::channel::<()>();
    let left = Arc::new(Mutex::new(Some(left)));
    let page = async move || {
        let this = tokio::task::id();
        let (sender, receiver) = oneshot::channel();
        Executor::spawn(async move {
            // Spawned by another task.
            Executor::spawn(async move {
                let _ = sender.send(tokio::task::id());
            });
            Executor::tick().await;
        });
        assert_eq!(receiver.await, Ok(this), "the same task of the runtime");
        let left = left.lock().expect("not poisoned").take();
        Executor::spawn(async move {
            std::future::pending::<()>().await;
            drop(left);
        });
        Executor::tick().await;
        "page"
    };
    assert_eq!(rendered(Duration::from_mins(1), page).await.0, StatusCode::OK);
    assert!(gone.await.is_err(), "what still waited is gone");
}

#[tokio::test]
async fn the_log_has_the_path_and_request_id_of_a_cancelled_page() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let writer = Arc::new(file.reopen().expect("the same file"));
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    // With only one dispatcher in the process, tracing caches whether a call site is enabled, and tests on other
    // threads, which have no subscriber, would disable it.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    let logging = tracing::subscriber::set_default(log);
    let page = get(std::future::pending::<&str>);
    let router = Router::new().route("/page", page).layer(from_fn_with_state(SHORT, run_to_completion));
    let router = crate::middleware::apply(router, &crate::config::Config::of(&[])).layer(axum::Extension(
        axum::extract::ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 4711))),
    ));
    let request = Request::get("/page?token=hunter2").header("host", "liao").header("x-request-id", "the-id");
    let answer = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(logging);
    let log = std::fs::read_to_string(file.path()).expect("text");
    let line = log.lines().find(|line| line.contains("given up")).expect("a line");
    for part in ["ERROR", "the-id", "path=\"/page\""] {
        assert!(line.contains(part), "{part} in {log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
}
