use std::time::Duration;

use futures::FutureExt as _;

use super::*;
use crate::{hub::Hub, model::Code};

fn change(rev: i64, kind: ChangeKind) -> StoredChange {
    StoredChange { rev, json: Bytes::from_static(b"{}"), kind }
}

fn closed() -> StoredChange {
    change(1, ChangeKind::Room { closes: Some(Code::NotFound) })
}

#[tokio::test]
async fn full_news_queue_notifies_watchers_of_missed_events() {
    let (hub, _requests) = Hub::new(16, Duration::ZERO);
    let mut rooms = hub.watched_rooms();
    let mut inbox = hub.subscribe_user(UserId(1)).await;
    inbox.watch(RoomId(1));
    inbox.watch(RoomId(2));
    for _ in 0..NEWS_QUEUE {
        hub.publish(RoomId(1), closed());
    }
    hub.publish(RoomId(2), closed());
    let news = rooms.next().await.expect("news");
    assert_eq!(news.len(), BATCH + 1);
    let last = news.last().expect("news");
    assert!(matches!(last, (RoomId(2), RoomNews::Missed { .. })), "it may have been a change");
    assert!(matches!(inbox.next().await, Ok(InboxEvent::Missed(RoomId(2)))));
}

#[tokio::test]
async fn message_not_seen_since_the_previous_poll_was_missed() {
    let (hub, _requests) = Hub::new(16, Duration::ZERO);
    let mut inbox = hub.subscribe_user(UserId(1)).await;
    inbox.watch(RoomId(1));
    let counters = |seq| RoomCounters { rev: seq, seq, info_rev: 0 };
    hub.apply_poll(RoomId(1), counters(9));
    hub.apply_poll(RoomId(1), counters(9));
    assert!(inbox.next().now_or_never().is_none(), "the position is not known yet");
    inbox.set_position(RoomId(1), counters(4));
    // In flight at the first poll, arrived before the second.
    hub.apply_poll(RoomId(1), counters(5));
    let arrived = NewMessageNotice { seq: 5, mentioned: Vec::new() };
    hub.publish(RoomId(1), change(5, ChangeKind::NewMessage(arrived.into())));
    hub.apply_poll(RoomId(1), counters(6));
    assert!(inbox.next().now_or_never().is_none(), "it may be in flight");
    hub.apply_poll(RoomId(1), counters(7));
    assert!(matches!(inbox.next().now_or_never(), Some(Ok(InboxEvent::Missed(RoomId(1))))));
    hub.apply_poll(RoomId(1), counters(7));
    assert!(inbox.next().now_or_never().is_none(), "notified once");
}

#[tokio::test]
async fn change_not_seen_since_the_previous_poll_is_news() {
    let (hub, _requests) = Hub::new(16, Duration::ZERO);
    let mut rooms = hub.watched_rooms();
    let mut inbox = hub.subscribe_user(UserId(1)).await;
    inbox.watch(RoomId(1));
    let counters = |rev| RoomCounters { rev, seq: 4, info_rev: 0 };
    inbox.set_position(RoomId(1), counters(5));
    hub.apply_poll(RoomId(1), counters(6));
    assert!(rooms.next().now_or_never().is_none(), "it may be in flight");
    hub.publish(RoomId(1), change(6, ChangeKind::MessageChanged));
    let news = rooms.next().now_or_never().flatten().expect("news");
    assert!(matches!(news[..], [(RoomId(1), RoomNews::MessageChanged { .. })]), "{news:?}");
    hub.apply_poll(RoomId(1), counters(6));
    assert!(rooms.next().now_or_never().is_none(), "it was seen");
    hub.apply_poll(RoomId(1), counters(7));
    hub.apply_poll(RoomId(1), counters(7));
    let news = rooms.next().now_or_never().flatten().expect("news");
    assert!(
        matches!(news[..], [(RoomId(1), RoomNews::Missed { has_message: true, has_room: false })]),
        "{news:?}"
    );
    hub.apply_poll(RoomId(1), counters(7));
    assert!(rooms.next().now_or_never().is_none(), "once");
}

#[tokio::test]
async fn change_found_together_with_a_new_message_is_news_too() {
    let (hub, _requests) = Hub::new(16, Duration::ZERO);
    let mut rooms = hub.watched_rooms();
    let mut inbox = hub.subscribe_user(UserId(1)).await;
    inbox.watch(RoomId(1));
    let counters = |rev, seq| RoomCounters { rev, seq, info_rev: 0 };
    inbox.set_position(RoomId(1), counters(5, 4));
    for _ in 0..2 {
        hub.apply_poll(RoomId(1), counters(6, 5));
    }
    assert!(matches!(inbox.next().now_or_never(), Some(Ok(InboxEvent::Missed(RoomId(1))))));
    assert!(rooms.next().now_or_never().is_none(), "a message alone");
    hub.apply_poll(RoomId(1), counters(7, 6));
    // Deleted before the next poll: its reader may have been told of it by the user's own stream.
    hub.apply_poll(RoomId(1), counters(8, 6));
    assert!(matches!(inbox.next().now_or_never(), Some(Ok(InboxEvent::Missed(RoomId(1))))));
    let news = rooms.next().now_or_never().flatten().expect("news");
    assert!(matches!(news[..], [(RoomId(1), RoomNews::Missed { has_message: true, .. })]), "{news:?}");
}

#[tokio::test]
async fn only_watched_rooms_produce_news() {
    let (hub, _requests) = Hub::new(16, Duration::ZERO);
    let mut rooms = hub.watched_rooms();
    let mut inbox = hub.subscribe_user(UserId(1)).await;
    inbox.watch(RoomId(1));
    inbox.watch(RoomId(2));
    inbox.unwatch(RoomId(1));
    for room in [1, 2, 3] {
        hub.publish(RoomId(room), closed());
    }
    let news = rooms.next().await.expect("news");
    assert_eq!(news.iter().map(|(room, _)| *room).collect::<Vec<_>>(), [RoomId(2)]);
    drop(inbox);
    assert!(!hub.is_listening(RoomId(2)));
}
