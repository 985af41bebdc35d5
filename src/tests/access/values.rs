//! Valid values for the parameters and body fields of all calls.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value, json};

use super::{
    operations::{Operation, Target},
    scene::{LostRoom, Scene},
};
use crate::support::PASSWORD;

/// The highest id of a message or notification.
const MAX_ID: i64 = (1 << 53) - 1;

/// The path with its ids.
pub fn path(operation: &Operation, target: Target, scene: &Scene<'_>, room: &LostRoom) -> String {
    let id = match target {
        Target::Nothing => 0,
        Target::Room | Target::Member => room.id,
        Target::Own => room.own,
        Target::Others => room.others(),
        // Notifications of messages have twice the message's id.
        Target::Notification => room.others() * 2,
    };
    let path = operation.path.replace("{id}", &id.to_string());
    let path = path.replace("{user_id}", &scene.system.cat.id.to_string());
    let is_filled = !path.contains('{') && (operation.path.contains("{id}") == (id != 0));
    assert!(is_filled, "{}: a new path parameter: add it to access/values.rs", operation.name);
    path
}

/// The query strings to try: none, and one for each parameter.
pub fn queries(operation: &Operation, room: &LostRoom) -> Vec<String> {
    let value = |name: &str| match name {
        "search" => room.name.clone(),
        "room_type" => room.kind.to_owned(),
        "mine" | "unread" => "true".to_owned(),
        "page" => "1".to_owned(),
        "page_size" | "limit" => "100".to_owned(),
        "after" => format!("{}-{MAX_ID}", i64::MAX),
        "after_id" => "0".to_owned(),
        "before_id" if operation.path.contains("notifications") => String::new(),
        "before_id" => MAX_ID.to_string(),
        _ => panic!("{}: the parameter {name} is new: add it to access/values.rs", operation.name),
    };
    let set = operation.query.iter().map(|name| (name, value(name))).filter(|(_, value)| !value.is_empty());
    std::iter::once(String::new()).chain(set.map(|(name, value)| format!("?{name}={value}"))).collect()
}

/// A body with all its fields; `None` for a call without.
pub fn body(operation: &Operation, scene: &Scene<'_>, room: &LostRoom) -> Option<Value> {
    let (schema, fields) = operation.body.as_ref()?;
    let values = fields.iter().map(|field| (field.clone(), value(schema, field, scene, room)));
    Some(Value::Object(values.collect::<Map<_, _>>()))
}

fn value(schema: &str, field: &str, scene: &Scene<'_>, room: &LostRoom) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    match (schema, field) {
        ("Credentials", "username") => json!(scene.bob.username),
        ("NewAccount", "username") => json!(format!("newcomer{number}")),
        ("Credentials" | "NewAccount", "password") => json!(PASSWORD),
        ("NewAccount", "first_name" | "last_name") => json!("New"),
        ("RefreshToken", "refresh") | ("AnyToken", "token") => json!(scene.bob.refresh),
        ("NewRoom" | "RoomPatch", "name") => json!("still mine"),
        ("NewRoom" | "RoomPatch", "max_members") => json!(60),
        ("NewRoom", "room_type") => json!("public"),
        ("Invitation", "username") => json!(scene.system.dan.username),
        ("MemberPatch", "role") => json!("moderator"),
        ("MemberPatch", "is_muted") => json!(true),
        ("MemberPatch", "is_banned") => json!(false),
        ("NewRoom" | "RoomPatch", "description") | ("MessageDraft" | "MessageEdit", "content") => {
            json!("still here")
        }
        ("MessageDraft", "message_type") => json!("file"),
        ("MessageDraft", "file_url") => json!("https://example.org/tea"),
        ("MessageDraft", "file_name") => json!("tea"),
        ("MessageDraft", "file_size") => json!(1),
        ("MessageDraft", "reply_to") => json!(room.others()),
        ("MessageDraft", "client_id") => json!(format!("by a call {number}")),
        _ => panic!("the field {field} of {schema} is new: add it to access/values.rs"),
    }
}
