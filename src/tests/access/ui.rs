//! The pages and the server functions of the bundled UI.

use std::collections::BTreeSet;

use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;
use reqwest::Method;
use serde_json::Value;

use super::{
    expect::{Action, Class, expected},
    scene::{LostRoom, Scene},
    ways::Via,
};

type Fields = Vec<(&'static str, String)>;

/// What each server function does, with arguments for this room; empty for those that sign in or set a preference.
fn uses(name: &str, scene: &Scene<'_>, place: &LostRoom) -> Vec<(Action, Fields)> {
    use Action::{
        Account, DeleteOthers, DeleteOwn, EditOthers, EditOwn, Join, Leave, Manage, Moderate, Read,
        ReadNotification, See, Send, SetRole,
    };
    let room = ("room", place.id.to_string());
    let own = ("message", place.own.to_string());
    let others = ("message", place.others().to_string());
    let around = ("around", place.others().to_string());
    let content = ("content", "still here".to_owned());
    let text = |name, text: &str| (name, text.to_owned());
    let act = |act: &'static str| {
        let action = if ["admin", "moderator", "member"].contains(&act) { SetRole } else { Moderate };
        (action, vec![room.clone(), ("user", scene.system.cat.id.to_string()), ("act", act.to_owned())])
    };
    match name {
        // `visit` answers with data of its own, see below.
        "sign_in" | "sign_in_demo" | "sign_up" | "sign_out" | "set_language" | "set_theme"
        | "set_send_key" | "visit" => {
            vec![]
        }
        "list_rooms" | "mark_all_notifications_read" | "rename" | "sign_out_elsewhere" => {
            vec![(Account, vec![])]
        }
        "create_room" => vec![(Account, vec![text("name", "still mine"), text("room_type", "public")])],
        "change_password" => {
            vec![(Account, vec![text("old_password", "x"), text("password", "another horse 8")])]
        }
        "end_session" => vec![(Account, vec![text("session", "x")])],
        "end_token" => vec![(Account, vec![text("token", "x")])],
        "find_places" => {
            [&place.name, &place.only_member].map(|word| (Account, vec![text("text", word)])).to_vec()
        }
        "roster" => vec![(See, vec![room])],
        "person" => vec![(See, vec![room, text("username", &place.only_member)])],
        "open_room" => {
            let readers = vec![room.clone(), around, text("asks_readers", "true")];
            vec![(See, vec![room]), (See, readers)]
        }
        "members_named" => vec![(See, vec![room, text("letters", "eve")])],
        "history" => vec![(Read, vec![room.clone(), around]), (Read, vec![room])],
        "quoted" => vec![(Read, vec![room, others])],
        "readers" => vec![(Read, vec![others])],
        "send_message" => vec![(Send, vec![room, content])],
        "edit_message" => {
            let of = |message| vec![room.clone(), message, content.clone()];
            vec![(EditOwn, of(own)), (EditOthers, of(others))]
        }
        "delete_message" => {
            let of = |message| vec![room.clone(), message];
            vec![(DeleteOwn, of(own)), (DeleteOthers, of(others))]
        }
        "candidates" => vec![(Moderate, vec![room, text("text", "eve")])],
        "invite_member" => vec![(Moderate, vec![room, text("username", &scene.system.dan.username)])],
        "change_member" => {
            ["admin", "moderator", "member", "mute", "unmute", "ban", "unban", "remove"].map(act).to_vec()
        }
        "edit_room" => {
            vec![(Manage, vec![room, text("name", "still mine"), text("max_members", "60")])]
        }
        "delete_room" => vec![(Manage, vec![room])],
        "mark_notification_read" => {
            vec![(ReadNotification, vec![("notification", (place.others() * 2).to_string())])]
        }
        "join_room" => vec![(Join, vec![room])],
        "leave_room" => vec![(Leave, vec![room])],
        _ => panic!("the server function {name} is new: tell in access/ui.rs what it does"),
    }
}

/// The names and methods of all server functions.
fn functions() -> Vec<(String, Method)> {
    let named = server_fn_paths().filter_map(|(path, method)| {
        let method = Method::from_bytes(method.as_str().as_bytes()).expect("a method");
        Some((path.strip_prefix("/ui/")?.to_owned(), method))
    });
    named.collect()
}

/// The paths of all pages.
fn page_paths() -> Vec<String> {
    generate_route_list(app::App).iter().map(|route| route.path().to_owned()).collect()
}

/// Asserts that the pages and functions were read, and that no page has a parameter that is not a room.
pub fn assert_complete() {
    let (pages, functions) = (page_paths(), functions());
    assert!(pages.len() > 8, "{pages:?}");
    assert!(functions.len() > 25, "{functions:?}");
    assert!(pages.iter().all(|path| !path.replace("{id}", "").contains(['{', ':', '*'])), "{pages:?}");
}

/// Requests every page, and calls every function that must be refused or only reads.
pub async fn try_all(scene: &Scene<'_>) {
    if scene.way.ends(Via::Token) && !scene.way.ends(Via::Cookie) {
        return;
    }
    for room in &scene.rooms {
        for (name, method) in functions() {
            for (action, fields) in uses(&name, scene, room) {
                let class = expected(scene.way, Via::Cookie, room, action);
                if !class.is_allowed() || method == Method::GET {
                    try_function(scene, room, (name.as_str(), &method), &fields, (action, class)).await;
                }
            }
        }
        assert_visit(scene, room).await;
    }
    try_pages(scene).await;
}

/// The status, the body, and all that was sent.
async fn call(scene: &Scene<'_>, name: &str, method: &Method, fields: &Fields) -> (u16, Value, String) {
    let request = scene.request(Via::Cookie, method.clone(), &format!("/ui/{name}"));
    let request = if *method == Method::GET { request.query(fields) } else { request.form(fields) };
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), format!("{:?}", response.headers()));
    let text = response.text().await.expect("text");
    (status, serde_json::from_str(&text).unwrap_or_default(), headers + &text)
}

async fn try_function(
    scene: &Scene<'_>,
    room: &LostRoom,
    (name, method): (&str, &Method),
    fields: &Fields,
    (action, class): (Action, Class),
) {
    let (status, body, shown) = call(scene, name, method, fields).await;
    // An error is its code; one that a page shows by itself is data.
    let is_data = status == 200;
    let code = if is_data { body["Err"].as_str() } else { body.as_str() };
    let what = format!("{:?} in a {} room, /ui/{name} {fields:?}: {status} {body}", scene.way, room.kind);
    match class {
        Class::Allowed => assert_eq!((status, code), (200, None), "{what}"),
        Class::Refused(expected, word) => {
            assert_eq!(code, Some(word), "{what}");
            // Not being a member is a 400 in the API alone.
            let is_leaving = action == Action::Leave && word == "not_a_member";
            assert!(is_data || is_leaving || status == expected, "{what}");
        }
    }
    let about = (action != Action::Account).then_some(room);
    scene.assert_silent(Via::Cookie, &shown, about, !class.is_allowed(), &what);
}

/// The user of the session, if it is still good.
async fn assert_visit(scene: &Scene<'_>, room: &LostRoom) {
    let (status, body, shown) = call(scene, "visit", &Method::GET, &Fields::new()).await;
    let is_signed_in = !scene.way.ends(Via::Cookie);
    assert_eq!((status, body["user"].is_object()), (200, is_signed_in), "{body}");
    scene.assert_silent(Via::Cookie, &shown, Some(room), true, "visit");
}

/// Requests every page, of each room if it is about one.
async fn try_pages(scene: &Scene<'_>) {
    let mut pages: BTreeSet<String> = page_paths().into_iter().collect();
    pages.insert("/rooms/{id}?around={message}".to_owned());
    pages.insert("/rooms/{id}/members?search=eve".to_owned());
    pages.insert("/rooms/browse?search=Den".to_owned());
    for path in pages {
        let is_about_room = path.contains("{id}");
        for room in &scene.rooms[..if is_about_room { scene.rooms.len() } else { 1 }] {
            let path = path.replace("{id}", &room.id.to_string());
            let path = path.replace("{message}", &room.others().to_string());
            let request = scene.request(Via::Cookie, Method::GET, &path).header("accept", "text/html");
            let page = request.send().await.expect("an answer").text().await.expect("text");
            scene.assert_silent(Via::Cookie, &page, is_about_room.then_some(room), false, &path);
        }
    }
}
