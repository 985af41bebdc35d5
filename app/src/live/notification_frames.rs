//! Frames about the user, as the list of rooms needs them.

use chat::model::{LastMessage, MessageId, NotificationType, Room, RoomId, notification::sender_in_title};
use serde::Deserialize;

use crate::state::rooms::Rooms;

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationFrame {
    /// A member of another room, or too much was missed: the list has to be loaded.
    Reload,
    New(Box<NewNotification>),
    /// The unread count of a room.
    Unread {
        room_id: RoomId,
        unread_count: i64,
    },
    /// The newest message of a room was edited or deleted.
    LastMessage {
        room_id: RoomId,
        message: LastMessage,
    },
    /// No longer a member of a room.
    Removed {
        room_id: RoomId,
    },
    /// A room was changed.
    Changed(ChangedRoom),
    /// Unknown or not needed.
    Other,
}

/// The fields of a notification that are used here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewNotification {
    pub notification_type: NotificationType,
    title: String,
    pub room: Room,
    pub message: Option<NotifiedMessage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NotifiedMessage {
    pub id: MessageId,
    pub content: String,
}

impl NewNotification {
    /// The username of the author of the message.
    pub fn sender(&self) -> Option<&str> {
        sender_in_title(&self.title)
    }
}

/// The words of a room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangedRoom {
    pub id: RoomId,
    pub name: String,
    pub description: String,
}

/// The fields of the frames of every type: one struct, because each costs the wasm a parser of its own.
#[derive(Deserialize)]
struct Fields {
    unread_count: Option<i64>,
    message: Option<LastMessage>,
    notification: Option<Box<NewNotification>>,
    room: Option<ChangedRoom>,
}

/// Decodes a frame of this type. Anything else, also frames about a room that is followed, becomes
/// [`NotificationFrame::Other`].
pub fn decode(kind: &str, room: Option<RoomId>, frame: &[u8]) -> NotificationFrame {
    let is_wanted = matches!(kind, "notification" | "unread" | "last_message" | "room_changed");
    match (kind, room) {
        ("room_added", _) | ("resync", None) => return NotificationFrame::Reload,
        ("room_removed", Some(room_id)) => return NotificationFrame::Removed { room_id },
        _ if !is_wanted => return NotificationFrame::Other,
        _ => {}
    }
    let Ok(fields) = serde_json::from_slice(frame) else { return NotificationFrame::Other };
    match (fields, room) {
        (Fields { notification: Some(notification), .. }, _) => NotificationFrame::New(notification),
        (Fields { unread_count: Some(unread_count), .. }, Some(room_id)) => {
            NotificationFrame::Unread { room_id, unread_count }
        }
        (Fields { message: Some(message), .. }, Some(room_id)) => {
            NotificationFrame::LastMessage { room_id, message }
        }
        (Fields { room: Some(room), .. }, _) => NotificationFrame::Changed(room),
        _ => NotificationFrame::Other,
    }
}

/// Applies the frame to the list; `current` is the open room.
pub fn apply(frame: &NotificationFrame, rooms: &mut Rooms, current: Option<RoomId>) {
    match frame {
        NotificationFrame::New(notification) => {
            rooms.apply_notification(notification.notification_type, &notification.room, current);
        }
        NotificationFrame::Unread { room_id, unread_count } => {
            rooms.set_unread(*room_id, *unread_count);
        }
        NotificationFrame::LastMessage { room_id, message } => {
            rooms.update_last_message(*room_id, message, current);
        }
        NotificationFrame::Removed { room_id } => rooms.remove(*room_id),
        NotificationFrame::Changed(room) => rooms.set_words(room.id, &room.name, &room.description),
        NotificationFrame::Reload | NotificationFrame::Other => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = r#"{"type":"notification","notification":{"id":8,"notification_type":"mention",
        "title":"新消息来自 mei","content":"@lin 在吗","room":{"id":3,"name":"发布","description":"",
        "room_type":"public","created_by":{"id":1,"username":"mei","first_name":"","last_name":""},
        "member_count":2,"is_active":true,"max_members":50,"created_at":"2026-01-25T15:30:00.123456Z",
        "updated_at":"2026-01-25T15:30:00.123456Z","last_message":null,"is_member":true,"my_role":"member",
        "unread_count":4},"message":{"id":4,"content":"@lin 在吗","message_type":"text",
        "created_at":"2026-01-25T15:30:00.123456Z"},"is_read":false,"created_at":"2026-01-25T15:30:00.123456Z"}}"#;

    fn decode(text: &str) -> NotificationFrame {
        #[derive(Deserialize)]
        struct Head {
            r#type: String,
            room_id: Option<RoomId>,
        }
        let head: Head = serde_json::from_str(text).expect("a frame");
        super::decode(&head.r#type, head.room_id, text.as_bytes())
    }

    #[test]
    fn contract_frames_are_decoded() {
        let mut rooms = Rooms::default();
        apply(&decode(NEW), &mut rooms, None);
        assert_eq!((rooms.unread(), rooms.is_mentioned(RoomId(3))), (4, true));
        apply(&decode(r#"{"type":"unread","room_id":3,"unread_count":0}"#), &mut rooms, None);
        assert_eq!((rooms.unread(), rooms.is_mentioned(RoomId(3))), (0, false));
        let last = r#"{"type":"last_message","room_id":3,"message":{"id":7,"content":"[消息已删除]","sender":"mei",
            "created_at":"2026-01-25T15:30:00.123456Z"}}"#;
        apply(&decode(last), &mut rooms, None);
        let message = rooms.list[0].last_message.as_ref().expect("taken over");
        assert_eq!((message.id.0, message.content.as_str()), (7, "[消息已删除]"));
        assert_eq!(decode(r#"{"type":"room_added","room":{},"rev":3}"#), NotificationFrame::Reload);
        let changed = r#"{"type":"room_changed","room":{"id":3,"name":"改名","description":"新",
            "room_type":"public","max_members":9,"is_active":true,"updated_at":"2026-01-25T15:30:00.123456Z"}}"#;
        apply(&decode(changed), &mut rooms, None);
        assert_eq!((rooms.list[0].name.as_str(), rooms.list[0].description.as_str()), ("改名", "新"));
        apply(&decode(r#"{"type":"room_removed","room_id":3,"rev":7}"#), &mut rooms, None);
        assert!(rooms.list.is_empty());
    }

    #[test]
    fn other_frames_are_ignored() {
        for text in [
            r#"{"type":"hologram"}"#,
            r#"{"type":"chat_message","room_id":3,"message":{}}"#,
            r#"{"type":"resync","room_id":3,"rev":9}"#,
            r#"{"type":"unread"}"#,
            r#"{"type":"notification"}"#,
            r#"{"type":"last_message"}"#,
        ] {
            assert_eq!(decode(text), NotificationFrame::Other, "{text}");
        }
    }
}
