//! Notifications, and who has read a message.

use serde::{Deserialize, Serialize};

use super::{
    event::RoomMessage,
    id::{MAX_ID, MessageId, NotificationId, RoomId},
    message::MessageType,
    room::{LastMessage, Room},
    timestamp::Timestamp,
    user::User,
};

/// What a notification is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// Somebody wrote in a room one is in.
    Message,
    /// Somebody wrote one's name, `@` before it.
    Mention,
    /// Somebody brought one into a room.
    RoomInvite,
    /// The server's own words. Also what a newer server's unknown type is shown as.
    #[default]
    #[serde(other)]
    System,
}

impl NotificationType {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Mention => "mention",
            Self::RoomInvite => "room_invite",
            Self::System => "system",
        }
    }

    /// Reads the word as it is stored; an unknown one is the server's.
    pub fn from_word(word: &str) -> Self {
        match word {
            "message" => Self::Message,
            "mention" => Self::Mention,
            "room_invite" => Self::RoomInvite,
            _ => Self::System,
        }
    }
}

/// What a notification's id stands for. A notification of a message, mention or not,
/// has no row that its id could come from: it is the message's, doubled; the rows'
/// own ids take the odd numbers between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// That somebody wrote this message.
    Message(MessageId),
    /// The stored one of this number.
    Row(i64),
}

impl From<Notice> for NotificationId {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Message(id) => Self(id.0 * 2),
            Notice::Row(id) => Self(id * 2 + 1),
        }
    }
}

impl NotificationId {
    /// What it stands for; `None` when it can be no notification's.
    pub fn notice(self) -> Option<Notice> {
        match self.0 {
            2..=MAX_ID if self.0 % 2 == 0 => Some(Notice::Message(MessageId(self.0 / 2))),
            3..=MAX_ID => Some(Notice::Row(self.0 / 2)),
            _ => None,
        }
    }
}

/// A notification as its receiver sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Its id; newer ones of the same kind have larger ones.
    pub id: NotificationId,
    /// What it is about.
    pub notification_type: NotificationType,
    /// One line.
    pub title: String,
    /// The message's text, or the server's words.
    pub content: String,
    /// The room it is about.
    pub room: Room,
    /// The message it is about.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub message: Option<NotifiedMessage>,
    /// Was it read? So it is too once the message, or a later one of the room, was.
    pub is_read: bool,
    /// When it came.
    pub created_at: Timestamp,
}

/// What stands before the sender's name in the title of a message's notification (contract).
const FROM: &str = "新消息来自 ";

/// The title of a notification that `username` wrote a message.
pub fn message_title(username: &str) -> String {
    format!("{FROM}{username}")
}

impl Notification {
    /// That somebody wrote `message` just now.
    pub fn of_message(message: &RoomMessage, room: Room) -> Self {
        Self {
            id: Notice::Message(message.id).into(),
            notification_type: NotificationType::Message,
            title: message_title(&message.sender.username),
            content: message.content.clone(),
            room,
            message: Some(NotifiedMessage {
                id: message.id,
                content: message.content.clone(),
                message_type: message.message_type,
                created_at: message.created_at,
            }),
            is_read: false,
            created_at: message.created_at,
        }
    }

    /// The username of who wrote the message that this is about; `None` where it is about none.
    pub fn sender(&self) -> Option<&str> {
        self.message.as_ref().and_then(|_| self.title.strip_prefix(FROM))
    }
}

/// The message of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotifiedMessage {
    /// Its id.
    pub id: MessageId,
    /// Its text as it is now.
    pub content: String,
    /// What kind it is.
    pub message_type: MessageType,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// What the server says on a socket for notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NotificationFrame {
    /// Always the first.
    ConnectionEstablished {
        /// `连接成功`.
        message: String,
        /// Who the server takes you for.
        user: User,
    },
    /// There is a new one.
    Notification {
        /// The same as in the list.
        notification: Box<Notification>,
    },
    /// So many messages of this room are unread now.
    Unread {
        /// Which room.
        room_id: RoomId,
        /// How many; 0 also once you are no longer in it.
        unread_count: i64,
    },
    /// The newest message of this room was edited or deleted.
    LastMessage {
        /// Which room.
        room_id: RoomId,
        /// The message as it is now, as in the room's `last_message`.
        message: LastMessage,
    },
    /// What every socket says too (see [`ServerFrame`](super::ServerFrame)), or a newer
    /// server's frame.
    #[serde(other)]
    Other,
}

/// Who has read a message, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageReader {
    /// Who.
    pub user: User,
    /// When they first said that they had read it or a later one.
    pub read_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_stands_for_and_no_two_are_the_same() {
        let notices = [Notice::Message(MessageId(1)), Notice::Row(1), Notice::Message(MessageId(2))];
        let ids = notices.map(NotificationId::from);
        assert_eq!(ids.map(|id| id.0), [2, 3, 4]);
        assert_eq!(ids.map(NotificationId::notice), notices.map(Some));
        for no_id in [-2, 0, 1, MAX_ID + 1] {
            assert_eq!(NotificationId(no_id).notice(), None, "{no_id}");
        }
    }
}
