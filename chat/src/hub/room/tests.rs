//! What a room's sockets are told, by which of the two ways.

use bytes::Bytes;

use super::*;
use crate::{
    hub::Audience,
    model::{Code, MessageId, ReadMark, RoomId, Timestamp, User, UserId},
};

const ROOM: RoomId = RoomId(1);
const SECOND: Duration = Duration::from_secs(1);

fn person(id: i64) -> UserRef {
    UserRef { id: UserId(id), username: format!("user{id}") }
}

fn hub(ring: usize) -> Hub {
    // Without errands: nothing here asks the database.
    Hub::new(ring, SECOND).0
}

fn text(event: Event) -> String {
    match event {
        Event::Frame(frame) => String::from_utf8_lossy(&frame.json).into_owned(),
        Event::Close { code, .. } => format!("{code:?}"),
    }
}

/// What must reach every socket.
fn close() -> Event {
    Event::Close { user: None, code: Code::NotFound }
}

async fn next(socket: &mut Subscription) -> String {
    text(socket.next().await.expect("it has not fallen behind"))
}

/// What has come so far.
fn rest(socket: &mut Subscription) -> Vec<String> {
    std::iter::from_fn(|| socket.try_next()).map(|event| text(event.expect("not behind"))).collect()
}

#[tokio::test(start_paused = true)]
async fn others_are_told_of_the_first_socket_and_of_the_last_one_only() {
    let hub = hub(16);
    let mut watcher = hub.subscribe(ROOM, person(1)).await;
    let mut first = hub.subscribe(ROOM, person(2)).await;
    let mut second = hub.subscribe(ROOM, person(2)).await;
    first.set_present(true);
    second.set_present(true);
    assert!(next(&mut watcher).await.contains("user_join"));
    drop(first);
    sleep(2 * SECOND).await;
    assert_eq!(rest(&mut watcher), Vec::<String>::new());
    second.set_present(false);
    drop(second);
    assert!(next(&mut watcher).await.contains("user_leave"));
    sleep(2 * SECOND).await;
    assert_eq!(rest(&mut watcher), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn coming_and_going_is_told_once_a_second_and_the_last_of_it_always() {
    let hub = hub(16);
    let mut watcher = hub.subscribe(ROOM, person(1)).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(hub.subscribe(ROOM, person(2)).await);
    }
    let (mut told, mut is_here) = (Vec::new(), false);
    for round in 0..100 {
        for socket in &mut sockets {
            socket.set_present(round % 2 == 0);
        }
        sleep(SECOND / 20).await;
        told.extend(rest(&mut watcher));
    }
    drop(sockets);
    sleep(3 * SECOND).await;
    told.extend(rest(&mut watcher));
    for frame in &told {
        assert!(frame.contains(if is_here { "user_leave" } else { "user_join" }), "{told:?}");
        is_here = !is_here;
    }
    assert!(!is_here && (2..=8).contains(&told.len()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn typing_reaches_others_and_not_oneself() {
    let hub = hub(16);
    let mut alice = hub.subscribe(ROOM, person(1)).await;
    let mut bob = hub.subscribe(ROOM, person(2)).await;
    alice.announce_typing(true);
    bob.announce_typing(true);
    assert!(next(&mut bob).await.contains("user1"));
    assert!(next(&mut alice).await.contains("user2"));
}

/// Ported from the attack that closed others' sockets: a flood by twenty sockets of one user.
#[tokio::test(start_paused = true)]
async fn a_flood_of_typing_is_one_frame_a_second_and_pushes_nothing_out() {
    let hub = hub(16);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    let mut reader = hub.subscribe(ROOM, person(1)).await;
    let mut attackers = Vec::new();
    for _ in 0..20 {
        attackers.push(hub.subscribe(ROOM, person(2)).await);
    }
    for _ in 0..10 {
        hub.publish(ROOM, close());
    }
    let mut frames = 0;
    for number in 0..290 {
        for attacker in &mut attackers {
            attacker.announce_typing(number % 2 == 0);
            attacker.set_present(number % 3 == 0);
        }
        sleep(SECOND / 100).await;
        frames += rest(&mut reader).len();
    }
    sleep(2 * SECOND).await;
    frames += rest(&mut reader).len();
    // Ten that are stored, and in three seconds a few of typing and of presence.
    assert!((10..=10 + 2 * 5).contains(&frames), "{frames}");
    let heard = rest(&mut slow);
    assert_eq!(heard[..10], vec!["NotFound"; 10], "whoever did not read lost nothing that is stored");
    let typing = heard.iter().filter(|frame| frame.contains("typing")).collect::<Vec<_>>();
    assert!(typing.len() == 1 && typing[0].contains("false"), "and has the last of the rest: {heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_readings_pushes_nothing_out() {
    let hub = hub(2);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    hub.publish(ROOM, close());
    for number in 1..=1_000 {
        let user = User {
            id: UserId(2),
            username: "user2".into(),
            first_name: String::new(),
            last_name: String::new(),
        };
        hub.publish_read(ROOM, ReadMark { message_id: MessageId(number), user, read_at: Timestamp(0) });
    }
    let heard = rest(&mut slow);
    assert_eq!((heard.len(), &*heard[0]), (2, "NotFound"));
    assert!(heard[1].contains("1000"), "{heard:?}");
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told() {
    let hub = hub(2);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    for _ in 0..5 {
        hub.publish(ROOM, close());
    }
    assert_eq!(slow.next().await.expect_err("it missed some"), Lagged);
}

#[tokio::test]
async fn a_room_without_listeners_is_forgotten() {
    let hub = hub(16);
    let one = hub.subscribe(ROOM, person(1)).await;
    let two = hub.subscribe(ROOM, person(1)).await;
    drop(one);
    assert!(hub.is_listening(ROOM));
    drop(two);
    assert!(!hub.is_listening(ROOM));
}

#[tokio::test(start_paused = true)]
async fn a_room_is_kept_until_the_last_going_was_told() {
    let hub = hub(16);
    let mut socket = hub.subscribe(ROOM, person(1)).await;
    socket.set_present(true);
    drop(socket);
    assert!(hub.is_listening(ROOM), "its going waits for its turn");
    sleep(3 * SECOND).await;
    assert!(!hub.is_listening(ROOM));
}

#[tokio::test]
async fn frames_of_a_ring_are_those_that_were_published() {
    let hub = hub(16);
    let mut socket = hub.subscribe(ROOM, person(1)).await;
    let frame = |text: &'static str, audience| {
        Event::Frame(Frame::serialised(Bytes::from_static(text.as_bytes()), None, audience))
    };
    hub.publish(ROOM, frame("for others", Audience::Others(UserId(1))));
    hub.publish(ROOM, frame("for all", Audience::Everyone));
    assert_eq!(next(&mut socket).await, "for all");
}
