//! The paginated member list with the viewer's permissions, and candidates for invitations.

use chat::{
    model::{Code, RoomPermissions, User},
    service::roster::{RosterPage, RosterQuery},
};

use crate::support::{
    Sockets as _, World, both,
    cast::{Cast, banned, cast, refused},
};

async fn roster(world: &World, viewer: &User, cast: &Cast, query: RosterQuery) -> RosterPage {
    world.chat.roster(viewer, cast.room, &query).await.expect("readable")
}

fn all() -> RosterQuery {
    RosterQuery { limit: 50, ..RosterQuery::default() }
}

fn names(roster: &RosterPage) -> Vec<&str> {
    roster.entries.iter().map(|entry| entry.member.user.username.as_str()).collect()
}

both! {
    async fn roles_come_first_and_pages_continue_at_the_cursor(world: World) {
        let cast = cast(&world, "public").await;
        for name in ["zoe", "yan"] {
            let user = world.person(name).await;
            world.chat.join(&user, cast.room).await.expect("joined");
        }
        let whole = roster(&world, &cast.member, &cast, all()).await;
        let expected = [&cast.admin.username, &cast.moderator.username, &cast.member.username, "zoe", "yan"];
        assert_eq!(names(&whole), expected);
        assert_eq!(whole.next, None);
        let mut paged = Vec::new();
        let mut query = RosterQuery { limit: 2, ..RosterQuery::default() };
        loop {
            let page = roster(&world, &cast.member, &cast, query.clone()).await;
            paged.extend(names(&page).into_iter().map(str::to_owned));
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(paged, expected);
    }

    async fn members_are_found_by_any_of_their_names(world: World) {
        let cast = cast(&world, "public").await;
        let lin = world.chat.create_user("lx_1", "correct horse 9", "晓", "林").await.expect("a new user");
        world.chat.join(&lin, cast.room).await.expect("joined");
        for (text, expected) in [("林晓", vec!["lx_1"]), ("LX_", vec!["lx_1"]), ("lx%", vec![]), ("nobody", vec![])] {
            let query = RosterQuery { search: Some(text.into()), ..all() };
            assert_eq!(names(&roster(&world, &cast.admin, &cast, query).await), expected, "{text}");
        }
    }

    async fn entries_have_the_viewers_permissions(world: World) {
        let cast = cast(&world, "public").await;
        let may = |roster: &RosterPage| -> Vec<(bool, bool)> {
            roster.entries.iter().map(|entry| (entry.may_moderate, entry.may_set_role)).collect()
        };
        let admins = roster(&world, &cast.admin, &cast, all()).await;
        assert_eq!(admins.powers, RoomPermissions { invite: true, moderate: true, set_role: true, manage_room: true });
        assert_eq!(may(&admins), [(false, false), (true, true), (true, true)], "not on the last admin");
        let moderators = roster(&world, &cast.moderator, &cast, all()).await;
        assert_eq!(may(&moderators), [(false, false), (false, false), (true, false)]);
        let members = roster(&world, &cast.member, &cast, all()).await;
        assert_eq!((members.powers, may(&members)), (RoomPermissions::default(), vec![(false, false); 3]));
    }

    async fn banned_members_are_visible_to_those_who_can_lift_the_ban(world: World) {
        let cast = cast(&world, "public").await;
        let member = cast.member.id;
        world.chat.change_member(&cast.admin, cast.room, member, banned(true)).await.expect("banned");
        let seen = roster(&world, &cast.moderator, &cast, all()).await;
        assert!(seen.entries.iter().any(|entry| entry.member.user.id == member && entry.may_moderate));
        let outsider = world.person("outsider").await;
        let seen = roster(&world, &outsider, &cast, all()).await;
        assert!(seen.entries.iter().all(|entry| entry.member.user.id != member));
    }

    async fn member_with_the_room_open_is_present(world: World) {
        let cast = cast(&world, "public").await;
        let socket = world.chat.open_room(&cast.member, cast.room, None).await.expect("open");
        let here = async |cast: &Cast| {
            let roster = roster(&world, &cast.admin, cast, all()).await;
            roster.entries.iter().filter(|entry| entry.is_here).count()
        };
        assert_eq!(here(&cast).await, 1);
        drop(socket);
        assert_eq!(here(&cast).await, 0);
    }

    async fn members_of_a_hidden_room_are_not_found_for_non_members(world: World) {
        let cast = cast(&world, "group").await;
        let stranger = world.person("stranger").await;
        assert_eq!(refused(world.chat.roster(&stranger, cast.room, &all()).await), Code::NotFound);
        assert_eq!(refused(world.chat.candidates(&stranger, cast.room, "a").await), Code::NotFound);
    }

    async fn candidates_are_active_non_members_and_need_the_invite_permission(world: World) {
        let cast = cast(&world, "private").await;
        world.chat.create_user("guest_1", "correct horse 9", "", "Ånders").await.expect("a new user");
        world.person("guest_2").await;
        world.chat.set_active("guest_2", false).await.expect("deactivated");
        let found = async |text: &str| {
            let found = world.chat.candidates(&cast.moderator, cast.room, text).await.expect("readable");
            found.into_iter().map(|user| user.username).collect::<Vec<_>>()
        };
        assert_eq!(found("guest").await, ["guest_1"]);
        assert_eq!(found(&cast.member.username).await, [""; 0]);
        assert_eq!(found(" ").await, [""; 0]);
        assert_eq!(refused(world.chat.candidates(&cast.member, cast.room, "guest").await), Code::PermissionDenied);
    }
}
