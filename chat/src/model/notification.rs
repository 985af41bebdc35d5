//! Notifications, and read receipts of a message.

use serde::{Deserialize, Serialize};

use super::{
    event::RoomMessage,
    id::{MAX_ID, MessageId, NotificationId, RoomId},
    message::MessageType,
    room::{LastMessage, Room, RoomInfo},
    timestamp::Timestamp,
    user::User,
};

/// A kind of notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// A new message in a room the user is a member of.
    Message,
    /// A message that mentions the user (`@username`), or replies to a message of theirs.
    Mention,
    /// The user was added to a room.
    RoomInvite,
    /// A notice of the server. Unknown kinds of a newer server are decoded to this one.
    #[default]
    #[serde(other)]
    System,
}

impl NotificationType {
    /// The kind's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Mention => "mention",
            Self::RoomInvite => "room_invite",
            Self::System => "system",
        }
    }

    /// Parses a kind's name in the database; an unknown one becomes [`Self::System`].
    pub fn from_stored(word: &str) -> Self {
        match word {
            "message" => Self::Message,
            "mention" => Self::Mention,
            "room_invite" => Self::RoomInvite,
            _ => Self::System,
        }
    }
}

/// Why a notification is one, where its type does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationReason {
    /// A mention: the message replies to one of the user's, and does not name them.
    Reply,
    /// A reason of a newer server.
    #[serde(other)]
    Unknown,
}

impl NotificationReason {
    /// The reason's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Unknown => "unknown",
        }
    }

    /// Parses a reason's name in the database.
    pub fn from_stored(word: &str) -> Self {
        if word == "reply" { Self::Reply } else { Self::Unknown }
    }
}

/// The decoded form of a [`NotificationId`].
///
/// Notifications of messages and mentions have no row of their own that could give them an id. Theirs is twice the
/// message's id; stored notifications use the odd numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationRef {
    /// The notification of this message.
    Message(MessageId),
    /// The stored notification with this row id.
    Row(i64),
}

impl From<NotificationRef> for NotificationId {
    fn from(notification: NotificationRef) -> Self {
        match notification {
            NotificationRef::Message(id) => Self(id.0 * 2),
            NotificationRef::Row(id) => Self(id * 2 + 1),
        }
    }
}

impl NotificationId {
    /// Decodes the id; `None` if no notification can have it.
    pub fn to_ref(self) -> Option<NotificationRef> {
        match self.0 {
            2..=MAX_ID if self.0 % 2 == 0 => Some(NotificationRef::Message(MessageId(self.0 / 2))),
            3..=MAX_ID => Some(NotificationRef::Row(self.0 / 2)),
            _ => None,
        }
    }
}

/// A notification as its recipient sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// The notification's id; newer ones of the same kind have larger ids.
    pub id: NotificationId,
    /// The kind of notification.
    pub notification_type: NotificationType,
    /// Why, where the type does not say it: a mention by a reply to a message of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NotificationReason>,
    /// One line.
    pub title: String,
    /// The message's text, or the text of the notice.
    pub content: String,
    /// The room it is about.
    pub room: Room,
    /// The message it is about.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub message: Option<NotifiedMessage>,
    /// Whether it was read. Reading the message or a later one of the room marks it as read too.
    pub is_read: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The prefix of the sender's name in the title of a message's notification (contract).
const FROM: &str = "新消息来自 ";

/// The title of the notification of a message sent by `username`.
pub fn message_title(username: &str) -> String {
    format!("{FROM}{username}")
}

/// The username in such a title; `None` in another one.
pub fn sender_in_title(title: &str) -> Option<&str> {
    title.strip_prefix(FROM)
}

impl Notification {
    /// The notification of a new message.
    pub fn of_message(message: &RoomMessage, room: Room) -> Self {
        Self {
            id: NotificationRef::Message(message.id).into(),
            notification_type: NotificationType::Message,
            reason: None,
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

    /// The username of the author of the message; `None` for a notification without a message.
    pub fn sender(&self) -> Option<&str> {
        self.message.as_ref().and_then(|_| sender_in_title(&self.title))
    }
}

/// The message that a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotifiedMessage {
    /// The message's id.
    pub id: MessageId,
    /// Its current text.
    pub content: String,
    /// The kind of message.
    pub message_type: MessageType,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A frame sent by the server on a notification socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NotificationFrame {
    /// Always the first frame.
    ConnectionEstablished {
        /// `连接成功`.
        message: String,
        /// The authenticated user.
        user: User,
        /// The user's change number. Later frames with a `rev` have a higher one.
        #[serde(default)]
        rev: i64,
        /// The release of the server and of its web pages: a page of another one can offer to reload.
        #[serde(default)]
        build: String,
    },
    /// A new notification.
    Notification {
        /// The notification, as in the REST list.
        notification: Box<Notification>,
        /// The user's change number; absent for the notification of a plain message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
    },
    /// The unread count of a room changed.
    Unread {
        /// The room's id.
        room_id: RoomId,
        /// The number of unread messages; 0 after the user left the room.
        unread_count: i64,
        /// The user's change number, if the user has read messages on another device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
        /// The room's change number, on a resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_rev: Option<i64>,
    },
    /// The user is now a member of this room.
    RoomAdded {
        /// The room as this user sees it.
        room: Box<Room>,
        /// The user's change number.
        rev: i64,
    },
    /// The user is no longer a member of this room, or it was deleted.
    RoomRemoved {
        /// The room's id.
        room_id: RoomId,
        /// The user's change number; absent if the room was deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
    },
    /// A room of the user was changed.
    RoomChanged {
        /// The room now.
        room: RoomInfo,
    },
    /// A user who shares a room with this one changed their name.
    UserChanged {
        /// The user now.
        user: User,
    },
    /// Too many changes were missed: read the rooms and the notifications by REST. Live frames follow.
    Resync {
        /// The user's change number now.
        rev: i64,
    },
    /// The newest message of a room was edited or deleted.
    LastMessage {
        /// The room's id.
        room_id: RoomId,
        /// The message now, as in the room's `last_message`.
        message: LastMessage,
    },
    /// A frame common to all sockets (see [`ServerFrame`](super::ServerFrame)), or one of a newer server.
    #[serde(other)]
    Other,
}

/// A user who has read a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageReader {
    /// The reader.
    pub user: User,
    /// When they first marked this message or a later one as read.
    pub read_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notification_ids_are_unique_and_decode_to_their_ref() {
        let references = [
            NotificationRef::Message(MessageId(1)),
            NotificationRef::Row(1),
            NotificationRef::Message(MessageId(2)),
        ];
        let ids = references.map(NotificationId::from);
        assert_eq!(ids.map(|id| id.0), [2, 3, 4]);
        assert_eq!(ids.map(NotificationId::to_ref), references.map(Some));
        for no_id in [-2, 0, 1, MAX_ID + 1] {
            assert_eq!(NotificationId(no_id).to_ref(), None, "{no_id}");
        }
    }
}
