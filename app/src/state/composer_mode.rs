//! What the composer, or the banner above it, is used for: reply, edit, delete, show readers.
//!
//! Each mode has its own address, so that all of them work without a script.

use chat::model::{MessageId, MessagePermissions, MessageType, RoomId, RoomMessage, UserId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComposerMode {
    /// A new message.
    #[default]
    Writing,
    /// A reply to this message.
    Replying(MessageId),
    /// An edit of this message.
    Editing(MessageId),
    /// Asks for confirmation to delete this message.
    Deleting(MessageId),
    /// Shows who has read this message.
    Readers(MessageId),
}

impl ComposerMode {
    /// From the query `?message=5&do=reply`.
    pub fn from_query(message: Option<MessageId>, value: Option<&str>) -> Self {
        match (message, value) {
            (Some(id), Some("reply")) => Self::Replying(id),
            (Some(id), Some("edit")) => Self::Editing(id),
            (Some(id), Some("delete")) => Self::Deleting(id),
            (Some(id), Some("readers")) => Self::Readers(id),
            _ => Self::Writing,
        }
    }

    fn query_value(self) -> Option<&'static str> {
        match self {
            Self::Writing => None,
            Self::Replying(_) => Some("reply"),
            Self::Editing(_) => Some("edit"),
            Self::Deleting(_) => Some("delete"),
            Self::Readers(_) => Some("readers"),
        }
    }

    pub fn message(self) -> Option<MessageId> {
        match self {
            Self::Writing => None,
            Self::Replying(id) | Self::Editing(id) | Self::Deleting(id) | Self::Readers(id) => Some(id),
        }
    }

    /// Whether `me`, with these permissions, may use it with this message.
    pub fn is_allowed(self, message: &RoomMessage, me: UserId, rights: MessagePermissions) -> bool {
        let is_own = message.sender.id == me;
        match self {
            Self::Writing => true,
            _ if message.is_deleted => false,
            Self::Replying(_) => rights.write,
            Self::Editing(_) => rights.write && is_own && message.message_type == MessageType::Text,
            Self::Deleting(_) => rights.delete_any || (rights.delete_own && is_own),
            Self::Readers(_) => true,
        }
    }

    /// The address of this mode; its fragment scrolls to the message.
    pub fn path(self, room: RoomId) -> String {
        match (self.message(), self.query_value()) {
            (Some(id), Some(value)) => format!("/rooms/{room}?message={id}&do={value}#message-{id}"),
            _ => format!("/rooms/{room}"),
        }
    }
}

/// The address of a message, for sharing.
pub fn message_path(room: RoomId, message: MessageId) -> String {
    format!("/rooms/{room}?message={message}")
}

#[cfg(test)]
mod tests {
    use chat::model::{Timestamp, User};

    use super::*;

    fn message(sender: i64) -> RoomMessage {
        RoomMessage {
            id: MessageId(5),
            content: "hi".into(),
            message_type: MessageType::Text,
            timestamp: Timestamp(0),
            created_at: Timestamp(0),
            sender: User {
                id: UserId(sender),
                username: "u".into(),
                first_name: String::new(),
                last_name: String::new(),
            },
            reply_to: None,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: None,
        }
    }

    #[test]
    fn only_allowed_modes_are_offered() {
        let id = MessageId(5);
        let all = [
            ComposerMode::Replying(id),
            ComposerMode::Editing(id),
            ComposerMode::Deleting(id),
            ComposerMode::Readers(id),
        ];
        let offered = |sender, rights| all.map(|mode| mode.is_allowed(&message(sender), UserId(1), rights));
        let member = MessagePermissions { write: true, delete_own: true, delete_any: false };
        assert_eq!(offered(1, member), [true, true, true, true]);
        assert_eq!(offered(2, member), [true, false, false, true]);
        assert_eq!(offered(2, MessagePermissions { delete_any: true, ..member }), [true, false, true, true]);
        assert_eq!(offered(1, MessagePermissions { write: false, ..member }), [false, false, true, true]);
        let gone = RoomMessage { is_deleted: true, ..message(1) };
        assert!(all.iter().all(|mode| !mode.is_allowed(&gone, UserId(1), member)));
    }

    #[test]
    fn mode_round_trips_through_its_address() {
        let id = MessageId(5);
        for mode in [
            ComposerMode::Replying(id),
            ComposerMode::Editing(id),
            ComposerMode::Deleting(id),
            ComposerMode::Readers(id),
        ] {
            let path = mode.path(RoomId(2));
            let value = path.split("do=").nth(1).and_then(|rest| rest.split('#').next());
            assert_eq!(ComposerMode::from_query(Some(id), value), mode, "{path}");
        }
        assert_eq!(ComposerMode::Writing.path(RoomId(2)), "/rooms/2");
        assert_eq!(ComposerMode::from_query(None, Some("edit")), ComposerMode::Writing);
        assert_eq!(ComposerMode::from_query(Some(id), Some("explode")), ComposerMode::Writing);
    }
}
