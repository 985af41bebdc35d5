//! All entry points to a room, with their requests and effects.

use std::collections::BTreeSet;

use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::calls;

/// The effect of a call on the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Shows the room and who is in it.
    See,
    /// Reads, or marks as read.
    Read,
    /// Writes a message, or changes one.
    Write,
    /// Deletes one of the caller's own messages.
    DeleteOwn,
    /// A call for moderators and admins.
    Moderate,
    /// Marks the notification of a message.
    ReadNotification,
    Join,
    Leave,
}

/// A call of the API.
pub struct EntryPoint {
    pub call: &'static str,
    pub path: String,
    pub body: Option<Value>,
    /// `None` for a call that is not about a single room: only its response is checked.
    pub effect: Option<Effect>,
}

/// All calls, for this room if they are about one.
pub fn calls(scene: &Scene<'_>) -> Vec<EntryPoint> {
    let message = scene.others();
    rows(scene.room, scene.own, message, scene.cat.id, &scene.cat.username)
}

fn rows(room: i64, own: i64, others: i64, user: i64, username: &str) -> Vec<EntryPoint> {
    let text = || Some(json!({"content": "still here"}));
    let none = || Some(json!({}));
    let of_room = |rest: &str| format!("/api/chat/rooms/{room}/{rest}");
    let member = of_room(&format!("members/{user}/"));
    let of_message = |id: i64, rest: &str| format!("/api/chat/messages/{id}/{rest}");
    // The id of the message's notification.
    let notice = others * 2;
    let row = |call, path: String, body, effect| EntryPoint { call, path, body, effect };
    let about = |call, path: String, body, effect| row(call, path, body, Some(effect));
    let apart = |call: &'static str, body: Option<Value>| {
        let (_, path) = call.split_once(' ').expect("a method and a path");
        row(call, path.to_owned(), body, None)
    };
    vec![
        apart("POST /api/token/", none()),
        apart("POST /api/token/refresh/", none()),
        apart("POST /api/token/verify/", none()),
        apart("POST /api/token/blacklist/", none()),
        apart("POST /api/register/", none()),
        apart("GET /api/me/", None),
        apart("GET /api/chat/rooms/", None),
        apart("POST /api/chat/rooms/", none()),
        apart("GET /api/chat/notifications/", None),
        apart("GET /api/chat/notifications/unread_count/", None),
        about(
            "POST /api/chat/notifications/{id}/read/",
            format!("/api/chat/notifications/{notice}/read/"),
            none(),
            Effect::ReadNotification,
        ),
        apart("POST /api/chat/notifications/read_all/", none()),
        about("GET /api/chat/rooms/{id}/", of_room(""), None, Effect::See),
        about("GET /api/chat/rooms/{id}/members/", of_room("members/"), None, Effect::See),
        about("GET /api/chat/rooms/{id}/messages/", of_room("messages/"), None, Effect::Read),
        about("GET /api/chat/messages/{id}/reads/", of_message(others, "reads/"), None, Effect::Read),
        about("POST /api/chat/messages/{id}/read/", of_message(others, "read/"), none(), Effect::Read),
        about("POST /api/chat/rooms/{id}/messages/", of_room("messages/"), text(), Effect::Write),
        about("PATCH /api/chat/messages/{id}/", of_message(own, ""), text(), Effect::Write),
        about("DELETE /api/chat/messages/{id}/delete/", of_message(own, "delete/"), None, Effect::DeleteOwn),
        about(
            "POST /api/chat/rooms/{id}/members/",
            of_room("members/"),
            Some(json!({"username": username})),
            Effect::Moderate,
        ),
        about(
            "PATCH /api/chat/rooms/{id}/members/{user_id}/",
            member.clone(),
            Some(json!({"is_muted": true})),
            Effect::Moderate,
        ),
        about("DELETE /api/chat/rooms/{id}/members/{user_id}/", member, None, Effect::Moderate),
        about("PATCH /api/chat/rooms/{id}/", of_room(""), Some(json!({"name": "mine"})), Effect::Moderate),
        about("DELETE /api/chat/rooms/{id}/", of_room(""), None, Effect::Moderate),
        about("POST /api/chat/rooms/{id}/leave/", of_room("leave/"), none(), Effect::Leave),
        about("POST /api/chat/rooms/{id}/join/", of_room("join/"), none(), Effect::Join),
    ]
}

/// A server function and its arguments.
pub struct Function {
    pub path: String,
    pub method: Method,
    pub fields: Vec<(&'static str, String)>,
}

/// Server functions that are not about rooms, or end the session.
const NOT_OF_ROOMS: [&str; 12] = [
    "change_password",
    "end_session",
    "end_token",
    "rename",
    "set_language",
    "set_theme",
    "sign_in",
    "sign_in_demo",
    "sign_out",
    "sign_out_elsewhere",
    "sign_up",
    "create_room",
];
/// Server functions that join or leave: only the API calls are tried, at the end.
const COME_AND_GO: [&str; 2] = ["join_room", "leave_room"];

/// The arguments of each of the others.
fn fields(name: &str, scene: &Scene<'_>) -> Option<Vec<(&'static str, String)>> {
    let room = ("room", scene.room.to_string());
    let own = ("message", scene.own.to_string());
    let others = ("message", scene.others().to_string());
    let content = ("content", "still here".to_owned());
    Some(match name {
        "list_rooms" | "visit" | "mark_all_notifications_read" => vec![],
        "find_places" => vec![("text", "den".to_owned())],
        "roster" | "is_in" | "delete_room" | "open_room" => vec![room],
        "history" => vec![room, ("around", scene.others().to_string())],
        "candidates" => vec![room, ("text", "a".to_owned())],
        "members_named" => vec![room, ("letters", "a".to_owned())],
        "invite_member" => vec![room, ("username", scene.cat.username.clone())],
        "change_member" => vec![room, ("user", scene.cat.id.to_string()), ("act", "mute".to_owned())],
        "send_message" => vec![room, content],
        "edit_message" => vec![room, own, content],
        "delete_message" => vec![room, own],
        "quoted" => vec![room, others],
        "readers" => vec![others],
        "edit_room" => vec![room, ("name", "mine".to_owned()), ("max_members", "50".to_owned())],
        "mark_notification_read" => vec![("notification", (scene.others() * 2).to_string())],
        _ => return None,
    })
}

/// The names and methods of all server functions.
fn server_functions() -> Vec<(String, Method)> {
    let named = server_fn_paths().filter_map(|(path, method)| {
        let method = Method::from_bytes(method.as_str().as_bytes()).expect("a method");
        Some((path.strip_prefix("/ui/")?.to_owned(), method))
    });
    named.collect()
}

/// All server functions about rooms, for this room.
pub fn functions(scene: &Scene<'_>) -> Vec<Function> {
    let all = server_functions().into_iter().filter_map(|(name, method)| {
        Some(Function { fields: fields(&name, scene)?, path: format!("/ui/{name}"), method })
    });
    all.collect()
}

/// All pages, of this room if they are about one.
pub fn pages(scene: &Scene<'_>) -> Vec<String> {
    let mut pages: BTreeSet<String> = page_paths().into_iter().collect();
    pages.insert("/rooms/{id}?around={message}".to_owned());
    let (room, message) = (scene.room.to_string(), scene.others().to_string());
    pages.into_iter().map(|path| path.replace("{id}", &room).replace("{message}", &message)).collect()
}

fn page_paths() -> Vec<String> {
    generate_route_list(app::App).iter().map(|route| route.path().to_owned()).collect()
}

/// Asserts that no call, function or page is missing.
pub async fn assert_complete() {
    calls::assert_complete(rows(1, 1, 1, 1, "").iter().map(|row| row.call));
    let known_parameters =
        page_paths().iter().all(|path| !path.replace("{id}", "").contains(['{', ':', '*']));
    assert!(known_parameters, "a page with a parameter that is not a room: {:?}", page_paths());
    assert!(page_paths().len() > 8, "the pages were read: {:?}", page_paths());
    let functions: Vec<String> = server_functions().into_iter().map(|(name, _)| name).collect();
    assert!(functions.len() > 25, "the server functions were read: {functions:?}");
    let server = crate::support::Server::on_sqlite().await;
    let (amy, cat) = (server.person("amy").await, server.person("cat").await);
    let scene = Scene::of(server, &amy, &cat, super::Loss::Never, "public").await;
    scene.write_after_the_loss().await;
    for name in &functions {
        let is_named = NOT_OF_ROOMS.contains(&name.as_str()) || COME_AND_GO.contains(&name.as_str());
        assert!(is_named != fields(name, &scene).is_some(), "the server function {name} has no row, or two");
    }
}
