//! What the derived schemas lack: limits, from the constants of the domain, and examples.

use chat::model::{
    id::MAX_ID,
    limits::{
        CLIENT_ID_MAX, CONTENT_MAX, FILE_NAME_MAX, FILE_URL_MAX, PASSWORD_MAX, PASSWORD_MIN, PERSON_NAME_MAX,
        ROOM_DESCRIPTION_MAX, ROOM_MEMBERS_DEFAULT, ROOM_MEMBERS_MAX, ROOM_MEMBERS_MIN, ROOM_NAME_MAX,
        USERNAME_MAX,
    },
};
use serde_json::{Map, Value, json};

/// The characters that a single line must not have, as a character class.
macro_rules! control {
    () => {
        r"\u0000-\u001f\u007f-\u009f"
    };
}

/// The format characters of the Basic Multilingual Plane. Astral ranges are invalid in JavaScript patterns without the `u`
/// flag.
macro_rules! formatting {
    () => {
        r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    };
}

/// Other invisible characters: white space, fillers, variation selectors.
macro_rules! invisible {
    () => {
        r"\s\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    };
}

/// No control characters, and at least one visible character.
const FILLED_LINE: &str =
    concat!("^[^", control!(), "]*[^", control!(), formatting!(), invisible!(), "][^", control!(), "]*$");
/// Empty, or without control and format characters and with at least one visible character.
const NAME: &str = concat!(
    "^([^",
    control!(),
    formatting!(),
    "]*[^",
    control!(),
    formatting!(),
    invisible!(),
    "][^",
    control!(),
    formatting!(),
    "]*)?$"
);
/// No NUL character.
const TEXT: &str = r"^[^\u0000]*$";
/// No NUL character, and at least one visible character.
const FILLED_TEXT: &str = concat!(r"^[^\u0000]*[^", control!(), formatting!(), invisible!(), r"][^\u0000]*$");

/// A time in microseconds and a room's id, or empty for no cursor.
const CURSOR: &str = "^([0-9]{1,18}-[0-9]{1,15})?$";

/// Adds the details to the document.
pub(super) fn add(document: &mut Value) {
    for (shape, property, detail) in details() {
        let pointer = format!("/components/schemas/{shape}/properties/{property}");
        if let Some(Value::Object(described)) = document.pointer_mut(&pointer) {
            described.extend(detail);
        }
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    let parameters = items.flat_map(Map::values_mut).filter_map(|operation| operation.get_mut("parameters"));
    for parameter in parameters.filter_map(Value::as_array_mut).flatten() {
        let detail = parameter_constraints(parameter["name"].as_str().unwrap_or_default());
        if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
            not_null(schema);
            schema.extend(detail.unwrap_or_default());
        }
    }
}

/// Schema, property, and its limits and examples.
pub(super) fn details() -> Vec<(&'static str, &'static str, Map<String, Value>)> {
    let account = json!({"minLength": 1, "maxLength": USERNAME_MAX, "format": "username", "example": "mei"});
    let password = json!({
        "minLength": PASSWORD_MIN, "maxLength": PASSWORD_MAX, "format": "password", "example": "correct-horse-9",
    });
    let jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiMSJ9.…";
    let token = json!({"minLength": 1, "format": "jwt", "example": jwt});
    let room_name = json!({"minLength": 1, "maxLength": ROOM_NAME_MAX, "pattern": NAME, "example": "茶水间"});
    let places = json!({"minimum": ROOM_MEMBERS_MIN, "maximum": ROOM_MEMBERS_MAX});
    let description = json!({"maxLength": ROOM_DESCRIPTION_MAX, "pattern": TEXT, "example": "随便聊聊"});
    let content =
        json!({"minLength": 1, "maxLength": CONTENT_MAX, "pattern": FILLED_TEXT, "example": "你好！"});
    let person_name = json!({"maxLength": PERSON_NAME_MAX, "pattern": NAME});
    let shown_content = json!({"example": "你好！"});
    let client_id = "3f2b8c1e-5a77-4a0e-9d55-0c1f6b2a7d10";
    let rows = [
        ("Credentials", "username", json!({"example": "mei"})),
        ("Credentials", "password", json!({"format": "password", "example": "correct-horse-9"})),
        ("NewAccount", "username", account.clone()),
        ("NewAccount", "password", password),
        ("NewAccount", "first_name", person_name.clone()),
        ("NewAccount", "last_name", person_name),
        ("RefreshToken", "refresh", token.clone()),
        ("AnyToken", "token", token.clone()),
        ("TokenPair", "access", token.clone()),
        ("TokenPair", "refresh", token.clone()),
        ("TokenRefresh", "access", token),
        ("User", "username", json!({"example": "developer"})),
        ("UserRef", "username", json!({"example": "developer"})),
        ("NewRoom", "name", room_name.clone()),
        ("NewRoom", "description", with(&description, &json!({"type": ["string", "null"]}))),
        ("NewRoom", "max_members", with(&places, &json!({"example": ROOM_MEMBERS_DEFAULT}))),
        ("RoomPatch", "name", room_name),
        ("RoomPatch", "description", description),
        ("RoomPatch", "max_members", places),
        ("Room", "name", json!({"example": "茶水间"})),
        ("Room", "max_members", json!({"example": 50})),
        ("Room", "member_count", json!({"example": 2})),
        ("Room", "is_active", json!({"example": true})),
        ("Room", "is_member", json!({"example": true})),
        ("Room", "my_role", json!({"example": "admin"})),
        ("RoomRef", "name", json!({"example": "茶水间"})),
        ("LastMessage", "content", shown_content.clone()),
        ("LastMessage", "sender", json!({"example": "developer"})),
        ("Invitation", "username", with(&account, &json!({"pattern": FILLED_LINE}))),
        ("MemberPatch", "is_muted", json!({"example": true})),
        ("Member", "id", json!({"minimum": 1, "maximum": MAX_ID})),
        ("MessageDraft", "content", content.clone()),
        ("MessageDraft", "message_type", json!({"enum": ["text", "image", "file", null]})),
        ("MessageDraft", "file_url", json!({"maxLength": FILE_URL_MAX, "format": "uri"})),
        (
            "MessageDraft",
            "file_name",
            json!({"minLength": 1, "maxLength": FILE_NAME_MAX, "pattern": FILLED_LINE}),
        ),
        ("MessageDraft", "file_size", json!({"minimum": 0, "maximum": MAX_ID})),
        ("MessageDraft", "reply_to", json!({"minimum": 1, "maximum": MAX_ID})),
        (
            "MessageDraft",
            "client_id",
            json!({"minLength": 1, "maxLength": CLIENT_ID_MAX, "pattern": FILLED_LINE, "example": client_id}),
        ),
        ("MessageEdit", "content", content),
        ("Message", "content", shown_content.clone()),
        ("Message", "message_type", json!({"example": "text"})),
        ("Message", "reply_to", json!({"example": null})),
        ("Message", "client_id", json!({"example": client_id})),
        ("RoomMessage", "content", shown_content.clone()),
        ("RoomMessage", "message_type", json!({"example": "text"})),
        ("RoomMessage", "reply_to", json!({"example": null})),
        ("RoomMessage", "client_id", json!({"example": client_id})),
        ("MessagePage", "page", json!({"minimum": 1})),
        ("MessagePage", "page_size", json!({"example": 20})),
        ("MessagePage", "total", json!({"example": 1})),
        ("Notification", "title", json!({"example": "新消息来自 mei"})),
        ("Notification", "content", shown_content.clone()),
        ("NotifiedMessage", "content", shown_content),
        ("NotifiedMessage", "message_type", json!({"example": "text"})),
        ("Count", "count", json!({"minimum": 0, "example": 3})),
    ];
    rows.into_iter().map(|(shape, property, detail)| (shape, property, object(detail))).collect()
}

/// The limits of a query parameter of this name, in any call.
fn parameter_constraints(name: &str) -> Option<Map<String, Value>> {
    let detail = match name {
        "page" | "page_size" | "limit" | "before_id" => json!({"minimum": 1, "maximum": MAX_ID}),
        "after_id" => json!({"minimum": 0, "maximum": MAX_ID}),
        "search" => json!({"pattern": TEXT}),
        "after" => json!({"pattern": CURSOR}),
        _ => return None,
    };
    Some(object(detail))
}

/// An optional query parameter can be missing but not null.
fn not_null(schema: &mut Map<String, Value>) {
    let only = |choices: &Value| {
        choices.as_array()?.iter().find(|choice| *choice != "null" && choice["type"] != "null").cloned()
    };
    if let Some(kind) = schema.get("type").and_then(only) {
        schema.insert("type".into(), kind);
    }
    if let Some(Value::Object(choice)) = schema.get("oneOf").and_then(only) {
        *schema = choice;
    }
}

fn with(detail: &Value, more: &Value) -> Value {
    let mut all = detail.as_object().cloned().unwrap_or_default();
    all.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
