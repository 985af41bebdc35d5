//! Frames about a room, as a page needs them.
//!
//! Decoded in two steps: first `type`, then the fields of that type. The model's own tagged enum buffers each frame
//! in a generic value first, which is slower and adds 60 KB to the wasm.

use chat::model::{Code, MessageId, RoomMessage, User, UserId, UserRef};
use serde::Deserialize;

use crate::state::roster::MemberChanged;

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomFrame {
    Subscribed(Subscribed),
    Message(StoredMessage),
    Edited(StoredMessage),
    Deleted(DeletedMessage),
    Typing(TypingUser),
    /// A user opened the room.
    Joined(UserRef),
    /// A user left the room for another one.
    Left(UserRef),
    /// A membership changed.
    Member(MemberChanged),
    /// Many memberships changed.
    Members(MembersChanged),
    Read(ReadReceipts),
    /// Too much was missed to be sent.
    Resync(Resync),
    /// A frame was refused, or the subscription has ended.
    Error(ErrorFrame),
    /// Unknown or not needed.
    Other,
}

/// The room is followed from now on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscribed {
    /// Who has the room open, at most 200.
    pub present: Vec<UserId>,
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

/// Decodes a frame of this type. Anything invalid or unknown becomes [`RoomFrame::Other`].
pub fn decode(kind: &str, frame: &[u8]) -> RoomFrame {
    let decoded = match kind {
        "subscribed" => serde_json::from_slice(frame).map(RoomFrame::Subscribed),
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
        MemberChange, MessageType, ReadMark, Role, RoomId, RoomInfo, RoomType, ServerFrame, Timestamp,
    };

    use super::*;

    /// The decoded form of `frame`. The match is exhaustive, so that a new frame of the model is considered here.
    fn expected(frame: &ServerFrame) -> RoomFrame {
        match frame.clone() {
            ServerFrame::Subscribed { present, .. } => RoomFrame::Subscribed(Subscribed { present }),
            ServerFrame::ChatMessage { message, rev, .. } => {
                RoomFrame::Message(StoredMessage { message, rev })
            }
            ServerFrame::MessageEdited { message, rev, .. } => {
                RoomFrame::Edited(StoredMessage { message, rev })
            }
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
            // The list of rooms has the room's name.
            ServerFrame::RoomChanged { .. }
            | ServerFrame::ConnectionEstablished { .. }
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
        let room_id = RoomId(1);
        let present = vec![UserId(2), UserId(5)];
        let subscribed = ServerFrame::Subscribed { room_id, last_message_id: None, rev: 3, present };
        let refused = |client_id: Option<&str>| ServerFrame::Error {
            message: "…".into(),
            code: Code::Muted,
            client_id: client_id.map(str::to_owned),
            room_id: None,
        };
        for frame in [
            subscribed,
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
            refused(None),
            refused(Some("c1")),
        ] {
            let json = serde_json::to_value(&frame).expect("JSON");
            let kind = json["type"].as_str().expect("a type");
            assert_eq!(decode(kind, json.to_string().as_bytes()), expected(&frame), "{json}");
        }
    }

    #[test]
    fn invalid_frames_are_ignored() {
        for (kind, text) in
            [("chat_message", ""), ("chat_message", "{}"), ("hologram", "{}"), ("resync", "7")]
        {
            assert_eq!(decode(kind, text.as_bytes()), RoomFrame::Other, "{kind} {text}");
        }
    }
}
