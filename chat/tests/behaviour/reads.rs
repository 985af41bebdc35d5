//! Read marks, and who receives them.

use std::time::Duration;

use chat::{
    model::{Code, MessageId, ServerFrame, User},
    service::RoomSession,
};

use crate::support::{NOW, Sockets as _, World, both};

async fn readers(world: &World, viewer: &User, message: MessageId) -> Vec<(String, i64)> {
    let readers = world.chat.readers(viewer, message).await.expect("readable");
    readers.into_iter().map(|reader| (reader.user.username, reader.read_at.0 - NOW.0)).collect()
}

/// The `message_read` frames that have arrived by now.
async fn received(session: &mut RoomSession) -> Vec<(MessageId, String)> {
    let mut received = Vec::new();
    while let Ok(Ok(bytes)) = tokio::time::timeout(Duration::from_millis(200), session.next()).await {
        if let ServerFrame::MessageRead { message_id, user, .. } =
            serde_json::from_slice(&bytes).expect("a frame")
        {
            received.push((message_id, user.username));
        }
    }
    received
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
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let first = world.say(&amy, room, "one").await.id;
        let second = world.say(&amy, room, "two").await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        world.chat.mark_read(&bob, first).await.expect("read");
        let bob_read = |id| (id, "bob".to_owned());
        assert_eq!(received(&mut session).await, [bob_read(first)]);
        world.chat.mark_read_in(&bob, room, second).await.expect("read");
        assert_eq!(received(&mut session).await, [bob_read(second)]);
        world.chat.mark_read(&bob, second).await.expect("again");
        world.chat.mark_read(&bob, first).await.expect("an older one");
        assert_eq!(received(&mut session).await, []);
    }
}
