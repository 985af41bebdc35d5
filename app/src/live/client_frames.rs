//! The frames that the page sends on the socket of a room.
//!
//! A subset of [`ClientFrame`](chat::model::ClientFrame), which has more for sockets to several rooms: its serialiser
//! would be a KiB of the first visit.

use chat::model::MessageDraft;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomClientFrame {
    ChatMessage(MessageDraft),
    Typing { is_typing: bool },
    MessageRead { message_id: i64 },
    Ping,
}

#[cfg(test)]
mod tests {
    use chat::model::ClientFrame;

    use super::*;

    #[test]
    fn the_server_reads_them_as_its_own() {
        let draft =
            MessageDraft { content: "hi".into(), client_id: Some("c".into()), ..MessageDraft::default() };
        for (sent, read) in [
            (RoomClientFrame::ChatMessage(draft.clone()), ClientFrame::ChatMessage { room_id: None, draft }),
            (
                RoomClientFrame::Typing { is_typing: true },
                ClientFrame::Typing { room_id: None, is_typing: true },
            ),
            (
                RoomClientFrame::MessageRead { message_id: 7 },
                ClientFrame::MessageRead { room_id: None, message_id: 7 },
            ),
            (RoomClientFrame::Ping, ClientFrame::Ping),
        ] {
            let json = serde_json::to_string(&sent).expect("JSON");
            assert_eq!(serde_json::from_str::<ClientFrame>(&json).expect("a frame"), read, "{json}");
        }
    }
}
