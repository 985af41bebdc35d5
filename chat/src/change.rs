//! A stored change of a room, and the frame that tells clients of it. Writer, resume and gap backfill all use this one
//! mapping.

use crate::model::{Message, RoomMessage, ServerFrame};

/// A change of a room that has a `rev`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoomChange<'a> {
    /// A message that is new to the client, in its current state.
    NewMessage {
        message: &'a Message,
        /// The `rev` of its creation, or of its latest change for a client that gets no frame of that change.
        rev: i64,
    },
    /// The latest change of a message that the client has: an edit or its deletion.
    MessageChanged(&'a Message),
}

impl RoomChange<'_> {
    /// The number of the change in the room's stream.
    pub(crate) fn rev(&self) -> i64 {
        match self {
            Self::NewMessage { rev, .. } => *rev,
            Self::MessageChanged(message) => message.rev,
        }
    }

    /// The frame for clients.
    pub(crate) fn frame(&self) -> ServerFrame {
        let rev = self.rev();
        match self {
            Self::NewMessage { message, .. } => {
                ServerFrame::ChatMessage { message: RoomMessage::from(*message), rev }
            }
            Self::MessageChanged(message) if message.is_deleted => {
                ServerFrame::MessageDeleted { message_id: message.id, rev }
            }
            Self::MessageChanged(message) => {
                ServerFrame::MessageEdited { message: RoomMessage::from(*message), rev }
            }
        }
    }
}
