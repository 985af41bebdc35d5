//! What goes through the hub: events, whom they are for, and frames in bytes.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::{Code, ReadMark, RoomId, ServerFrame, UserId, UserRef};

/// An event, and whom it is for.
#[derive(Clone, Debug)]
pub enum Publication {
    /// Those who listen to a room.
    Room(RoomId, Event),
    /// The same, of somebody who has read up to here.
    Read(RoomId, ReadMark),
    /// The same, of somebody who begins or ceases to type.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserRef,
        /// Do they type?
        is_typing: bool,
    },
    /// All sockets of a user.
    User(UserId, UserEvent),
}

/// What is handed to the sockets of a room.
#[derive(Clone, Debug)]
pub enum Event {
    /// A frame to send.
    Frame(Frame),
    /// Sockets to close, with the reason to say first.
    Close {
        /// Whose; `None`: everyone's.
        user: Option<UserId>,
        /// The reason.
        code: Code,
    },
}

/// What is told to a user wherever they are. It says where to look, not what is there:
/// the database has that, and what was read there later is never older than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserEvent {
    /// Their place in this room has changed: membership, role, what they have read.
    Room(RoomId),
    /// They have read everything everywhere.
    Rooms,
    /// They have a new notification that is a row, of this number.
    Notice(i64),
}

/// What a new message is to those who do not look at its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its place.
    pub seq: i64,
    /// Whom it mentions.
    pub mentioned: Vec<UserId>,
}

/// A frame, serialised.
#[derive(Clone, Debug)]
pub struct Frame {
    /// JSON in UTF-8.
    pub json: Bytes,
    /// The room's change number, for changes that are stored.
    pub rev: Option<i64>,
    /// Who gets it.
    pub audience: Audience,
    /// With a new message alone.
    pub news: Option<Arc<News>>,
    /// The same change for those who know the message already.
    pub known: Option<Arc<Known>>,
}

/// A message that is new and changed since, for those who came in between.
#[derive(Clone, Debug)]
pub struct Known {
    /// Whoever came in at this change number or later knows the message.
    pub since: i64,
    /// What they get instead.
    pub json: Bytes,
}

/// Which sockets of the room get a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All of them.
    Everyone,
    /// Those of other users than this one.
    Others(UserId),
}

impl Event {
    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.bytes(),
            Self::Close { .. } => 0,
        }
    }
}

impl Frame {
    /// How many bytes of JSON it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.json.len() + self.known.as_ref().map_or(0, |known| known.json.len())
    }

    /// Serialises `frame`; `None` only if serde fails, which our own types do not.
    pub fn new(frame: &ServerFrame, rev: Option<i64>, audience: Audience) -> Option<Self> {
        match serde_json::to_vec(frame) {
            Ok(json) => Some(Self::serialised(Bytes::from(json), rev, audience)),
            Err(error) => {
                tracing::error!(%error, "a frame could not be serialised");
                None
            }
        }
    }

    /// A frame that is JSON already.
    pub fn serialised(json: Bytes, rev: Option<i64>, audience: Audience) -> Self {
        Self { json, rev, audience, news: None, known: None }
    }
}
