//! A stretch of a room's history as a page shows it, and what its reader may do there.

use serde::{Deserialize, Serialize};

use super::{event::RoomMessage, id::MessageId};

/// Which stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowAt {
    /// The one that ends with the newest message.
    #[default]
    Newest,
    /// What was before this message.
    Before(MessageId),
    /// What came after it.
    After(MessageId),
    /// This message, in the middle of what was before and after. The newest stretch where the room has no such.
    Around(MessageId),
}

/// The stretch itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWindow {
    /// The messages, from the oldest.
    pub messages: Vec<RoomMessage>,
    /// Is there more before?
    pub has_earlier: bool,
    /// Is there more after?
    pub has_later: bool,
    /// What these messages answer and is not among them; the beginning of it.
    pub quoted: Vec<RoomMessage>,
    /// The newest message that the reader has read, where there are newer ones.
    pub left_off: Option<MessageId>,
    /// A change number of the room that holds all that is here.
    pub rev: i64,
    /// What the reader may do.
    pub rights: Rights,
}

/// What somebody may do with a room's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Write, and edit what they wrote.
    pub write: bool,
    /// Delete what they wrote.
    pub delete_own: bool,
    /// Delete what others wrote.
    pub delete_any: bool,
}
