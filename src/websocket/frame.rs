//! Frames: their headers, and the masking of payloads (RFC 6455, 5.2 and 5.3).

use bytes::Bytes;

use super::Violation;

/// Largest payload of a control frame.
const CONTROL_MAX: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn parse(number: u8) -> Option<Self> {
        Some(match number {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn number(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The header of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether the frame ends its message.
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    /// Size of the header itself, in bytes.
    pub(super) size: usize,
    /// Size of the payload, in bytes.
    pub(super) payload: u64,
}

impl Header {
    /// Parses the header at the beginning of `bytes`; `None` if it is incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let [first, second, ref rest @ ..] = *bytes else { return Ok(None) };
        let opcode = Opcode::parse(first & 0x0F).ok_or(Violation::Protocol)?;
        let (is_final, reserved, is_masked) = (first & 0x80 != 0, first & 0x70, second & 0x80 != 0);
        // Reserved bits belong to extensions, and there are none. Clients must mask.
        if reserved != 0 || !is_masked {
            return Err(Violation::Protocol);
        }
        let (payload, rest) = match second & 0x7F {
            126 => match rest.split_first_chunk() {
                Some((size, rest)) => (u64::from(u16::from_be_bytes(*size)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((size, rest)) => (u64::from_be_bytes(*size), rest),
                None => return Ok(None),
            },
            size => (u64::from(size), rest),
        };
        if opcode.is_control() && (payload > CONTROL_MAX || !is_final) {
            return Err(Violation::Protocol);
        }
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { is_final, opcode, mask: *mask, size: bytes.len() - rest.len(), payload }))
    }
}

/// Removes, or applies, the mask.
pub(super) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for part in payload.chunks_mut(mask.len()) {
        for (byte, mask) in part.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

/// Appends a whole, unmasked frame to `output`.
pub(super) fn append(output: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    const FINAL: u8 = 0x80;
    output.reserve(payload.len() + 10);
    output.push(FINAL | opcode.number());
    if let Some(size) = u8::try_from(payload.len()).ok().filter(|size| u64::from(*size) <= CONTROL_MAX) {
        output.push(size);
    } else if let Ok(size) = u16::try_from(payload.len()) {
        output.push(126);
        output.extend_from_slice(&size.to_be_bytes());
    } else {
        output.push(127);
        output.extend_from_slice(&u64::try_from(payload.len()).unwrap_or(u64::MAX).to_be_bytes());
    }
    output.extend_from_slice(payload);
}

/// These texts as frames, one after the other.
pub fn encode_texts(texts: &[Bytes]) -> Vec<u8> {
    let mut frames = Vec::new();
    for text in texts {
        append(&mut frames, Opcode::Text, text);
    }
    frames
}
