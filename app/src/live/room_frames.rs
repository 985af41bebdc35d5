//! Frames of `/ws/chat/{id}/` as a page needs them.
//!
//! Decoded in two steps: first `type`, then the fields of that type. The model's own tagged enum buffers each frame
//! in a generic value first, which is slower and adds 60 KB to the wasm.

use chat::model::{Code, MessageId, RoomMessage, User, UserRef};
use serde::Deserialize;

use super::frame_type;
use crate::state::roster::MemberChanged;

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomFrame {
    Established,
    Message(StoredMessage),
    Edited(StoredMessage),
    Deleted(DeletedMessage),
    Typing(TypingUser),
    /// A user's first connection to the room opened.
    Joined(UserRef),
    /// A user's last connection to the room closed.
    Left(UserRef),
    /// A membership changed.
    Member(MemberChanged),
    /// Many memberships changed.
    Members(MembersChanged),
    Read(ReadReceipts),
    /// Too much was missed to be sent.
    Resync(Resync),
    /// A frame was refused, or the reason of the close that follows.
    Error(ErrorFrame),
    /// Unknown or not needed.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredMessage {
    pub message: RoomMessage,
    pub rev: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeletedMessage {
    pub message_id: MessageId,
    pub rev: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TypingUser {
    pub user: UserRef,
    pub is_typing: bool,
}

/// The last message that `user` has read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReadReceipts {
    pub message_id: MessageId,
    pub user: User,
    #[serde(default)]
    pub more: Vec<ReadReceipt>,
}

/// How far one of them has read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReadReceipt {
    pub message_id: MessageId,
    pub user: User,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MembersChanged {
    pub member_count: i64,
    pub rev: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Resync {
    pub rev: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ErrorFrame {
    pub code: Code,
    /// The message that was refused, if the error is about one.
    #[serde(default)]
    pub client_id: Option<String>,
}

#[derive(Deserialize)]
struct UserField {
    user: UserRef,
}

/// Decodes a frame. Anything invalid or unknown becomes [`RoomFrame::Other`].
pub fn decode(text: &str) -> RoomFrame {
    let frame = text.as_bytes();
    let Some(kind) = frame_type(frame) else { return RoomFrame::Other };
    let decoded = match kind.as_str() {
        "connection_established" => Ok(RoomFrame::Established),
        "chat_message" => serde_json::from_slice(frame).map(RoomFrame::Message),
        "message_edited" => serde_json::from_slice(frame).map(RoomFrame::Edited),
        "message_deleted" => serde_json::from_slice(frame).map(RoomFrame::Deleted),
        "typing" => serde_json::from_slice(frame).map(RoomFrame::Typing),
        "user_join" => serde_json::from_slice(frame).map(|UserField { user }| RoomFrame::Joined(user)),
        "member_changed" => serde_json::from_slice(frame).map(RoomFrame::Member),
        "members_changed" => serde_json::from_slice(frame).map(RoomFrame::Members),
        "user_leave" => serde_json::from_slice(frame).map(|UserField { user }| RoomFrame::Left(user)),
        "message_read" => serde_json::from_slice(frame).map(RoomFrame::Read),
        "resync" => serde_json::from_slice(frame).map(RoomFrame::Resync),
        "error" => serde_json::from_slice(frame).map(RoomFrame::Error),
        _ => Ok(RoomFrame::Other),
    };
    decoded.unwrap_or(RoomFrame::Other)
}

#[cfg(test)]
mod tests {
    use chat::model::{
        MemberChange, MessageType, ReadMark, Role, RoomId, RoomInfo, RoomType, ServerFrame, Timestamp, User,
        UserId,
    };

    use super::*;

    /// The decoded form of `frame`. The match is exhaustive, so that a new frame of the model is considered here.
    fn expected(frame: &ServerFrame) -> RoomFrame {
        match frame.clone() {
            ServerFrame::ConnectionEstablished { .. } => RoomFrame::Established,
            ServerFrame::ChatMessage { message, rev, .. } => RoomFrame::Message(StoredMessage { message, rev }),
            ServerFrame::MessageEdited { message, rev, .. } => RoomFrame::Edited(StoredMessage { message, rev }),
            ServerFrame::MessageDeleted { message_id, rev, .. } => {
                RoomFrame::Deleted(DeletedMessage { message_id, rev })
            }
            ServerFrame::Typing { user, is_typing, .. } => RoomFrame::Typing(TypingUser { user, is_typing }),
            ServerFrame::UserJoin { user, .. } => RoomFrame::Joined(user),
            ServerFrame::UserLeave { user, .. } => RoomFrame::Left(user),
            ServerFrame::MemberChanged { user, role, is_present, is_banned, member_count, rev, .. } => {
                let changed = MemberChanged { user, role, is_present, is_banned, member_count, rev };
                RoomFrame::Member(changed)
            }
            ServerFrame::MembersChanged { member_count, rev, .. } => {
                RoomFrame::Members(MembersChanged { member_count, rev })
            }
            ServerFrame::Resync { rev, .. } => RoomFrame::Resync(Resync { rev }),
            ServerFrame::Error { code, client_id, .. } => RoomFrame::Error(ErrorFrame { code, client_id }),
            ServerFrame::MessageRead { message_id, user, more, .. } => {
                let more =
                    more.into_iter().map(|mark| ReadReceipt { message_id: mark.message_id, user: mark.user });
                RoomFrame::Read(ReadReceipts { message_id, user, more: more.collect() })
            }
            // The list of rooms has the room's name, by the notification socket.
            ServerFrame::RoomChanged { .. }
            // Frames of the combined socket.
            | ServerFrame::Subscribed { .. }
            | ServerFrame::Unsubscribed { .. }
            | ServerFrame::Presence { .. }
            | ServerFrame::Authenticated
            | ServerFrame::Pong
            | ServerFrame::Unknown => RoomFrame::Other,
        }
    }

    fn user() -> User {
        User { id: UserId(2), username: "bob".into(), first_name: String::new(), last_name: String::new() }
    }

    fn message() -> RoomMessage {
        RoomMessage {
            id: MessageId(7),
            content: "\"引号\"\n".into(),
            message_type: MessageType::Text,
            timestamp: Timestamp(1),
            created_at: Timestamp(1),
            sender: user(),
            reply_to: None,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: Some("c1".into()),
        }
    }

    #[test]
    fn every_server_frame_is_decoded() {
        let established = ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: RoomId(1),
            user: user(),
            last_message_id: None,
            rev: 3,
            build: "1".into(),
        };
        let room_id = RoomId(1);
        let refused = |client_id: Option<&str>| ServerFrame::Error {
            message: "…".into(),
            code: Code::Muted,
            client_id: client_id.map(str::to_owned),
            room_id: None,
        };
        for frame in [
            established,
            ServerFrame::ChatMessage { room_id, message: message(), rev: 4 },
            ServerFrame::MessageEdited { room_id, message: message(), rev: 5 },
            ServerFrame::MessageDeleted { room_id, message_id: MessageId(7), rev: 6 },
            ServerFrame::Typing { room_id, user: user().to_ref(), is_typing: true },
            ServerFrame::UserJoin { room_id, user: user().to_ref() },
            ServerFrame::MemberChanged {
                room_id,
                user: user(),
                change: MemberChange::Role,
                role: Role::Moderator,
                is_present: true,
                is_muted: false,
                is_banned: false,
                member_count: 3,
                rev: 7,
            },
            ServerFrame::MembersChanged { room_id, member_count: 300, rev: 8 },
            ServerFrame::RoomChanged {
                room_id,
                room: RoomInfo {
                    id: RoomId(1),
                    name: "Tea".into(),
                    description: String::new(),
                    room_type: RoomType::Public,
                    max_members: 50,
                    is_active: true,
                    updated_at: Timestamp(1),
                },
                rev: 9,
            },
            ServerFrame::UserLeave { room_id, user: user().to_ref() },
            ServerFrame::MessageRead {
                room_id,
                message_id: MessageId(7),
                user: user(),
                read_at: Timestamp(2),
                more: vec![ReadMark { message_id: MessageId(8), user: user(), read_at: Timestamp(3) }],
            },
            ServerFrame::Resync { room_id, rev: 9 },
            ServerFrame::Pong,
            refused(None),
            refused(Some("c1")),
        ] {
            let text = serde_json::to_string(&frame).expect("JSON");
            assert_eq!(decode(&text), expected(&frame), "{text}");
        }
    }

    #[test]
    fn invalid_frames_are_ignored() {
        for text in
            ["", "hello", "{}", r#"{"type":"hologram"}"#, r#"{"type":"chat_message"}"#, r#"{"type":7}"#]
        {
            assert_eq!(decode(text), RoomFrame::Other, "{text}");
        }
    }
}
