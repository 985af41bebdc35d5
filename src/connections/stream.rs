//! The bytes of a connection: when a head begins to come, how long a write may wait, and what is still read after the
//! end.

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

use super::{deadline::Stall, metrics, state::ConnectionState};
use crate::middleware::drain_body;

/// A connection's stream, with its deadlines.
#[derive(Debug)]
pub struct Stream {
    /// `None` only while it is being dropped.
    tcp: Option<TcpStream>,
    connection: Arc<ConnectionState>,
    /// There while the peer is waited for, so that the thousands of idle WebSockets do without.
    stall: Option<Box<Stall>>,
}

impl Stream {
    /// The stream of this connection.
    pub fn new(stream: TcpStream, connection: Arc<ConnectionState>) -> Self {
        Self { tcp: Some(stream), connection, stall: None }
    }

    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.tcp.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// What a write came to, unless the peer has been waited for too long.
    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(stall) = &mut self.stall {
                    stall.transferred(*bytes);
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.connection.set_writing(true);
                let limit = self.connection.limits().write;
                if self.stall.get_or_insert_default().poll(context, limit).is_ready() {
                    metrics::ended(metrics::Reason::Write);
                    // Not left to the system, which would go on offering what is unsent, and keep it, for minutes.
                    let _ = self.tcp.as_ref().map(TcpStream::set_zero_linger);
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
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
        if buffer.filled().len() > before {
            self.connection.head_begins();
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
        if self.stall.take().is_some() {
            self.connection.set_writing(false);
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
                let _ = timeout(drain_body::MAX_TIME, drain(stream)).await;
                drop(connection);
            });
        }
    }
}

/// Says that nothing more will be sent, and reads what still comes until the peer ends the connection, or has sent too
/// much.
async fn drain(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut left = drain_body::MAX_BYTES;
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
