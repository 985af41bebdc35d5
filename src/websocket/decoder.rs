//! Messages from the bytes of a connection, however they are cut.

use std::str;

use super::{
    Message, Violation,
    frame::{self, Header, Opcode},
};

/// Largest number of frames of one message. Each costs time, however small it is.
pub(super) const FRAGMENTS: usize = 4_096;

/// Turns bytes into messages. Holds no memory between messages.
pub(super) struct Decoder {
    /// Largest message in bytes.
    limit: usize,
    /// Bytes that are no whole frame yet.
    input: Vec<u8>,
    /// How many bytes of `input` were decoded.
    decoded: usize,
    fragments: Option<Fragments>,
    violation: Option<Violation>,
}

/// A message whose last frame has not come.
struct Fragments {
    is_text: bool,
    payload: Vec<u8>,
    frames: usize,
    /// How many bytes of text were found to be UTF-8.
    valid: usize,
}

/// A decoded frame.
enum Frame {
    Message(Message),
    /// A part of a message.
    Fragment,
}

impl Decoder {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, input: Vec::new(), decoded: 0, fragments: None, violation: None }
    }

    /// Adds bytes from the connection.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.decoded);
        self.decoded = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next message; `None` if more bytes are needed.
    ///
    /// # Errors
    /// The first violation, at every further call too.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        let decoded = self.decode();
        if let Err(violation) = decoded {
            *self = Self { violation: Some(violation), ..Self::new(self.limit) };
        } else if self.decoded == self.input.len() {
            (self.input, self.decoded) = (Vec::new(), 0);
        }
        decoded
    }

    fn decode(&mut self) -> Result<Option<Message>, Violation> {
        while let Some(header) = Header::parse(&self.input[self.decoded..])? {
            let size = usize::try_from(header.payload).map_err(|_| Violation::TooLarge)?;
            let before = self.fragments.as_ref().map_or(0, |fragments| fragments.payload.len());
            if size.saturating_add(before) > self.limit && !header.opcode.is_control() {
                return Err(Violation::TooLarge);
            }
            let begin = self.decoded + header.size;
            let Some(payload) = self.input.get_mut(begin..begin + size) else { return Ok(None) };
            frame::unmask(payload, header.mask);
            self.decoded = begin + size;
            match frame_of(&header, payload, &mut self.fragments)? {
                Frame::Message(message) => return Ok(Some(message)),
                Frame::Fragment => {}
            }
        }
        Ok(None)
    }
}

/// Takes a frame with its unmasked payload.
fn frame_of(header: &Header, payload: &[u8], fragments: &mut Option<Fragments>) -> Result<Frame, Violation> {
    let begun = match (header.opcode, fragments.take()) {
        (Opcode::Ping, kept) => {
            *fragments = kept;
            return Ok(Frame::Message(Message::Ping(payload.to_vec())));
        }
        (Opcode::Pong, kept) => {
            *fragments = kept;
            return Ok(Frame::Message(Message::Pong));
        }
        (Opcode::Close, _) => return close(payload).map(|code| Frame::Message(Message::Close(code))),
        (Opcode::Continuation, Some(fragments)) => fragments,
        (Opcode::Text, None) => Fragments { is_text: true, payload: Vec::new(), frames: 0, valid: 0 },
        (Opcode::Binary, None) => Fragments { is_text: false, payload: Vec::new(), frames: 0, valid: 0 },
        // A continuation of nothing, or a message within another one.
        (Opcode::Continuation, None) | (Opcode::Text | Opcode::Binary, Some(_)) => {
            return Err(Violation::Protocol);
        }
    };
    let mut begun = begun;
    begun.payload.extend_from_slice(payload);
    begun.frames += 1;
    if begun.frames > FRAGMENTS {
        return Err(Violation::TooLarge);
    }
    if header.is_final {
        return begun.finish().map(Frame::Message);
    }
    begun.check()?;
    *fragments = Some(begun);
    Ok(Frame::Fragment)
}

impl Fragments {
    /// Checks the text so far, so that a bad one is refused before its end.
    fn check(&mut self) -> Result<(), Violation> {
        if self.is_text {
            match str::from_utf8(&self.payload[self.valid..]) {
                Ok(_) => self.valid = self.payload.len(),
                // The end may be a character whose other bytes are still to come.
                Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
                Err(_) => return Err(Violation::NotUtf8),
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Message, Violation> {
        if !self.is_text {
            return Ok(Message::Binary);
        }
        String::from_utf8(self.payload).map(Message::Text).map_err(|_| Violation::NotUtf8)
    }
}

/// The code of a close, if it has one.
fn close(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::Protocol) };
    };
    let code = u16::from_be_bytes(*code);
    // RFC 6455, 7.4: the others are reserved, or never sent.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol);
    }
    str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
    Ok(Some(code))
}
