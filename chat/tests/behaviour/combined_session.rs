//! The combined socket: subscriptions to rooms beside the notifications.

use chat::{
    Chat,
    model::{Code, RoomId, ServerFrame, Subscribe, User},
    service::{CombinedEvent, CombinedSession},
};
use serde_json::Value;

use crate::{
    redis::Redis,
    support::{
        World, both,
        cast::{Cast, banned, cast},
        draft,
        nodes::{Nodes, TIMEOUT},
        token, unhurried,
    },
};

/// A session of `user` on this node, past its first frames.
async fn open(node: &Chat, user: &User) -> CombinedSession {
    let socket = node.connect(token(node, user).await).await.expect("connected");
    let mut session = socket.open_combined(None).await.expect("open");
    assert_eq!(next(&mut session).await["type"], "connection_established");
    session
}

async fn event(session: &mut CombinedSession) -> CombinedEvent {
    tokio::time::timeout(TIMEOUT, session.next()).await.expect("an event in time").expect("open")
}

/// The next frame.
async fn next(session: &mut CombinedSession) -> Value {
    match event(session).await {
        CombinedEvent::Frame(json) => serde_json::from_slice(&json).expect("JSON"),
        CombinedEvent::Ended(room, error) => panic!("the subscription to {room} ended: {error}"),
    }
}

/// The next frame of this type; skips others.
async fn next_of(session: &mut CombinedSession, kind: &str) -> Value {
    loop {
        let frame = next(session).await;
        if frame["type"] == kind {
            return frame;
        }
    }
}

/// The next frame of this room's messages and their changes; skips others.
async fn next_change(session: &mut CombinedSession, room: RoomId) -> (i64, String) {
    loop {
        let frame = next(session).await;
        let kind = frame["type"].as_str().expect("a type");
        if frame["room_id"] == room.0 && matches!(kind, "chat_message" | "message_edited" | "resync") {
            let text = frame["message"]["content"].as_str().unwrap_or(kind).to_owned();
            return (frame["rev"].as_i64().expect("a number"), text);
        }
    }
}

/// The next user who went online or offline; skips other frames.
async fn next_online(session: &mut CombinedSession) -> (i64, bool) {
    let frame = next_of(session, "presence").await;
    (frame["user_id"].as_i64().expect("an id"), frame["is_online"].as_bool().expect("a flag"))
}

/// The room and the reason of the next subscription that ends; skips frames.
async fn next_end(session: &mut CombinedSession) -> (RoomId, Code) {
    loop {
        if let CombinedEvent::Ended(room, error) = event(session).await {
            return (room, error.code());
        }
    }
}

fn request(room: RoomId) -> Subscribe {
    Subscribe { room_id: room.0, after_rev: None, after_id: None, here: true }
}

fn after_rev(room: RoomId, rev: i64) -> Subscribe {
    Subscribe { after_rev: Some(rev), ..request(room) }
}

async fn try_subscribe(session: &mut CombinedSession, request: Subscribe) -> Result<(), Code> {
    let opening = session.subscribe(request).map_err(|error| error.code())?;
    session.add(opening.await).map_err(|error| error.code())
}

/// Subscribes, up to the answer.
async fn subscribe(session: &mut CombinedSession, request: Subscribe) -> Value {
    try_subscribe(session, request).await.expect("subscribed");
    let answer = next_of(session, "subscribed").await;
    assert_eq!(answer["room_id"], request.room_id);
    answer
}

/// Two users and a room of both.
async fn pair(world: &World) -> (User, User, RoomId) {
    let (amy, bob) = (world.person("amy").await, world.person("bob").await);
    let room = world.room(&amy).await.id;
    world.chat.join(&bob, room).await.expect("joined");
    (amy, bob, room)
}

both! {
    async fn subscription_begins_with_the_rooms_state_and_goes_on_live(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let last = world.say(&amy, room, "one").await;
        let mut session = open(&world.chat, &bob).await;
        let answer = subscribe(&mut session, request(room)).await;
        let expected = ServerFrame::Subscribed {
            room_id: room,
            last_message_id: Some(last.id),
            rev: last.rev,
            present: vec![bob.id],
        };
        assert_eq!(answer, serde_json::to_value(expected).expect("JSON"));
        let live = world.say(&amy, room, "live").await;
        assert_eq!(next_change(&mut session, room).await, (live.rev, "live".into()));
        session.remove(room);
        let elsewhere = world.room(&amy).await.id;
        world.chat.join(&bob, elsewhere).await.expect("joined");
        subscribe(&mut session, request(elsewhere)).await;
        world.say(&amy, room, "not subscribed to").await;
        world.say(&amy, elsewhere, "fence").await;
        let frame = next_of(&mut session, "chat_message").await;
        assert_eq!(frame["message"]["content"], "fence");
    }

    async fn subscribing_again_resumes_from_what_is_named(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let mut session = open(&world.chat, &bob).await;
        let rev = subscribe(&mut session, request(room)).await["rev"].as_i64().expect("a number");
        for text in ["one", "two"] {
            world.say(&amy, room, text).await;
        }
        assert_eq!(next_change(&mut session, room).await, (rev + 1, "one".into()));
        for _ in 0..2 {
            subscribe(&mut session, after_rev(room, rev)).await;
            assert_eq!(next_change(&mut session, room).await, (rev + 1, "one".into()));
        }
        // The rest of the backfill is given up with the subscription.
        subscribe(&mut session, Subscribe { after_id: Some(0), ..request(room) }).await;
        for expected in ["one", "two"] {
            assert_eq!(next_change(&mut session, room).await.1, expected);
        }
        world.say(&amy, room, "live").await;
        assert_eq!(next_change(&mut session, room).await, (rev + 3, "live".into()));
    }

    async fn refused_subscriptions_leave_the_others_alone(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        let outsider = world.person("outsider").await;
        let hidden = world.chat.create_room(&admin, crate::support::new_room("private")).await.expect("made").id;
        let mut session = open(&world.chat, &outsider).await;
        for (id, code) in [
            (room.0, Code::NotAMember),
            (hidden.0, Code::NotFound),
            (424_242, Code::NotFound),
            (i64::MAX, Code::NotFound),
            (0, Code::NotFound),
            (-1, Code::NotFound),
        ] {
            assert_eq!(try_subscribe(&mut session, request(RoomId(id))).await, Err(code), "{id}");
        }
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        let mut members = open(&world.chat, &member).await;
        assert_eq!(try_subscribe(&mut members, request(room)).await, Err(Code::Banned));
        world.chat.join(&outsider, room).await.expect("joined");
        subscribe(&mut session, request(room)).await;
    }

    async fn who_loses_a_room_keeps_the_socket_and_the_other_rooms(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let kept = world.room(&amy).await.id;
        world.chat.join(&bob, kept).await.expect("joined");
        let mut session = open(&world.chat, &bob).await;
        subscribe(&mut session, request(kept)).await;
        for (kind, removed, out) in [
            ("public", Code::NotAMember, Code::Banned),
            ("private", Code::NotFound, Code::NotFound),
            ("group", Code::NotFound, Code::NotFound),
        ] {
            let room = world.chat.create_room(&amy, crate::support::new_room(kind)).await.expect("made").id;
            for (is_ban, code) in [(false, removed), (true, out)] {
                world.chat.invite(&amy, room, &bob.username).await.expect("brought in");
                subscribe(&mut session, request(room)).await;
                if is_ban {
                    world.chat.change_member(&amy, room, bob.id, banned(true)).await.expect("banned");
                } else {
                    world.chat.remove_member(&amy, room, bob.id).await.expect("removed");
                }
                assert_eq!(next_end(&mut session).await, (room, code), "{kind}");
            }
        }
        world.say(&amy, kept, "still here").await;
        assert_eq!(next_change(&mut session, kept).await.1, "still here");
        world.chat.delete_room(&amy, kept).await.expect("deleted");
        assert_eq!(next_end(&mut session).await, (kept, Code::NotFound));
    }

    async fn right_that_is_lost_during_a_backfill_ends_the_subscription(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let long = "聊".repeat(10_000);
        for _ in 0..10 {
            world.say(&amy, room, &long).await;
        }
        let mut session = open(&world.chat, &bob).await;
        subscribe(&mut session, after_rev(room, 0)).await;
        next_change(&mut session, room).await;
        world.chat.change_member(&amy, room, bob.id, banned(true)).await.expect("banned");
        let mut after = 0;
        let code = loop {
            match event(&mut session).await {
                CombinedEvent::Ended(ended, error) => break (ended, error.code()),
                CombinedEvent::Frame(json) => {
                    let frame: Value = serde_json::from_slice(&json).expect("JSON");
                    after += usize::from(frame["type"] == "chat_message");
                }
            }
        };
        assert_eq!(code, (room, Code::Banned));
        assert!(after <= 3, "at most the page that was read before the ban, not {after}");
    }

    async fn number_of_subscriptions_is_limited(world: World) {
        let (amy, _, room) = pair(&world).await;
        let mut session = open(&world.chat, &amy).await;
        subscribe(&mut session, request(room)).await;
        for _ in 1..200 {
            let room = world.room(&amy).await.id;
            subscribe(&mut session, request(room)).await;
        }
        let one_more = world.room(&amy).await.id;
        assert_eq!(try_subscribe(&mut session, request(one_more)).await, Err(Code::TooManySubscriptions));
        subscribe(&mut session, request(room)).await;
        session.remove(room);
        subscribe(&mut session, request(one_more)).await;
    }

    async fn follower_who_is_not_here_is_not_present(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let mut amys = open(&world.chat, &amy).await;
        subscribe(&mut amys, request(room)).await;
        let mut bobs = open(&world.chat, &bob).await;
        let answer = subscribe(&mut bobs, Subscribe { here: false, ..request(room) }).await;
        assert_eq!(answer["present"], serde_json::json!([amy.id]));
        bobs.mark_active(room).await;
        world.say(&bob, room, "fence").await;
        let mut joins = 0;
        loop {
            let frame = next(&mut amys).await;
            match frame["type"].as_str() {
                Some("user_join") => joins += 1,
                Some("chat_message") => break,
                _ => {}
            }
        }
        assert_eq!(joins, 0);
        subscribe(&mut bobs, request(room)).await;
        assert_eq!(next_of(&mut amys, "user_join").await["user"]["id"], bob.id.0);
        let mut again = open(&world.chat, &bob).await;
        let present = subscribe(&mut again, request(room)).await["present"].clone();
        assert_eq!(present, serde_json::json!([bob.id, amy.id]));
        drop((bobs, again));
        assert_eq!(next_of(&mut amys, "user_leave").await["user"]["id"], bob.id.0);
    }

    async fn who_shares_a_subscribed_room_is_told_who_is_online(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let stranger = world.person("stranger").await;
        let other = world.room(&amy).await.id;
        world.chat.join(&bob, other).await.expect("joined");
        let mut amys = open(&world.chat, &amy).await;
        for room in [room, other] {
            subscribe(&mut amys, request(room)).await;
        }
        let strangers = open(&world.chat, &stranger).await;
        let bobs = open(&world.chat, &bob).await;
        let online = next_of(&mut amys, "presence").await;
        assert_eq!(online, serde_json::json!({"type": "presence", "user_id": bob.id, "is_online": true}));
        let second = open(&world.chat, &bob).await;
        drop((bobs, strangers));
        drop(second);
        // Neither the second socket nor the second room is told of.
        let offline = next_of(&mut amys, "presence").await;
        assert_eq!(offline, serde_json::json!({"type": "presence", "user_id": bob.id, "is_online": false}));
    }

    async fn socket_that_does_not_read_falls_back_to_pages(world: World) {
        // A ring of four.
        let world = world.restarted(chat::Settings { ring: 4, ..unhurried() }).await;
        let (amy, bob, room) = pair(&world).await;
        let busy = world.room(&amy).await.id;
        world.chat.join(&bob, busy).await.expect("joined");
        let mut session = open(&world.chat, &bob).await;
        let rev = subscribe(&mut session, request(room)).await["rev"].as_i64().expect("a number");
        let start = subscribe(&mut session, request(busy)).await["rev"].as_i64().expect("a number");
        for number in 1..=50 {
            world.say(&amy, room, &number.to_string()).await;
        }
        for number in 1..=50 {
            assert_eq!(next_change(&mut session, room).await, (rev + number, number.to_string()));
        }
        // More than 1,000 behind: only this subscription is told to read the rest by REST.
        for number in 1..=1_001 {
            let draft = draft(&number.to_string());
            world.chat.send(&amy, busy, draft).await.expect("stored");
        }
        world.say(&amy, room, "fence").await;
        let (mut resync, mut fence) = (None, None);
        while resync.is_none() || fence.is_none() {
            let frame = next(&mut session).await;
            match frame["type"].as_str() {
                Some("resync") if frame["room_id"] == busy.0 => resync = frame["rev"].as_i64(),
                Some("chat_message") if frame["room_id"] == room.0 => fence = frame["rev"].as_i64(),
                _ => {}
            }
        }
        assert_eq!((resync, fence), (Some(start + 1_001), Some(rev + 51)));
        world.say(&amy, busy, "and on").await;
        assert_eq!(next_change(&mut session, busy).await, (start + 1_002, "and on".into()));
    }

    async fn busy_room_does_not_delay_the_others(world: World) {
        let (amy, bob, room) = pair(&world).await;
        let busy = world.room(&amy).await.id;
        world.chat.join(&bob, busy).await.expect("joined");
        let mut session = open(&world.chat, &bob).await;
        subscribe(&mut session, request(busy)).await;
        subscribe(&mut session, request(room)).await;
        for number in 1..=300 {
            world.say(&amy, busy, &number.to_string()).await;
        }
        world.say(&amy, room, "in between").await;
        let mut before = 0;
        loop {
            let frame = next_of(&mut session, "chat_message").await;
            if frame["room_id"] == room.0 {
                break;
            }
            before += 1;
        }
        assert!(before <= 32, "after {before} frames of the busy room");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_and_who_is_online_span_nodes() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let (amy, bob, cid) = (&people[0], &people[1], &people[2]);
    let mut amys = open(&nodes.all[0], amy).await;
    subscribe(&mut amys, request(room)).await;
    let first = open(&nodes.all[1], bob).await;
    assert_eq!(next_online(&mut amys).await, (bob.id.0, true));
    let mut second = open(&nodes.all[2], bob).await;
    subscribe(&mut second, request(room)).await;
    drop(first);
    // Bob has another socket. Changes of a node are told in order: once Cid came and went after it, Bob's would be told.
    let cids = open(&nodes.all[1], cid).await;
    assert_eq!(next_online(&mut amys).await, (cid.id.0, true));
    drop(cids);
    assert_eq!(next_online(&mut amys).await, (cid.id.0, false));
    nodes.all[2].send(bob, room, draft("still online")).await.expect("stored");
    loop {
        let frame = next(&mut amys).await;
        assert_ne!(frame["type"], "presence", "{frame}");
        if frame["type"] == "chat_message" {
            break;
        }
    }
    nodes.all[1].change_member(amy, room, bob.id, banned(true)).await.expect("banned");
    assert_eq!(next_end(&mut second).await, (room, Code::Banned));
    nodes.all[1].change_member(amy, room, bob.id, banned(false)).await.expect("lifted");
    drop(second);
    assert_eq!(next_online(&mut amys).await, (bob.id.0, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_present_on_other_nodes_are_named_also_by_a_node_that_is_new_to_the_room() {
    let redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let mut bobs = open(&nodes.all[1], &people[1]).await;
    subscribe(&mut bobs, request(room)).await;
    let mut amys = open(&nodes.all[0], &people[0]).await;
    let answer = subscribe(&mut amys, request(room)).await;
    let bob = serde_json::json!(people[1].id);
    let is_named = answer["present"].as_array().expect("ids").contains(&bob);
    if !is_named {
        assert_eq!(next_of(&mut amys, "user_join").await["user"]["id"], bob, "as soon as this node knows");
    }
}
