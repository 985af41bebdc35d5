//! Makes every call of the API and compares its answer with the expected one.

use reqwest::Method;
use serde_json::Value;

use super::{
    code,
    expect::{Action, Class, expected},
    operations::{Operation, Target, uses},
    scene::{LostRoom, Scene},
    values,
    ways::Via,
};
use crate::support::Client;

/// One call in one room.
struct Call<'s> {
    operation: &'s Operation,
    target: Target,
    action: Action,
    via: Via,
    room: &'s LostRoom,
    class: Class,
}

fn calls<'s>(scene: &'s Scene<'_>) -> Vec<Call<'s>> {
    let mut calls = Vec::new();
    for &via in scene.way.vias_of_calls() {
        for room in &scene.rooms {
            for operation in &scene.system.operations {
                for (target, action) in uses(&operation.name) {
                    let class = expected(scene.way, via, room, action);
                    calls.push(Call { operation, target, action, via, room, class });
                }
            }
        }
    }
    calls
}

impl Call<'_> {
    fn is_of_account(&self) -> bool {
        self.target == Target::Nothing
    }

    /// Makes the call with each query, and checks the class of the answer and what it shows.
    async fn try_it(&self, scene: &Scene<'_>) {
        let Self { operation, target, via, room, class, .. } = self;
        let path = values::path(operation, *target, scene, room);
        for query in values::queries(operation, room) {
            let request = scene.request(*via, operation.method.clone(), &format!("{path}{query}"));
            let request = match values::body(operation, scene, room) {
                Some(body) => request.json(&body),
                None => request,
            };
            let got = Client::send(request).await;
            let status = got.status.as_u16();
            let what = format!(
                "{:?} in a {} room (admin: {}) by {via:?}, {}{query}",
                scene.way, room.kind, room.is_admin, operation.name
            );
            match class {
                Class::Allowed => assert!(got.status.is_success(), "{what}: {status} {}", got.body),
                Class::Refused(expected, word) => {
                    assert_eq!((status, code(&got.body)), (*expected, Some(*word)), "{what}: {}", got.body);
                }
            }
            assert!(operation.statuses.contains(&status), "{what}: {status} is not documented");
            let about = (!self.is_of_account()).then_some(*room);
            scene.assert_silent(*via, &got.body.to_string(), about, !class.is_allowed(), &what);
        }
    }
}

/// Makes all calls that must be refused, and those that only read. None of them may change anything.
pub async fn try_refused(scene: &Scene<'_>) {
    for call in calls(scene) {
        if !call.class.is_allowed() || call.operation.method == Method::GET {
            call.try_it(scene).await;
        }
    }
}

/// Makes the calls about the caller that write. They must not touch what is lost.
pub async fn try_of_account(scene: &Scene<'_>) {
    let lost: Vec<&LostRoom> = scene.rooms.iter().filter(|_| !scene.way.may_mark_read()).collect();
    let mut before = Vec::new();
    for room in &lost {
        before.push(scene.state(room).await);
    }
    // That no room is lost twice is a matter of the first one.
    let first = scene.rooms[0].id;
    for call in calls(scene).into_iter().filter(|call| call.is_of_account() && call.room.id == first) {
        // Ending the sign-in is a way of its own.
        let is_tried = call.class.is_allowed()
            && call.operation.method != Method::GET
            && call.action != Action::Blacklist;
        if is_tried {
            call.try_it(scene).await;
        }
    }
    for (room, before) in lost.into_iter().zip(before) {
        assert_eq!(scene.state(room).await, before, "{:?} in a {} room", scene.way, room.kind);
    }
    if scene.way.is_of_rooms() {
        check_lists(scene).await;
    }
}

/// The rooms and the notifications as bob sees them after the loss.
async fn check_lists(scene: &Scene<'_>) {
    let get = async |path: &str| scene.bob.client.get(path).await.expect(200);
    let rooms = get("/api/chat/rooms/").await;
    for room in &scene.rooms {
        let may = |action| expected(scene.way, Via::Token, room, action).is_allowed();
        let listed = rooms.as_array().expect("rooms").iter().find(|listed| listed["id"] == room.id);
        let Some(listed) = listed else { continue };
        if !may(Action::Read) {
            let seen = [&listed["last_message"], &listed["is_member"], &listed["unread_count"]];
            assert_eq!(seen, [&Value::Null, &Value::from(false), &Value::from(0)], "{listed}");
            assert_eq!(listed["my_role"], Value::Null, "{listed}");
        }
    }
    let notifications = get("/api/chat/notifications/?limit=200").await;
    let of_rooms: Vec<i64> = notifications
        .as_array()
        .expect("notifications")
        .iter()
        .filter_map(|notification| notification["room"]["id"].as_i64())
        .collect();
    assert!(of_rooms.contains(&scene.shared), "{of_rooms:?}");
    for room in scene.rooms.iter().filter(|_| !scene.way.may_mark_read()) {
        assert!(!of_rooms.contains(&room.id), "{:?}: a notification of a {} room", scene.way, room.kind);
    }
    assert_eq!(get("/api/chat/notifications/unread_count/").await["count"], 0, "all were marked as read");
}

/// Makes the calls in the rooms that are still allowed and write, such as leaving and joining.
pub async fn try_allowed(scene: &Scene<'_>) {
    for call in calls(scene) {
        let writes = call.class.is_allowed() && call.operation.method != Method::GET;
        if writes && !call.is_of_account() {
            call.try_it(scene).await;
        }
    }
}
