//! The rare events of a socket, compared with the frames that it sends: input from the client, pings and shutdown. They
//! are polled only when one of them was woken.

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

/// A rare event.
pub enum RareEvent {
    /// Input from the client, for [`Connection::parse_frame`].
    Incoming(Incoming),
    /// The room's publisher has left a rest, for [`Connection::flush`].
    RestToFlush,
    /// [`Connection::ping`] is due.
    PingDue,
    /// The server is shutting down.
    ShuttingDown,
}

/// The rare events of one socket.
pub struct RareEvents<'s, S> {
    gate: WakerGate,
    stopping: Pin<&'s mut S>,
    pings: Interval,
}

impl<'s, S: Future<Output = ()>> RareEvents<'s, S> {
    /// The events of this connection, until `stopping` completes.
    pub fn new(connection: &Connection, stopping: Pin<&'s mut S>) -> Self {
        Self { gate: WakerGate::new(), stopping, pings: connection.pings() }
    }

    /// The next event. Reads from the client only if `is_reading`. Cancel-safe.
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
            if connection.poll_rest(context).is_ready() {
                return Poll::Ready(RareEvent::RestToFlush);
            }
            if is_reading {
                return connection.poll_recv(context).map(RareEvent::Incoming);
            }
            Poll::Pending
        })
    }

    /// To be called when `is_reading` becomes true again.
    pub fn read_again(&self) {
        self.gate.open();
    }
}
