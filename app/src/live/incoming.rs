//! Frames of `/ws/`, sorted by what they are about.

use chat::model::{Code, RoomId, UserId};
use serde::Deserialize;

use super::{
    notification_frames::{self, NotificationFrame},
    room_frames::{self, RoomFrame},
};

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The first frame of a connection: whose it is, and the release of the server.
    Established { user: Option<UserId>, build: String },
    /// About a room that is followed.
    Room(RoomId, RoomFrame),
    /// About the user: the list of rooms, notifications.
    User(NotificationFrame),
    /// An error without a room: a frame that was refused, or the reason of the close that follows.
    Error(Code),
    /// Unknown or not needed.
    Other,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    room_id: Option<RoomId>,
    build: Option<String>,
    code: Option<Code>,
    user: Option<Who>,
}

#[derive(Deserialize)]
struct Who {
    id: UserId,
}

/// Decodes a frame. Anything invalid or unknown becomes [`Incoming::Other`].
pub fn decode(text: &str) -> Incoming {
    let frame = text.as_bytes();
    let Ok(Head { kind, room_id, build, code, user }) = serde_json::from_slice(frame) else {
        return Incoming::Other;
    };
    if kind == "connection_established" {
        return Incoming::Established { user: user.map(|user| user.id), build: build.unwrap_or_default() };
    }
    match notification_frames::decode(&kind, room_id, frame) {
        NotificationFrame::Other => {}
        about_user => return Incoming::User(about_user),
    }
    match (room_id, code) {
        (Some(room), _) => match room_frames::decode(&kind, frame) {
            RoomFrame::Other => Incoming::Other,
            about_room => Incoming::Room(room, about_room),
        },
        (None, Some(code)) if kind == "error" => Incoming::Error(code),
        (None, _) => Incoming::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::room_frames::{ErrorFrame, Resync};

    #[test]
    fn frames_are_sorted_by_what_they_are_about() {
        let established = Incoming::Established { user: Some(UserId(7)), build: "1.2".into() };
        let refused = ErrorFrame { code: Code::Muted, client_id: Some("c".into()) };
        for (text, expected) in [
            (
                r#"{"type":"connection_established","message":"连接成功","user":{"id":7},"rev":4,"build":"1.2"}"#,
                established,
            ),
            (r#"{"type":"resync","rev":9}"#, Incoming::User(NotificationFrame::Reload)),
            (
                r#"{"type":"resync","room_id":3,"rev":9}"#,
                Incoming::Room(RoomId(3), RoomFrame::Resync(Resync { rev: 9 })),
            ),
            (
                r#"{"type":"unread","room_id":3,"unread_count":2}"#,
                Incoming::User(NotificationFrame::Unread { room_id: RoomId(3), unread_count: 2 }),
            ),
            (
                r#"{"type":"error","room_id":3,"code":"muted","message":"…","client_id":"c"}"#,
                Incoming::Room(RoomId(3), RoomFrame::Error(refused)),
            ),
            (r#"{"type":"error","code":"throttled","message":"…"}"#, Incoming::Error(Code::Throttled)),
            (r#"{"type":"unsubscribed","room_id":3}"#, Incoming::Other),
            (r#"{"type":"pong"}"#, Incoming::Other),
            (r#"{"type":7}"#, Incoming::Other),
            ("", Incoming::Other),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }
}
