//! A WebSocket client for thousands of sockets on a busy machine: it reads bytes and returns whole frames without copying.
//!
//! It supports only what Liao's server sends: unmasked, unfragmented frames without extensions. Its own frames are masked
//! with zeros, which a server unmasks like any other key.

use std::{io, net::SocketAddr};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::message;

/// The size of the read buffer in bytes: some dozen frames.
const BUFFER: usize = 16 * 1024;

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Ping,
    Close,
    Other,
}

/// The reading half.
pub(crate) struct Reader {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// Opens a socket with this token and reads its first frame.
pub(crate) async fn open(address: SocketAddr, path: &str, token: &str) -> Result<(Reader, OwnedWriteHalf)> {
    let mut stream = TcpStream::connect(address).await.context("no connection")?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path}?token={token} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let (stream, writer) = stream.into_split();
    let mut reader = Reader { stream, buffer: vec![0; BUFFER], start: 0, end: 0 };
    let head = loop {
        ensure!(reader.fill().await?, "the upgrade was not answered");
        if let Some(end) = memmem::find(&reader.buffer[..reader.end], b"\r\n\r\n") {
            break end;
        }
    };
    if !reader.buffer.starts_with(b"HTTP/1.1 101 ") {
        bail!("the upgrade was refused: {}", String::from_utf8_lossy(&reader.buffer[..head]));
    }
    reader.start = head + 4;
    let (kind, first) = reader.frame().await?.context("closed at once")?;
    ensure!(
        kind == Kind::Text && message::is_type(first, b"connection_established"),
        "the socket was refused: {}",
        String::from_utf8_lossy(first)
    );
    Ok((reader, writer))
}

impl Reader {
    /// The next whole frame in the buffer.
    pub(crate) fn ready(&mut self) -> Option<(Kind, &[u8])> {
        let bytes = &self.buffer[self.start..self.end];
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (head, length) = match second & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            length => (2, usize::from(length)),
        };
        if bytes.len() < head + length {
            return None;
        }
        let start = self.start + head;
        self.start = start + length;
        let kind = match first & 0x0f {
            1 => Kind::Text,
            8 => Kind::Close,
            9 => Kind::Ping,
            _ => Kind::Other,
        };
        Some((kind, &self.buffer[start..start + length]))
    }

    /// Waits for more bytes; false at the end of the stream.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let count = self.stream.read(&mut self.buffer[self.end..]).await?;
        self.end += count;
        Ok(count > 0)
    }

    /// Waits for the next frame; `None` at the end of the stream.
    pub(crate) async fn frame(&mut self) -> io::Result<Option<(Kind, &[u8])>> {
        loop {
            let before = self.start;
            if self.ready().is_some() {
                // Called once more, because a borrowed frame cannot be held across the loop.
                self.start = before;
                return Ok(self.ready());
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }
}

/// Appends a text frame.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, 0x81, text.as_bytes());
}

/// Appends a pong.
pub(crate) fn put_pong(out: &mut Vec<u8>, payload: &[u8]) {
    put(out, 0x8a, payload);
}

/// The bit beside the length that says that the frame is masked.
const MASKED: u8 = 0x80;

fn put(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => out.push(MASKED + length),
        (_, Ok(length)) => {
            out.push(MASKED + 126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(MASKED + 127);
            out.extend_from_slice(&u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}
