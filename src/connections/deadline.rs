//! Timers that cost nothing while a connection makes progress.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// How many bytes a peer must at least read or send before its timeout starts anew. Single bytes do not count.
const PROGRESS: usize = 1024;

/// A point in time that can be moved and awaited.
///
/// The timer is created at the first poll and kept. Moving the deadline further away does not touch the timer, since
/// each change takes a lock that all timers share. The timer then fires early once and is reset.
#[derive(Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Moves the deadline to this time from now.
    pub fn set(&mut self, from_now: Duration) {
        self.at = Some(Instant::now() + from_now);
    }

    /// Removes the deadline.
    pub fn clear(&mut self) {
        self.at = None;
    }

    /// Ready at the deadline; never if none is set.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}

/// Measures for how long a peer has made no progress.
#[derive(Debug, Default)]
pub struct Stall {
    deadline: Deadline,
    transferred: usize,
}

impl Stall {
    /// Records transferred bytes.
    pub fn transferred(&mut self, bytes: usize) {
        if self.deadline.is_set() {
            self.transferred += bytes;
            if self.transferred >= PROGRESS {
                self.end();
            }
        }
    }

    /// Ends the stall.
    pub fn end(&mut self) {
        self.deadline.clear();
        self.transferred = 0;
    }

    /// To be polled while waiting for the peer. Ready when the stall has lasted for `limit`.
    pub fn poll(&mut self, context: &mut Context<'_>, limit: Duration) -> Poll<()> {
        if !self.deadline.is_set() {
            self.deadline.set(limit);
        }
        self.deadline.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_moved_deadline_fires_at_its_new_time() {
        let mut deadline = Deadline::default();
        let start = Instant::now();
        deadline.set(10 * SECOND);
        assert!(poll_fn(|context| Poll::Ready(deadline.poll(context))).await.is_pending());
        advance(5 * SECOND).await;
        deadline.set(10 * SECOND);
        poll_fn(|context| deadline.poll(context)).await;
        assert_eq!(start.elapsed().as_secs(), 15, "later");
        deadline.set(10 * SECOND);
        assert!(poll_fn(|context| Poll::Ready(deadline.poll(context))).await.is_pending());
        deadline.set(SECOND);
        poll_fn(|context| deadline.poll(context)).await;
        assert_eq!(start.elapsed().as_secs(), 16, "earlier");
    }

    #[tokio::test(start_paused = true)]
    async fn single_bytes_are_no_progress() {
        let mut stall = Stall::default();
        let start = Instant::now();
        let trickle = async |stall: &mut Stall, bytes: usize| {
            while poll_fn(|context| Poll::Ready(stall.poll(context, 30 * SECOND))).await.is_pending() {
                advance(SECOND).await;
                stall.transferred(bytes);
                if start.elapsed() > 100 * SECOND {
                    break;
                }
            }
        };
        trickle(&mut stall, 1).await;
        assert_eq!(start.elapsed().as_secs(), 30);
        stall.end();
        trickle(&mut stall, PROGRESS / 2).await;
        assert_eq!(start.elapsed().as_secs(), 101, "a slow line is no stalled one");
    }
}
