//! A user who left, was removed or banned can neither read nor write. The single calls of the API are covered by the
//! contract's tests; these are the ones that touch many rooms at once.

use chat::{
    model::{Code, MessageId, RoomId, ServerFrame, User},
    service::{RoomSession, notifications::NotificationQuery, rooms::RoomFilter},
};

use crate::support::{
    World, both,
    cast::{Cast, banned, cast, count, refused},
    nodes,
};

async fn readers(world: &World, viewer: &User, message: MessageId) -> Vec<String> {
    let readers = world.chat.readers(viewer, message).await.expect("listed");
    readers.into_iter().map(|reader| reader.user.username).collect()
}

/// The users of the read marks that the socket receives, up to that of this one. Read marks keep the order of the
/// calls.
async fn marks_upto(session: &mut RoomSession, last: &str) -> Vec<String> {
    let mut marks = Vec::new();
    while marks.last().is_none_or(|name| name != last) {
        if let ServerFrame::MessageRead { user, .. } = nodes::next(session).await {
            marks.push(user.username);
        }
    }
    marks
}

/// The room's newest message as `viewer` sees it: in the list, and in the room itself if they may see that.
async fn last_words(world: &World, viewer: &User, room: RoomId) -> Vec<Option<String>> {
    let all = RoomFilter { limit: 100, ..RoomFilter::default() };
    let listed = world.chat.rooms(viewer, &all).await.expect("listed").to_rooms();
    let listed = listed.into_iter().filter(|listed| listed.id == room);
    let seen = listed.chain(world.chat.room(viewer, room).await.ok());
    seen.map(|room| room.last_message.map(|last| last.content)).collect()
}

both! {
    async fn mark_all_read_skips_rooms_with_a_ban_and_deleted_rooms(world: World) {
        let Cast { room, admin, member, moderator } = cast(&world, "public").await;
        let deleted = world.room(&admin).await.id;
        world.chat.join(&member, deleted).await.expect("joined");
        let last = world.say(&admin, deleted, "the end").await.id;
        world.chat.delete_room(&admin, deleted).await.expect("deleted");
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        let message = world.say(&admin, room, "after the ban").await.id;
        let mut session = nodes::open(&world.chat, &admin, room).await;
        world.clock.advance(1);
        for reader in [&member, &moderator] {
            world.chat.mark_all_notifications_read(reader).await.expect("done");
        }
        assert_eq!(marks_upto(&mut session, "moderator").await, ["moderator"]);
        assert_eq!(readers(&world, &admin, message).await, ["moderator"]);
        assert_eq!(readers(&world, &admin, last).await, Vec::<String>::new());
    }

    async fn newest_message_is_shown_only_to_members(world: World) {
        let Cast { room, admin, member, moderator } = cast(&world, "public").await;
        let outsider = world.person("outsider").await;
        let left = world.person("left").await;
        world.chat.join(&left, room).await.expect("joined");
        world.chat.leave(&left, room).await.expect("left");
        world.say(&admin, room, "secret plan").await;
        let secret = || Some("secret plan".to_owned());
        assert_eq!(last_words(&world, &member, room).await, [secret(), secret()]);
        for stranger in [&outsider, &left] {
            assert_eq!(last_words(&world, stranger, room).await, [None, None]);
        }
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        assert_eq!(last_words(&world, &member, room).await, [None], "and no detail");
        world.chat.remove_member(&admin, room, member.id).await.expect("removed");
        assert_eq!(last_words(&world, &member, room).await, [None], "banned and removed");
        world.chat.change_member(&admin, room, moderator.id, banned(true)).await.expect("banned");
        world.chat.leave(&moderator, room).await.expect("left");
        assert_eq!(last_words(&world, &moderator, room).await, [None], "banned and left");
        for gone in [&member, &moderator] {
            let all = world.chat.notifications(gone, NotificationQuery::default()).await.expect("listed");
            assert!(all.iter().all(|one| one.room.id != room));
        }
    }

    async fn mention_in_a_deleted_room_is_not_unread(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        world.say(&admin, room, "@member ?").await;
        assert_eq!(world.chat.unread_alerts(&member).await.expect("known").mentioned, [room]);
        world.chat.delete_room(&admin, room).await.expect("deleted");
        assert_eq!(world.chat.unread_alerts(&member).await.expect("known").mentioned, []);
    }

    async fn banned_member_may_leave_without_changing_the_member_count(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        world.chat.leave(&member, room).await.expect("leaving alone is allowed");
        assert_eq!(count(&world, &admin, room).await, 2, "the ban gave the place back already");
        assert_eq!(refused(world.chat.join(&member, room).await), Code::Banned, "leaving lifts no ban");
        assert_eq!(refused(world.chat.leave(&member, room).await), Code::Banned);
        let lifted = world.chat.change_member(&admin, room, member.id, banned(false)).await.expect("lifted");
        assert!(!lifted.is_banned);
        world.chat.join(&member, room).await.expect("back");
        assert_eq!(count(&world, &admin, room).await, 3);
    }
}
