//! Work that goes on as long as the page that began it, and is nudged when it is worth another try.

use std::future::Future;

use futures::{
    channel::mpsc::{self, UnboundedReceiver},
    future::{AbortHandle, Abortable},
};
use leptos::{ev, prelude::*, task::spawn_local};

use crate::browser::document::is_visible;

/// Runs what `work` makes of its nudges until the current owner goes. A nudge comes when the network or the reader
/// returns.
pub(super) fn run_until_cleanup<F: Future<Output = ()> + 'static>(
    work: impl FnOnce(UnboundedReceiver<()>) -> F,
) {
    let (wakeup, wakeups) = mpsc::unbounded();
    let (abort, registration) = AbortHandle::new_pair();
    let work = work(wakeups);
    spawn_local(async move {
        // Aborted when the page goes; there is nothing to be told then.
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
