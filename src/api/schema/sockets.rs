//! The sockets in the document, under `x-sockets`.

use std::collections::BTreeMap;

use app::i18n::Locale;
use chat::model::{Code, Failure};
use serde_json::{Value, json};

use super::{error_responses::SCHEMAS, translation};
use crate::{
    error::close_code,
    websocket::{GOING_AWAY, NOT_UTF8, PROTOCOL_ERROR},
};

/// The reasons for which any socket is closed.
const CLOSES: [Code; 11] = [
    Code::NotAuthenticated,
    Code::BadAuthorizationHeader,
    Code::TokenNotValid,
    Code::UserInactive,
    Code::UserNotFound,
    Code::NotInGroup,
    Code::TooSlow,
    Code::Throttled,
    Code::TooLarge,
    Code::Unavailable,
    Code::Internal,
];
/// Further reasons for which a room socket is closed.
const ROOM_CLOSES: [Code; 4] = [Code::Invalid, Code::NotAMember, Code::Banned, Code::NotFound];

const ROOM: &str = include_str!("sockets/room.md");
const NOTIFICATIONS: &str = include_str!("sockets/notifications.md");

/// The close codes of RFC 6455 itself.
pub(super) const PROTOCOL_CLOSES: [(u16, &str); 3] = [
    (GOING_AWAY, "The server is stopping: reconnect."),
    (PROTOCOL_ERROR, "What was sent was no WebSocket frame."),
    (NOT_UTF8, "A text frame was not UTF-8."),
];

/// Adds `x-sockets`, and removes the fallback variants from the frames: no server sends them.
pub(super) fn describe(document: &mut Value, locale: Locale) {
    for (shape, choices) in [
        ("ServerFrame", "oneOf"),
        ("NotificationFrame", "oneOf"),
        ("MemberChange", "enum"),
        ("NotificationReason", "enum"),
    ] {
        let pointer = format!("/components/schemas/{shape}/{choices}");
        if let Some(choices) = document.pointer_mut(&pointer).and_then(Value::as_array_mut) {
            choices.retain(|choice| {
                !is_fallback_variant(choice) && !is_fallback_variant(&choice["properties"]["type"]["enum"][0])
            });
        }
    }
    let cursor = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let token = json!({"type": "string", "description": "An access token, for browsers, which cannot send headers with a WebSocket."});
    let mut notification_frames = shapes(document, "NotificationFrame", &[]);
    notification_frames.extend(shapes(document, "ServerFrame", &["pong", "authenticated", "error"]));
    document["x-sockets"] = json!({
        "/ws/chat/{room_id}/": {
            "summary": "Room socket",
            "description": ROOM,
            "parameters": {
                "room_id": {"$ref": format!("{SCHEMAS}RoomId")},
                "token": token,
                "after_rev": cursor("Resume: every change after this change number, in order, then live ones."),
                "after_id": cursor("Resume: every message after this one, in order, then live ones."),
            },
            "send": shapes(document, "ClientFrame", &[]),
            "receive": shapes(document, "ServerFrame", &[]),
            "closes": closes([&CLOSES[..], &ROOM_CLOSES].concat(), locale),
        },
        "/ws/notifications/": {
            "summary": "Notification socket",
            "description": NOTIFICATIONS,
            "parameters": {
                "token": token,
                "after_rev": cursor("Resume: the user's changes after this number, in order, then live ones."),
            },
            "send": shapes(document, "ClientFrame", &["authenticate", "ping"]),
            "receive": notification_frames,
            "closes": closes(CLOSES.to_vec(), locale),
        },
    });
}

/// Is this the variant that a client uses for unknown values of a newer server?
fn is_fallback_variant(name: &Value) -> bool {
    name == "unknown" || name == "other"
}

/// References to the frames of this schema that have one of these types; without types, to all.
fn shapes(document: &Value, shape: &str, types: &[&str]) -> Vec<Value> {
    let frames =
        document["components"]["schemas"][shape]["oneOf"].as_array().into_iter().flatten().enumerate();
    let is_meant = |frame: &Value| types.iter().any(|kind| frame["properties"]["type"]["enum"][0] == *kind);
    let meant = frames.filter(|(_, frame)| types.is_empty() || is_meant(frame));
    meant.map(|(place, _)| json!({"$ref": format!("{SCHEMAS}{shape}/oneOf/{place}")})).collect()
}

/// The description of each close code that these reasons use.
fn closes(codes: Vec<Code>, locale: Locale) -> BTreeMap<String, Value> {
    let mut closes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for code in codes {
        let sentence = app::error::error_message(locale, &Failure::new(code));
        let name = json!(code);
        let name = name.as_str().unwrap_or_default();
        closes.entry(close_code(code).to_string()).or_default().push(format!("`{name}`: {sentence}"));
    }
    for (code, why) in PROTOCOL_CLOSES {
        let why = if locale == Locale::zh { translation::chinese(why) } else { why.to_owned() };
        closes.insert(code.to_string(), vec![why]);
    }
    closes.into_iter().map(|(code, why)| (code, json!(why.join("\n\n")))).collect()
}
