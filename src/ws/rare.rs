//! What is rare on a socket, measured by the frames it sends: the client's own frames,
//! the next ping, the end of the process. Asked for only when there is something.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::Interval;

use super::{
    gate::Gate,
    line::{Came, Line},
};

/// What happened.
pub enum Rare {
    /// Something came from the client, for [`Line::read`].
    Came(Came),
    /// It is time to [`Line::ping`].
    Ping,
    /// The process stops.
    Stop,
}

/// All that is rare on one socket.
pub struct Rares<'s, S> {
    gate: Gate,
    stopping: Pin<&'s mut S>,
    pings: Interval,
}

impl<'s, S: Future<Output = ()>> Rares<'s, S> {
    /// Of this line, until `stopping`.
    pub fn new(line: &Line, stopping: Pin<&'s mut S>) -> Self {
        Self { gate: Gate::new(), stopping, pings: line.pings() }
    }

    /// The next. Nothing is read from the client unless `is_reading`. Cancel-safe.
    pub async fn next(&mut self, line: &mut Line, is_reading: bool) -> Rare {
        poll_fn(|context| self.poll(context, line, is_reading)).await
    }

    fn poll(&mut self, context: &mut Context<'_>, line: &mut Line, is_reading: bool) -> Poll<Rare> {
        self.gate.poll(context, |context| {
            if self.stopping.as_mut().poll(context).is_ready() {
                return Poll::Ready(Rare::Stop);
            }
            if self.pings.poll_tick(context).is_ready() {
                return Poll::Ready(Rare::Ping);
            }
            if is_reading {
                return line.poll_recv(context).map(Rare::Came);
            }
            Poll::Pending
        })
    }

    /// The client is read from again.
    pub fn read_again(&self) {
        self.gate.open();
    }
}
