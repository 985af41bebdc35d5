//! An invitation reaches a notification socket whenever it becomes visible, however the client comes and goes.

use std::time::Duration;

use chat::{
    model::{NotificationFrame, NotificationType, RoomId, User},
    service::NotificationSession,
};
use tokio::time::timeout;

use crate::support::{Sockets as _, World, both};

/// Timeout for frames that must arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn next(session: &mut NotificationSession) -> NotificationFrame {
    let json = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame")
}

/// Whether an invitation comes before the notification of a mention, which somebody sends now.
async fn is_invited(world: &World, by: &User, room: RoomId, session: &mut NotificationSession) -> bool {
    world.say(by, room, "@bob").await;
    let mut is_invited = false;
    loop {
        if let NotificationFrame::Notification { notification, .. } = next(session).await {
            match notification.notification_type {
                NotificationType::RoomInvite => is_invited = true,
                _ => return is_invited,
            }
        }
    }
}

both! {
    /// The room and the invitation come from one change. A client that has only the first resumes after it.
    async fn a_client_that_leaves_between_the_room_and_the_invitation_gets_it_when_it_returns(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let mut live = world.chat.open_notifications(&bob).await.expect("open");
        world.chat.invite(&amy, room, "bob").await.expect("invited");
        let rev = loop {
            if let NotificationFrame::RoomAdded { rev, .. } = next(&mut live).await {
                break rev;
            }
        };
        drop(live);
        let mut back = world.chat.resume_notifications(&bob, Some(rev)).await.expect("open");
        assert!(is_invited(&world, &amy, room, &mut back).await);
    }
}
