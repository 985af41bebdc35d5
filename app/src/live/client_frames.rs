//! The frames that the page sends.
//!
//! A subset of [`ClientFrame`](chat::model::ClientFrame), whose serialiser would be a KiB of the first visit.

use chat::model::{MessageId, RoomId};
use serde::Serialize;

use crate::state::outbox::UnsentMessage;

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame<'a> {
    /// Follows a room from a position on; `here` if its page is open.
    Subscribe {
        room_id: RoomId,
        after_rev: i64,
        here: bool,
    },
    Unsubscribe {
        room_id: RoomId,
    },
    /// The room's page was opened.
    UserJoin {
        room_id: RoomId,
    },
    /// The room's page was left.
    UserLeave {
        room_id: RoomId,
    },
    ChatMessage {
        room_id: RoomId,
        content: &'a str,
        reply_to: Option<MessageId>,
        client_id: &'a str,
    },
    Typing {
        room_id: RoomId,
        is_typing: bool,
    },
    MessageRead {
        room_id: RoomId,
        message_id: MessageId,
    },
}

impl<'a> ClientFrame<'a> {
    pub fn message(message: &'a UnsentMessage) -> Self {
        Self::ChatMessage {
            room_id: message.room,
            content: &message.content,
            reply_to: message.reply_to,
            client_id: &message.client_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use chat::model::{ClientFrame as Read, MessageDraft, Subscribe};

    use super::*;
    use crate::state::outbox::tests::unsent;

    #[test]
    fn the_server_reads_them_as_its_own() {
        let (room_id, id) = (RoomId(3), Some(3));
        let message = UnsentMessage { reply_to: Some(MessageId(9)), ..unsent("c", 3, 1) };
        let draft = MessageDraft {
            content: "text of c".into(),
            reply_to: Some(9),
            client_id: Some("c".into()),
            ..MessageDraft::default()
        };
        let subscribe = Subscribe { room_id: 3, after_rev: Some(7), after_id: None, here: false };
        for (sent, read) in [
            (ClientFrame::Subscribe { room_id, after_rev: 7, here: false }, Read::Subscribe(subscribe)),
            (ClientFrame::Unsubscribe { room_id }, Read::Unsubscribe { room_id: 3 }),
            (ClientFrame::UserJoin { room_id }, Read::UserJoin { room_id: id }),
            (ClientFrame::UserLeave { room_id }, Read::UserLeave { room_id: id }),
            (ClientFrame::message(&message), Read::ChatMessage { room_id: id, draft }),
            (ClientFrame::Typing { room_id, is_typing: true }, Read::Typing { room_id: id, is_typing: true }),
            (
                ClientFrame::MessageRead { room_id, message_id: MessageId(7) },
                Read::MessageRead { room_id: id, message_id: 7 },
            ),
        ] {
            let json = serde_json::to_string(&sent).expect("JSON");
            assert_eq!(serde_json::from_str::<Read>(&json).expect("a frame"), read, "{json}");
        }
    }
}
