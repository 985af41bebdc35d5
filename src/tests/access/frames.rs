//! Every frame that a client can send.

use std::collections::BTreeSet;

use chat::model::{ClientFrame, MessageDraft, Subscribe};
use serde_json::Value;

use crate::support::Server;

/// What the frames are about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub room: i64,
    pub message_id: i64,
    /// Do frames about a room name it? On a socket to one room they need not.
    pub names_room: bool,
}

/// The frame after this one, so that a new one does not compile before it has its place. `None` after the last one.
fn after(frame: &ClientFrame, subject: Subject) -> Option<ClientFrame> {
    let room_id = subject.names_room.then_some(subject.room);
    match frame {
        ClientFrame::Authenticate { .. } => {
            let content = "still here".to_owned();
            let client_id = Some("by a frame".to_owned());
            let draft = MessageDraft { content, client_id, ..MessageDraft::default() };
            Some(ClientFrame::ChatMessage { room_id, draft })
        }
        ClientFrame::ChatMessage { .. } => Some(ClientFrame::Typing { room_id, is_typing: true }),
        ClientFrame::Typing { .. } => Some(ClientFrame::UserLeave { room_id }),
        ClientFrame::UserLeave { .. } => Some(ClientFrame::UserJoin { room_id }),
        ClientFrame::UserJoin { .. } => {
            Some(ClientFrame::MessageRead { room_id, message_id: subject.message_id })
        }
        ClientFrame::MessageRead { .. } => Some(ClientFrame::Subscribe(Subscribe {
            room_id: subject.room,
            after_rev: Some(0),
            after_id: None,
            here: true,
        })),
        ClientFrame::Subscribe(_) => Some(ClientFrame::Unsubscribe { room_id: subject.room }),
        ClientFrame::Unsubscribe { .. } => Some(ClientFrame::Ping),
        ClientFrame::Ping => None,
    }
}

/// All frames, with this token and about this subject.
pub fn all(token: &str, subject: Subject) -> Vec<ClientFrame> {
    let first = ClientFrame::Authenticate { token: token.to_owned() };
    std::iter::successors(Some(first), |frame| after(frame, subject)).collect()
}

pub fn json(frame: &ClientFrame) -> Value {
    serde_json::to_value(frame).expect("JSON")
}

/// The value of `type` of each frame in the document's schema.
fn documented(schema: &Value) -> BTreeSet<String> {
    let of = |variant: &Value| variant["properties"]["type"]["enum"][0].as_str().map(str::to_owned);
    let variants = schema["oneOf"].as_array().expect("variants").iter();
    let kinds = variants.map(|variant| {
        let mut parts = variant["allOf"].as_array().into_iter().flatten();
        of(variant).or_else(|| parts.find_map(of)).expect("a type")
    });
    kinds.collect()
}

/// Asserts that each frame of the document is tried.
pub async fn assert_complete(server: &Server) {
    let document = server.anyone().get("/api/schema/").await.expect(200);
    let frames = all("", Subject { room: 1, message_id: 1, names_room: true });
    let tried = frames.iter().map(|frame| json(frame)["type"].as_str().expect("a type").to_owned());
    assert_eq!(tried.collect::<BTreeSet<_>>(), documented(&document["components"]["schemas"]["ClientFrame"]));
}
