//! What is rare on a socket, measured by the frames it sends: the client's own frames,
//! the next ping, the end of the process. Asked for only when there is something.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::Interval;

use super::{
    connection::{Connection, Incoming},
    waker_gate::WakerGate,
};

/// What happened.
pub enum RareEvent {
    /// Something came from the client, for [`Connection::read`].
    Incoming(Incoming),
    /// It is time to [`Connection::ping`].
    PingDue,
    /// The process stops.
    ShuttingDown,
}

/// All that is rare on one socket.
pub struct RareEvents<'s, S> {
    gate: WakerGate,
    stopping: Pin<&'s mut S>,
    pings: Interval,
}

impl<'s, S: Future<Output = ()>> RareEvents<'s, S> {
    /// Of this connection, until `stopping`.
    pub fn new(connection: &Connection, stopping: Pin<&'s mut S>) -> Self {
        Self { gate: WakerGate::new(), stopping, pings: connection.pings() }
    }

    /// The next. Nothing is read from the client unless `is_reading`. Cancel-safe.
    pub async fn next(&mut self, connection: &mut Connection, is_reading: bool) -> RareEvent {
        poll_fn(|context| self.poll(context, connection, is_reading)).await
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        connection: &mut Connection,
        is_reading: bool,
    ) -> Poll<RareEvent> {
        self.gate.poll(context, |context| {
            if self.stopping.as_mut().poll(context).is_ready() {
                return Poll::Ready(RareEvent::ShuttingDown);
            }
            if self.pings.poll_tick(context).is_ready() {
                return Poll::Ready(RareEvent::PingDue);
            }
            if is_reading {
                return connection.poll_recv(context).map(RareEvent::Incoming);
            }
            Poll::Pending
        })
    }

    /// The client is read from again.
    pub fn read_again(&self) {
        self.gate.open();
    }
}
