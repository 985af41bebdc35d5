//! Text of users is escaped on every page.
//!
//! The fields are read from the OpenAPI document and the pages from the router: a new field needs a row here, a new
//! page is included automatically.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use futures::future::join_all;
use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::Method;
use serde_json::{Value, json};

use super::{form, named, session};
use crate::support::{Client, PASSWORD, Server};

/// Texts that become markup if they are not escaped. Short enough for a room's name.
const TEXTS: [&str; 2] = [
    r#"</title></textarea></script></style></template>"'><hostile a="'><hostile>"#,
    "<!--<hostile>--!><![CDATA[ &lt;hostile&gt; &quot;&#39;><hostile>",
];

/// The expected treatment of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is on some page.
    Shown,
    /// Pages need not show it.
    Unseen,
    /// Such a text is rejected.
    Refused,
}
use Fate::{Refused, Shown, Unseen};

/// All string fields of all calls.
const FIELDS: [(&str, Fate); 19] = [
    ("blacklist_token.refresh", Refused),
    ("create_room.description", Shown),
    ("create_room.name", Shown),
    ("edit_message.content", Shown),
    ("edit_room.description", Shown),
    ("edit_room.name", Shown),
    ("invite_member.username", Refused),
    ("obtain_token.password", Unseen),
    ("obtain_token.username", Refused),
    ("refresh_token.refresh", Refused),
    ("register.first_name", Shown),
    ("register.last_name", Shown),
    ("register.password", Unseen),
    ("register.username", Refused),
    ("send_message.client_id", Unseen),
    ("send_message.content", Shown),
    ("send_message.file_name", Unseen),
    ("send_message.file_url", Unseen),
    ("verify_token.token", Refused),
];

/// The string fields of all calls in the document, as `operation.field`.
fn fields(document: &Value) -> BTreeSet<String> {
    let resolve = |schema: &Value| match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("a schema").clone(),
        None => schema.clone(),
    };
    let is_text = |schema: &Value| {
        let kind = &schema["type"];
        let is_string =
            kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
        is_string && schema.get("enum").is_none() && schema["format"] != "date-time"
    };
    let mut found = BTreeSet::new();
    for call in document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .filter_map(|item| item.as_object())
        .flat_map(|it| it.values())
    {
        for content in call["requestBody"]["content"].as_object().into_iter().flat_map(|it| it.values()) {
            let shape = resolve(&content["schema"]);
            for (name, field) in shape["properties"].as_object().expect("an object") {
                if is_text(&resolve(field)) {
                    found.insert(format!("{}.{name}", call["operationId"].as_str().expect("a name")));
                }
            }
        }
    }
    found
}

/// The parsed content of a page.
#[derive(Default)]
struct Seen {
    /// All texts and attribute values.
    text: String,
    title: String,
    text_areas: Vec<String>,
}

impl Seen {
    /// Parses a page, and asserts that no element or attribute comes from a hostile text.
    #[track_caller]
    fn of(page: &str, what: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let (mut seen, mut within) = (Self::default(), String::new());
        let own = |name: &str| {
            let is_own = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-:".contains(&byte));
            assert!(is_own && !name.contains("hostile"), "{name:?} on {what}: {page}");
        };
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
            match token {
                Token::StartTag(tag) => {
                    within = string(&tag.name);
                    own(&within);
                    if within == "textarea" {
                        seen.text_areas.push(String::new());
                    }
                    for (name, value) in &tag.attributes {
                        let name = string(name);
                        // As in the source of the icons.
                        own(&name.to_ascii_lowercase());
                        let _ = writeln!(seen.text, "{}", string(value));
                    }
                }
                Token::EndTag(tag) => {
                    own(&string(&tag.name));
                    within.clear();
                }
                Token::String(text) => {
                    let text = string(&text);
                    match within.as_str() {
                        // The data for hydration is escaped differently.
                        "script" => assert!(!text.contains("<hostile"), "a script of {what}: {text}"),
                        "title" => seen.title.push_str(&text),
                        "textarea" => seen.text_areas.last_mut().expect("it began").push_str(&text),
                        _ => {}
                    }
                    seen.text.push_str(&text);
                }
                Token::Comment(text) => {
                    assert!(!string(&text).contains("hostile"), "a comment on {what}: {page}");
                }
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        // A line break after the tag is not part of the text.
        for text in &mut seen.text_areas {
            *text = text.strip_prefix('\n').unwrap_or(text).to_owned();
        }
        seen
    }
}

/// A user with hostile names.
struct Guest {
    client: Client,
    username: String,
    cookie: String,
}

/// The value of `field` that contains `hostile`.
fn written(field: &str, hostile: &str) -> String {
    format!("{field} {hostile}")
}

impl Guest {
    async fn new(server: &Server, name: &str, hostile: &str) -> Self {
        // A unique name.
        let username = server.person(name).await.username.replacen(name, &format!("{name}2"), 1);
        let new = json!({
            "username": username,
            "password": PASSWORD,
            "first_name": written("register.first_name", hostile),
            "last_name": written("register.last_name", hostile),
        });
        let anyone = server.anyone();
        anyone.post("/api/register/", &new).await.expect(201);
        let tokens = anyone.post("/api/token/", &new).await.expect(200);
        let client = anyone.with_token(tokens["access"].as_str().expect("a token"));
        let (_, headers) =
            form(server, "/ui/sign_in", "", &[("username", &username), ("password", PASSWORD)]).await;
        let (cookie, _) = session(&headers).expect("a session");
        Self { client, username, cookie }
    }

    /// Requests a page. Returns its path, its redirect, and its parsed content.
    async fn looks(&self, server: &Server, path: &str, cookies: &str) -> (String, String, Seen) {
        let request = server.anyone().request(Method::GET, path).header("accept", "text/html");
        let response =
            request.header("cookie", format!("{}{cookies}", self.cookie)).send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let page = response.text().await.expect("text");
        assert!(!status.is_server_error(), "{status} of {path}: {page}");
        let onward = headers.get("location").map_or("", |place| place.to_str().expect("ASCII"));
        assert!(onward.is_empty() || onward.starts_with('/'), "{path} leads to {onward}");
        (path.to_owned(), onward.to_owned(), Seen::of(&page, path))
    }
}

/// The pages of the app, with this room for each id.
fn pages(room: i64) -> Vec<String> {
    let routes = leptos_axum::generate_route_list(app::App);
    let paths: Vec<_> = routes.iter().map(|route| route.path().replace("{id}", &room.to_string())).collect();
    assert!(paths.len() > 8, "{paths:?}");
    paths
}

/// `text`, escaped for a query string.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn every_string_field_has_a_row() {
    let server = Server::on_sqlite().await;
    let document = server.anyone().get("/api/schema/").await.expect(200);
    let rows: BTreeSet<String> = FIELDS.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(fields(&document), rows);
}

#[tokio::test]
async fn hostile_text_is_escaped_on_every_page() {
    let server = Server::on_sqlite().await;
    for hostile in TEXTS {
        let text = |field: &str| written(field, hostile);
        let (amy, bob, eve) = (
            Guest::new(server, "amy", hostile).await,
            Guest::new(server, "bob", hostile).await,
            Guest::new(server, "eve", hostile).await,
        );
        let new = |kind: &str| json!({"name": text("create_room.name"), "description": text("create_room.description"), "room_type": kind});
        let mut rooms = Vec::new();
        for kind in ["public", "private"] {
            let room = amy.client.post("/api/chat/rooms/", &new(kind)).await.expect(201);
            let room = room["id"].as_i64().expect("an id");
            let invitation = json!({"username": bob.username});
            amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &invitation).await.expect(201);
            rooms.push(room);
        }
        let (room, renamed) = (rooms[0], rooms[1]);
        let change = json!({"name": text("edit_room.name"), "description": text("edit_room.description")});
        let request = amy.client.request(Method::PATCH, &format!("/api/chat/rooms/{renamed}/"));
        Client::send(request.json(&change)).await.expect(200);
        let messages = format!("/api/chat/rooms/{room}/messages/");
        let draft = json!({
            "content": format!("@{} {}", bob.username, text("send_message.content")),
            "client_id": hostile.get(..20),
        });
        let first = amy.client.post(&messages, &draft).await.expect(201)["id"].as_i64().expect("an id");
        let file = json!({
            "content": text("send_message.content"),
            "message_type": "file",
            "file_name": text("send_message.file_name"),
            "file_url": format!("https://example.org/{}", text("send_message.file_url")),
        });
        amy.client.post(&messages, &file).await;
        let answer = json!({"content": text("send_message.content"), "reply_to": first});
        let second = bob.client.post(&messages, &answer).await.expect(201)["id"].as_i64().expect("an id");
        let words = json!({"content": text("edit_message.content")});
        let request = bob.client.request(Method::PATCH, &format!("/api/chat/messages/{second}/"));
        Client::send(request.json(&words)).await.expect(200);
        refused(&amy, room, hostile).await;

        let mut paths: BTreeSet<String> = rooms.iter().flat_map(|&room| pages(room)).collect();
        for act in ["reply", "edit", "delete", "readers"] {
            paths.insert(format!("/rooms/{room}?message={first}&do={act}"));
            paths.insert(format!("/rooms/{room}?message={second}&do={act}"));
        }
        let query = escaped(hostile);
        paths.extend([
            format!("/rooms/{room}?panel=details"),
            format!("/rooms/{room}?message={query}&do={query}&panel={query}&before={query}"),
            format!("/rooms/browse?search={query}"),
            format!("/rooms/browse?search={}", escaped("create_room.name")),
            format!("/sign-in?next=/{query}"),
            format!("/sign-up?next={query}"),
            format!("/rooms/{query}"),
            format!("/{query}"),
            "/api/docs/".into(),
            "/api/chat/test/".into(),
        ]);
        let nobody = Guest { client: server.anyone(), username: String::new(), cookie: "a=b".into() };
        let mut seen = BTreeMap::new();
        for (who, guest) in [("amy", &amy), ("bob", &bob), ("eve", &eve), ("nobody", &nobody)] {
            let looks = paths.iter().map(|path| guest.looks(server, path, ""));
            for (path, _, page) in join_all(looks).await {
                seen.insert((who, path), page);
            }
        }
        for (field, fate) in FIELDS {
            let is_shown = seen.values().any(|page| page.text.contains(&text(field)));
            assert!(fate != Shown || is_shown, "{field} is on no page");
        }
        // Where it was not text.
        let page = &seen[&("bob", format!("/rooms/{room}"))];
        assert!(page.title.contains(&text("create_room.name")), "{}", page.title);
        let page = &seen[&("amy", format!("/rooms/{renamed}/settings"))];
        assert_eq!(page.text_areas, [text("edit_room.description")]);
        let page = &seen[&("bob", format!("/rooms/{room}?message={second}&do=edit"))];
        assert_eq!(page.text_areas, [text("edit_message.content")]);

        typed(server, &amy, room, first, hostile).await;
        let cookies =
            ["language", "theme", "zone", "refusal"].map(|name| format!("; liao_{name}={query}")).concat();
        for path in ["/sign-in".to_owned(), format!("/rooms/{room}")] {
            amy.looks(server, &path, &cookies).await;
        }
    }
}

/// Calls that reject such a text.
async fn refused(amy: &Guest, room: i64, hostile: &str) {
    let members = format!("/api/chat/rooms/{room}/members/");
    for (path, body) in [
        ("/api/register/", json!({"username": hostile, "password": PASSWORD})),
        ("/api/token/", json!({"username": hostile, "password": hostile})),
        ("/api/token/refresh/", json!({"refresh": hostile})),
        ("/api/token/verify/", json!({"token": hostile})),
        ("/api/token/blacklist/", json!({"refresh": hostile})),
        (&members, json!({"username": hostile})),
    ] {
        let answer = amy.client.post(path, &body).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
}

/// Failed forms show the typed text.
async fn typed(server: &Server, amy: &Guest, room: i64, message: i64, hostile: &str) {
    let (room, message) = (room.to_string(), message.to_string());
    let long = format!("{hostile}{}", "x".repeat(160));
    let description = format!("\n\n{hostile}");
    let much = hostile.to_owned() + "\0";
    for (call, cookie, fields) in [
        (
            "create_room",
            &*amy.cookie,
            vec![("name", &*long), ("description", &description), ("room_type", hostile)],
        ),
        ("edit_room", &amy.cookie, vec![("room", &room), ("name", &long), ("description", &description)]),
        ("rename", &amy.cookie, vec![("first_name", &*long), ("last_name", hostile)]),
        ("invite_member", &amy.cookie, vec![("room", &room), ("username", hostile)]),
        ("edit_message", &amy.cookie, vec![("room", &room), ("message", &message), ("content", &much)]),
        ("sign_in", "", vec![("username", hostile), ("password", "x")]),
        ("sign_up", "", vec![("username", hostile), ("password", "x"), ("first_name", hostile)]),
    ] {
        let (status, headers) = form(server, &format!("/ui/{call}"), cookie, &fields).await;
        assert!(status.is_redirection(), "{call}: {status}");
        let refusal = named("liao_refusal=", &headers).unwrap_or_else(|| panic!("{call} was taken")).0;
        let back = headers["location"].to_str().expect("ASCII").to_owned();
        let asks = Guest { client: server.anyone(), username: String::new(), cookie: cookie.to_owned() };
        let (_, _, page) = asks.looks(server, &back, &format!("; {refusal}")).await;
        assert!(page.text.contains(hostile), "{call} keeps what was typed");
        // The page of a new room has a single-line field for it.
        if call == "edit_room" {
            assert_eq!(page.text_areas, [&*description], "{call}");
        }
    }
}
