//! What the hub distributes: stored changes of a room, volatile frames, and events of a user.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::{Code, NotificationReason, ReadMark, RoomId, ServerFrame, User, UserId, UserRef};

/// An event with its audience.
#[derive(Clone, Debug)]
pub enum Publication {
    /// For all sockets of a room: a stored change.
    Change(RoomId, StoredChange),
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
    /// For all notification sockets of the room's members: this member has new names.
    Renamed(RoomId, User),
}

/// A serialised change of a room.
#[derive(Clone, Debug)]
pub struct StoredChange {
    /// The number of the change in the room's stream.
    pub rev: i64,
    /// The frame, JSON in UTF-8.
    pub json: Bytes,
    /// What it means beyond the frame.
    pub kind: ChangeKind,
}

/// What a stored change means for the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new message.
    NewMessage(Arc<NewMessageNotice>),
    /// An edit or a deletion of a message.
    MessageChanged,
    /// A membership changed.
    Member(MemberNotice),
    /// The room itself changed.
    Room {
        /// If it was deleted, the reason to close all its sockets with.
        closes: Option<Code>,
    },
    /// More was missed than is backfilled.
    Resync,
}

/// What watchers of a room need to know of a new message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessageNotice {
    /// The message's `seq`.
    pub seq: i64,
    /// The users it mentions.
    pub mentioned: Vec<MentionNotice>,
}

/// A user whom a new message mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MentionNotice {
    /// The user.
    pub user: UserId,
    /// The number of the mention in the user's stream.
    pub rev: i64,
    /// Why, if their name is not in the text.
    pub reason: Option<NotificationReason>,
}

/// What the hub needs to know of a membership's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberNotice {
    /// The user concerned.
    pub user: UserId,
    /// Number of members after it.
    pub member_count: i64,
    /// The reason to close the user's sockets to the room with, if they lost access.
    pub closes: Option<Code>,
}

/// An event for the sockets of a room, as they receive it.
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
        /// The room's `rev` of the change that closes them.
        rev: i64,
    },
}

/// A change that concerns one user. It says what to read again, not the new value: the receiver reads that from the
/// database, where it is at least as new as the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEvent {
    /// The number of the change in the user's stream; `None` for a change that the stream does not number.
    pub rev: Option<i64>,
    /// What changed.
    pub change: UserChange,
}

/// What changed about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserChange {
    /// Their membership of this room: joined or left, or their role in it.
    Room(RoomId),
    /// Their read mark in this room.
    Read(RoomId),
    /// A notification that is stored as a row: new, or changed.
    Notification,
    /// Anything: several changes have this number, or no event said what changed.
    Unknown,
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
}

/// Which sockets of the room receive a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All sockets.
    Everyone,
    /// All sockets except those of this user.
    Others(UserId),
    /// Only the sockets of this user.
    Only(UserId),
}

impl Audience {
    /// Whether `user` receives the frame.
    pub(crate) fn includes(self, user: UserId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Others(author) => author != user,
            Self::Only(only) => only == user,
        }
    }
}

impl StoredChange {
    /// Serialises `frame`. `None` if serde fails, which does not happen with our types.
    pub fn new(frame: &ServerFrame, rev: i64, kind: ChangeKind) -> Option<Self> {
        Some(Self { rev, json: to_json(frame)?, kind })
    }

    /// Size of the JSON in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.json.len()
    }

    /// The frame, for these sockets.
    pub(crate) fn into_frame(self, audience: Audience) -> Frame {
        Frame { json: self.json, rev: Some(self.rev), audience }
    }
}

impl Event {
    /// Whether a socket of this user receives it.
    pub(crate) fn is_for(&self, user: UserId) -> bool {
        match self {
            Self::Frame(frame) => frame.audience.includes(user),
            Self::Close { user: whose, .. } => whose.is_none_or(|whose| whose == user),
        }
    }

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
        self.json.len()
    }

    /// Serialises a volatile frame. `None` if serde fails, which does not happen with our types.
    pub fn volatile(frame: &ServerFrame, audience: Audience) -> Option<Self> {
        Some(Self { json: to_json(frame)?, rev: None, audience })
    }
}

/// Serialises a frame as JSON. `None` if serde fails, which does not happen with our types.
pub(crate) fn to_json<T: Serialize>(frame: &T) -> Option<Bytes> {
    match serde_json::to_vec(frame) {
        Ok(json) => Some(Bytes::from(json)),
        Err(error) => {
            tracing::error!(%error, "a frame could not be serialised");
            None
        }
    }
}
