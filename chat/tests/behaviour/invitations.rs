//! An invitation reaches a notification socket whenever it becomes visible, however the client comes and goes.

use std::time::Duration;

use chat::{
    model::{MemberPatch, NotificationFrame, NotificationType, RoomId, User},
    service::NotificationSession,
};
use futures::future::join_all;
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

    /// While one is not in the room, its invitation is not listed. Afterwards it is, and is told.
    async fn an_invitation_that_becomes_visible_again_is_told(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.invite(&amy, room, "bob").await.expect("invited");
        let ban = |is_banned| MemberPatch { is_banned: Some(is_banned), ..MemberPatch::default() };
        world.chat.remove_member(&amy, room, bob.id).await.expect("removed");
        let mut live = world.chat.open_notifications(&bob).await.expect("open");
        world.chat.join(&bob, room).await.expect("joined");
        assert!(is_invited(&world, &amy, room, &mut live).await, "after joining");
        world.chat.change_member(&amy, room, bob.id, ban(true)).await.expect("banned");
        world.chat.change_member(&amy, room, bob.id, ban(false)).await.expect("not banned any more");
        assert!(is_invited(&world, &amy, room, &mut live).await, "after a ban");
        world.chat.mark_all_notifications_read(&bob).await.expect("read");
        world.chat.leave(&bob, room).await.expect("left");
        world.chat.join(&bob, room).await.expect("joined");
        assert!(!is_invited(&world, &amy, room, &mut live).await, "one that was read");
    }

    /// Messages of one batch may mention one person several times.
    async fn each_mention_has_a_number_of_its_own(world: World) {
        const MENTIONS: usize = 40;
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut live = world.chat.open_notifications(&bob).await.expect("open");
        join_all((0..MENTIONS).map(|_| world.say(&amy, room, "@bob"))).await;
        let mut revs = Vec::new();
        while revs.len() < MENTIONS {
            if let NotificationFrame::Notification { rev, .. } = next(&mut live).await {
                revs.push(rev.expect("a number"));
            }
        }
        assert!(revs.is_sorted_by(|one, next| one < next), "{revs:?}");
        drop(live);
        let after = revs[MENTIONS / 2];
        let mut back = world.chat.resume_notifications(&bob, Some(after)).await.expect("open");
        for expected in &revs[MENTIONS / 2 + 1..] {
            let rev = loop {
                if let NotificationFrame::Notification { rev, .. } = next(&mut back).await {
                    break rev;
                }
            };
            assert_eq!(rev, Some(*expected));
        }
    }
}
