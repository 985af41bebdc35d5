//! The byte stream of a connection: detects the begin of a request head, enforces the write timeout, and drains input
//! after the close.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::timeout,
};

use super::{deadline::Stall, metrics, state::ConnectionState};
use crate::middleware::drain_body;

/// Bytes of output that the kernel holds for a WebSocket. It adds as much for its own administration.
const WEBSOCKET_OUTPUT: usize = 64 * 1024;

/// The stream of a connection.
#[derive(Debug)]
pub struct Stream {
    /// `None` only in `drop`.
    tcp: Option<TcpStream>,
    connection: Arc<ConnectionState>,
    /// Allocated only while a write is blocked, since there are thousands of idle WebSockets.
    stall: Option<Box<Stall>>,
}

impl Stream {
    pub fn new(stream: TcpStream, connection: Arc<ConnectionState>) -> Self {
        Self { tcp: Some(stream), connection, stall: None }
    }

    /// Bounds how much output the kernel holds for a peer that does not read, which is megabytes otherwise.
    ///
    /// # Errors
    /// Those of the system call.
    pub fn bound_output(&self) -> io::Result<()> {
        let tcp = self.tcp.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        SockRef::from(tcp).set_send_buffer_size(WEBSOCKET_OUTPUT)
    }

    /// Writes what the kernel takes at once.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it takes nothing; those of the connection.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_write(bytes)
    }

    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.tcp.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The result of a write, or an error if it has stalled for too long.
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
                    // Otherwise the kernel would keep the unsent data and retry for minutes.
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
        // hyper flushes after everything was written, so no write is blocked.
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
        // Without a runtime the process is exiting.
        if let (Some(stream), Ok(runtime)) = (self.tcp.take(), Handle::try_current()) {
            let connection = self.connection.clone();
            runtime.spawn(async move {
                // An error means that the peer is gone.
                let _ = timeout(drain_body::MAX_TIME, drain(stream)).await;
                drop(connection);
            });
        }
    }
}

/// Shuts down the write half, then reads and discards input until the peer closes or has sent too much.
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
