//! Read marks, and who receives them.

use std::time::Duration;

use chat::{
    model::{Code, MessageId, ServerFrame, User},
    service::RoomSession,
    store::{Store, reads},
};

use tokio::time::timeout;

use crate::support::{NOW, Sockets as _, World, both};

/// Timeout for frames that must arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn readers(world: &World, viewer: &User, message: MessageId) -> Vec<(String, i64)> {
    let readers = world.chat.readers(viewer, message).await.expect("readable");
    readers.into_iter().map(|reader| (reader.user.username, reader.read_at.0 - NOW.0)).collect()
}

/// The `message_read` frames before that of a mark that `reader` makes now. Marks arrive in the order in which they were
/// made.
async fn received_before_mark(
    world: &World,
    session: &mut RoomSession,
    reader: &User,
    message: MessageId,
) -> Vec<(MessageId, String)> {
    world.chat.mark_read(reader, message).await.expect("read");
    let mut received = Vec::new();
    loop {
        let bytes = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
        if let ServerFrame::MessageRead { message_id, user, .. } =
            serde_json::from_slice(&bytes).expect("a frame")
        {
            if user == *reader {
                return received;
            }
            received.push((message_id, user.username));
        }
    }
}

both! {
    async fn readers_have_read_the_message_or_a_later_one(world: World) {
        let (amy, bob, cyd) = (world.person("amy").await, world.person("bob").await, world.person("cyd").await);
        let room = world.room(&amy).await.id;
        for user in [&bob, &cyd] {
            world.chat.join(user, room).await.expect("joined");
        }
        let first = world.say(&amy, room, "one").await.id;
        let second = world.say(&amy, room, "two").await.id;
        assert_eq!(readers(&world, &amy, first).await, []);
        world.chat.mark_read(&cyd, first).await.expect("read");
        world.clock.advance(1);
        world.chat.mark_read(&bob, second).await.expect("read");
        world.clock.advance(1);
        world.chat.mark_read(&cyd, second).await.expect("read");
        world.chat.mark_read(&amy, second).await.expect("read");
        let (bob, cyd) = ("bob".to_owned(), "cyd".to_owned());
        assert_eq!(readers(&world, &amy, first).await, [(cyd.clone(), 0), (bob.clone(), 1)]);
        assert_eq!(readers(&world, &amy, second).await, [(bob, 1), (cyd, 2)], "and not the sender");
    }

    async fn later_member_is_a_reader_after_marking_the_message(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let old = world.say(&amy, room, "before bob").await.id;
        world.chat.join(&bob, room).await.expect("joined");
        assert_eq!(readers(&world, &amy, old).await, []);
        world.chat.mark_read(&bob, old).await.expect("read");
        assert_eq!(readers(&world, &amy, old).await, [("bob".to_owned(), 0)]);
    }

    async fn only_members_see_the_readers(world: World) {
        let (amy, eve) = (world.person("amy").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        let message = world.say(&amy, room, "one").await.id;
        let refused = |error: chat::Error| error.code();
        assert_eq!(world.chat.readers(&eve, message).await.map_err(refused), Err(Code::NotAMember));
        assert_eq!(world.chat.readers(&amy, MessageId(987_654)).await.map_err(refused), Err(Code::NotFound));
    }

    async fn read_mark_is_published_only_if_it_advances(world: World) {
        let (amy, bob, cyd) = (world.person("amy").await, world.person("bob").await, world.person("cyd").await);
        let room = world.room(&amy).await.id;
        for user in [&bob, &cyd] {
            world.chat.join(user, room).await.expect("joined");
        }
        let mut ids = Vec::new();
        for text in ["one", "two", "three"] {
            ids.push(world.say(&amy, room, text).await.id);
        }
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        world.chat.mark_read(&bob, ids[0]).await.expect("read");
        let bob_read = |id| (id, "bob".to_owned());
        assert_eq!(received_before_mark(&world, &mut session, &cyd, ids[0]).await, [bob_read(ids[0])]);
        world.chat.mark_read_in(&bob, room, ids[1]).await.expect("read");
        assert_eq!(received_before_mark(&world, &mut session, &cyd, ids[1]).await, [bob_read(ids[1])]);
        world.chat.mark_read(&bob, ids[1]).await.expect("again");
        world.chat.mark_read(&bob, ids[0]).await.expect("an older one");
        assert_eq!(received_before_mark(&world, &mut session, &cyd, ids[2]).await, []);
    }

    async fn old_receipts_are_pruned_except_the_last_of_each_member(world: World) {
        const DAY: i64 = 24 * 3_600 * 1_000_000;
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut ids = Vec::new();
        for text in ["one", "two", "three"] {
            ids.push(world.say(&amy, room, text).await.id);
        }
        for id in &ids[..2] {
            world.chat.mark_read(&bob, *id).await.expect("read");
            world.clock.advance(DAY);
        }
        let prune = async |before| {
            let store = Store::open_existing(&world.url).await.expect("opened");
            let mut tx = store.write().await.expect("a transaction");
            assert_eq!(reads::prune(&mut tx, 0, before).await.expect("pruned"), None, "few memberships");
            tx.commit().await.expect("stored");
            store.close().await;
        };
        prune(NOW).await;
        assert_eq!(readers(&world, &amy, ids[0]).await, [("bob".to_owned(), 0)], "none is older");
        prune(NOW.plus_micros(10 * DAY)).await;
        assert_eq!(readers(&world, &amy, ids[0]).await, [("bob".to_owned(), DAY)], "the last is kept");
        world.chat.mark_read(&bob, ids[2]).await.expect("read");
        assert_eq!(readers(&world, &amy, ids[2]).await, [("bob".to_owned(), 2 * DAY)]);
    }

    async fn marks_of_a_member_are_seen_after_their_answers(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        for left in (0..6).rev() {
            let id = world.say(&amy, room, "tea").await.id;
            world.say(&bob, room, "with milk").await;
            for _ in 0..left {
                world.say(&amy, room, "more").await;
            }
            world.chat.mark_read(&bob, id).await.expect("marked");
            assert_eq!(world.chat.room(&bob, room).await.expect("seen").unread_count, left);
        }
    }

    async fn batch_of_marks_counts_each_members_own_messages(world: World) {
        let (amy, bob, cyd) = (world.person("amy").await, world.person("bob").await, world.person("cyd").await);
        let (here, there) = (world.room(&amy).await.id, world.room(&amy).await.id);
        let mut ids = Vec::new();
        for room in [here, there] {
            for user in [&bob, &cyd] {
                world.chat.join(user, room).await.expect("joined");
            }
            for sender in [&amy, &bob, &cyd, &amy, &bob, &bob] {
                ids.push(world.say(sender, room, "tea").await.id);
            }
        }
        // Read individually, and then passed by the mark.
        let notification = chat::model::NotificationRef::Message(ids[0]).into();
        world.chat.mark_notification_read(&bob, notification).await.expect("read");
        let marks = [(&bob, ids[1]), (&cyd, ids[3]), (&amy, ids[0]), (&bob, ids[6]), (&cyd, ids[7]), (&amy, ids[11])];
        let marks = marks.map(|(who, id)| world.chat.mark_read(who, id));
        futures::future::try_join_all(marks).await.expect("stored");
        for (who, expected) in [(&amy, (4, 0)), (&bob, (2, 2)), (&cyd, (2, 3))] {
            let count = async |room| world.chat.room(who, room).await.expect("seen").unread_count;
            assert_eq!((count(here).await, count(there).await), expected, "{}", who.username);
            let total = world.chat.unread_notifications(who).await.expect("counted");
            assert_eq!(total, expected.0 + expected.1, "{}", who.username);
        }
    }

    async fn concurrent_marks_of_many_members_are_all_stored(world: World) {
        let amy = world.person("amy").await;
        let mut new = crate::support::new_room("public");
        new.max_members = Some(1_000);
        let room = world.chat.create_room(&amy, new).await.expect("made").id;
        let mut crowd = Vec::new();
        for number in 0..40 {
            let person = world.person(&format!("p{number}")).await;
            world.chat.join(&person, room).await.expect("joined");
            crowd.push(person);
        }
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(world.say(&amy, room, &number.to_string()).await.id);
        }
        let marks = crowd.iter().flat_map(|person| ids.iter().map(|id| world.chat.mark_read(person, *id)));
        futures::future::try_join_all(marks).await.expect("all are stored");
        assert_eq!(readers(&world, &amy, ids[4]).await.len(), crowd.len());
        for person in &crowd {
            assert_eq!(world.chat.room(person, room).await.expect("seen").unread_count, 0);
        }
    }
}
