//! Roles, mutes, bans, removals: permissions and effects.

use chat::{
    model::{Code, MemberChange, NewRoom, Problem, Role, RoomPatch, User},
    service::{history::HistoryQuery, rooms::RoomFilter},
};

use crate::support::{
    Sockets as _, both,
    cast::{Cast, banned, cast, count, membership, muted, problem, refused, role, until_closed},
    draft, new_room,
};

both! {
    async fn who_may_mute_ban_and_remove_whom(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let outsider = world.person("outsider").await;
        let second = world.person("second").await;
        world.chat.invite(&admin, room, "second").await.expect("brought in");
        for patch in [muted(true), banned(true)] {
            let change = async |actor: &User, target: &User| {
                world.chat.change_member(actor, room, target.id, patch.clone()).await.map_err(|e| e.code()).err()
            };
            for target in [&admin, &moderator, &member] {
                assert_eq!(change(&outsider, target).await, Some(Code::NotAMember));
                assert_eq!(change(&member, target).await, Some(Code::PermissionDenied));
            }
            for target in [&admin, &moderator] {
                assert_eq!(change(&moderator, target).await, Some(Code::PermissionDenied));
            }
            assert_eq!(change(&admin, &admin).await, Some(Code::PermissionDenied), "the last admin");
            assert_eq!(change(&admin, &outsider).await, Some(Code::NotFound), "never was in it");
            assert_eq!(change(&moderator, &second).await, None);
        }
        let remove = async |actor: &User, target: &User| {
            world.chat.remove_member(actor, room, target.id).await.map_err(|e| e.code()).err()
        };
        assert_eq!(remove(&outsider, &member).await, Some(Code::NotAMember));
        assert_eq!(remove(&member, &second).await, Some(Code::PermissionDenied));
        assert_eq!(remove(&moderator, &moderator).await, Some(Code::PermissionDenied));
        assert_eq!(remove(&moderator, &admin).await, Some(Code::PermissionDenied));
        assert_eq!(remove(&admin, &admin).await, Some(Code::PermissionDenied), "the last admin");
        assert_eq!(remove(&moderator, &member).await, None);
        assert_eq!(remove(&moderator, &member).await, Some(Code::NotFound), "already out");
        assert_eq!(remove(&admin, &moderator).await, None);
        assert_eq!(count(&world, &admin, room).await, 1);
    }

    async fn only_admins_set_roles_and_the_last_admin_keeps_theirs(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let change = async |actor: &User, target: &User, word: &str| {
            world.chat.change_member(actor, room, target.id, role(word)).await.map_err(|e| e.code())
        };
        assert_eq!(change(&moderator, &member, "moderator").await.err(), Some(Code::PermissionDenied));
        assert_eq!(change(&member, &member, "admin").await.err(), Some(Code::PermissionDenied));
        assert_eq!(change(&admin, &admin, "member").await.err(), Some(Code::PermissionDenied));
        assert_eq!(change(&admin, &member, "owner").await.err(), Some(Code::Invalid));
        assert_eq!(change(&admin, &member, "admin").await.map(|m| m.role), Ok(Role::Admin));
        assert_eq!(change(&admin, &admin, "member").await.map(|m| m.role), Ok(Role::Member), "no longer the last");
        assert_eq!(change(&admin, &moderator, "member").await.err(), Some(Code::PermissionDenied));
    }

    async fn two_admins_demoting_each_other_leave_one(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        for _ in 0..5 {
            world.chat.change_member(&admin, room, moderator.id, role("admin")).await.expect("two admins");
            let (one, other) = tokio::join!(
                world.chat.change_member(&admin, room, moderator.id, role("member")),
                world.chat.change_member(&moderator, room, admin.id, role("member")),
            );
            assert!(one.is_ok() != other.is_ok(), "exactly one was first");
            if other.is_ok() {
                world.chat.change_member(&moderator, room, admin.id, role("admin")).await.expect("back");
                world.chat.change_member(&admin, room, moderator.id, role("member")).await.expect("back");
            }
        }
        assert_eq!(membership(&world, &member, room, &admin).await.role, Role::Admin);
    }

    async fn mute_prevents_writing_and_outlasts_leaving(world: World) {
        let Cast { room, moderator, member, .. } = cast(&world, "public").await;
        let changed = world.chat.change_member(&moderator, room, member.id, muted(true)).await.expect("muted");
        assert!(changed.is_muted && !changed.is_banned);
        assert_eq!(refused(world.chat.send(&member, room, draft("hm")).await), Code::Muted);
        world.chat.leave(&member, room).await.expect("left");
        world.chat.join(&member, room).await.expect("back");
        assert_eq!(refused(world.chat.send(&member, room, draft("hm")).await), Code::Muted);
        world.chat.change_member(&moderator, room, member.id, muted(false)).await.expect("may write");
        world.say(&member, room, "at last").await;
    }

    async fn ban_removes_all_access_and_frees_the_membership(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let message = world.say(&admin, room, "hello").await.id;
        let mut session = world.chat.open_room(&member, room, None).await.expect("open");
        let shut_out = world.chat.change_member(&moderator, room, member.id, banned(true)).await;
        assert!(shut_out.expect("banned").is_banned);
        let (changes, code) = until_closed(&mut session).await;
        assert_eq!((changes.last(), code), (Some(&("member".into(), MemberChange::Banned)), Code::Banned));
        let chat = &world.chat;
        assert_eq!(refused(chat.room(&member, room).await), Code::Banned);
        assert_eq!(refused(chat.members(&member, room).await), Code::Banned);
        assert_eq!(refused(chat.join(&member, room).await), Code::Banned);
        assert_eq!(refused(chat.send(&member, room, draft("let me in")).await), Code::Banned);
        assert_eq!(refused(chat.history(&member, room, HistoryQuery::default()).await), Code::Banned);
        assert_eq!(refused(chat.mark_read(&member, message).await), Code::Banned);
        assert_eq!(chat.open_room(&member, room, None).await.err().map(|e| e.code()), Some(Code::Banned));
        assert_eq!(refused(chat.invite(&member, room, "chief").await), Code::Banned);

        let seen = chat.room(&admin, room).await.expect("seen");
        let names: Vec<_> = seen.members.expect("members").into_iter().map(|user| user.username).collect();
        assert_eq!((seen.member_count, names), (2, vec!["chief".into(), "moderator".into()]));
        assert!(membership(&world, &admin, room, &member).await.is_banned, "listed, so that it can be lifted");
        assert_eq!(problem(chat.invite(&admin, room, "member").await), ("username".into(), Problem::UserBanned));
        assert_eq!(
            problem(chat.change_member(&admin, room, member.id, role("admin")).await),
            ("role".into(), Problem::UserBanned)
        );
        chat.change_member(&admin, room, member.id, banned(true)).await.expect("again is fine");
        assert_eq!(count(&world, &admin, room).await, 2);

        chat.change_member(&moderator, room, member.id, banned(false)).await.expect("lifted");
        assert_eq!(count(&world, &admin, room).await, 3);
        assert_eq!(chat.room(&member, room).await.expect("seen").unread_count, 0, "anew");
        world.say(&member, room, "back").await;
    }

    async fn ban_in_a_hidden_room_makes_it_not_found(world: World) {
        for kind in ["private", "group"] {
            let (amy, bob) = (world.person(&format!("amy_{kind}")).await, world.person(&format!("bob_{kind}")).await);
            let room = world.chat.create_room(&amy, new_room(kind)).await.expect("made").id;
            world.chat.invite(&amy, room, &bob.username).await.expect("brought in");
            let mut session = world.chat.open_room(&bob, room, None).await.expect("open");
            world.chat.change_member(&amy, room, bob.id, banned(true)).await.expect("banned");
            assert_eq!(until_closed(&mut session).await.1, Code::NotFound, "a hidden room does not exist for them");
            assert_eq!(refused(world.chat.room(&bob, room).await), Code::NotFound);
            assert_eq!(refused(world.chat.send(&bob, room, draft("?")).await), Code::NotFound);
            assert!(world.chat.open_room(&bob, room, None).await.is_err_and(|e| e.code() == Code::NotFound));
            let all = RoomFilter { limit: 9, ..RoomFilter::default() };
            assert!(world.chat.rooms(&bob, &all).await.expect("listed").to_rooms().is_empty());
        }
    }

    async fn lifting_a_ban_needs_a_free_membership(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let small = NewRoom { max_members: Some(2), ..new_room("public") };
        let room = world.chat.create_room(&amy, small).await.expect("made").id;
        world.chat.join(&bob, room).await.expect("joined");
        world.chat.change_member(&amy, room, bob.id, banned(true)).await.expect("banned");
        world.chat.join(&eve, room).await.expect("the place was given back");
        assert_eq!(refused(world.chat.change_member(&amy, room, bob.id, banned(false)).await), Code::RoomFull);
        assert!(membership(&world, &amy, room, &bob).await.is_banned, "nothing half done");
        world.chat.remove_member(&amy, room, bob.id).await.expect("removed");
        assert_eq!(count(&world, &amy, room).await, 2, "a banned member had no place to give back");
        assert_eq!(refused(world.chat.join(&bob, room).await), Code::Banned, "removing lifts no ban");
        let lifted = world.chat.change_member(&amy, room, bob.id, banned(false)).await.expect("of who is gone");
        assert!(!lifted.is_banned);
        assert_eq!(count(&world, &amy, room).await, 2, "gone is gone");
        assert_eq!(refused(world.chat.join(&bob, room).await), Code::RoomFull);
    }

    async fn ban_resets_the_role_and_applies_to_former_members(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, moderator.id, banned(true)).await.expect("banned");
        let back = world.chat.change_member(&admin, room, moderator.id, banned(false)).await.expect("lifted");
        assert_eq!(back.role, Role::Member);
        world.chat.leave(&member, room).await.expect("left");
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("for the day they come back");
        assert_eq!(refused(world.chat.join(&member, room).await), Code::Banned);
        assert_eq!(count(&world, &admin, room).await, 2);
        assert_eq!(refused(world.chat.change_member(&admin, room, member.id, role("member")).await), Code::Invalid);
    }

    async fn removed_member_is_out_at_once_and_may_rejoin_a_public_room(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        let mut session = world.chat.open_room(&member, room, None).await.expect("open");
        world.chat.remove_member(&admin, room, member.id).await.expect("removed");
        let (changes, code) = until_closed(&mut session).await;
        assert_eq!((changes, code), (vec![("member".into(), MemberChange::Removed)], Code::NotAMember));
        assert_eq!(refused(world.chat.send(&member, room, draft("?")).await), Code::NotAMember);
        assert_eq!(count(&world, &admin, room).await, 2);
        world.chat.join(&member, room).await.expect("back");

        let hidden = world.chat.create_room(&admin, new_room("private")).await.expect("made").id;
        world.chat.invite(&admin, hidden, "member").await.expect("brought in");
        world.chat.remove_member(&admin, hidden, member.id).await.expect("removed");
        assert_eq!(refused(world.chat.room(&member, hidden).await), Code::NotFound);
        assert_eq!(refused(world.chat.join(&member, hidden).await), Code::NotFound);
    }

    async fn a_deleted_room_cannot_be_moderated(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        world.chat.delete_room(&admin, room).await.expect("deleted");
        let guest = world.person("guest").await;
        assert_eq!(refused(world.chat.invite(&admin, room, &guest.username).await), Code::NotFound);
        assert_eq!(refused(world.chat.change_member(&admin, room, member.id, muted(true)).await), Code::NotFound);
        assert_eq!(refused(world.chat.remove_member(&admin, room, member.id).await), Code::NotFound);
        assert_eq!(refused(world.chat.edit_room(&admin, room, RoomPatch::default()).await), Code::NotFound);
        assert_eq!(refused(world.chat.delete_room(&admin, room).await), Code::NotFound);
        world.chat.leave(&member, room).await.expect("one may always go");
        assert_eq!(refused(world.chat.room(&member, room).await), Code::NotFound);
    }
}
