//! A page and the tasks that rendering it starts are one task of the runtime.
//!
//! Leptos spawns a task for each resource and each `Suspense`, and each of them walks a part of the view. As tasks of the
//! runtime they would do so on other threads while the page is rendered. But a signal that one thread reads while another
//! writes it counts as disposed: the reader panics, and a writer that meets a reader is passed over in silence. Here the
//! tasks belong to the page, are polled in turn with it, and end with it, when it was sent as well as when it was given
//! up.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};
use futures::{Stream as _, stream::FuturesUnordered};
use leptos::prelude::Owner;

/// Tasks that were started and not yet polled.
type Started = Arc<Mutex<Vec<PinnedFuture<()>>>>;

tokio::task_local! {
    static STARTED: Started;
}

/// Leptos' way to start tasks.
struct PageExecutor;

impl CustomExecutor for PageExecutor {
    fn spawn(&self, task: PinnedFuture<()>) {
        let mut task = Some(task);
        let _ = STARTED.try_with(|started| {
            started.lock().unwrap_or_else(PoisonError::into_inner).extend(task.take());
        });
        // Outside of a page, as when the routes are listed.
        if let Some(task) = task {
            tokio::spawn(task);
        }
    }

    /// Only browsers have tasks that are bound to a thread.
    fn spawn_local(&self, _: PinnedLocalFuture<()>) {
        tracing::error!("a page started a task that is bound to a thread");
    }

    fn poll_local(&self) {}
}

/// Has Leptos start its tasks within the page that is being rendered.
pub fn install() {
    // Refused where it is so already.
    let _ = Executor::init_custom_executor(PageExecutor);
}

/// Runs `page` to its end, and the tasks that it starts until then. A panic of one of them is the page's.
pub async fn run_with_tasks<T>(page: impl Future<Output = T>) -> T {
    let started = Started::default();
    STARTED.scope(started.clone(), poll_together(page, started)).await
}

async fn poll_together<T>(page: impl Future<Output = T>, started: Started) -> T {
    let mut page = std::pin::pin!(page);
    let mut tasks = FuturesUnordered::new();
    // What parts of a page keep until it ends would otherwise be kept by whichever page this thread rendered last.
    let owner = Owner::new_root(None);
    let result = poll_fn(|cx| {
        owner.with(|| {
            if let Poll::Ready(result) = page.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            loop {
                tasks.extend(started.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
                match Pin::new(&mut tasks).poll_next(cx) {
                    // One has ended.
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
