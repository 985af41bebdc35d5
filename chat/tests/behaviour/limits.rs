//! Rate limits per user, over all transports.

use std::time::Duration;

use chat::{
    Error, Settings,
    model::{Code, MessageDraft, NotificationType, RoomId, RoomPatch, User},
    service::notifications::NotificationQuery,
};
use futures::future::{BoxFuture, FutureExt as _};

use crate::support::{
    World, both,
    cast::{muted, refused, role},
    draft, new_room, unhurried,
};

/// The time to wait; `None` if the call was not throttled.
fn wait<T>(result: Result<T, Error>) -> Option<Duration> {
    match result.err()? {
        Error::Throttled { retry_after } => Some(retry_after),
        _ => None,
    }
}

/// Everything that is charged as an act, done by `user` in a room of theirs, to another member.
fn acts<'a>(world: &'a World, user: &'a User, room: RoomId, other: &'a User) -> Vec<BoxFuture<'a, bool>> {
    let chat = &world.chat;
    let named = RoomPatch { name: Some("Tea 2".into()), ..RoomPatch::default() };
    vec![
        async { wait(chat.create_room(user, new_room("public")).await).is_some() }.boxed(),
        async move { wait(chat.join(user, room).await).is_some() }.boxed(),
        async move { wait(chat.edit_room(user, room, named).await).is_some() }.boxed(),
        async move { wait(chat.invite(user, room, &other.username).await).is_some() }.boxed(),
        async move { wait(chat.change_member(user, room, other.id, muted(true)).await).is_some() }.boxed(),
        async move { wait(chat.remove_member(user, room, other.id).await).is_some() }.boxed(),
        async { wait(chat.rename(user, "A", "B").await).is_some() }.boxed(),
        async move { wait(chat.delete_room(user, room).await).is_some() }.boxed(),
    ]
}

both! {
    async fn each_act_is_charged(world: World) {
        let (nobody, none) = (world.person("nobody").await, world.person("none").await);
        let count = acts(&world, &nobody, RoomId(1), &none).len();
        let mut world = world;
        for act in 0..count {
            let (user, other) =
                (world.person(&format!("user{act}")).await, world.person(&format!("other{act}")).await);
            let room = world.room(&user).await.id;
            world.chat.join(&other, room).await.expect("joined");
            // The counters are in memory and start again.
            world = world.restarted(Settings { acts_per_minute: 1, act_burst: 1, ..unhurried() }).await;
            assert!(!acts(&world, &user, room, &other).remove(act).await, "the first of act {act} is free");
            for (again, act) in acts(&world, &user, room, &other).into_iter().enumerate() {
                assert!(act.await, "act {again} comes too soon");
            }
            world = world.restarted(unhurried()).await;
        }
    }

    async fn rejected_acts_are_charged_and_leaving_is_not(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let world = world.restarted(Settings { acts_per_minute: 1, act_burst: 3, ..unhurried() }).await;
        assert_eq!(refused(world.chat.join(&bob, RoomId(424_242)).await), Code::NotFound);
        assert_eq!(refused(world.chat.change_member(&bob, room, amy.id, role("king")).await), Code::Invalid);
        world.chat.join(&bob, room).await.expect("joined");
        assert_eq!(refused(world.chat.join(&bob, room).await), Code::Throttled);
        for _ in 0..5 {
            let left = world.chat.leave(&bob, room).await.map_err(|error| error.code());
            assert!(matches!(left, Ok(()) | Err(Code::NotAMember)), "{left:?}");
        }
        world.chat.edit_room(&amy, room, RoomPatch::default()).await.expect("her own limit");
    }

    async fn read_marks_share_one_limit(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let guest = world.chat.invite(&amy, room, &bob.username).await.expect("invited").member.user;
        let message = world.say(&amy, room, "read me").await.id;
        let notifications = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("listed");
        let invitation = notifications.iter().find(|n| n.notification_type == NotificationType::RoomInvite);
        let invitation = invitation.expect("of his invitation").id;
        let mut world = world;
        for way in 0..3 {
            let one = Settings { read_marks_per_second: 1, read_mark_burst: 1, ..unhurried() };
            world = world.restarted(one).await;
            let chat = &world.chat;
            let ways = || {
                [
                    async { chat.mark_read(&guest, message).await }.boxed(),
                    async { chat.mark_notification_read(&guest, invitation).await }.boxed(),
                    async { chat.mark_all_notifications_read(&guest).await }.boxed(),
                ]
            };
            for (number, marking) in ways().into_iter().enumerate() {
                if number == way {
                    marking.await.expect("the first is free");
                }
            }
            for again in ways() {
                assert_eq!(refused(again.await), Code::Throttled);
            }
        }
    }

    async fn rooms_per_day_are_limited(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let world = world.restarted(Settings { rooms_per_day: 2, ..unhurried() }).await;
        assert_eq!(refused(world.chat.create_room(&amy, new_room("castle")).await), Code::Invalid, "none made");
        world.room(&amy).await;
        world.clock.advance(3_600_000_000);
        world.room(&amy).await;
        let wait_time = wait(world.chat.create_room(&amy, new_room("public")).await);
        assert_eq!(wait_time, Some(Duration::from_hours(23)));
        world.room(&bob).await;
        world.clock.advance(23 * 3_600_000_000);
        world.room(&amy).await;
        assert!(wait(world.chat.create_room(&amy, new_room("public")).await).is_some(), "it slides");
    }

    async fn invitations_of_strangers_are_limited_and_of_contacts_not(world: World) {
        let amy = world.person("amy").await;
        let (first, second) = (world.room(&amy).await.id, world.room(&amy).await.id);
        let mut people = Vec::new();
        for name in ["ann", "ben", "cat", "dan"] {
            people.push(world.person(name).await.username);
        }
        let world = world.restarted(Settings { invitations_per_hour: 2, ..unhurried() }).await;
        for name in &people[..2] {
            world.chat.invite(&amy, first, name).await.expect("within the limit");
        }
        let wait_time = wait(world.chat.invite(&amy, first, &people[2]).await);
        assert_eq!(wait_time, Some(Duration::from_hours(1)));
        for name in &people[..2] {
            world.chat.invite(&amy, second, name).await.expect("they know each other");
        }
        assert_eq!(world.chat.members(&amy, first).await.expect("listed").len(), 3, "cat is not in");
        world.clock.advance(3_600_000_000);
        for name in &people[2..] {
            world.chat.invite(&amy, first, name).await.expect("an hour later");
        }
    }

    /// As in an attack: forty invitations, which were forty unread notifications.
    async fn repeated_invitation_and_removal_leaves_one_notification(world: World) {
        let (amy, eve) = (world.person("amy").await, world.person("eve").await);
        let (room, other) = (world.room(&amy).await.id, world.room(&amy).await.id);
        let invitations = async |unread| {
            let query = NotificationQuery { unread, ..NotificationQuery::default() };
            world.chat.notifications(&eve, query).await.expect("listed")
        };
        for round in 0..40 {
            world.clock.advance(1);
            world.chat.invite(&amy, room, &eve.username).await.expect("invited");
            if round < 39 {
                world.chat.remove_member(&amy, room, eve.id).await.expect("removed");
            }
        }
        let open = invitations(true).await;
        assert_eq!((open.len(), world.chat.unread_notifications(&eve).await.expect("counted")), (1, 1));
        assert_eq!(open[0].created_at, world.clock.now(), "the latest one's");
        world.chat.invite(&amy, other, &eve.username).await.expect("invited");
        assert_eq!(invitations(true).await.len(), 2, "each room has its own");
        // A notification that was read is not replaced: the next invitation is another.
        world.chat.mark_all_notifications_read(&eve).await.expect("read");
        world.chat.remove_member(&amy, room, eve.id).await.expect("removed");
        world.chat.invite(&amy, room, &eve.username).await.expect("invited");
        assert_eq!((invitations(true).await.len(), invitations(false).await.len()), (1, 3));
    }

    async fn sending_above_the_limit_is_throttled(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let world = world.restarted(Settings { writes_per_second: 1, write_burst: 2, ..unhurried() }).await;
        for _ in 0..2 {
            world.chat.send(&amy, room, draft("tea")).await.expect("within the burst");
        }
        let more = world.chat.send(&amy, room, MessageDraft { content: "more".into(), ..Default::default() });
        assert_eq!(refused(more.await), Code::Throttled);
    }
}
