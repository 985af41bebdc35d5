//! Every frame that a client can send.

use std::collections::BTreeSet;

use chat::model::{ClientFrame, MessageDraft};
use serde_json::Value;

use crate::support::Server;

/// The frame after this one, so that a new one does not compile before it has its place. `None` after the last one.
fn after(frame: &ClientFrame, message_id: i64) -> Option<ClientFrame> {
    match frame {
        ClientFrame::Authenticate { .. } => {
            let content = "still here".to_owned();
            let client_id = Some("by a frame".to_owned());
            Some(ClientFrame::ChatMessage(MessageDraft { content, client_id, ..MessageDraft::default() }))
        }
        ClientFrame::ChatMessage(_) => Some(ClientFrame::Typing { is_typing: true }),
        ClientFrame::Typing { .. } => Some(ClientFrame::UserLeave),
        ClientFrame::UserLeave => Some(ClientFrame::UserJoin),
        ClientFrame::UserJoin => Some(ClientFrame::MessageRead { message_id }),
        ClientFrame::MessageRead { .. } => Some(ClientFrame::Ping),
        ClientFrame::Ping => None,
    }
}

/// All frames, with this token and about this message.
pub fn all(token: &str, message_id: i64) -> Vec<ClientFrame> {
    let first = ClientFrame::Authenticate { token: token.to_owned() };
    std::iter::successors(Some(first), |frame| after(frame, message_id)).collect()
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
    let frames = all("", 1);
    let tried = frames.iter().map(|frame| json(frame)["type"].as_str().expect("a type").to_owned());
    assert_eq!(tried.collect::<BTreeSet<_>>(), documented(&document["components"]["schemas"]["ClientFrame"]));
}
