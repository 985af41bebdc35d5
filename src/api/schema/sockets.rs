//! The sockets' part of the document.

use std::collections::BTreeMap;

use app::i18n::Locale;
use chat::model::Failure;
use serde_json::{Value, json};

use super::{
    prose,
    refusals::{SHAPES, code},
};
use crate::error::close_code;

const ROOM: &str = include_str!("sockets/room.md");
const NOTIFICATIONS: &str = include_str!("sockets/notifications.md");

/// Describes the sockets under `x-sockets`, and leaves out of the frames what only readers of newer servers need.
pub(super) fn describe(document: &mut Value, locale: Locale) {
    for (shape, choices) in
        [("ServerFrame", "oneOf"), ("NotificationFrame", "oneOf"), ("MemberChange", "enum")]
    {
        let pointer = format!("/components/schemas/{shape}/{choices}");
        if let Some(choices) = document.pointer_mut(&pointer).and_then(Value::as_array_mut) {
            choices.retain(|choice| {
                !is_of_the_future(choice) && !is_of_the_future(&choice["properties"]["type"]["enum"][0])
            });
        }
    }
    let closes = closes(document, locale);
    let cursor = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let token = json!({"type": "string", "description": "An access token, for browsers, which send no headers here."});
    let mut tidings = shapes(document, "NotificationFrame", &[]);
    tidings.extend(shapes(document, "ServerFrame", &["pong", "error"]));
    document["x-sockets"] = json!({
        "/ws/chat/{room_id}/": {
            "summary": "A room, live",
            "description": ROOM,
            "parameters": {
                "room_id": {"$ref": format!("{SHAPES}RoomId")},
                "token": token,
                "after_rev": cursor("Resume: every change after this change number, in order, then live ones."),
                "after_id": cursor("Resume: every message after this one, in order, then live ones."),
            },
            "send": shapes(document, "ClientFrame", &[]),
            "receive": shapes(document, "ServerFrame", &[]),
            "closes": closes,
        },
        "/ws/notifications/": {
            "summary": "My notifications and unread counts, live",
            "description": NOTIFICATIONS,
            "parameters": {"token": token},
            "send": shapes(document, "ClientFrame", &["authenticate", "ping"]),
            "receive": tidings,
            "closes": closes,
        },
    });
}

/// The word that a reader takes a newer server's for.
fn is_of_the_future(word: &Value) -> bool {
    word == "unknown" || word == "other"
}

/// Where the frames of this shape stand that have one of these types; all where none is named.
fn shapes(document: &Value, shape: &str, types: &[&str]) -> Vec<Value> {
    let frames =
        document["components"]["schemas"][shape]["oneOf"].as_array().into_iter().flatten().enumerate();
    let is_meant = |frame: &Value| types.iter().any(|kind| frame["properties"]["type"]["enum"][0] == *kind);
    let meant = frames.filter(|(_, frame)| types.is_empty() || is_meant(frame));
    meant.map(|(place, _)| json!({"$ref": format!("{SHAPES}{shape}/oneOf/{place}")})).collect()
}

/// Each code that a socket is closed with, and why.
fn closes(document: &Value, locale: Locale) -> BTreeMap<String, Value> {
    let words = document["components"]["schemas"]["Code"]["enum"].as_array().into_iter().flatten();
    let mut closes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in words.filter_map(Value::as_str) {
        let Some(code) = code(word) else { continue };
        let sentence = app::error::sentence(locale, &Failure::new(code));
        closes.entry(close_code(code).to_string()).or_default().push(format!("`{word}`: {sentence}"));
    }
    let stops = "The server stops: come back.";
    let stops = if locale == Locale::zh { prose::chinese(stops) } else { stops.to_owned() };
    closes.insert("1001".into(), vec![stops]);
    closes.into_iter().map(|(code, why)| (code, json!(why.join("\n\n")))).collect()
}
