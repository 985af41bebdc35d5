//! The frames of the room socket, both ways.
//!
//! A tab from the last release talks to this server and the reverse, so decoding
//! has a safe answer for a `type` it does not know; our own matches have no
//! catch-all arm.

use serde::{Deserialize, Serialize};

use super::{
    failure::Code,
    id::{MessageId, RoomId},
    member::{MemberChange, Role},
    message::{Message, MessageDraft, MessageType},
    timestamp::Timestamp,
    user::{User, UserRef},
};

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Who I am: first, for a socket opened without credentials; later, to go on with a fresh access token.
    Authenticate {
        /// An access token.
        token: String,
    },
    /// Store this and tell everyone.
    ChatMessage(MessageDraft),
    /// I am, or am no longer, writing.
    Typing {
        /// Whether.
        is_typing: bool,
    },
    /// I am here.
    UserJoin,
    /// I am away, until my next frame.
    UserLeave,
    /// I have read this message and all before it.
    MessageRead {
        /// Which.
        message_id: i64,
    },
    /// Are you there?
    Ping,
}

/// A message as the room socket shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomMessage {
    /// Its id.
    pub id: MessageId,
    /// The text.
    pub content: String,
    /// What kind it is.
    pub message_type: MessageType,
    /// The same as `created_at`; the Django system's name for it.
    pub timestamp: Timestamp,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Who wrote it.
    pub sender: User,
    /// The message it answers.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub reply_to: Option<MessageId>,
    /// Where its file is.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_url: Option<String>,
    /// What its file is called.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_name: Option<String>,
    /// Its file's size in bytes.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub file_size: Option<i64>,
    /// Was it changed since?
    pub is_edited: bool,
    /// Was it deleted?
    pub is_deleted: bool,
    /// The sender's own id for it.
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

/// That somebody has read a message and all before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadMark {
    /// Up to which.
    pub message_id: MessageId,
    /// Who.
    pub user: User,
    /// Since when.
    pub read_at: Timestamp,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Always the first.
    ConnectionEstablished {
        /// `连接成功`.
        message: String,
        /// The room this socket is in.
        room_id: RoomId,
        /// Who the server takes you for.
        user: User,
        /// The newest message; null in an empty room.
        #[cfg_attr(feature = "openapi", schema(required = true))]
        last_message_id: Option<MessageId>,
        /// The room's change number: what comes later has a higher one.
        rev: i64,
    },
    /// A new message.
    ChatMessage {
        /// The message.
        message: RoomMessage,
        /// The room's change number.
        rev: i64,
    },
    /// A message has new words.
    MessageEdited {
        /// The message as it is now.
        message: RoomMessage,
        /// The room's change number.
        rev: i64,
    },
    /// A message is gone.
    MessageDeleted {
        /// Which.
        message_id: MessageId,
        /// The room's change number.
        rev: i64,
    },
    /// Somebody is, or is no longer, writing.
    Typing {
        /// Who.
        user: UserRef,
        /// Whether.
        is_typing: bool,
    },
    /// Somebody's first socket came in.
    UserJoin {
        /// Who.
        user: UserRef,
    },
    /// Somebody's last socket went.
    UserLeave {
        /// Who.
        user: UserRef,
    },
    /// Somebody has read this message and all before it. State, not history: it has no `rev`.
    MessageRead {
        /// Up to which.
        message_id: MessageId,
        /// Who.
        user: User,
        /// Since when.
        read_at: Timestamp,
        /// Others who have, told along with this one: in a room of many.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<ReadMark>,
    },
    /// Somebody came in, went, or has another standing. State, not history: it has no `rev`,
    /// and what was missed is in the room's list of members.
    MemberChanged {
        /// Whose membership.
        user: User,
        /// What happened to it.
        change: MemberChange,
        /// Their role now.
        role: Role,
        /// How many are in the room now.
        member_count: i64,
    },
    /// Too much was missed: read the history by REST. Live ones follow.
    Resync {
        /// The room's change number now.
        rev: i64,
    },
    /// The socket goes on with the access token that you sent.
    Authenticated,
    /// Here.
    Pong,
    /// Something you sent was refused, or the reason of the close that follows.
    Error {
        /// One sentence for a person.
        message: String,
        /// The stable word.
        code: Code,
        /// The message it is about, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
    },
    /// A newer server's frame, which this client does not know.
    #[serde(other)]
    Unknown,
}
