//! Rooms: creating, listing, joining and leaving.

use chat::{
    model::{Code, NewRoom, Problem, Role, RoomId, RoomPatch, User},
    service::{history::HistoryQuery, rooms::RoomFilter},
};

use crate::support::{
    Sockets as _, World, both,
    cast::{Cast, cast, problem, refused},
    draft, new_room,
};

fn everything() -> RoomFilter {
    RoomFilter { limit: 100, ..RoomFilter::default() }
}

async fn listed(world: &World, viewer: &User) -> Vec<RoomId> {
    let rooms = world.chat.rooms(viewer, &everything()).await.expect("listed").to_rooms();
    rooms.into_iter().map(|room| room.id).collect()
}

both! {
    async fn creator_of_a_room_is_its_admin(world: World) {
        let amy = world.person("amy").await;
        let room = world.chat.create_room(&amy, new_room("group")).await.expect("made");
        assert_eq!((room.name.as_str(), room.max_members, room.member_count), ("Tea 茶", 50, 1));
        assert_eq!((room.is_member, room.my_role), (true, Some(Role::Admin)));
        assert_eq!((room.created_by.clone(), room.members), (amy.clone(), Some(vec![amy])));
        assert_eq!(room.last_message, None);
    }

    async fn invalid_room_is_rejected_with_every_problem(world: World) {
        let amy = world.person("amy").await;
        let bad = NewRoom { name: " ".into(), room_type: "direct".into(), max_members: Some(1), ..NewRoom::default() };
        let failure = world.chat.create_room(&amy, bad).await.expect_err("refused").failure();
        let fields: Vec<&str> = failure.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["name", "room_type", "max_members"]);
        for name in [" Tea", "Tea ", "Tea\u{3000}", "\u{a0}Tea"] {
            let spaced = NewRoom { name: name.into(), ..new_room("public") };
            assert_eq!(problem(world.chat.create_room(&amy, spaced).await), ("name".into(), Problem::OuterSpace));
        }
        let long = NewRoom { name: "聊".repeat(101), ..new_room("public") };
        let failure = world.chat.create_room(&amy, long).await.expect_err("refused").failure();
        assert_eq!(failure.fields[0].problem, Problem::TooLong { max: 100 });
        assert!(listed(&world, &amy).await.is_empty(), "nothing half stored");
    }

    async fn repeated_join_and_leave_change_nothing(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        world.chat.join(&bob, room).await.expect("again is fine");
        assert_eq!(world.chat.room(&bob, room).await.expect("seen").member_count, 2);
        let members = world.chat.members(&amy, room).await.expect("listed");
        let names: Vec<&str> = members.iter().map(|m| m.user.username.as_str()).collect();
        assert_eq!(names, ["amy", "bob"]);
        world.chat.leave(&bob, room).await.expect("left");
        let error = world.chat.leave(&bob, room).await.expect_err("refused");
        assert_eq!(error.code(), Code::NotAMember);
        assert_eq!(world.chat.room(&bob, room).await.expect("seen").member_count, 1);
        let error = world.chat.send(&bob, room, draft("still here?")).await.expect_err("refused");
        assert_eq!(error.code(), Code::NotAMember);
        world.chat.join(&bob, room).await.expect("back again");
        world.say(&bob, room, "back").await;
    }

    async fn of_twenty_joins_racing_for_the_last_free_membership_one_succeeds(world: World) {
        let amy = world.person("amy").await;
        let small = NewRoom { max_members: Some(2), ..new_room("public") };
        let room = world.chat.create_room(&amy, small).await.expect("made").id;
        let mut racers = Vec::new();
        for n in 0..20 {
            racers.push(world.person(&format!("racer{n}")).await);
        }
        let tasks: Vec<_> = racers
            .into_iter()
            .map(|racer| {
                let chat = world.chat.clone();
                tokio::spawn(async move { chat.join(&racer, room).await.map_err(|error| error.code()) })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("no panic"));
        }
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(Code::RoomFull))));
        assert_eq!(world.chat.members(&amy, room).await.expect("listed").len(), 2);
    }

    async fn leaving_of_the_last_admin_promotes_the_oldest_member(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        for who in [&eve, &bob] {
            world.clock.advance(1);
            world.chat.join(who, room).await.expect("joined");
        }
        world.chat.leave(&amy, room).await.expect("left");
        let members = world.chat.members(&bob, room).await.expect("listed");
        let roles: Vec<_> = members.iter().map(|m| (m.user.username.as_str(), m.role)).collect();
        assert_eq!(roles, [("eve", Role::Admin), ("bob", Role::Member)]);
    }

    async fn hidden_room_cannot_be_joined_or_seen(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for kind in ["private", "group"] {
            let room = world.chat.create_room(&amy, new_room(kind)).await.expect("made").id;
            let code = |error: chat::Error| error.code();
            assert_eq!(world.chat.join(&bob, room).await.map_err(code), Err(Code::NotFound));
            assert_eq!(world.chat.room(&bob, room).await.map_err(code).err(), Some(Code::NotFound));
            assert_eq!(world.chat.members(&bob, room).await.map_err(code).err(), Some(Code::NotFound));
            assert_eq!(world.chat.leave(&bob, room).await.map_err(code), Err(Code::NotFound));
        }
    }

    async fn edit_changes_only_the_given_fields(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let before = world.chat.room(&admin, room).await.expect("seen");
        world.clock.advance(1);
        let patch = RoomPatch { name: Some("茶馆".into()), ..RoomPatch::default() };
        let named = world.chat.edit_room(&admin, room, patch).await.expect("changed");
        assert_eq!((named.name.as_str(), named.max_members), ("茶馆", before.max_members));
        assert!(named.updated_at > before.updated_at && named.members == before.members);
        let rest = RoomPatch { description: Some("d".into()), max_members: Some(3), ..RoomPatch::default() };
        let changed = world.chat.edit_room(&admin, room, rest).await.expect("changed");
        assert_eq!((changed.name.as_str(), changed.description.as_str(), changed.max_members), ("茶馆", "d", 3));
        world.clock.advance(1);
        let same = world.chat.edit_room(&admin, room, RoomPatch::default()).await.expect("nothing to change");
        assert_eq!(same, changed);
        let outsider = world.person("outsider").await;
        let rename = || RoomPatch { name: Some("mine".into()), ..RoomPatch::default() };
        for (who, code) in [
            (&moderator, Code::PermissionDenied),
            (&member, Code::PermissionDenied),
            (&outsider, Code::NotAMember),
        ] {
            assert_eq!(refused(world.chat.edit_room(who, room, rename()).await), code);
            assert_eq!(refused(world.chat.delete_room(who, room).await), code);
        }
        let hidden = world.chat.create_room(&admin, new_room("private")).await.expect("made").id;
        assert_eq!(refused(world.chat.edit_room(&outsider, hidden, rename()).await), Code::NotFound);
        assert_eq!(refused(world.chat.delete_room(&outsider, hidden).await), Code::NotFound);
    }

    async fn invalid_edit_is_rejected_with_every_problem_and_changes_nothing(world: World) {
        let Cast { room, admin, .. } = cast(&world, "public").await;
        let before = world.chat.room(&admin, room).await.expect("seen");
        let bad = RoomPatch {
            name: Some("\u{200b}".into()),
            description: Some("\0".into()),
            max_members: Some(100_001),
        };
        let failure = world.chat.edit_room(&admin, room, bad).await.expect_err("refused").failure();
        let fields: Vec<&str> = failure.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["name", "description", "max_members"]);
        let too_few = RoomPatch { name: Some("ok".into()), max_members: Some(2), ..RoomPatch::default() };
        let found = problem(world.chat.edit_room(&admin, room, too_few).await);
        assert_eq!(found, ("max_members".into(), Problem::OutOfRange { min: 3, max: 100_000 }), "three are in it");
        assert_eq!(world.chat.room(&admin, room).await.expect("seen"), before);
    }

    async fn deleted_room_can_only_be_read_by_its_members(world: World) {
        let Cast { room, admin, member, .. } = cast(&world, "public").await;
        let outsider = world.person("outsider").await;
        world.say(&member, room, "before").await;
        let mut sessions = Vec::new();
        for who in [&admin, &member] {
            sessions.push(world.chat.open_room(who, room, None).await.expect("open"));
        }
        world.chat.delete_room(&admin, room).await.expect("deleted");
        for session in &mut sessions {
            let closed = async {
                loop {
                    if let Err(error) = session.next().await {
                        return error.code();
                    }
                }
            };
            let code = tokio::time::timeout(std::time::Duration::from_secs(20), closed).await;
            assert_eq!(code.expect("closed in time"), Code::NotFound);
        }
        for viewer in [&admin, &member, &outsider] {
            assert!(listed(&world, viewer).await.is_empty());
            assert_eq!(refused(world.chat.join(viewer, room).await), Code::NotFound);
            assert_eq!(refused(world.chat.send(viewer, room, draft("?")).await), Code::NotFound);
            let opened = world.chat.open_room(viewer, room, None).await;
            assert_eq!(opened.err().map(|error| error.code()), Some(Code::NotFound));
        }
        let seen = world.chat.room(&member, room).await.expect("a memory");
        assert!(!seen.is_active && seen.member_count == 3);
        assert_eq!(world.texts(&member, room).await, ["before"]);
        assert_eq!(refused(world.chat.room(&outsider, room).await), Code::NotFound);
        let history = world.chat.history(&outsider, room, HistoryQuery::default()).await;
        assert_eq!(refused(history), Code::NotFound);
    }
}
