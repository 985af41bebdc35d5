//! Frames of rooms, as the server sends them.
//!
//! Client and server versions may differ (an open tab of the last release, a newer server), so an unknown `type` is
//! decoded to a fallback variant. Matches in our own code have no catch-all arm.

use serde::{Deserialize, Serialize};

use super::{
    failure::Code,
    id::{MessageId, RoomId, UserId},
    member::MemberChange,
    message::{Message, MessageType},
    role::Role,
    room::RoomInfo,
    timestamp::Timestamp,
    user::{User, UserRef},
};

/// A message as the room socket shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomMessage {
    /// The message's id.
    pub id: MessageId,
    /// The text.
    pub content: String,
    /// The kind of message.
    pub message_type: MessageType,
    /// Same as `created_at`, under the name the Django system used.
    pub timestamp: Timestamp,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The author.
    pub sender: User,
    /// The message this one replies to.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub reply_to: Option<MessageId>,
    /// URL of the attached file.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_url: Option<String>,
    /// Name of the attached file.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_name: Option<String>,
    /// Size of the attached file in bytes.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_size: Option<i64>,
    /// Whether it was edited.
    pub is_edited: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// The id chosen by the sender, for idempotent retries.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub client_id: Option<String>,
}

impl From<&Message> for RoomMessage {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            content: message.content.clone(),
            message_type: message.message_type,
            timestamp: message.created_at,
            created_at: message.created_at,
            sender: message.sender.clone(),
            reply_to: message.reply_to,
            file_url: message.file_url.clone(),
            file_name: message.file_name.clone(),
            file_size: message.file_size,
            is_edited: message.is_edited,
            is_deleted: message.is_deleted,
            client_id: message.client_id.clone(),
        }
    }
}

/// A read receipt: a user has read a message and all earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadMark {
    /// The newest message read.
    pub message_id: MessageId,
    /// The reader.
    pub user: User,
    /// When it was first read.
    pub read_at: Timestamp,
}

/// A frame sent by the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Always the first frame.
    ConnectionEstablished {
        /// `连接成功`.
        message: String,
        /// The room of this socket.
        room_id: RoomId,
        /// The authenticated user.
        user: User,
        /// The newest message; null in an empty room.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        last_message_id: Option<MessageId>,
        /// The room's change number. Later frames have a higher one.
        rev: i64,
        /// The release of the server and of its web pages: a page of another one can offer to reload.
        #[serde(default)]
        build: String,
    },
    /// The answer to `subscribe`. What was missed follows, then live frames of the room.
    Subscribed {
        /// The room.
        room_id: RoomId,
        /// The newest message; null in an empty room.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        last_message_id: Option<MessageId>,
        /// The room's change number.
        rev: i64,
        /// The ids of the users who are present, oneself too; at most 200.
        present: Vec<UserId>,
    },
    /// The answer to `unsubscribe`, also if there was no subscription.
    Unsubscribed {
        /// The room.
        room_id: RoomId,
    },
    /// A member of a subscribed room opened their first socket of any kind, or closed the last one. Current state, not
    /// history, so it has no `rev`.
    Presence {
        /// The user.
        user_id: UserId,
        /// Whether the user has any socket.
        is_online: bool,
    },
    /// A new message.
    ChatMessage {
        /// The room.
        room_id: RoomId,
        /// The message.
        message: RoomMessage,
        /// The room's change number.
        rev: i64,
    },
    /// A message was edited.
    MessageEdited {
        /// The room.
        room_id: RoomId,
        /// The message as it is now.
        message: RoomMessage,
        /// The room's change number.
        rev: i64,
    },
    /// A message was deleted.
    MessageDeleted {
        /// The room.
        room_id: RoomId,
        /// The id of the message.
        message_id: MessageId,
        /// The room's change number.
        rev: i64,
    },
    /// A user started or stopped typing.
    Typing {
        /// The room.
        room_id: RoomId,
        /// The user.
        user: UserRef,
        /// Whether the user is typing.
        is_typing: bool,
    },
    /// A user's first socket connected.
    UserJoin {
        /// The room.
        room_id: RoomId,
        /// The user.
        user: UserRef,
    },
    /// A user's last socket disconnected.
    UserLeave {
        /// The room.
        room_id: RoomId,
        /// The user.
        user: UserRef,
    },
    /// A user has read this message and all earlier ones. Current state, not history, so it has no `rev`.
    MessageRead {
        /// The room.
        room_id: RoomId,
        /// The newest message read.
        message_id: MessageId,
        /// The reader.
        user: User,
        /// When it was first read.
        read_at: Timestamp,
        /// Further read receipts, batched into this frame in large rooms.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<ReadMark>,
    },
    /// A membership changed.
    MemberChanged {
        /// The room.
        room_id: RoomId,
        /// The user concerned.
        user: User,
        /// What changed; `state` after a reconnect.
        change: MemberChange,
        /// Their role now.
        role: Role,
        /// Whether they are in the room now, banned or not.
        #[serde(default)]
        is_present: bool,
        /// Whether they are muted now.
        #[serde(default)]
        is_muted: bool,
        /// Whether they are banned now.
        #[serde(default)]
        is_banned: bool,
        /// Number of members now.
        member_count: i64,
        /// The room's change number.
        #[serde(default)]
        rev: i64,
    },
    /// Many memberships changed. A client that shows the member list reads it again.
    MembersChanged {
        /// The room.
        room_id: RoomId,
        /// Number of members now.
        member_count: i64,
        /// The room's change number.
        rev: i64,
    },
    /// The room itself changed, or was deleted.
    RoomChanged {
        /// The room.
        room_id: RoomId,
        /// The room now.
        room: RoomInfo,
        /// The room's change number.
        rev: i64,
    },
    /// Too many changes were missed: read the history by REST. Live frames follow.
    Resync {
        /// The room.
        room_id: RoomId,
        /// The room's change number now.
        rev: i64,
    },
    /// The access token sent in `authenticate` was accepted.
    Authenticated,
    /// The answer to `ping`.
    Pong,
    /// A frame of the client was refused, or the reason of the close that follows.
    Error {
        /// One sentence for people.
        message: String,
        /// Stable machine-readable code.
        code: Code,
        /// The `client_id` of the message concerned, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        /// The room concerned, on `/ws/`. Except for a frame of the client that was refused, the subscription to the room
        /// has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<RoomId>,
    },
    /// A frame of a newer server that this client does not know.
    #[serde(other)]
    Unknown,
}
