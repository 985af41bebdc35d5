//! A socket that its task and a room's publisher write to.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    task::{Context, Poll},
};

use chat::hub::{DirectSink, DirectWrite, FrameBatch};
use futures::task::AtomicWaker;

use super::metrics;
use crate::websocket::{Message, Socket, SocketError, encode_texts};

/// A socket behind a lock, which is held while bytes are copied or passed to the kernel, and never across an `await`.
pub struct SharedSocket {
    socket: Mutex<Socket>,
    /// Woken when a direct write has left a rest to flush.
    rest: AtomicWaker,
}

impl SharedSocket {
    pub fn new(socket: Socket) -> Self {
        Self { socket: Mutex::new(socket), rest: AtomicWaker::new() }
    }

    /// A panic under the lock leaves whole frames, or the connection fails.
    pub fn lock(&self) -> MutexGuard<'_, Socket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Socket::poll_recv`].
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Option<Result<Message, SocketError>>> {
        self.lock().poll_recv(context)
    }

    /// As [`Socket::poll_recv`]. Cancel-safe.
    pub async fn recv(&self) -> Option<Result<Message, SocketError>> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// Writes the output. Cancel-safe.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn flush(&self) -> io::Result<()> {
        std::future::poll_fn(|context| self.lock().poll_flush(context)).await
    }

    /// Waits until a direct write has left a rest.
    pub fn poll_rest(&self, context: &Context<'_>) -> Poll<()> {
        self.rest.register(context.waker());
        if self.lock().queued() > 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl DirectSink for SharedSocket {
    fn write(&self, batch: &FrameBatch) -> DirectWrite {
        let mut socket = match self.socket.try_lock() {
            Ok(socket) => socket,
            Err(TryLockError::Poisoned(socket)) => socket.into_inner(),
            Err(TryLockError::WouldBlock) => return DirectWrite::Refused,
        };
        if !socket.write_now(batch.encoded(encode_texts)) {
            return DirectWrite::Refused;
        }
        metrics::sent(batch.frames().len() as u64);
        let has_rest = socket.queued() > 0;
        drop(socket);
        if has_rest {
            self.rest.wake();
        }
        DirectWrite::Taken
    }
}
