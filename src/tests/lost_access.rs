//! Every way of losing access to a room, combined with every entry point: each API call, each page and server function
//! of the UI, and the sockets.
//!
//! The entry points are read from the program itself, so a new one fails here until it has a row in [`entry_points`].

mod entry_points;
mod scene;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Socket, both};

use entry_points::Effect;
use scene::{LOSSES, Loss, Scene};

/// The expected response to a call with this effect after this loss.
fn answer(loss: Loss, is_hidden: bool, effect: Effect) -> (u16, Option<&'static str>) {
    let refused = |status, code| (status, Some(code));
    match (loss, effect) {
        (Loss::Deactivated, _) => refused(401, "user_inactive"),
        (Loss::Deleted | Loss::Muted, Effect::See | Effect::Read | Effect::Leave)
        | (Loss::Muted, Effect::DeleteOwn | Effect::ReadNotification) => (200, None),
        (Loss::Muted, Effect::Write) => refused(403, "muted"),
        (Loss::Muted, Effect::Moderate) => refused(403, "permission_denied"),
        (Loss::Deleted, _) | (_, Effect::ReadNotification) => refused(404, "not_found"),
        // Joining too: somebody who left a hidden room needs an invitation to return.
        _ if is_hidden => refused(404, "not_found"),
        (Loss::Banned, Effect::Leave) => (200, None),
        _ if loss.is_ban() => refused(403, "banned"),
        (_, Effect::See | Effect::Join) => (200, None),
        (_, Effect::Leave) => refused(400, "not_a_member"),
        (_, Effect::Read | Effect::Write | Effect::DeleteOwn | Effect::Moderate) => {
            refused(403, "not_a_member")
        }
    }
}

/// The expected close of a new socket to the room.
fn close(loss: Loss, is_hidden: bool) -> (Option<String>, u16) {
    let (code, close) = match loss {
        Loss::Deactivated => ("user_inactive", 4401),
        Loss::Deleted => ("not_found", 4404),
        _ if is_hidden => ("not_found", 4404),
        _ if loss.is_ban() => ("banned", 4403),
        _ => ("not_a_member", 4403),
    };
    (Some(code.into()), close)
}

/// The expected close of a socket that was open during the loss. A former member may know the reason.
fn close_of_open(loss: Loss) -> Option<(Option<String>, u16)> {
    let (code, close) = match loss {
        Loss::Never | Loss::Muted => return None,
        Loss::Deactivated => ("user_inactive", 4401),
        Loss::Deleted => ("not_found", 4404),
        Loss::Left | Loss::Removed | Loss::LeftAndBanned => ("not_a_member", 4403),
        Loss::Banned | Loss::BannedAndLeft | Loss::BannedAndRemoved => ("banned", 4403),
    };
    Some((Some(code.into()), close))
}

/// Makes every call. Those that leave or join are made last, since they change the membership.
async fn try_calls(scene: &Scene<'_>, is_last: bool) {
    let (loss, is_hidden) = (scene.loss, scene.is_hidden);
    for row in entry_points::calls(scene) {
        if matches!(row.effect, Some(Effect::Leave | Effect::Join)) != is_last {
            continue;
        }
        let (method, _) = row.call.split_once(' ').expect("a method and a path");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = scene.bob.client.request(method, &row.path);
        let request = match &row.body {
            Some(body) => request.json(body),
            None => request,
        };
        let got = Client::send(request).await;
        let what = format!("{loss:?}, hidden: {is_hidden}, {}: {}", row.call, got.body);
        if let Some(effect) = row.effect {
            let (status, code) = answer(loss, is_hidden, effect);
            assert_eq!((got.status.as_u16(), got.body["code"].as_str()), (status, code), "{what}");
        }
        scene.assert_silent_about_the_room(&got.body.to_string(), &what);
    }
}

/// Requests every page and every server function.
async fn try_pages(scene: &Scene<'_>) {
    for path in entry_points::pages(scene) {
        let page = scene.page(&path).await;
        scene.assert_silent_about_the_room(&page, &format!("{:?}, {path}", scene.loss));
    }
    for function in entry_points::functions(scene) {
        let said = scene.function(&function).await;
        scene.assert_silent_about_the_room(&said, &format!("{:?}, {}", scene.loss, function.path));
    }
}

async fn try_sockets(scene: &Scene<'_>) {
    let (loss, room, access) = (scene.loss, scene.room, &scene.bob.access);
    for query in ["", "&after_id=0", "&after_rev=0"] {
        let path = format!("/ws/chat/{room}/?token={access}{query}");
        let mut socket = Socket::open(scene.server.upgrade(&path)).await.expect("open");
        if loss == Loss::Muted {
            assert_eq!(socket.next().await["type"], "connection_established");
            socket.says("still here", "x").await;
            assert_eq!(socket.next_of("error").await["code"], "muted");
        } else {
            assert_eq!(socket.until_closed().await, close(loss, scene.is_hidden), "{loss:?} {query}");
        }
    }
}

/// Loses access, then tries every entry point. None may have an effect or reveal the room.
async fn check_all(scene: Scene<'_>) {
    let open = scene.open_before_the_loss().await;
    let mut amys = scene.server.socket(&scene.amy, scene.room).await;
    scene.lose().await;
    scene.write_after_the_loss().await;
    if let (Some(open), Some(expected)) = (open, close_of_open(scene.loss)) {
        let (texts, end) = open.texts_until_closed().await;
        assert_eq!(end, expected, "{:?}", scene.loss);
        // Changes by the command line take a moment to close sockets.
        let is_at_once = scene.loss != Loss::Deactivated;
        assert!(!is_at_once || !texts.iter().any(|text| text.contains("behind")), "{:?}", scene.loss);
    }
    let before = scene.state().await;
    let mut notification_socket = scene.notification_socket().await;
    try_calls(&scene, false).await;
    try_pages(&scene).await;
    try_sockets(&scene).await;
    if scene.has_no_access() {
        assert_eq!(scene.state().await, before, "{:?}: nothing of all that had an effect", scene.loss);
    }
    if scene.loss != Loss::Deleted {
        scene.amy.says(scene.room, &format!("fence {}", scene.marker)).await;
        let heard = until(&mut amys, |frame| {
            frame["message"]["content"].as_str().is_some_and(|text| text.starts_with("fence"))
        })
        .await;
        // Frames about his membership and presence are allowed.
        let is_his = |frame: &&Value| match frame["type"].as_str() {
            Some("message_read" | "typing" | "user_join") => frame["user"]["id"] == json!(scene.bob.id),
            Some("chat_message" | "message_edited") => {
                frame["message"]["sender"]["id"] == json!(scene.bob.id)
            }
            _ => false,
        };
        if scene.has_no_access() {
            assert_eq!(heard.iter().filter(is_his).count(), 0, "{:?}: {heard:?}", scene.loss);
        }
    }
    if let Some(notification_socket) = &mut notification_socket {
        scene.amy.says(scene.shared, "fence").await;
        let heard = until(notification_socket, |frame| frame["notification"]["content"] == "fence").await;
        if scene.has_no_access() {
            scene.assert_silent_about_the_room(&json!(heard).to_string(), "the notification socket");
        }
    }
    try_calls(&scene, true).await;
}

/// The frames before the awaited one.
async fn until(socket: &mut Socket, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let frame = socket.next().await;
        if is_last(&frame) {
            return heard;
        }
        heard.push(frame);
    }
}

both! {
    async fn who_lost_a_public_room_reads_and_writes_by_no_entry_point(server: &Server) {
        let (amy, cat) = (server.person("amy").await, server.person("cat").await);
        for loss in LOSSES {
            check_all(Scene::of(server, &amy, &cat, loss, "public").await).await;
        }
    }

    async fn who_lost_a_private_room_reads_and_writes_by_no_entry_point(server: &Server) {
        let (amy, cat) = (server.person("amy").await, server.person("cat").await);
        for loss in LOSSES {
            check_all(Scene::of(server, &amy, &cat, loss, "private").await).await;
        }
    }
}

#[tokio::test]
async fn every_entry_point_is_in_the_matrix() {
    entry_points::assert_complete().await;
}
