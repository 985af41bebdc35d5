//! A window of a room's history as the web UI shows it, with what the reader may do there.

use serde::{Deserialize, Serialize};

use super::{event::RoomMessage, id::MessageId};

/// Which part of the history to load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowAt {
    /// The newest messages.
    #[default]
    Newest,
    /// The messages before this one.
    Before(MessageId),
    /// The messages after this one.
    After(MessageId),
    /// This message with those before and after it; the newest messages if the room has no such message.
    Around(MessageId),
}

/// Consecutive messages of a room's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWindow {
    /// The messages, oldest first.
    pub messages: Vec<RoomMessage>,
    /// Whether there are earlier messages.
    pub has_earlier: bool,
    /// Whether there are later messages.
    pub has_later: bool,
    /// Messages outside this window that messages in it reply to, with their text shortened.
    pub quoted: Vec<RoomMessage>,
    /// The newest message that the reader has read, 0 if it was removed; `None` if there are no newer ones.
    #[serde(rename = "left_off")]
    pub last_read: Option<MessageId>,
    /// A change number of the room; every change up to it is contained in this window.
    pub rev: i64,
    /// What the reader may do.
    pub rights: MessagePermissions,
    /// The usernames of the members whom messages of the window may mention.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentioned: Vec<String>,
}

/// What a user may do with the messages of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePermissions {
    /// Send messages, and edit one's own.
    pub write: bool,
    /// Delete one's own messages.
    pub delete_own: bool,
    /// Delete messages of others.
    pub delete_any: bool,
}
