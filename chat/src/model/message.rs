//! Messages, as REST shows them; sockets use [`super::event::RoomMessage`].

use serde::{Deserialize, Serialize};

use super::{id::MessageId, room::RoomRef, timestamp::Timestamp, user::User};

/// What kind of message it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// A picture, at `file_url`.
    Image,
    /// A file, at `file_url`.
    File,
    /// The server's own words; no client may send it.
    System,
    /// Words. Also what a newer server's unknown kind is shown as.
    #[default]
    #[serde(other)]
    Text,
}

impl MessageType {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::System => "system",
        }
    }

    /// Reads the word as it is stored; an unknown one is shown as text.
    pub fn from_word(word: &str) -> Self {
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
    /// Its id, rising within the room.
    pub id: MessageId,
    /// The room it is in.
    pub room: RoomRef,
    /// Who wrote it.
    pub sender: User,
    /// What kind it is.
    pub message_type: MessageType,
    /// The text; Markdown in the bundled UI.
    pub content: String,
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
    /// Was it deleted? Then `content` says nothing else.
    pub is_deleted: bool,
    /// The message it answers, of the same room.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub reply_to: Option<MessageId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The sender's own id for it, with which a repeat is recognised.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub client_id: Option<String>,
    /// The room's change number of its last change.
    pub rev: i64,
}

/// What a deleted message says everywhere it is shown (contract).
pub const DELETED_CONTENT: &str = "[消息已删除]";

/// A page of a room's history, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Which page, from 1.
    pub page: i64,
    /// How many a page has.
    pub page_size: i64,
    /// How many messages the room has.
    pub total: i64,
    /// Is there more in the direction of reading?
    pub has_more: bool,
}

/// What a sender asks to be stored, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageDraft {
    /// 1 to 10,000 characters, not blank.
    pub content: String,
    /// `text` when nothing is said.
    #[serde(default)]
    pub message_type: Option<String>,
    /// http(s), or a path this server gave out.
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
