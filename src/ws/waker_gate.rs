//! Polling what seldom has something to say only once it has.
//!
//! A socket's task is woken for every frame that it sends on, and a select would then ask
//! each time whether the client has written, the process stops or a ping is due: the read
//! buffer is cleared for nothing, and a lock that all sockets share is taken. Behind a gate
//! these have a waker of their own, which says whether it was them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::task::AtomicWaker;

/// Lets a poll through when what is behind it has called, and the first time.
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
        // Before the waking: the task may run at once.
        self.is_woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl WakerGate {
    /// A gate that is open for the first poll.
    pub fn new() -> Self {
        Self { flag: Arc::new(WakeFlag { is_woken: AtomicBool::new(true), task: AtomicWaker::new() }) }
    }

    /// Lets the next poll through: something behind the gate is to be asked that was not before.
    pub fn open(&self) {
        self.flag.is_woken.store(true, Ordering::Release);
    }

    /// Polls `inner`, if it has called since it was last polled.
    pub fn poll<T>(
        &self,
        context: &mut Context<'_>,
        inner: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Before the look at the flag: what rings between the two wakes the task.
        self.flag.task.register(context.waker());
        if !self.flag.is_woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.flag));
        let outcome = inner(&mut Context::from_waker(&waker));
        if outcome.is_ready() {
            // There may be more, of which nobody calls again.
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
    async fn what_is_behind_is_asked_when_it_has_called_and_not_for_anything_else() {
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
        assert_eq!(look(), (None, 1), "the first time it is");
        assert_eq!(look(), (None, 1));
        sender.unbounded_send('a').expect("open");
        sender.unbounded_send('b').expect("open");
        assert_eq!(look(), (Some(Some('a')), 2));
        assert_eq!(look(), (Some(Some('b')), 3), "it called once for both");
        assert_eq!((look(), look()), ((None, 4), (None, 4)));
        gate.open();
        assert_eq!(look(), (None, 5));
    }

    #[tokio::test]
    async fn a_task_that_waits_at_the_gate_is_woken() {
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
