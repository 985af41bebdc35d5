//! Every call of the API, read from the server's own OpenAPI document, and what it does.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::expect::Action;
use crate::support::Server;

/// A call of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `METHOD /path/`, as in the document.
    pub name: String,
    pub method: Method,
    pub path: String,
    pub query: Vec<String>,
    /// The name of the body's schema, and its fields.
    pub body: Option<(String, Vec<String>)>,
    /// All documented statuses.
    pub statuses: BTreeSet<u16>,
}

/// What a call is about, which its path's ids name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Nothing,
    Room,
    /// The room, and another member of it.
    Member,
    /// A message of the caller's.
    Own,
    /// A message of somebody else.
    Others,
    /// The notification of that message.
    Notification,
}

/// What each call is about and does.
pub fn uses(name: &str) -> Vec<(Target, Action)> {
    use Action::{
        Account, Blacklist, DeleteOthers, DeleteOwn, EditOthers, EditOwn, Join, Leave, Manage, Moderate,
        Public, Read, ReadNotification, Refresh, See, Send, SetRole, SignIn, Verify,
    };
    use Target::{Member, Nothing, Notification, Others, Own, Room};
    vec![match name {
        "GET /api/chat/test/" | "GET /api/docs/" | "GET /api/schema/" | "POST /api/register/" => {
            (Nothing, Public)
        }
        "POST /api/token/" => (Nothing, SignIn),
        "POST /api/token/refresh/" => (Nothing, Refresh),
        "POST /api/token/verify/" => (Nothing, Verify),
        "POST /api/token/blacklist/" => (Nothing, Blacklist),
        "GET /api/me/"
        | "GET /api/chat/rooms/"
        | "POST /api/chat/rooms/"
        | "GET /api/chat/notifications/"
        | "GET /api/chat/notifications/unread_count/"
        | "POST /api/chat/notifications/read_all/" => (Nothing, Account),
        "POST /api/chat/notifications/{id}/read/" => (Notification, ReadNotification),
        "GET /api/chat/rooms/{id}/" | "GET /api/chat/rooms/{id}/members/" => (Room, See),
        "PATCH /api/chat/rooms/{id}/" | "DELETE /api/chat/rooms/{id}/" => (Room, Manage),
        "POST /api/chat/rooms/{id}/join/" => (Room, Join),
        "POST /api/chat/rooms/{id}/leave/" => (Room, Leave),
        "POST /api/chat/rooms/{id}/members/" => (Room, Moderate),
        "PATCH /api/chat/rooms/{id}/members/{user_id}/" => (Member, SetRole),
        "DELETE /api/chat/rooms/{id}/members/{user_id}/" => (Member, Moderate),
        "GET /api/chat/rooms/{id}/messages/" => (Room, Read),
        "POST /api/chat/rooms/{id}/messages/" => (Room, Send),
        "POST /api/chat/messages/{id}/read/" | "GET /api/chat/messages/{id}/reads/" => (Others, Read),
        "PATCH /api/chat/messages/{id}/" => return vec![(Own, EditOwn), (Others, EditOthers)],
        "DELETE /api/chat/messages/{id}/delete/" => return vec![(Own, DeleteOwn), (Others, DeleteOthers)],
        _ => panic!("{name} is new: tell in access/operations.rs what it does"),
    }]
}

/// All calls of the document of this server.
pub async fn of(server: &Server) -> Vec<Operation> {
    let document = server.anyone().get("/api/schema/").await.expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let calls = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("methods").iter().map(|(method, call)| (path.clone(), method, call))
    });
    let mut operations: Vec<Operation> =
        calls.map(|(path, method, call)| read(&document, path, method, call)).collect();
    for operation in &operations {
        uses(&operation.name);
    }
    // What takes something away comes after what needs it.
    operations.sort_by_key(|operation| order(&operation.name));
    operations
}

fn order(name: &str) -> u8 {
    match name {
        "DELETE /api/chat/messages/{id}/delete/" => 1,
        "DELETE /api/chat/rooms/{id}/members/{user_id}/" => 2,
        "POST /api/chat/rooms/{id}/join/" => 3,
        "DELETE /api/chat/rooms/{id}/" => 4,
        "POST /api/chat/rooms/{id}/leave/" => 5,
        _ => 0,
    }
}

fn read(document: &Value, path: String, method: &str, call: &Value) -> Operation {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let parameters = call["parameters"].as_array().into_iter().flatten();
    let query = parameters.filter(|parameter| parameter["in"] == "query");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let statuses = call["responses"].as_object().expect("responses").keys();
    Operation {
        name: format!("{method} {path}"),
        query: query.map(|parameter| text(&parameter["name"])).collect(),
        body: (!call["requestBody"].is_null()).then(|| body(document, &call["requestBody"])),
        statuses: statuses.filter_map(|status| status.parse().ok()).collect(),
        method,
        path,
    }
}

fn body(document: &Value, body: &Value) -> (String, Vec<String>) {
    let schema = body["content"]["application/json"]["schema"]["$ref"].as_str().expect("a named schema");
    let name = schema.rsplit('/').next().expect("a name");
    let fields = document["components"]["schemas"][name]["properties"].as_object().expect("fields");
    (name.to_owned(), fields.keys().cloned().collect())
}
