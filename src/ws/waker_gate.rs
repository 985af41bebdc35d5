//! Polls rarely ready futures only after they were woken.
//!
//! A socket's task is woken for every frame that it sends. A plain `select!` would then also poll the client's input,
//! the shutdown token and the ping timer each time: it would clear the read buffer for nothing and take a lock that all
//! sockets share. The gate gives these futures a waker of their own, which records whether one of them was woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::task::AtomicWaker;

/// Passes a poll on at the first call, and after the inner future was woken.
pub struct WakerGate {
    flag: Arc<WakeFlag>,
}

struct WakeFlag {
    is_woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before waking, since the task may run at once.
        self.is_woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl WakerGate {
    /// A gate that passes the first poll on.
    pub fn new() -> Self {
        Self { flag: Arc::new(WakeFlag { is_woken: AtomicBool::new(true), task: AtomicWaker::new() }) }
    }

    /// Passes the next poll on. To be called when another inner future is to be polled than before.
    pub fn open(&self) {
        self.flag.is_woken.store(true, Ordering::Release);
    }

    /// Polls `inner` if it was woken since its last poll.
    pub fn poll<T>(
        &self,
        context: &mut Context<'_>,
        inner: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Before the flag is read: a wake between the two then wakes the task.
        self.flag.task.register(context.waker());
        if !self.flag.is_woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.flag));
        let outcome = inner(&mut Context::from_waker(&waker));
        if outcome.is_ready() {
            // There may be more input, for which no other wake comes.
            self.open();
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::{FutureExt as _, StreamExt as _, channel::mpsc};

    use super::*;

    #[tokio::test]
    async fn the_inner_future_is_polled_only_after_it_was_woken() {
        let (sender, mut receiver) = mpsc::unbounded();
        let gate = WakerGate::new();
        let mut asked = 0;
        let mut look = || {
            let poll = |context: &mut Context<'_>| {
                gate.poll(context, |context| {
                    asked += 1;
                    receiver.poll_next_unpin(context)
                })
            };
            (poll_fn(poll).now_or_never(), asked)
        };
        assert_eq!(look(), (None, 1), "the first poll");
        assert_eq!(look(), (None, 1));
        sender.unbounded_send('a').expect("open");
        sender.unbounded_send('b').expect("open");
        assert_eq!(look(), (Some(Some('a')), 2));
        assert_eq!(look(), (Some(Some('b')), 3), "one wake for both");
        assert_eq!((look(), look()), ((None, 4), (None, 4)));
        gate.open();
        assert_eq!(look(), (None, 5));
    }

    #[tokio::test]
    async fn a_task_that_waits_behind_the_gate_is_woken() {
        let (sender, mut receiver) = mpsc::unbounded();
        let gate = WakerGate::new();
        let waiting = tokio::spawn(async move {
            poll_fn(|context| gate.poll(context, |context| receiver.poll_next_unpin(context))).await
        });
        tokio::task::yield_now().await;
        sender.unbounded_send('a').expect("open");
        assert_eq!(waiting.await.expect("no panic"), Some('a'));
    }
}
