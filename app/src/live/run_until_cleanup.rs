//! Runs a future as long as the reactive owner that started it.

use std::future::Future;

use futures::{
    channel::mpsc::{self, UnboundedReceiver},
    future::{AbortHandle, Abortable},
};
use leptos::{ev, prelude::*, task::spawn_local};

use crate::browser::document::is_visible;

/// Spawns the future that `work` makes and aborts it when the current owner is cleaned up. Its channel receives a
/// wake-up when the network returns or the tab becomes visible.
pub(super) fn run_until_cleanup<F: Future<Output = ()> + 'static>(
    work: impl FnOnce(UnboundedReceiver<()>) -> F,
) {
    let (wakeup, wakeups) = mpsc::unbounded();
    let (abort, registration) = AbortHandle::new_pair();
    let work = work(wakeups);
    spawn_local(async move {
        // The result of an aborted future is of no interest.
        let _ = Abortable::new(work, registration).await;
    });
    let online = window_event_listener(ev::online, {
        let wakeup = wakeup.clone();
        move |_| drop(wakeup.unbounded_send(()))
    });
    let visible = window_event_listener(ev::visibilitychange, move |_| {
        if is_visible() {
            drop(wakeup.unbounded_send(()));
        }
    });
    on_cleanup(move || {
        abort.abort();
        online.remove();
        visible.remove();
    });
}
