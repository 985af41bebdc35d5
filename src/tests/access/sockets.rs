//! Sockets: open ones at the moment of the loss, and opening or resuming afterwards.

use std::time::Duration;

use chat::model::ClientFrame;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::http::Request;

use super::{
    expect::{
        Action, Class, FrameAnswer, answer_on_combined, answer_to_muted, answer_without_room, close_of_open,
        expected,
    },
    frames::{self, Subject},
    scene::{LostRoom, Scene},
    ways::{Via, Way},
};
use crate::support::Socket;

/// The sockets that are open at the moment of the loss.
pub struct Open {
    /// Bob's sockets to the rooms, by the room's place in the scene.
    rooms: Vec<(usize, Via, Socket)>,
    notifications: Vec<(Via, Socket)>,
    /// Subscribed to all rooms.
    combined: Vec<(Via, Socket)>,
    /// Amy's, one to each room.
    amys: Vec<Socket>,
}

/// An upgrade request of bob's.
fn upgrade(scene: &Scene<'_>, via: Via, path: &str, query: &str) -> Request<()> {
    let server = &scene.system.server;
    match via {
        Via::Token => server.upgrade(&format!("{path}?token={}&{query}", scene.bob.access)),
        Via::Cookie => {
            let mut request = server.upgrade(&format!("{path}?{query}"));
            for (name, value) in [("cookie", &scene.cookie), ("origin", &server.base)] {
                request.headers_mut().insert(name, value.parse().expect("a value"));
            }
            request
        }
    }
}

async fn open(scene: &Scene<'_>, via: Via, path: &str, query: &str) -> Socket {
    Socket::open(upgrade(scene, via, path, query)).await.expect("open")
}

fn path_of(room: &LostRoom) -> String {
    format!("/ws/chat/{}/", room.id)
}

const NOTIFICATIONS: &str = "/ws/notifications/";
const COMBINED: &str = "/ws/";

/// A token that changes nothing on an open socket: bob's own, unless the socket was opened with something that ended
/// while the token is still good.
fn token<'s>(scene: &'s Scene<'_>) -> &'s str {
    if scene.way == Way::SignedOut { "a.b.c" } else { &scene.bob.access }
}

impl Open {
    pub async fn before_the_loss(scene: &Scene<'_>) -> Self {
        let (mut rooms, mut notifications, mut combined, mut amys) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for via in scene.way.vias() {
            notifications.push((via, established(open(scene, via, NOTIFICATIONS, "").await).await));
            combined.push((
                via,
                subscribed(scene, established(open(scene, via, COMBINED, "").await).await).await,
            ));
            if scene.way == Way::Never {
                continue;
            }
            for (number, room) in scene.rooms.iter().enumerate() {
                rooms.push((number, via, established(open(scene, via, &path_of(room), "").await).await));
            }
        }
        for room in &scene.rooms {
            amys.push(scene.system.server.socket(&scene.system.amy, room.id).await);
        }
        Self { rooms, notifications, combined, amys }
    }

    /// Asserts that all sockets that the loss concerns close.
    pub async fn assert_closed(&mut self, scene: &Scene<'_>) {
        for (number, via, socket) in self.rooms.drain(..) {
            let room = &scene.rooms[number];
            let expected = close_of_open(scene.way, room).expect("they close");
            let (heard, end) = socket.frames_until_closed().await;
            let what = format!("{:?}: the open socket by {via:?} to a {} room", scene.way, room.kind);
            assert_eq!(end, expected, "{what}");
            scene.assert_silent(via, &Value::from(heard).to_string(), Some(room), false, &what);
        }
        let ends = |(via, _): &mut (Via, Socket)| scene.way.ends(*via);
        let ended = self.notifications.extract_if(.., ends).chain(self.combined.extract_if(.., ends));
        for (via, socket) in ended {
            let expected = close_of_open(scene.way, &scene.rooms[0]).expect("they close");
            let (heard, end) = socket.frames_until_closed().await;
            assert_eq!(end, expected, "{:?}: the notification socket by {via:?}", scene.way);
            scene.assert_silent(via, &Value::from(heard).to_string(), None, false, "the notification socket");
        }
    }

    /// Sends every frame on the sockets that were open during the loss.
    pub async fn try_frames(&mut self, scene: &Scene<'_>) {
        for (number, _, socket) in &mut self.rooms {
            let frames = frames::all(token(scene), subject(&scene.rooms[*number], false));
            if scene.way.keeps_sockets() {
                ask_all(socket, &frames, answer_to_muted).await;
                until_marked(scene, &scene.rooms[*number]).await;
            } else {
                for frame in &frames {
                    socket.try_send(&frames::json(frame)).await;
                }
            }
        }
        for (via, socket) in &mut self.notifications {
            let frames = frames::all(token(scene), subject(&scene.rooms[0], false));
            if !scene.way.ends(*via) {
                ask_all(socket, &frames, answer_without_room).await;
            }
        }
        for (via, socket) in &mut self.combined {
            if scene.way.ends(*via) {
                continue;
            }
            if scene.way.is_of_rooms() && !scene.way.keeps_sockets() && scene.way != Way::Never {
                assert_subscriptions_ended(scene, *via, socket).await;
            }
            for room in &scene.rooms {
                let frames = frames::all(token(scene), subject(room, true));
                ask_all(socket, &frames, |frame| answer_on_combined(scene.way, *via, room, frame)).await;
            }
        }
        if scene.way == Way::RoomDeleted {
            // By the combined socket.
            for room in &scene.rooms {
                until_marked(scene, room).await;
            }
        }
        if !scene.way.keeps_sockets() && scene.way != Way::Never {
            self.assert_closed(scene).await;
        }
    }

    /// Asserts that nobody heard of bob, and that he heard nothing of the rooms.
    pub async fn assert_nothing_heard(&mut self, scene: &Scene<'_>) {
        let amy = &scene.system.amy;
        for (room, socket) in scene.rooms.iter().zip(self.amys.drain(..)) {
            let heard = if scene.way == Way::RoomDeleted {
                let (heard, end) = socket.frames_until_closed().await;
                assert_eq!(end, (Some("not_found".to_owned()), 4404));
                heard
            } else {
                amy.says(room.id, &format!("fence {}", room.text)).await;
                let mut socket = socket;
                until(&mut socket, |frame| is_fence(&frame["message"])).await
            };
            let is_bobs = |frame: &&Value| is_by(frame, scene);
            let bobs: Vec<_> = heard.iter().filter(is_bobs).collect();
            assert!(bobs.is_empty(), "{:?} in a {} room: {bobs:?}", scene.way, room.kind);
        }
        amy.says(scene.shared, "fence").await;
        for (via, socket) in self.notifications.iter_mut().chain(&mut self.combined) {
            let heard = until(socket, |frame| frame["notification"]["content"] == "fence").await;
            let what = "the notification socket that stayed open";
            scene.assert_silent(*via, &Value::from(heard).to_string(), None, false, what);
        }
    }
}

fn subject(room: &LostRoom, names_room: bool) -> Subject {
    Subject { room: room.id, message_id: room.others(), names_room }
}

/// Subscribes to the rooms that bob is in.
async fn subscribed(scene: &Scene<'_>, mut socket: Socket) -> Socket {
    if scene.way != Way::Never {
        for room in &scene.rooms {
            socket.send(&json!({"type": "subscribe", "room_id": room.id})).await;
            assert_eq!(socket.next_of("subscribed").await["room_id"], room.id);
        }
    }
    socket
}

/// Asserts that the subscriptions to all rooms end, each with its reason, and that the socket stays open.
async fn assert_subscriptions_ended(scene: &Scene<'_>, via: Via, socket: &mut Socket) {
    let what = format!("{:?}: the combined socket by {via:?}", scene.way);
    let mut ended = Vec::new();
    while ended.len() < scene.rooms.len() {
        let frame = socket.next().await;
        let room = scene.rooms.iter().find(|room| frame["room_id"] == room.id);
        scene.assert_silent(via, &frame.to_string(), room, false, &what);
        if let (Some(room), true) = (room, frame["type"] == "error") {
            let (code, _) = close_of_open(scene.way, room).expect("they end");
            assert_eq!(frame["code"].as_str(), code.as_deref(), "{what}: {frame}");
            assert!(!ended.contains(&room.id), "{what}: {frame} comes twice");
            ended.push(room.id);
        }
    }
}

async fn established(mut socket: Socket) -> Socket {
    assert_eq!(socket.next().await["type"], "connection_established");
    socket
}

/// Sends all frames and waits for their answers. Frames of others are skipped, but no other error is allowed.
async fn ask_all(socket: &mut Socket, frames: &[ClientFrame], answer: impl Fn(&ClientFrame) -> FrameAnswer) {
    let mut awaited: Vec<(&str, Option<&str>)> = frames.iter().filter_map(&answer).collect();
    for frame in frames {
        socket.send(&frames::json(frame)).await;
    }
    while !awaited.is_empty() {
        let frame = socket.next().await;
        let got = (frame["type"].as_str().expect("a type"), frame["code"].as_str());
        match awaited.iter().position(|awaited| *awaited == got) {
            Some(at) => {
                awaited.swap_remove(at);
            }
            None => assert_ne!(got.0, "error", "{frame}, while waiting for {awaited:?}"),
        }
    }
}

/// Waits until bob's mark is stored, which is not answered.
async fn until_marked(scene: &Scene<'_>, room: &LostRoom) {
    let path = format!("/api/chat/messages/{}/reads/", room.others());
    for _ in 0..100 {
        let readers = scene.system.amy.client.get(&path).await.expect(200);
        if readers.as_array().expect("readers").iter().any(|reader| reader["user"]["id"] == scene.bob.id) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}: the mark in a {} room is not stored", scene.way, room.kind);
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

fn is_fence(message: &Value) -> bool {
    message["content"].as_str().is_some_and(|text| text.starts_with("fence"))
}

/// Is this something that bob did after the loss, and must not have been able to do?
fn is_by(frame: &Value, scene: &Scene<'_>) -> bool {
    let is_user = frame["user"]["id"] == json!(scene.bob.id);
    match frame["type"].as_str().expect("a type") {
        "typing" | "user_join" => is_user,
        "message_read" => is_user && !scene.way.may_mark_read(),
        // The end of his sockets is announced.
        "user_leave" => is_user && scene.way.keeps_sockets(),
        "chat_message" | "message_edited" => frame["message"]["sender"]["id"] == json!(scene.bob.id),
        "message_deleted" => true,
        // The deletion itself is announced.
        "room_changed" => frame["room"]["is_active"] == true,
        _ => false,
    }
}

/// Opens sockets in each way, resuming or not, after the loss.
pub async fn try_opening(scene: &Scene<'_>) {
    for via in scene.way.vias() {
        for room in &scene.rooms {
            let class = expected(scene.way, via, room, Action::Listen);
            for query in ["", "after_id=0", "after_rev=0"] {
                let socket = open(scene, via, &path_of(room), query).await;
                assert_class(scene, via, room, socket, class, query).await;
            }
            if via == Via::Token {
                try_first_frames(scene, room, class).await;
            }
        }
        for (path, query) in [(NOTIFICATIONS, ""), (NOTIFICATIONS, "after_rev=0"), (COMBINED, "after_rev=0")]
        {
            try_without_room(scene, via, path, query).await;
        }
    }
}

async fn assert_class(
    scene: &Scene<'_>,
    via: Via,
    room: &LostRoom,
    mut socket: Socket,
    class: Class,
    how: &str,
) {
    let what = format!("{:?}, a new socket by {via:?} to a {} room, {how}", scene.way, room.kind);
    let Some(close) = class.close() else {
        assert_eq!(socket.next().await["type"], "connection_established", "{what}");
        return;
    };
    let (heard, end) = socket.frames_until_closed().await;
    assert_eq!(end, close, "{what}");
    scene.assert_silent(via, &Value::from(heard).to_string(), Some(room), true, &what);
}

/// Opens sockets without a credential, each with another first frame.
async fn try_first_frames(scene: &Scene<'_>, room: &LostRoom, class: Class) {
    for frame in frames::all(&scene.bob.access, subject(room, false)) {
        let mut socket = Socket::open(scene.system.server.upgrade(&path_of(room))).await.expect("open");
        socket.send(&frames::json(&frame)).await;
        let class = match frame {
            ClientFrame::Authenticate { .. } => class,
            _ => Class::Refused(401, "not_authenticated"),
        };
        assert_class(scene, Via::Token, room, socket, class, &format!("first {frame:?}")).await;
    }
}

async fn try_without_room(scene: &Scene<'_>, via: Via, path: &str, query: &str) {
    let mut socket = open(scene, via, path, query).await;
    let what = format!("{:?}, a new socket to {path} by {via:?}, {query}", scene.way);
    let class = expected(scene.way, via, &scene.rooms[0], Action::Account);
    let (heard, is_refused) = if let Some(close) = class.close() {
        let (heard, end) = socket.frames_until_closed().await;
        assert_eq!(end, close, "{what}");
        (heard, true)
    } else {
        socket.send(&json!({"type": "ping"})).await;
        (until(&mut socket, |frame| frame["type"] == "pong").await, false)
    };
    scene.assert_silent(via, &Value::from(heard).to_string(), None, is_refused, &what);
}
