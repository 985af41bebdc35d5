//! The bytes of a connection, and how long they may take.
//!
//! Deadlines are looked at where something is waited for: a head where hyper reads and nothing comes, a write where the
//! peer's buffers are full. So they are part of the stream and need no task and no timer beside it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::timeout,
};

use super::{
    connection::{Connection, Phase},
    counters,
    deadline::{Deadline, Stall},
};
use crate::middleware::linger;

/// A connection's stream, with its deadlines.
#[derive(Debug)]
pub struct Stream {
    /// `None` only while it is being dropped.
    tcp: Option<TcpStream>,
    connection: Arc<Connection>,
    /// There while something is waited for, so that the thousands of idle WebSockets do without.
    timers: Option<Box<Timers>>,
}

#[derive(Debug, Default)]
struct Timers {
    /// Of the next request's head.
    head: Deadline,
    /// The turn that `head` is about.
    turn: usize,
    /// Did some of the head come?
    has_begun: bool,
    write: Stall,
}

impl Stream {
    /// The stream of this connection.
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { tcp: Some(stream), connection, timers: None }
    }

    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.tcp.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Nothing came: ready when it has been waited for too long.
    fn poll_head_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let turn = self.connection.turn();
        let phase = Connection::phase_of(turn);
        match phase {
            Phase::Upgraded => {
                self.timers = None;
                return Poll::Pending;
            }
            // Something else than a head is waited for.
            Phase::Busy => return Poll::Pending,
            Phase::First | Phase::Next => {}
        }
        let limits = self.connection.limits();
        let timers = self.timers.get_or_insert_default();
        timers.enter(turn);
        if !timers.head.is_set() {
            timers.head.set(if phase == Phase::First { limits.header } else { limits.keep_alive });
        }
        let ended = timers.head.poll(context);
        if ended.is_ready() {
            let is_idle = phase == Phase::Next && !timers.has_begun;
            counters::ended(if is_idle { counters::Reason::KeepAlive } else { counters::Reason::Header });
        }
        ended
    }

    /// Something came: where it is the beginning of a head, its end is due.
    fn head_begins(&mut self) {
        let turn = self.connection.turn();
        // Whoever has just connected is waited for from then on.
        if Connection::phase_of(turn) == Phase::Next
            && let Some(timers) = &mut self.timers
        {
            timers.enter(turn);
            if !timers.has_begun {
                timers.has_begun = true;
                timers.head.set(self.connection.limits().header);
            }
        }
    }

    /// What a write came to, unless the peer has been waited for too long.
    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(timers) = &mut self.timers {
                    timers.write.moved(*bytes);
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let patience = self.connection.limits().write;
                let timers = self.timers.get_or_insert_default();
                if timers.write.poll(context, patience).is_ready() {
                    counters::ended(counters::Reason::Write);
                    // Not left to the system, which would go on offering what is unsent, and keep it, for minutes.
                    let _ = self.tcp.as_ref().map(TcpStream::set_zero_linger);
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }
}

impl Timers {
    /// Forgets what was about the turn before.
    fn enter(&mut self, turn: usize) {
        if self.turn != turn {
            self.turn = turn;
            self.head.clear();
            self.has_begun = false;
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.inner()?.poll_read(context, buffer);
        match &read {
            Poll::Pending if self.poll_head_deadline(context).is_ready() => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(Ok(())) if buffer.filled().len() > before => self.head_begins(),
            Poll::Pending | Poll::Ready(_) => {}
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.inner()?.poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.inner()?.poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Flushed is what has all been written: nothing of it is waited for.
        if let Some(timers) = &mut self.timers {
            timers.write.end();
        }
        self.inner()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_shutdown(context)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.connection.drains_on_close() {
            return;
        }
        // Without a runtime the process ends.
        if let (Some(stream), Ok(runtime)) = (self.tcp.take(), Handle::try_current()) {
            let connection = self.connection.clone();
            runtime.spawn(async move {
                // The peer may be gone, and then there is nothing to read.
                let _ = timeout(linger::TIME, read_away(stream)).await;
                drop(connection);
            });
        }
    }
}

/// Says that nothing more will be sent, and reads what still comes until the peer ends the connection, or has sent too
/// much.
async fn read_away(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut left = linger::BYTES;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            bytes => match left.checked_sub(bytes) {
                Some(less) => left = less,
                None => return Ok(()),
            },
        }
    }
}
