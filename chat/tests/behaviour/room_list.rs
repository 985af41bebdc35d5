//! The room list: contents, order, pagination.

use std::collections::BTreeSet;

use chat::{
    Chat,
    clock::Clock,
    model::{NewRoom, RoomId, RoomPatch, RoomType, User},
    service::{
        rooms::{RoomFilter, RoomPage},
        trim::Kept,
    },
    store::Store,
};

use crate::support::{
    World, both,
    cast::{Cast, banned, cast, role},
    new_room, unhurried,
};

/// A node of its own on this database.
async fn started(url: &str, clock: &Clock) -> Chat {
    Chat::start(Store::open_existing(url).await.expect("opened"), unhurried(), clock.clone())
}

fn everything() -> RoomFilter {
    RoomFilter { limit: 100, ..RoomFilter::default() }
}

async fn listed(world: &World, viewer: &User) -> Vec<RoomId> {
    let rooms = world.chat.rooms(viewer, &everything()).await.expect("listed").to_rooms();
    rooms.into_iter().map(|room| room.id).collect()
}

/// Seven rooms of amy's, alternately public and hidden, the latest first.
async fn seven(world: &World, amy: &User) -> Vec<RoomId> {
    let mut rooms = Vec::new();
    for n in 0..7 {
        world.clock.advance(1);
        let kind = if n % 2 == 0 { "public" } else { "private" };
        rooms.push(world.chat.create_room(amy, new_room(kind)).await.expect("made").id);
    }
    rooms.reverse();
    rooms
}

async fn page(world: &World, viewer: &User, filter: &RoomFilter, number: i64) -> RoomPage {
    world.chat.room_page(viewer, filter.clone(), number).await.expect("listed")
}

fn ids(page: &RoomPage) -> Vec<RoomId> {
    page.rooms.to_rooms().iter().map(|room| room.id).collect()
}

both! {
    async fn list_has_public_and_own_rooms_most_recent_first(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let first = world.room(&amy).await.id;
        world.clock.advance(1);
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.clock.advance(1);
        let last = world.room(&bob).await.id;
        assert_eq!(listed(&world, &amy).await, [last, hidden, first]);
        assert_eq!(listed(&world, &bob).await, [last, first], "a hidden room is not there for others");
        world.clock.advance(1);
        world.say(&amy, first, "news").await;
        assert_eq!(listed(&world, &bob).await, [first, last], "a message brings its room up");
        let rooms = world.chat.rooms(&amy, &everything()).await.expect("listed").to_rooms();
        let news = rooms[0].last_message.as_ref().expect("a last message");
        assert_eq!((news.content.as_str(), news.sender.as_str()), ("news", "amy"));
    }

    async fn list_can_be_filtered(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for name in ["50% off", "500 miles", "Under_score", "underXscore"] {
            let new = NewRoom { name: name.into(), ..new_room("public") };
            world.chat.create_room(&amy, new).await.expect("made");
        }
        let search = async |text: &str| {
            let filter = RoomFilter { search: Some(text.into()), ..everything() };
            let rooms = world.chat.rooms(&bob, &filter).await.expect("listed").to_rooms();
            rooms.into_iter().map(|room| room.name).collect::<Vec<_>>()
        };
        assert_eq!(search("50%").await, ["50% off"]);
        assert_eq!(search("UNDER_").await, ["Under_score"]);
        let mine = RoomFilter { mine: true, ..everything() };
        assert!(world.chat.rooms(&bob, &mine).await.expect("listed").to_rooms().is_empty());
        assert_eq!(world.chat.rooms(&amy, &mine).await.expect("listed").to_rooms().len(), 4);
    }

    async fn list_can_be_filtered_by_type(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let rooms = seven(&world, &amy).await;
        let of = async |viewer: &User, kind: RoomType, mine: bool| {
            let filter = RoomFilter { room_type: Some(kind), mine, ..everything() };
            let rooms = world.chat.rooms(viewer, &filter).await.expect("listed").to_rooms();
            rooms.into_iter().map(|room| room.id).collect::<Vec<_>>()
        };
        let every_other = |first: usize| rooms.iter().copied().skip(first).step_by(2).collect::<Vec<_>>();
        assert_eq!(of(&amy, RoomType::Public, false).await, every_other(0));
        assert_eq!(of(&amy, RoomType::Private, false).await, every_other(1));
        assert_eq!(of(&amy, RoomType::Public, true).await, every_other(0));
        assert_eq!(of(&amy, RoomType::Group, false).await, []);
        assert_eq!(of(&bob, RoomType::Public, false).await, every_other(0));
        assert_eq!(of(&bob, RoomType::Public, true).await, []);
        assert_eq!(of(&bob, RoomType::Private, false).await, []);
    }

    async fn pages_by_number_have_each_room_once(world: World) {
        let amy = world.person("amy").await;
        let rooms = seven(&world, &amy).await;
        let three = RoomFilter { limit: 3, ..RoomFilter::default() };
        for (number, expected) in [(1, &rooms[..3]), (2, &rooms[3..6]), (3, &rooms[6..]), (4, &[]), (i64::MAX, &[])] {
            let page = page(&world, &amy, &three, number).await;
            assert_eq!(ids(&page), expected, "page {number}");
            assert_eq!(page.next.is_some(), number < 3, "page {number}");
        }
        let seven = RoomFilter { limit: 7, ..RoomFilter::default() };
        assert_eq!(page(&world, &amy, &seven, 1).await.next, None, "nothing follows a page that just fits");
    }

    async fn cursor_pages_repeat_no_room_while_the_list_moves(world: World) {
        let amy = world.person("amy").await;
        let rooms = seven(&world, &amy).await;
        let mut filter = RoomFilter { limit: 3, ..RoomFilter::default() };
        let first = page(&world, &amy, &filter, 1).await;
        world.clock.advance(1);
        // By page number, the second page would start with the last room of the first again.
        world.say(&amy, rooms[5], "news").await;
        filter.after = first.next;
        let second = page(&world, &amy, &filter, 2).await;
        assert_eq!(ids(&second), [rooms[3], rooms[4], rooms[6]]);
        assert_eq!(second.next, None);
    }

    async fn rooms_with_equal_times_are_ordered_by_id(world: World) {
        let amy = world.person("amy").await;
        let mut rooms = Vec::new();
        for kind in ["public", "private", "group", "public", "private"] {
            rooms.push(world.chat.create_room(&amy, NewRoom { name: kind.into(), ..new_room(kind) }).await.expect("made").id);
        }
        rooms.reverse();
        let mut filter = RoomFilter { limit: 1, ..RoomFilter::default() };
        let mut met = Vec::new();
        loop {
            let page = page(&world, &amy, &filter, 1).await;
            met.extend(ids(&page));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(met, rooms);
    }

    /// A list comes from memory where the room's numbers are the same. Another node, which has nothing in memory yet, must
    /// show the same after each kind of change, also of changes that it made itself.
    async fn list_is_the_same_from_memory_and_from_the_database(world: World) {
        let Cast { room, admin, moderator, member } = cast(&world, "public").await;
        let outsider = world.person("outsider").await;
        let viewers = [&admin, &moderator, &member, &outsider];
        let other = started(&world.url, &world.clock).await;
        let mut shown = BTreeSet::new();
        let mut compare = async |what: &str| {
            world.clock.advance(1);
            let fresh = started(&world.url, &world.clock).await;
            let mut lists = String::new();
            for viewer in viewers {
                let expected = fresh.rooms(viewer, &everything()).await.expect("listed").json();
                for chat in [&world.chat, &other] {
                    let list = chat.rooms(viewer, &everything()).await.expect("listed");
                    assert_eq!(list.json(), expected, "{what}, as {} sees it", viewer.username);
                    assert_eq!(serde_json::to_string(&list.to_rooms()).expect("JSON"), expected);
                }
                lists += &String::from_utf8_lossy(&expected);
            }
            fresh.stop().await;
            assert!(shown.insert(lists), "{what}: this is seen by nobody");
        };
        compare("at first").await;
        let said = world.say(&member, room, "said").await.id;
        compare("a message").await;
        other.edit(&member, said, "edited".into()).await.expect("edited");
        compare("an edit").await;
        other.mark_read(&moderator, said).await.expect("read");
        compare("a read message").await;
        world.chat.delete(&member, said).await.expect("deleted");
        compare("a deletion").await;
        world.chat.rename(&admin, "Ä", "\"").await.expect("renamed");
        compare("a creator's new name").await;
        other.edit_room(&admin, room, RoomPatch { name: Some("Tea".into()), ..RoomPatch::default() }).await.expect("edited");
        compare("a new name").await;
        world.chat.change_member(&admin, room, member.id, role("moderator")).await.expect("changed");
        compare("a role").await;
        other.change_member(&admin, room, member.id, banned(true)).await.expect("changed");
        compare("a ban").await;
        world.chat.join(&outsider, room).await.expect("joined");
        compare("one who joined").await;
        other.leave(&moderator, room).await.expect("left");
        compare("one who left").await;
        other.trim_room(room, Kept::Newest(0)).await.expect("trimmed");
        compare("an empty history").await;
        world.chat.create_room(&admin, new_room("private")).await.expect("made");
        compare("a new room").await;
        other.delete_room(&admin, room).await.expect("deleted");
        compare("a deleted room").await;
        other.stop().await;
    }
}
