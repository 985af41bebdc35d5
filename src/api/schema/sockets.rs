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
const CLOSES: [Code; 12] = [
    Code::Invalid,
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
const ROOM_CLOSES: [Code; 3] = [Code::NotAMember, Code::Banned, Code::NotFound];

const ROOM: &str = include_str!("sockets/room.md");
const NOTIFICATIONS: &str = include_str!("sockets/notifications.md");
const COMBINED: &str = include_str!("sockets/combined.md");

/// Frames of the combined socket alone.
const COMBINED_FRAMES: [&str; 5] = ["subscribe", "unsubscribe", "subscribed", "unsubscribed", "presence"];

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
    let only = |shape, types: &[&str]| shapes(document, shape, |kind| types.contains(&kind));
    let all = |shape| shapes(document, shape, |_| true);
    let room_frames = |shape| shapes(document, shape, |kind| !COMBINED_FRAMES.contains(&kind));
    let mut notification_frames = all("NotificationFrame");
    notification_frames.extend(only("ServerFrame", &["pong", "authenticated", "error"]));
    let mut combined_frames = all("NotificationFrame");
    combined_frames.extend(shapes(document, "ServerFrame", |kind| kind != "connection_established"));
    let after_user_rev = cursor("Resume: the user's changes after this number, in order, then live ones.");
    let sockets = json!({
        "/ws/chat/{room_id}/": {
            "summary": "Room socket",
            "description": ROOM,
            "parameters": {
                "room_id": {"$ref": format!("{SCHEMAS}RoomId")},
                "token": token,
                "after_rev": cursor("Resume: every change after this change number, in order, then live ones."),
                "after_id": cursor("Resume: every message after this one, in order, then live ones."),
            },
            "send": room_frames("ClientFrame"),
            "receive": room_frames("ServerFrame"),
            "closes": closes([&CLOSES[..], &ROOM_CLOSES].concat(), locale),
        },
        "/ws/notifications/": {
            "summary": "Notification socket",
            "description": NOTIFICATIONS,
            "parameters": {
                "token": token,
                "after_rev": after_user_rev,
            },
            "send": only("ClientFrame", &["authenticate", "ping"]),
            "receive": notification_frames,
            "closes": closes(CLOSES.to_vec(), locale),
        },
        "/ws/": {
            "summary": "Combined socket",
            "description": COMBINED,
            "parameters": {
                "token": token,
                "after_rev": after_user_rev,
            },
            "send": all("ClientFrame"),
            "receive": combined_frames,
            "closes": closes(CLOSES.to_vec(), locale),
        },
    });
    document["x-sockets"] = sockets;
}

/// Is this the variant that a client uses for unknown values of a newer server?
fn is_fallback_variant(name: &Value) -> bool {
    name == "unknown" || name == "other"
}

/// References to the frames of this schema whose type is meant.
fn shapes(document: &Value, shape: &str, is_meant: impl Fn(&str) -> bool) -> Vec<Value> {
    let frames =
        document["components"]["schemas"][shape]["oneOf"].as_array().into_iter().flatten().enumerate();
    let meant = frames.filter(|(_, frame)| is_meant(frame_type(frame)));
    meant.map(|(place, _)| json!({"$ref": format!("{SCHEMAS}{shape}/oneOf/{place}")})).collect()
}

/// The type of a frame, which also has the fields of another schema if it is made of parts.
fn frame_type(frame: &Value) -> &str {
    let parts = frame["allOf"].as_array().into_iter().flatten();
    let mut types = std::iter::once(frame).chain(parts).map(|part| &part["properties"]["type"]["enum"][0]);
    types.find_map(Value::as_str).unwrap_or_default()
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
