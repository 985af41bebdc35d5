//! Events that are offered to a room's readers together.

use std::{ops::Range, sync::OnceLock};

use bytes::Bytes;

use super::is_for_everyone;
use crate::{
    event::{Event, Frame},
    model::UserId,
};

/// Bytes of frames in a batch, after which no further one is added. A socket's buffer takes that much at once.
const BYTES: usize = 32 * 1024;

/// Consecutive events: frames for everyone, or one event of another kind.
pub(super) struct Batch {
    range: Range<u64>,
    content: Content,
}

enum Content {
    Frames {
        frames: FrameBatch,
        /// The number of the first frame's change.
        rev: i64,
    },
    Other(Event),
}

/// Frames for the same sockets.
pub struct FrameBatch {
    frames: Vec<Bytes>,
    encoded: OnceLock<Vec<u8>>,
}

impl Batch {
    /// A batch of the first of these events, the first of which has this number. `None` if there are none.
    pub(super) fn of<'e>(first: u64, events: impl Iterator<Item = &'e Event>) -> Option<Self> {
        let mut events = events.peekable();
        let rev = match events.peek()? {
            Event::Frame(Frame { rev: Some(rev), .. }) => *rev,
            Event::Frame(_) | Event::Close { .. } => i64::MIN,
        };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while bytes < BYTES
            && let Some(Event::Frame(frame)) = events.next_if(|event| is_for_everyone(event))
        {
            bytes += frame.bytes();
            frames.push(frame.json.clone());
        }
        if frames.is_empty() {
            let other = events.next()?.clone();
            return Some(Self { range: first..first + 1, content: Content::Other(other) });
        }
        let range = first..first + frames.len() as u64;
        let frames = FrameBatch { frames, encoded: OnceLock::new() };
        Some(Self { range, content: Content::Frames { frames, rev } })
    }

    pub(super) fn first(&self) -> u64 {
        self.range.start
    }

    /// The number after the last event.
    pub(super) fn end(&self) -> u64 {
        self.range.end
    }

    /// The frames to write to a reader that needs changes after `rev`; `None` if it has to read the events itself.
    pub(super) fn frames_after(&self, rev: i64) -> Option<&FrameBatch> {
        match &self.content {
            Content::Frames { frames, rev: first } if *first > rev => Some(frames),
            Content::Frames { .. } | Content::Other(_) => None,
        }
    }

    /// Whether none of the events is for this user.
    pub(super) fn is_foreign(&self, user: UserId) -> bool {
        match &self.content {
            Content::Frames { .. } => false,
            Content::Other(event) => !event.is_for(user),
        }
    }
}

impl FrameBatch {
    /// The frames, JSON in UTF-8.
    pub fn frames(&self) -> &[Bytes] {
        &self.frames
    }

    /// The frames as bytes to write. Encoded once, by the first socket's `encode`.
    pub fn encoded(&self, encode: impl FnOnce(&[Bytes]) -> Vec<u8>) -> &[u8] {
        self.encoded.get_or_init(|| encode(&self.frames))
    }
}
