//! What one is about to do with a message, above the composer: answer it, edit it, delete it, see who has read it.
//!
//! Each has an address of its own, so that all of it works without a script.

use chat::model::{MessageId, MessagePermissions, MessageType, RoomId, RoomMessage, UserId};

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Nothing of the kind: one writes.
    #[default]
    Writing,
    /// The next message answers this one.
    Replying(MessageId),
    /// This one gets other words.
    Editing(MessageId),
    /// This one is to be deleted, if one really means it.
    Deleting(MessageId),
    /// Who has read this one?
    Readers(MessageId),
}

impl Doing {
    /// As the address says: `?message=5&do=reply`.
    pub fn from_words(message: Option<MessageId>, word: Option<&str>) -> Self {
        match (message, word) {
            (Some(id), Some("reply")) => Self::Replying(id),
            (Some(id), Some("edit")) => Self::Editing(id),
            (Some(id), Some("delete")) => Self::Deleting(id),
            (Some(id), Some("readers")) => Self::Readers(id),
            _ => Self::Writing,
        }
    }

    /// The word in the address.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Writing => None,
            Self::Replying(_) => Some("reply"),
            Self::Editing(_) => Some("edit"),
            Self::Deleting(_) => Some("delete"),
            Self::Readers(_) => Some("readers"),
        }
    }

    /// The message it is about.
    pub fn message(self) -> Option<MessageId> {
        match self {
            Self::Writing => None,
            Self::Replying(id) | Self::Editing(id) | Self::Deleting(id) | Self::Readers(id) => Some(id),
        }
    }

    /// May `me`, who has these rights, do it with this message?
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

    /// Where a page without a script goes for it. The fragment has the browser show the message.
    pub fn path(self, room: RoomId) -> String {
        match (self.message(), self.word()) {
            (Some(id), Some(word)) => format!("/rooms/{room}?message={id}&do={word}#message-{id}"),
            _ => format!("/rooms/{room}"),
        }
    }
}

/// The address of a message, to be passed on.
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
    fn only_what_one_may_do_is_offered() {
        let id = MessageId(5);
        let all = [Doing::Replying(id), Doing::Editing(id), Doing::Deleting(id), Doing::Readers(id)];
        let offered = |sender, rights| all.map(|doing| doing.is_allowed(&message(sender), UserId(1), rights));
        let member = MessagePermissions { write: true, delete_own: true, delete_any: false };
        assert_eq!(offered(1, member), [true, true, true, true]);
        assert_eq!(offered(2, member), [true, false, false, true]);
        assert_eq!(offered(2, MessagePermissions { delete_any: true, ..member }), [true, false, true, true]);
        assert_eq!(offered(1, MessagePermissions { write: false, ..member }), [false, false, true, true]);
        let gone = RoomMessage { is_deleted: true, ..message(1) };
        assert!(all.iter().all(|doing| !doing.is_allowed(&gone, UserId(1), member)));
    }

    #[test]
    fn what_one_does_is_found_again_in_its_address() {
        let id = MessageId(5);
        for doing in [Doing::Replying(id), Doing::Editing(id), Doing::Deleting(id), Doing::Readers(id)] {
            let path = doing.path(RoomId(2));
            let word = path.split("do=").nth(1).and_then(|rest| rest.split('#').next());
            assert_eq!(Doing::from_words(Some(id), word), doing, "{path}");
        }
        assert_eq!(Doing::Writing.path(RoomId(2)), "/rooms/2");
        assert_eq!(Doing::from_words(None, Some("edit")), Doing::Writing);
        assert_eq!(Doing::from_words(Some(id), Some("explode")), Doing::Writing);
    }
}
