//! Invitations, succession, and the membership events of a room.

use chat::{
    model::{Code, MemberChange, MemberPatch, NewRoom, NotificationType, Problem, Role},
    service::notifications::NotificationQuery,
};
use futures::{FutureExt as _, poll};

use crate::support::{
    Sockets as _, both,
    cast::{Cast, banned, cast, count, membership, muted, next_change, problem, refused},
    new_room,
};

both! {
    async fn invited_user_is_a_member_at_once_and_repeating_changes_nothing(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("Bob").await);
        let room = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        let first = world.chat.invite(&amy, room, "bob").await.expect("by the name as others write it");
        assert!(first.is_new);
        assert_eq!((first.member.user.clone(), first.member.role), (bob.clone(), Role::Member));
        world.say(&bob, room, "thanks").await;
        let again = world.chat.invite(&amy, room, "Bob").await.expect("fine");
        assert_eq!((again.is_new, again.member), (false, first.member));
        assert_eq!(count(&world, &amy, room).await, 2);
    }

    async fn an_invitation_leaves_one_notification(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        for _ in 0..2 {
            world.chat.invite(&amy, room, "bob").await.expect("brought in");
        }
        let found = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("listed");
        let shown: Vec<_> = found.iter().map(|n| (n.notification_type, n.title.as_str(), n.content.as_str())).collect();
        assert_eq!(shown, [(NotificationType::RoomInvite, "房间邀请", "amy 邀请您加入房间 Tea 茶")]);
        assert_eq!(found[0].room.id, room);
    }

    async fn invitation_readmits_a_user_who_left_a_hidden_room(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "group").await;
        world.chat.leave(&member, room).await.expect("left");
        assert_eq!(refused(world.chat.join(&member, room).await), Code::NotFound);
        assert!(world.chat.invite(&admin, room, &member.username).await.expect("back").is_new);
        world.say(&member, room, "back").await;
    }

    async fn unknown_and_deactivated_users_cannot_be_invited(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.set_active(&bob.username, false).await.expect("deactivated");
        for name in ["nobody", "bob", "a\u{7f}b"] {
            let (field, problem) = problem(world.chat.invite(&amy, room, name).await);
            assert_eq!(field, "username");
            let expected =
                if name.contains('\u{7f}') { Problem::BadCharacter } else { Problem::NoSuchUser };
            assert_eq!(problem, expected, "{name:?}");
        }
        assert_eq!(problem(world.chat.invite(&amy, room, " ").await).1, Problem::Blank);
    }

    async fn only_admins_and_moderators_can_invite(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let (outsider, guest) = (world.person("outsider").await, world.person("guest").await);
        assert_eq!(refused(world.chat.invite(&member, room, "guest").await), Code::PermissionDenied);
        assert_eq!(refused(world.chat.invite(&outsider, room, "guest").await), Code::NotAMember);
        let hidden = world.chat.create_room(&admin, new_room("group")).await.expect("made").id;
        assert_eq!(refused(world.chat.invite(&outsider, hidden, "guest").await), Code::NotFound);
        world.chat.invite(&moderator, room, &guest.username).await.expect("brought in");
    }

    async fn invitation_and_join_race_for_the_last_free_membership(world: World) {
        let (amy, eve) = (world.person("amy").await, world.person("eve").await);
        world.person("bob").await;
        for _ in 0..10 {
            let small = NewRoom { max_members: Some(2), ..new_room("public") };
            let room = world.chat.create_room(&amy, small).await.expect("made").id;
            let (invited, joined) =
                tokio::join!(world.chat.invite(&amy, room, "bob"), world.chat.join(&eve, room));
            let codes = [invited.map(drop), joined].map(|result| result.map_err(|error| error.code()));
            assert!(
                codes == [Ok(()), Err(Code::RoomFull)] || codes == [Err(Code::RoomFull), Ok(())],
                "{codes:?}"
            );
            assert_eq!(count(&world, &amy, room).await, 2);
            assert_eq!(world.chat.members(&amy, room).await.expect("listed").len(), 2);
        }
    }

    async fn successor_is_the_oldest_moderator_or_member_and_never_banned(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let early = world.person("early").await;
        world.chat.join(&early, room).await.expect("joined");
        let mut session = world.chat.open_room(&member, room, None).await.expect("open");
        world.chat.leave(&admin, room).await.expect("left");
        assert_eq!(next_change(&mut session).await, ("chief".into(), MemberChange::Left, Role::Member, 3));
        assert_eq!(next_change(&mut session).await, ("moderator".into(), MemberChange::Role, Role::Admin, 3));
        world.chat.change_member(&moderator, room, member.id, banned(true)).await.expect("banned");
        world.chat.leave(&moderator, room).await.expect("left");
        assert_eq!(membership(&world, &early, room, &early).await.role, Role::Admin);
        assert_eq!(membership(&world, &early, room, &member).await.role, Role::Member);
        world.chat.leave(&early, room).await.expect("an empty room stays");
        assert_eq!(count(&world, &early, room).await, 0);
        world.chat.join(&admin, room).await.expect("in again");
    }

    async fn room_receives_every_membership_change(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        let chat = &world.chat;
        chat.join(&bob, room).await.expect("joined");
        chat.join(&bob, room).await.expect("which changes nothing");
        chat.invite(&amy, room, "eve").await.expect("brought in");
        let all = MemberPatch { role: Some("moderator".into()), is_muted: Some(true), is_banned: Some(false) };
        chat.change_member(&amy, room, bob.id, all.clone()).await.expect("changed");
        chat.change_member(&amy, room, bob.id, all).await.expect("which changes nothing");
        chat.change_member(&amy, room, bob.id, muted(false)).await.expect("changed");
        chat.change_member(&amy, room, bob.id, banned(true)).await.expect("changed");
        chat.change_member(&amy, room, bob.id, banned(false)).await.expect("changed");
        chat.leave(&bob, room).await.expect("left");
        chat.remove_member(&amy, room, eve.id).await.expect("removed");
        let expected = [
            ("bob", MemberChange::Joined, Role::Member, 2),
            ("eve", MemberChange::Joined, Role::Member, 3),
            ("bob", MemberChange::Muted, Role::Member, 3),
            ("bob", MemberChange::Role, Role::Moderator, 3),
            ("bob", MemberChange::Unmuted, Role::Moderator, 3),
            ("bob", MemberChange::Banned, Role::Member, 2),
            ("bob", MemberChange::Unbanned, Role::Member, 3),
            ("bob", MemberChange::Left, Role::Member, 2),
            ("eve", MemberChange::Removed, Role::Member, 1),
        ];
        for (name, change, role, count) in expected {
            assert_eq!(next_change(&mut session).await, (name.to_owned(), change, role, count));
        }
    }

    async fn cancelled_call_still_publishes_its_change(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        for (mut asked, change, count) in [
            (world.chat.join(&bob, room).boxed(), MemberChange::Joined, 2),
            (world.chat.remove_member(&amy, room, bob.id).boxed(), MemberChange::Removed, 1),
        ] {
            assert!(poll!(&mut asked).is_pending());
            drop(asked);
            assert_eq!(next_change(&mut session).await, ("bob".into(), change, Role::Member, count));
        }
    }
}
