//! Notification sockets on other nodes than those where events happen.

use chat::{
    Chat,
    model::{Code, NotificationFrame, NotificationType, RoomId, User, message::DELETED_CONTENT},
    service::NotificationSession,
};
use tokio::time::timeout;

use crate::{
    redis::Redis,
    support::{
        Sockets as _,
        cast::banned,
        nodes::{Nodes, TIMEOUT},
    },
};

async fn open(node: &Chat, user: &User) -> NotificationSession {
    let mut session = node.open_notifications(user).await.expect("open");
    let first = next(&mut session).await;
    assert!(matches!(first, NotificationFrame::ConnectionEstablished { .. }), "{first:?}");
    session
}

async fn next(session: &mut NotificationSession) -> NotificationFrame {
    let json = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame of the contract")
}

/// Receives frames until the room has this count.
async fn until_unread(session: &mut NotificationSession, room: RoomId, count: i64) {
    let is_expected = |frame: &NotificationFrame| {
        matches!(frame, NotificationFrame::Unread { room_id, unread_count, .. }
            if (*room_id, *unread_count) == (room, count))
    };
    while !is_expected(&next(session).await) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_one_node_are_notified_on_another_with_and_without_redis() {
    let redis = Redis::start();
    for nodes in [Nodes::three(&redis.url()).await, Nodes::three_without_redis().await] {
        let (room, people) = nodes.room().await;
        let (amy, bob) = (&people[0], &people[1]);
        let mut bobs = open(&nodes.all[1], bob).await;
        let sent = nodes.all[0].send(amy, room, crate::support::draft("you, @bob?")).await.expect("stored");
        // The order of the two is not defined.
        let (mut mention, mut unread) = (None, 0);
        while mention.is_none() || unread != 1 {
            match next(&mut bobs).await {
                NotificationFrame::Notification { notification, .. } => mention = Some(notification),
                NotificationFrame::Unread { unread_count, .. } => unread = unread_count,
                _ => {}
            }
        }
        let mention = mention.expect("notified");
        assert_eq!(mention.notification_type, NotificationType::Mention);
        assert_eq!(mention.message.expect("of a message").id, sent.message.id);

        // Deleted on another node, its content is removed from his list.
        nodes.all[2].delete(amy, sent.message.id).await.expect("deleted");
        let message = loop {
            if let NotificationFrame::LastMessage { message, .. } = next(&mut bobs).await {
                break message;
            }
        };
        assert_eq!((message.id, message.content.as_str()), (sent.message.id, DELETED_CONTENT));

        // Banned on another node, he receives nothing more of it.
        nodes.all[2].change_member(amy, room, bob.id, banned(true)).await.expect("banned");
        until_unread(&mut bobs, room, 0).await;
        nodes.all[0].set_active("bob", false).await.expect("deactivated");
        let closed = timeout(TIMEOUT, async {
            loop {
                match bobs.next().await {
                    Ok(json) => assert!(!String::from_utf8_lossy(&json).contains("unread_count\":1")),
                    Err(error) => return error.code(),
                }
            }
        });
        assert_eq!(closed.await.expect("closed in time"), Code::UserInactive);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_marks_of_another_node_are_notified_also_after_a_redis_outage() {
    let mut redis = Redis::start();
    let nodes = Nodes::three(&redis.url()).await;
    let (room, people) = nodes.room().await;
    let (amy, bob) = (&people[0], &people[1]);
    let mut bobs = open(&nodes.all[1], bob).await;
    let first = nodes.all[0].send(amy, room, crate::support::draft("one")).await.expect("stored").message;
    until_unread(&mut bobs, room, 1).await;
    nodes.all[2].mark_read(bob, first.id).await.expect("read");
    until_unread(&mut bobs, room, 0).await;

    redis.kill();
    let second = nodes.all[0].send(amy, room, crate::support::draft("two")).await.expect("stored").message;
    until_unread(&mut bobs, room, 1).await;
    // No event of the room reports this.
    nodes.all[2].mark_read(bob, second.id).await.expect("read");
    redis.restart();
    until_unread(&mut bobs, room, 0).await;
}
