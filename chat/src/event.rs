//! What the hub distributes: events with their audience, and serialised frames.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::{Code, ReadMark, RoomId, ServerFrame, UserId, UserRef};

/// An event with its audience.
#[derive(Clone, Debug)]
pub enum Publication {
    /// For all sockets of a room.
    Room(RoomId, Event),
    /// For all sockets of a room: a user has read up to a message.
    Read(RoomId, ReadMark),
    /// For all sockets of a room: a user started or stopped typing.
    Typing {
        /// The room.
        room: RoomId,
        /// The user.
        user: UserRef,
        /// Whether they are typing now.
        is_typing: bool,
    },
    /// For all sockets of a user.
    User(UserId, UserEvent),
}

/// An event for the sockets of a room.
#[derive(Clone, Debug)]
pub enum Event {
    /// A frame to send.
    Frame(Frame),
    /// Close sockets.
    Close {
        /// Only those of this user; `None`: all.
        user: Option<UserId>,
        /// The reason, which the client gets first.
        code: Code,
    },
}

/// A change that concerns one user, in any room. It says what to read again, not the new value: the receiver reads
/// that from the database, where it is at least as new as the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserEvent {
    /// The user's membership of this room changed: joined or left, role, or read mark.
    Room(RoomId),
    /// The user marked everything in all rooms as read.
    Rooms,
    /// The user has a new notification that is stored as a row, with this id.
    #[serde(rename = "notice")]
    NotificationRow(i64),
}

/// What watchers of a room need to know of a new message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessageNotice {
    /// The message's `seq`.
    pub seq: i64,
    /// The users it mentions.
    pub mentioned: Vec<UserId>,
    /// The user to whose message it replies, unless it mentions them.
    pub replied_to: Option<UserId>,
}

/// A serialised frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// JSON in UTF-8.
    pub json: Bytes,
    /// The room's `rev` of the change; `None` for volatile frames.
    pub rev: Option<i64>,
    /// Who receives it.
    pub audience: Audience,
    /// Set only for new messages.
    pub new_message: Option<Arc<NewMessageNotice>>,
    /// An alternative frame for sockets that already have the message.
    pub already_seen: Option<Arc<AlreadySeen>>,
}

/// The variant of a frame with a new message for sockets that already have it: the message's later change.
#[derive(Clone, Debug)]
pub struct AlreadySeen {
    /// Sockets opened at this `rev` or later already have the message.
    pub since: i64,
    /// The frame for them, JSON in UTF-8.
    pub json: Bytes,
}

/// Which sockets of the room receive a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All sockets.
    Everyone,
    /// All sockets except those of this user.
    Others(UserId),
}

impl Event {
    /// Approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.bytes(),
            Self::Close { .. } => 0,
        }
    }
}

impl Frame {
    /// Size of the JSON in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.json.len() + self.already_seen.as_ref().map_or(0, |seen| seen.json.len())
    }

    /// Serialises `frame`. `None` if serde fails, which does not happen with our types.
    pub fn new(frame: &ServerFrame, rev: Option<i64>, audience: Audience) -> Option<Self> {
        match serde_json::to_vec(frame) {
            Ok(json) => Some(Self::serialised(Bytes::from(json), rev, audience)),
            Err(error) => {
                tracing::error!(%error, "a frame could not be serialised");
                None
            }
        }
    }

    /// A frame from JSON that is already serialised.
    pub fn serialised(json: Bytes, rev: Option<i64>, audience: Audience) -> Self {
        Self { json, rev, audience, new_message: None, already_seen: None }
    }
}
