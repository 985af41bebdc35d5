//! A WebSocket over a connection of this server.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Message, Violation,
    decoder::Decoder,
    frame::{self, Opcode},
};
use crate::connections::stream::Stream;

/// Bytes read at once. They are on the stack: a socket that waits for input has no buffer.
const READ: usize = 4 * 1024;

/// A WebSocket. Answers pings and closes by itself, while it is read or written.
pub struct Socket<S = Stream> {
    stream: S,
    decoder: Decoder,
    /// Whole frames to write, and how much of them is written.
    output: Vec<u8>,
    written: usize,
    /// The payload of the last ping that was not answered yet. Earlier ones need no answer (RFC 6455, 5.5.3).
    ping: Option<Vec<u8>>,
    has_sent_close: bool,
    has_received_close: bool,
}

/// Why a socket cannot be read any more.
#[derive(Debug)]
pub enum SocketError {
    /// The client sent what is no message.
    Violation(Violation),
    /// The connection failed.
    Lost(io::Error),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket over an upgraded connection, of which `input` was read already. `limit` is the largest message that is
    /// taken, in bytes.
    pub(super) fn new(stream: S, input: &[u8], limit: usize) -> Self {
        let mut decoder = Decoder::new(limit);
        decoder.push(input);
        Self {
            stream,
            decoder,
            output: Vec::new(),
            written: 0,
            ping: None,
            has_sent_close: false,
            has_received_close: false,
        }
    }

    /// The next message of the client; `None` at the end of the connection, or after its close was answered.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, SocketError>>> {
        loop {
            // Answers go out while the client is waited for. If it does not read them, its input is read all the same.
            match self.poll_flush(context) {
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(SocketError::Lost(error)))),
                Poll::Ready(Ok(())) if self.has_received_close => return Poll::Ready(None),
                Poll::Pending if self.has_received_close => return Poll::Pending,
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            match self.decoder.next() {
                Ok(Some(message)) => {
                    self.prepare_answer(&message);
                    return Poll::Ready(Some(Ok(message)));
                }
                Ok(None) => {}
                Err(violation) => return Poll::Ready(Some(Err(SocketError::Violation(violation)))),
            }
            let mut space = [MaybeUninit::uninit(); READ];
            let mut read = ReadBuf::uninit(&mut space);
            if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
                return Poll::Ready(Some(Err(SocketError::Lost(error))));
            }
            if read.filled().is_empty() {
                return Poll::Ready(None);
            }
            self.decoder.push(read.filled());
        }
    }

    /// As [`Self::poll_recv`]. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Result<Message, SocketError>> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    fn prepare_answer(&mut self, message: &Message) {
        match message {
            Message::Ping(payload) => self.ping = Some(payload.clone()),
            Message::Close(code) => {
                self.has_received_close = true;
                self.feed_close(*code);
            }
            Message::Text(_) | Message::Binary | Message::Pong => {}
        }
    }

    /// Adds a text message to the output.
    pub fn feed_text(&mut self, text: &[u8]) {
        self.feed(Opcode::Text, text);
    }

    /// Adds a ping to the output.
    pub fn feed_ping(&mut self) {
        self.feed(Opcode::Ping, &[]);
    }

    /// Adds a close to the output. It is the last frame.
    pub fn feed_close(&mut self, code: Option<u16>) {
        match code {
            Some(code) => self.feed(Opcode::Close, &code.to_be_bytes()),
            None => self.feed(Opcode::Close, &[]),
        }
        self.has_sent_close = true;
    }

    fn feed(&mut self, opcode: Opcode, payload: &[u8]) {
        if !self.has_sent_close {
            frame::append(&mut self.output, opcode, payload);
        }
    }

    /// Size of the output that is not written yet, in bytes.
    pub fn queued(&self) -> usize {
        self.output.len() - self.written
    }

    #[cfg(test)]
    pub(super) fn output_capacity(&self) -> usize {
        self.output.capacity()
    }

    #[cfg(test)]
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_flush(context)).await
    }

    /// Writes the output.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.is_empty() && self.ping.is_none() {
            return Poll::Ready(Ok(()));
        }
        loop {
            while self.written < self.output.len() {
                let rest = &self.output[self.written..];
                let bytes = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
                if bytes == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written += bytes;
            }
            // Frees the buffer: an idle socket has none.
            (self.output, self.written) = (Vec::new(), 0);
            match self.ping.take() {
                Some(payload) => self.feed(Opcode::Pong, &payload),
                None => return Pin::new(&mut self.stream).poll_flush(context),
            }
        }
    }
}

impl Socket {
    /// Writes these whole frames, unless other output waits. What the kernel does not take becomes output. Returns false
    /// if nothing was written.
    pub fn write_now(&mut self, frames: &[u8]) -> bool {
        if self.queued() > 0 || self.ping.is_some() || self.has_sent_close {
            return false;
        }
        // An error is found by the socket's task.
        let Ok(written) = self.stream.try_write(frames) else { return false };
        self.output.extend_from_slice(&frames[written..]);
        true
    }
}
