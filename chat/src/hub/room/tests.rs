//! What a room's sockets receive, from the ring and from the volatile lane.

use bytes::Bytes;

use super::*;
use crate::{
    event::{ChangeKind, StoredChange},
    model::{MessageId, ReadMark, RoomId, Timestamp, User, UserId, UserRef},
};

const ROOM: RoomId = RoomId(1);
const SECOND: Duration = Duration::from_secs(1);

fn person(id: i64) -> UserRef {
    UserRef { id: UserId(id), username: format!("user{id}") }
}

fn hub(ring: usize) -> Hub {
    // The requests are dropped: no test here reads the database.
    Hub::new(ring, SECOND).0
}

fn text(event: Event) -> String {
    match event {
        Event::Frame(frame) => String::from_utf8_lossy(&frame.json).into_owned(),
        Event::Close { code, .. } => format!("{code:?}"),
    }
}

/// Publishes stored changes, which must reach every socket. Starts the room's stream at 0.
async fn publish_stored(hub: &Hub, socket: &mut Subscription, revs: std::ops::RangeInclusive<i64>) {
    socket.start(async || Ok::<_, ()>(0)).await.expect("started");
    for rev in revs {
        let json = Bytes::from_static(b"stored");
        hub.publish(ROOM, StoredChange { rev, json, kind: ChangeKind::MessageChanged });
    }
}

async fn next(socket: &mut Subscription) -> String {
    text(socket.next().await.expect("not lagged"))
}

/// The events received so far.
fn rest(socket: &mut Subscription) -> Vec<String> {
    std::iter::from_fn(|| socket.try_next()).map(|event| text(event.expect("not lagged"))).collect()
}

#[tokio::test(start_paused = true)]
async fn only_the_first_and_last_socket_of_a_user_are_announced() {
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
async fn presence_is_rate_limited_and_the_last_change_is_announced() {
    let hub = hub(16);
    let mut watcher = hub.subscribe(ROOM, person(1)).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(hub.subscribe(ROOM, person(2)).await);
    }
    let (mut frames, mut is_here) = (Vec::new(), false);
    for round in 0..100 {
        for socket in &mut sockets {
            socket.set_present(round % 2 == 0);
        }
        sleep(SECOND / 20).await;
        frames.extend(rest(&mut watcher));
    }
    drop(sockets);
    sleep(3 * SECOND).await;
    frames.extend(rest(&mut watcher));
    for frame in &frames {
        assert!(frame.contains(if is_here { "user_leave" } else { "user_join" }), "{frames:?}");
        is_here = !is_here;
    }
    assert!(!is_here && (2..=8).contains(&frames.len()), "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn typing_is_sent_to_others_only() {
    let hub = hub(16);
    let mut alice = hub.subscribe(ROOM, person(1)).await;
    let mut bob = hub.subscribe(ROOM, person(2)).await;
    alice.announce_typing(true);
    bob.announce_typing(true);
    assert!(next(&mut bob).await.contains("user1"));
    assert!(next(&mut alice).await.contains("user2"));
}

/// A flood by twenty sockets of one user, which once closed other users' sockets.
#[tokio::test(start_paused = true)]
async fn flood_of_typing_is_rate_limited_and_evicts_nothing() {
    let hub = hub(16);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    let mut reader = hub.subscribe(ROOM, person(1)).await;
    let mut attackers = Vec::new();
    for _ in 0..20 {
        attackers.push(hub.subscribe(ROOM, person(2)).await);
    }
    publish_stored(&hub, &mut slow, 1..=10).await;
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
    // Ten from the ring, and in three seconds a few of typing and of presence.
    assert!((10..=10 + 2 * 5).contains(&frames), "{frames}");
    let received = rest(&mut slow);
    assert_eq!(received[..10], vec!["stored"; 10], "a slow reader lost no stored change");
    let typing = received.iter().filter(|frame| frame.contains("typing")).collect::<Vec<_>>();
    assert!(typing.len() == 1 && typing[0].contains("false"), "and the last volatile ones: {received:?}");
}

#[tokio::test(start_paused = true)]
async fn flood_of_read_marks_evicts_nothing() {
    let hub = hub(2);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    publish_stored(&hub, &mut slow, 1..=1).await;
    for number in 1..=1_000 {
        let user = User {
            id: UserId(2),
            username: "user2".into(),
            first_name: String::new(),
            last_name: String::new(),
        };
        hub.publish_read(ROOM, ReadMark { message_id: MessageId(number), user, read_at: Timestamp(0) });
    }
    let received = rest(&mut slow);
    assert_eq!((received.len(), &*received[0]), (2, "stored"));
    assert!(received[1].contains("1000"), "{received:?}");
}

#[tokio::test]
async fn reader_that_falls_behind_gets_lagged() {
    let hub = hub(2);
    let mut slow = hub.subscribe(ROOM, person(1)).await;
    publish_stored(&hub, &mut slow, 1..=5).await;
    assert_eq!(slow.next().await.expect_err("it missed some"), Lagged);
}

#[tokio::test]
async fn room_without_subscriptions_is_removed() {
    let hub = hub(16);
    let one = hub.subscribe(ROOM, person(1)).await;
    let two = hub.subscribe(ROOM, person(1)).await;
    drop(one);
    assert!(hub.is_listening(ROOM));
    drop(two);
    assert!(!hub.is_listening(ROOM));
}

#[tokio::test(start_paused = true)]
async fn room_is_kept_until_the_last_leave_was_announced() {
    let hub = hub(16);
    let mut socket = hub.subscribe(ROOM, person(1)).await;
    socket.set_present(true);
    drop(socket);
    assert!(hub.is_listening(ROOM), "its leave is delayed");
    sleep(3 * SECOND).await;
    assert!(!hub.is_listening(ROOM));
}
