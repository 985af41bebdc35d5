//! Runs the tasks that Leptos spawns for a page within the page's own tokio task.
//!
//! Leptos spawns a task for each resource and each `Suspense`, and each of them walks a part of the view. As tokio
//! tasks they would run on other threads while the page is rendered. But a signal that is read on one thread while
//! another thread writes it counts as disposed: the reader panics, or the write is silently lost. Here these tasks are
//! polled together with the page and end with it, whether it was sent or cancelled.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};
use futures::{Stream as _, stream::FuturesUnordered};
use leptos::prelude::Owner;

/// Spawned tasks that have not been polled yet.
type Started = Arc<Mutex<Vec<PinnedFuture<()>>>>;

tokio::task_local! {
    static STARTED: Started;
}

/// The executor for Leptos.
struct PageExecutor;

impl CustomExecutor for PageExecutor {
    fn spawn(&self, task: PinnedFuture<()>) {
        let mut task = Some(task);
        let _ = STARTED.try_with(|started| {
            started.lock().unwrap_or_else(PoisonError::into_inner).extend(task.take());
        });
        // Outside of a page, for example while the routes are listed.
        if let Some(task) = task {
            tokio::spawn(task);
        }
    }

    /// Only browsers use thread-local tasks.
    fn spawn_local(&self, _: PinnedLocalFuture<()>) {
        tracing::error!("a page started a task that is bound to a thread");
    }

    fn poll_local(&self) {}
}

/// Installs the executor.
pub fn install() {
    // An error means that it is installed already.
    let _ = Executor::init_custom_executor(PageExecutor);
}

/// Runs `page` to its end, together with the tasks that it spawns. A panic of a task panics the page.
pub async fn run_with_tasks<T>(page: impl Future<Output = T>) -> T {
    let started = Started::default();
    STARTED.scope(started.clone(), poll_together(page, started)).await
}

async fn poll_together<T>(page: impl Future<Output = T>, started: Started) -> T {
    let mut page = std::pin::pin!(page);
    let mut tasks = FuturesUnordered::new();
    // Otherwise the cleanup of this page would be registered with the page that this thread rendered last.
    let owner = Owner::new_root(None);
    let result = poll_fn(|cx| {
        owner.with(|| {
            if let Poll::Ready(result) = page.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            loop {
                tasks.extend(started.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
                match Pin::new(&mut tasks).poll_next(cx) {
                    // A task has ended.
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => {
                        if started.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                            return Poll::Pending;
                        }
                    }
                }
            }
        })
    })
    .await;
    drop(tasks);
    owner.unset_with_forced_cleanup();
    result
}
