//! Sockets for notifications on other nodes than those where things happen.

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
        nodes::{Nodes, PATIENCE},
    },
};

async fn open(node: &Chat, user: &User) -> NotificationSession {
    let mut session = node.open_notifications(user).await.expect("open");
    let first = next(&mut session).await;
    assert!(matches!(first, NotificationFrame::ConnectionEstablished { .. }), "{first:?}");
    session
}

async fn next(session: &mut NotificationSession) -> NotificationFrame {
    let json = timeout(PATIENCE, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame of the contract")
}

/// Hears until the room has this count.
async fn until_unread(session: &mut NotificationSession, room: RoomId, count: i64) {
    let expected = NotificationFrame::Unread { room_id: room, unread_count: count };
    while next(session).await != expected {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_way_of_redis_and_without_it_what_happens_on_one_node_is_told_on_another() {
    let redis = Redis::start();
    for nodes in [Nodes::three(&redis.url()).await, Nodes::three_without_redis().await] {
        let (room, people) = nodes.room().await;
        let (amy, bob) = (&people[0], &people[1]);
        let mut bobs = open(&nodes.all[1], bob).await;
        let sent = nodes.all[0].send(amy, room, crate::support::draft("you, @bob?")).await.expect("stored");
        // Which of the two comes first is not said.
        let (mut told, mut unread) = (None, 0);
        while told.is_none() || unread != 1 {
            match next(&mut bobs).await {
                NotificationFrame::Notification { notification } => told = Some(notification),
                NotificationFrame::Unread { unread_count, .. } => unread = unread_count,
                _ => {}
            }
        }
        let told = told.expect("told");
        assert_eq!(told.notification_type, NotificationType::Mention);
        assert_eq!(told.message.expect("of a message").id, sent.message.id);

        // Taken back on another node, its words are taken out of his list.
        nodes.all[2].delete(amy, sent.message.id).await.expect("deleted");
        let message = loop {
            if let NotificationFrame::LastMessage { message, .. } = next(&mut bobs).await {
                break message;
            }
        };
        assert_eq!((message.id, message.content.as_str()), (sent.message.id, DELETED_CONTENT));

        // Shut out on another node, he hears no more of it.
        nodes.all[2].change_member(amy, room, bob.id, banned(true)).await.expect("banned");
        until_unread(&mut bobs, room, 0).await;
        nodes.all[0].set_active("bob", false).await.expect("shut out");
        let closed = timeout(PATIENCE, async {
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
async fn what_was_read_on_another_node_is_told_and_after_redis_was_away_everything() {
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
    // Nothing in the room says that this has happened.
    nodes.all[2].mark_read(bob, second.id).await.expect("read");
    redis.restart();
    until_unread(&mut bobs, room, 0).await;
}
