//! The sockets' part of the document.

use std::collections::BTreeMap;

use app::i18n::Locale;
use chat::model::Failure;
use serde_json::{Value, json};

use super::refusals::{SHAPES, code};
use crate::error::close_code;

const ROOM: &str = include_str!("sockets/room.md");
const NOTIFICATIONS: &str = include_str!("sockets/notifications.md");

/// Describes the sockets under `x-sockets`, and leaves out of the frames what only readers of newer servers need.
pub(super) fn describe(document: &mut Value) {
    for (shape, choices) in
        [("ServerFrame", "oneOf"), ("NotificationFrame", "oneOf"), ("MemberChange", "enum")]
    {
        let pointer = format!("/components/schemas/{shape}/{choices}");
        if let Some(choices) = document.pointer_mut(&pointer).and_then(Value::as_array_mut) {
            choices.retain(|choice| {
                choice != "unknown" && !is_unknown(&choice["properties"]["type"]["enum"][0])
            });
        }
    }
    let closes = closes(document);
    let token = json!({"type": "string", "description": "An access token, for browsers, which send no headers here."});
    let cursor = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    document["x-sockets"] = json!({
        "/ws/chat/{room_id}/": {
            "summary": "A room, live",
            "description": ROOM,
            "parameters": {
                "room_id": {"$ref": format!("{SHAPES}RoomId")},
                "token": token.clone(),
                "after_rev": cursor("Resume: every change after this change number, in order, then live ones."),
                "after_id": cursor("Resume: every message after this one, in order, then live ones."),
            },
            "send": {"$ref": format!("{SHAPES}ClientFrame")},
            "receive": {"$ref": format!("{SHAPES}ServerFrame")},
            "closes": closes.clone(),
        },
        "/ws/notifications/": {
            "summary": "What is new and unread in all of one's rooms, live",
            "description": NOTIFICATIONS,
            "parameters": {"token": token},
            "send": {"$ref": format!("{SHAPES}ClientFrame")},
            "receive": {"$ref": format!("{SHAPES}NotificationFrame")},
            "closes": closes,
        },
    });
}

/// A choice that stands for what only a newer server says.
fn is_unknown(kind: &Value) -> bool {
    kind == "unknown" || kind == "other"
}

/// Each code that a socket is closed with, and why.
fn closes(document: &Value) -> BTreeMap<String, Value> {
    let words = document["components"]["schemas"]["Code"]["enum"].as_array().into_iter().flatten();
    let mut closes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in words.filter_map(Value::as_str) {
        let Some(code) = code(word) else { continue };
        let sentence = app::error::sentence(Locale::en, &Failure::new(code));
        closes.entry(close_code(code).to_string()).or_default().push(format!("`{word}`: {sentence}"));
    }
    closes.insert("1001".into(), vec!["The server stops: come back.".into()]);
    closes.into_iter().map(|(code, why)| (code, json!(why.join("\n\n")))).collect()
}
