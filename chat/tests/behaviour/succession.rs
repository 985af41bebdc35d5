//! Every room with a possible admin has an active admin.

mod governed;

use chat::{
    Settings,
    model::{MemberChange, Role, RoomId, User},
};

use crate::support::{
    World, both,
    cast::{Cast, banned, cast, membership, next_change, role},
    new_room, nodes, unhurried,
};

async fn role_of(world: &World, viewer: &User, room: RoomId, who: &User) -> Role {
    membership(world, viewer, room, who).await.role
}

both! {
    async fn deactivated_member_is_no_successor(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        world.chat.leave(&admin, room).await.expect("left");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Admin);
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Moderator);
    }

    async fn deactivated_admin_does_not_count_as_admin(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, moderator.id, role("admin")).await.expect("promoted");
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        let demoted = world.chat.change_member(&admin, room, admin.id, role("member")).await;
        assert!(demoted.is_err(), "the last active admin stays one");
        world.chat.leave(&admin, room).await.expect("left");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Admin);
    }

    async fn deactivating_the_last_admin_promotes_and_publishes_a_successor(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let hidden = world.chat.create_room(&admin, new_room("private")).await.expect("made").id;
        world.chat.invite(&admin, hidden, "member").await.expect("brought in");
        let mut session = nodes::open(&world.chat, &member, room).await;
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        assert_eq!(next_change(&mut session).await, ("moderator".into(), MemberChange::Role, Role::Admin, 3));
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Admin);
        assert_eq!(role_of(&world, &member, hidden, &member).await, Role::Admin, "in each of their rooms");
        world.chat.set_active(&admin.username, true).await.expect("activated");
        assert_eq!(role_of(&world, &member, room, &admin).await, Role::Admin, "with the role they had");
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Member, "there is one");
    }

    async fn new_member_of_a_room_without_active_admin_becomes_admin(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.leave(&amy, room).await.expect("left");
        world.chat.join(&amy, room).await.expect("back");
        assert_eq!(role_of(&world, &amy, room, &amy).await, Role::Admin);
        world.chat.set_active(&amy.username, false).await.expect("deactivated");
        let mut session = {
            world.chat.join(&bob, room).await.expect("joined");
            nodes::open(&world.chat, &bob, room).await
        };
        assert_eq!(role_of(&world, &bob, room, &bob).await, Role::Admin, "amy cannot act");
        let cid = world.person("cid").await;
        world.chat.join(&cid, room).await.expect("joined");
        assert_eq!(next_change(&mut session).await, ("cid".into(), MemberChange::Joined, Role::Member, 3));
        world.chat.delete_room(&bob, room).await.expect("an admin may");
    }

    async fn reactivated_member_of_a_room_without_active_admin_becomes_admin(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, member.id, banned(true)).await.expect("banned");
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        world.chat.set_active(&moderator.username, true).await.expect("activated");
        assert_eq!(role_of(&world, &moderator, room, &moderator).await, Role::Admin);
        assert_eq!(role_of(&world, &moderator, room, &member).await, Role::Member, "never a banned one");
    }
    async fn the_next_active_moderator_succeeds_before_any_member(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "private").await;
        let late = world.person("late").await;
        world.clock.advance(1);
        world.chat.invite(&admin, room, "late").await.expect("brought in");
        world.chat.change_member(&admin, room, late.id, role("moderator")).await.expect("promoted");
        world.chat.set_active(&moderator.username, false).await.expect("deactivated");
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &late).await, Role::Admin);
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Member);
        world.chat.set_active(&late.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Admin, "the only one left");
    }

    async fn admins_deactivated_at_once_leave_a_successor(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.chat.change_member(&admin, room, moderator.id, role("admin")).await.expect("promoted");
        let (one, other) = tokio::join!(
            world.chat.set_active(&admin.username, false),
            world.chat.set_active(&moderator.username, false)
        );
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Admin);
    }

    async fn succession_that_did_not_happen_is_made_up_for(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        world.run(
            "CREATE TRIGGER unable BEFORE UPDATE OF role ON chat_room_member BEGIN SELECT RAISE(ABORT, 'unable'); END",
            "CREATE TRIGGER unable BEFORE UPDATE ON chat_room_member FOR EACH ROW \
             IF NEW.role <> OLD.role THEN SIGNAL SQLSTATE '45000'; END IF",
        ).await;
        world.chat.set_active(&admin.username, false).await.expect("deactivated all the same");
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Moderator);
        world.run("DROP TRIGGER unable", "DROP TRIGGER unable").await;
        let world = world.restarted(unhurried()).await;
        world.clock.advance(60_000_000);
        nodes::until("governed", async || role_of(&world, &member, room, &moderator).await == Role::Admin).await;
    }

    async fn only_who_may_chat_succeeds(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let world = world.restarted(Settings { required_group: Some("staff".into()), ..unhurried() }).await;
        for who in [&admin, &member] {
            world.chat.add_to_group(&who.username, "staff").await.expect("added");
        }
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Moderator, "may not sign in");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Admin);
        world.chat.set_active(&member.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Moderator);
        world.chat.add_to_group(&moderator.username, "staff").await.expect("added");
        assert_eq!(role_of(&world, &member, room, &moderator).await, Role::Admin, "the first who may");
    }

    async fn who_enters_a_room_that_nobody_governs_becomes_admin_if_they_may_chat(world: World) {
        let Cast { room, admin, moderator, .. } = cast(&world, "public").await;
        let (late, staff) = (world.person("late").await, world.person("staff").await);
        let world = world.restarted(Settings { required_group: Some("staff".into()), ..unhurried() }).await;
        world.chat.add_to_group(&staff.username, "staff").await.expect("added");
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        for (who, role) in [(&late, Role::Member), (&staff, Role::Admin)] {
            world.chat.invite(&moderator, room, &who.username).await.expect("brought in");
            assert_eq!(role_of(&world, &moderator, room, who).await, role);
        }
    }

    async fn deactivated_admin_leaves_no_trace_in_a_deleted_room(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        world.chat.delete_room(&admin, room).await.expect("deleted");
        world.chat.set_active(&admin.username, false).await.expect("deactivated");
        assert_eq!(role_of(&world, &member, room, &member).await, Role::Member);
    }
}
