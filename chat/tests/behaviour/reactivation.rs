//! A deactivated account that is activated again: what it was stays, what ended stays ended.

use chat::{
    model::{Code, Role},
    service::rooms::RoomFilter,
};

use crate::support::{
    Sockets as _, both,
    cast::{Cast, banned, cast, count, membership, muted, refused},
    token,
};

both! {
    async fn reactivated_user_has_their_rooms_and_what_was_written_meanwhile(world: World) {
        let Cast { room, admin, moderator, .. } = cast(&world, "private").await;
        world.say(&moderator, room, "before").await;
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        world.clock.advance(1);
        world.say(&admin, room, "meanwhile").await;
        assert_eq!(count(&world, &admin, room).await, 3, "the membership stays");
        world.chat.set_active(&moderator.username, true).await.expect("activated");
        let mine = RoomFilter { mine: true, limit: 10, ..RoomFilter::default() };
        let listed = world.chat.rooms(&moderator, &mine).await.expect("listed").to_rooms();
        let listed: Vec<_> = listed.into_iter().map(|listed| (listed.id, listed.my_role, listed.unread_count)).collect();
        assert_eq!(listed, [(room, Some(Role::Moderator), 1)]);
        assert_eq!(world.texts(&moderator, room).await, ["before", "meanwhile"]);
        world.say(&moderator, room, "back").await;
    }

    async fn credentials_of_before_stay_ended(world: World) {
        let Cast { room, member, .. } = cast(&world, "public").await;
        let old = token(&world.chat, &member).await;
        world.chat.set_active(&member.username, false).await.expect("deactivated");
        assert_eq!(refused(world.chat.authorize_claim(&old).await), Code::UserInactive);
        world.chat.set_active(&member.username, true).await.expect("activated");
        assert_eq!(refused(world.chat.authorize_claim(&old).await), Code::TokenNotValid);
        assert!(world.chat.connect(old).await.is_err());
        world.chat.sign_in(&member.username, "correct horse 9").await.expect("signed in");
        let mut socket = world.chat.open_room(&member, room, None).await.expect("open");
        socket.next().await.expect("connection_established");
    }

    async fn mute_and_ban_outlast_deactivation(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, moderator.id, muted(true)).await.expect("muted");
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        for who in [&moderator, &member] {
            world.chat.set_active(&who.username, false).await.expect("deactivated");
            world.chat.set_active(&who.username, true).await.expect("activated");
        }
        let draft = || crate::support::draft("still here");
        assert_eq!(refused(world.chat.send(&moderator, room, draft()).await), Code::Muted);
        assert_eq!(refused(world.chat.send(&member, room, draft()).await), Code::Banned);
        assert_eq!(refused(world.chat.join(&member, room).await), Code::Banned);
    }

    async fn user_removed_while_deactivated_stays_out(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "private").await;
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        world.chat.remove_member(&admin, room, moderator.id).await.expect("removed");
        world.chat.leave(&member, room).await.expect("left");
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        world.chat.set_active(&moderator.username, true).await.expect("activated");
        assert_eq!(refused(world.chat.room(&moderator, room).await), Code::NotFound, "and governs nothing");
        world.chat.set_active(&admin.username, true).await.expect("activated");
        assert_eq!(membership(&world, &admin, room, &admin).await.role, Role::Admin);
    }

    async fn user_banned_while_deactivated_does_not_become_admin(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.set_active(&member.username, false).await.expect("deactivated");
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        for who in [&admin, &moderator] {
            world.chat.set_active(&who.username, false).await.expect("deactivated");
        }
        world.chat.set_active(&member.username, true).await.expect("activated");
        assert_eq!(refused(world.chat.room(&member, room).await), Code::Banned);
        world.chat.set_active(&moderator.username, true).await.expect("activated");
        assert_eq!(membership(&world, &moderator, room, &moderator).await.role, Role::Admin, "of the last to go");
    }
}
