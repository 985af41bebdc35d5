//! Timers that cost nothing while there is something to do.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// What a peer must at least take or send, in bytes, for it to count as going on. A byte every now and then does not.
const PROGRESS: usize = 1024;

/// A moment that can be moved, and waited for.
///
/// The timer is made when it is first waited for and kept: moving the moment further off does not touch it, since each
/// change takes a lock that all timers share. It then fires too early once, and is set anew.
#[derive(Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Is there one?
    pub fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Moves it to so long from now.
    pub fn set(&mut self, from_now: Duration) {
        self.at = Some(Instant::now() + from_now);
    }

    /// There is none.
    pub fn clear(&mut self) {
        self.at = None;
    }

    /// Waits for it; for ever where there is none.
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

/// For how long a peer has taken, or sent, next to nothing.
#[derive(Debug, Default)]
pub struct Stall {
    deadline: Deadline,
    transferred: usize,
}

impl Stall {
    /// So many bytes went through.
    pub fn transferred(&mut self, bytes: usize) {
        if self.deadline.is_set() {
            self.transferred += bytes;
            if self.transferred >= PROGRESS {
                self.end();
            }
        }
    }

    /// Nothing is waited for any more.
    pub fn end(&mut self) {
        self.deadline.clear();
        self.transferred = 0;
    }

    /// The peer is waited for; ready when that has lasted too long.
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
    async fn a_deadline_that_moves_is_kept_where_it_is_now() {
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
    async fn a_byte_now_and_then_is_no_progress() {
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
