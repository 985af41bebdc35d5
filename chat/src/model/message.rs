//! Messages as in the REST API; sockets use [`super::event::RoomMessage`].

use serde::{Deserialize, Serialize};

use super::{id::MessageId, room::RoomRef, timestamp::Timestamp, user::User};

/// A kind of message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// An image, at `file_url`.
    Image,
    /// A file, at `file_url`.
    File,
    /// A message of the server; clients cannot send it.
    System,
    /// Text. Unknown kinds of a newer server are decoded to this one.
    #[default]
    #[serde(other)]
    Text,
}

impl MessageType {
    /// The kind's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::System => "system",
        }
    }

    /// Parses a kind's name in the database; an unknown one becomes text.
    pub fn from_stored(word: &str) -> Self {
        match word {
            "image" => Self::Image,
            "file" => Self::File,
            "system" => Self::System,
            _ => Self::Text,
        }
    }
}

/// A message as REST shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// The message's id, increasing within the room.
    pub id: MessageId,
    /// The room of the message.
    pub room: RoomRef,
    /// The author.
    pub sender: User,
    /// The kind of message.
    pub message_type: MessageType,
    /// The text; the web UI renders it as Markdown.
    pub content: String,
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
    /// Whether it was deleted. If so, `content` is a fixed placeholder.
    pub is_deleted: bool,
    /// The message this one replies to, in the same room.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub reply_to: Option<MessageId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The id chosen by the sender, used to recognise a repeated message.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub client_id: Option<String>,
    /// The room's change number of the latest change of this message.
    pub rev: i64,
}

/// The text of a deleted message (contract).
pub const DELETED_CONTENT: &str = "[消息已删除]";

/// A page of a room's history, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// The page number, from 1.
    pub page: i64,
    /// Messages per page.
    pub page_size: i64,
    /// Number of messages in the room.
    pub total: i64,
    /// Whether there are further messages in the direction of reading.
    pub has_more: bool,
}

/// A message to send, not yet validated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageDraft {
    /// 1 to 10,000 characters, not blank.
    pub content: String,
    /// Default `text`.
    #[serde(default)]
    pub message_type: Option<String>,
    /// An http(s) URL.
    #[serde(default)]
    pub file_url: Option<String>,
    /// At most 255 characters.
    #[serde(default)]
    pub file_name: Option<String>,
    /// In bytes, not negative.
    #[serde(default)]
    pub file_size: Option<i64>,
    /// A message of the same room.
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// At most 64 characters.
    #[serde(default)]
    pub client_id: Option<String>,
}
