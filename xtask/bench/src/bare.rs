//! The floor: a broadcast server without a chat, in one thread around epoll.
//!
//! It sends each text that a socket receives unchanged to every socket of the same path. A text is framed once, and each
//! socket gets it by one `write`; what a socket does not take is kept until it is writable. It has no database, JSON,
//! accounts or tasks, and only this benchmark may talk to it: it reads no more of HTTP and WebSockets than its client sends.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read as _, Write as _},
    rc::Rc,
};

use anyhow::{Context as _, Result};
use memchr::memmem;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

/// The token of the listener; a socket's is its number.
const LISTENER: Token = Token(usize::MAX);
/// Bytes read at once.
const READ: usize = 16 * 1024;
/// Events taken from the kernel at once.
const EVENTS: usize = 1_024;
/// The answer to an upgrade. The benchmark's client checks no `Sec-WebSocket-Accept`.
const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
/// The first frame of each socket.
const ESTABLISHED: &[u8] = br#"{"type":"connection_established"}"#;

/// A connection.
struct Socket {
    stream: TcpStream,
    /// Its path; `None` before the upgrade.
    room: Option<Rc<str>>,
    /// The start of a request or frame whose end has not come yet.
    unread: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

#[derive(Default)]
struct Sockets {
    /// By their number; the number of a closed one is used again.
    all: Vec<Option<Socket>>,
    free: Vec<usize>,
    /// The numbers of the sockets of each path.
    rooms: HashMap<Rc<str>, Vec<usize>>,
}

/// A frame of a client.
struct Frame {
    opcode: u8,
    text: Vec<u8>,
    /// Its length with its head.
    length: usize,
}

/// Serves until the process is killed.
pub(crate) fn serve() -> Result<()> {
    let mut poll = Poll::new().context("no epoll")?;
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let ready = format!("bare is at http://{}\n", listener.local_addr()?);
    io::stdout().write_all(ready.as_bytes())?;
    let mut events = Events::with_capacity(EVENTS);
    let mut sockets = Sockets::default();
    let mut buffer = vec![0; READ];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                sockets.accept(&poll, &listener)?;
                continue;
            }
            let Token(number) = event.token();
            let drained = !event.is_writable() || sockets.drain(number);
            let read = !event.is_readable() || sockets.read(number, &mut buffer).is_ok();
            if !(drained && read) {
                sockets.close(number);
            }
        }
    }
}

impl Sockets {
    fn accept(&mut self, poll: &Poll, listener: &TcpListener) -> Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept a connection"),
            };
            stream.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or(self.all.len());
            poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
            let socket = Some(Socket { stream, room: None, unread: Vec::new(), unsent: Vec::new() });
            match self.all.get_mut(number) {
                Some(place) => *place = socket,
                None => self.all.push(socket),
            }
        }
    }

    /// Reads all that has come. An error means that the socket is at its end.
    fn read(&mut self, number: usize, buffer: &mut [u8]) -> io::Result<()> {
        let mut is_more = true;
        while is_more {
            let Some(socket) = self.all.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
            match socket.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    socket.unread.extend_from_slice(&buffer[..count]);
                    // Fewer bytes than there was room for: more bytes come with an event of their own.
                    is_more = count == buffer.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if socket.room.is_none() {
                let Some(room) = socket.upgrade() else { continue };
                self.rooms.entry(room).or_default().push(number);
            }
            self.deliver(number)?;
        }
        Ok(())
    }

    /// Sends each text that the socket has sent to its room.
    fn deliver(&mut self, number: usize) -> io::Result<()> {
        let Some(socket) = self.all.get_mut(number).and_then(Option::as_mut) else { return Ok(()) };
        let unread = std::mem::take(&mut socket.unread);
        let members =
            socket.room.as_ref().and_then(|room| self.rooms.get(room)).map_or(&[][..], Vec::as_slice);
        let mut rest = unread.as_slice();
        while let Some(frame) = Frame::first(rest) {
            rest = &rest[frame.length..];
            match frame.opcode {
                1 => {
                    let bytes = framed(&frame.text);
                    for member in members {
                        if let Some(socket) = self.all.get_mut(*member).and_then(Option::as_mut) {
                            socket.send(&bytes);
                        }
                    }
                }
                8 => return Err(ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
        }
        // An idle socket keeps no buffer.
        if let Some(socket) = self.all.get_mut(number).and_then(Option::as_mut)
            && !rest.is_empty()
        {
            socket.unread = rest.to_vec();
        }
        Ok(())
    }

    /// Sends what was kept. False when the socket is at its end.
    fn drain(&mut self, number: usize) -> bool {
        let Some(socket) = self.all.get_mut(number).and_then(Option::as_mut) else { return true };
        if socket.unsent.is_empty() {
            return true;
        }
        let unsent = std::mem::take(&mut socket.unsent);
        match socket.write(&unsent) {
            Ok(count) => socket.unsent.extend_from_slice(&unsent[count..]),
            Err(_) => return false,
        }
        true
    }

    fn close(&mut self, number: usize) {
        let Some(socket) = self.all.get_mut(number).and_then(Option::take) else { return };
        self.free.push(number);
        if let Some(members) = socket.room.and_then(|room| self.rooms.get_mut(&room)) {
            members.retain(|member| *member != number);
        }
    }
}

impl Socket {
    /// Answers the upgrade once its request is whole, and returns its room.
    fn upgrade(&mut self) -> Option<Rc<str>> {
        let end = memmem::find(&self.unread, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&self.unread[..end]);
        let target = head.split(' ').nth(1).unwrap_or_default();
        let room = Rc::<str>::from(target.split('?').next().unwrap_or_default());
        self.room = Some(Rc::clone(&room));
        self.unread = self.unread[end + 4..].to_vec();
        self.send(&[UPGRADED, &framed(ESTABLISHED)].concat());
        Some(room)
    }

    /// Writes, or keeps what the socket does not take. A broken socket is closed by its next event.
    fn send(&mut self, bytes: &[u8]) {
        let sent = if self.unsent.is_empty() { self.write(bytes).unwrap_or(bytes.len()) } else { 0 };
        self.unsent.extend_from_slice(&bytes[sent..]);
    }

    /// Writes until the socket takes no more. Returns the number of bytes that it took.
    ///
    /// # Errors
    /// When the socket is at its end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}

impl Frame {
    /// The whole masked frame at the front of these bytes. Its text is shorter than 64 KiB.
    fn first(bytes: &[u8]) -> Option<Self> {
        let (start, length) = match bytes.get(1)? & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            length => (2, usize::from(length)),
        };
        let (mask, text) = bytes.get(start..start + 4 + length)?.split_at(4);
        let text = text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Some(Self { opcode: bytes[0] & 0x0f, text, length: start + 4 + length })
    }
}

/// An unmasked text frame.
fn framed(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    if let Ok(length @ ..126) = u8::try_from(text.len()) {
        frame.push(length);
    } else {
        frame.push(126);
        frame.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    frame.extend_from_slice(text);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let mut bytes = vec![0x81, 0x80 | 3, 1, 2, 4, 8];
        bytes.extend([b'a' ^ 1, b'b' ^ 2, b'c' ^ 4, 0x81]);
        assert!(Frame::first(&bytes[..8]).is_none());
        let frame = Frame::first(&bytes).expect("a frame");
        assert_eq!((frame.opcode, frame.text.as_slice(), frame.length), (1, b"abc".as_slice(), 9));
    }

    #[test]
    fn a_long_text_has_its_length_in_two_bytes() {
        assert_eq!(framed(b"ab"), [0x81, 2, b'a', b'b']);
        assert_eq!(framed(&[0; 300])[..4], [0x81, 126, 1, 44]);
    }
}
