//! Frames that clients send.

use serde::{Deserialize, Serialize};

use super::message::MessageDraft;

/// A frame sent by a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Authenticates the socket: as the first frame of a socket opened without credentials, or later with a fresh
    /// access token.
    Authenticate {
        /// An access token.
        token: String,
    },
    /// Sends a message to the room.
    ChatMessage {
        /// The room: required on `/ws/`, the socket's own elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<i64>,
        /// The message.
        #[serde(flatten)]
        draft: MessageDraft,
    },
    /// Starts or stops the typing indicator.
    Typing {
        /// The room: required on `/ws/`, the socket's own elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<i64>,
        /// Whether the user is typing.
        is_typing: bool,
    },
    /// Marks the user as present.
    UserJoin {
        /// The room: required on `/ws/`, the socket's own elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<i64>,
    },
    /// Marks the user as away until the next frame of this socket to the room.
    UserLeave {
        /// The room: required on `/ws/`, the socket's own elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<i64>,
    },
    /// Marks this message and all earlier ones as read.
    MessageRead {
        /// The room: required on `/ws/`, the socket's own elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<i64>,
        /// The id of the message.
        message_id: i64,
    },
    /// Subscribes to a room, or subscribes again from another position. Only on `/ws/`.
    Subscribe(Subscribe),
    /// Ends the subscription to a room. Only on `/ws/`.
    Unsubscribe {
        /// The room.
        room_id: i64,
    },
    /// Asks for a `pong`.
    Ping,
}

/// What a `subscribe` frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subscribe {
    /// The room.
    pub room_id: i64,
    /// Resume: every change after this change number, in order, then live ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_rev: Option<i64>,
    /// Resume: every message after this one, in order, then live ones. Not together with `after_rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_id: Option<i64>,
    /// Whether the user counts as present in the room; `false` only follows it.
    #[serde(default = "present_by_default")]
    pub here: bool,
}

fn present_by_default() -> bool {
    true
}
