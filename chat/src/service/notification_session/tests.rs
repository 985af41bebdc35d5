//! Filling a gap in the events of a notification session.

use super::*;
use crate::{
    clock::Clock,
    credential::{Credential, SignInId},
    model::{MessageDraft, NewRoom, ServerFrame, Timestamp, User},
    service::Settings,
    store::Store,
};

#[tokio::test]
async fn missed_messages_are_read_from_the_database_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&format!("sqlite:{}", folder.path().join("liao.db").display())).await;
    let chat = Chat::start(store.expect("open"), Settings::default(), Clock::System);
    let amy = chat.create_user("amy", "correct horse 9", "", "").await.expect("a user");
    let bob = chat.create_user("bob", "correct horse 9", "", "").await.expect("a user");
    let new = NewRoom { name: "Tea".into(), room_type: "public".into(), ..NewRoom::default() };
    let room = chat.create_room(&amy, new).await.expect("a room").id;
    chat.join(&bob, room).await.expect("joined");
    let say = async |who: &User, text: &str| {
        let draft = MessageDraft { content: text.into(), ..MessageDraft::default() };
        chat.send(who, room, draft).await.expect("stored")
    };
    let credential = Credential::Token {
        sign_in: SignInId::new("test"),
        issued_at: chat.clock().now(),
        expires_at: Timestamp(i64::MAX),
    };
    let socket = chat.connect(Claim { user: bob.id, credential }).await.expect("connected");
    let mut session = socket.open_notifications(None).await.expect("open");
    // As if the node was disconnected: events of the room do not arrive for a while.
    session.inbox.unwatch(room);
    say(&amy, "one").await;
    say(&bob, "my own").await;
    say(&amy, "two @bob").await;
    session.inbox.watch(room);
    say(&amy, "three").await;

    let mut received = Vec::new();
    while received.last().is_none_or(|last| last != "3 unread") {
        let frame = session.next().await.expect("open");
        match serde_json::from_slice(&frame).expect("a frame") {
            NotificationFrame::Notification { notification, .. } => {
                let kind = notification.notification_type.as_str();
                received.push(format!("{kind}: {}", notification.content));
            }
            NotificationFrame::Unread { unread_count, .. } => received.push(format!("{unread_count} unread")),
            NotificationFrame::LastMessage { message, .. } => {
                received.push(format!("last: {}", message.content));
            }
            NotificationFrame::ConnectionEstablished { .. }
            | NotificationFrame::RoomAdded { .. }
            | NotificationFrame::RoomRemoved { .. }
            | NotificationFrame::RoomChanged { .. }
            | NotificationFrame::UserChanged { .. }
            | NotificationFrame::Resync { .. }
            | NotificationFrame::Other => {}
        }
    }
    assert_eq!(received, ["message: one", "mention: two @bob", "message: three", "3 unread"]);
    let pong: NotificationFrame =
        serde_json::from_slice(&serde_json::to_vec(&ServerFrame::Pong).expect("JSON")).expect("a frame");
    assert_eq!(pong, NotificationFrame::Other, "frames of all sockets are parsed");
    chat.stop().await;
}
