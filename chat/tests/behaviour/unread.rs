//! Unread counters: the messages of others after the read mark, exact under concurrency.

use chat::model::{MessageId, RoomId, User};

use crate::support::{World, both};

async fn unread(world: &World, who: &User, room: RoomId) -> i64 {
    world.chat.room(who, room).await.expect("seen").unread_count
}

/// The messages of others after `mark`, counted one by one.
async fn counted(world: &World, who: &User, room: RoomId, mark: MessageId) -> i64 {
    let mut above = mark;
    let mut count = 0;
    loop {
        let query = chat::service::history::HistoryQuery {
            after_id: Some(above.0),
            page_size: Some(100),
            ..Default::default()
        };
        let page = world.chat.history(who, room, query).await.expect("readable");
        let Some(last) = page.messages.last() else { return count };
        above = last.id;
        let others = page.messages.iter().filter(|message| message.sender.id != who.id).count();
        count += i64::try_from(others).expect("a small number");
    }
}

both! {
    async fn unread_counts_messages_of_others_after_the_read_mark(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.say(&amy, room, "before bob").await;
        world.chat.join(&bob, room).await.expect("joined");
        let unread = async |who: &User| world.chat.room(who, room).await.expect("seen").unread_count;
        assert_eq!((unread(&amy).await, unread(&bob).await), (0, 0), "what was said before is not unread");
        let second = world.say(&amy, room, "2").await;
        world.say(&bob, room, "3").await;
        world.say(&amy, room, "4").await;
        assert_eq!((unread(&amy).await, unread(&bob).await), (1, 2), "one's own are not unread");
        world.chat.mark_read(&bob, second.id).await.expect("marked");
        assert_eq!(unread(&bob).await, 1);
        world.chat.mark_read(&bob, second.id).await.expect("again is fine");
        let newest = world.say(&amy, room, "5").await;
        world.chat.mark_read(&bob, newest.id).await.expect("marked");
        world.chat.mark_read(&bob, second.id).await.expect("reading never goes back");
        assert_eq!(unread(&bob).await, 0);
    }

    async fn own_messages_after_the_read_mark_are_not_unread(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut said = Vec::new();
        for sender in [&amy, &bob, &amy, &amy, &bob, &amy, &bob] {
            said.push(world.say(sender, room, "tea?").await.id);
        }
        for (read, others) in [(0, 3), (1, 2), (3, 2), (4, 1), (5, 1), (6, 0)] {
            world.chat.mark_read(&amy, said[read]).await.expect("marked");
            assert_eq!(unread(&world, &amy, room).await, others, "after message {read}");
        }
    }

    async fn after_rejoining_only_new_messages_are_unread(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        world.say(&bob, room, "1").await;
        world.chat.leave(&bob, room).await.expect("left");
        world.say(&amy, room, "2").await;
        world.chat.join(&bob, room).await.expect("back");
        world.say(&bob, room, "3").await;
        let fourth = world.say(&amy, room, "4").await.id;
        assert_eq!(unread(&world, &bob, room).await, 1);
        world.say(&bob, room, "5").await;
        world.chat.mark_read(&bob, fourth).await.expect("marked");
        assert_eq!(unread(&world, &bob, room).await, 0);
    }

    async fn unread_count_is_exact_under_concurrent_reads_and_writes(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut marks = Vec::new();
        for n in 0..30 {
            marks.push(world.say(&bob, room, &n.to_string()).await.id);
        }
        let writing = {
            let (chat, amy) = (world.chat.clone(), amy.clone());
            tokio::spawn(async move {
                for _ in 0..60 {
                    chat.send(&amy, room, crate::support::draft("amy's own")).await.expect("stored");
                }
            })
        };
        for mark in &marks {
            world.chat.mark_read(&amy, *mark).await.expect("marked");
        }
        writing.await.expect("no panic");
        let last = *marks.last().expect("thirty");
        assert_eq!(unread(&world, &amy, room).await, counted(&world, &amy, room, last).await);

        let writing = {
            let (chat, amy, bob) = (world.chat.clone(), amy.clone(), bob.clone());
            tokio::spawn(async move {
                for n in 0..60 {
                    let sender = if n % 2 == 0 { &amy } else { &bob };
                    chat.send(sender, room, crate::support::draft("on and on")).await.expect("stored");
                }
            })
        };
        while !writing.is_finished() {
            world.chat.mark_all_notifications_read(&amy).await.expect("marked");
        }
        writing.await.expect("no panic");
        // The read mark advanced meanwhile; a last message of bob's shows the count above it.
        world.chat.mark_all_notifications_read(&amy).await.expect("marked");
        world.say(&amy, room, "amy").await;
        world.say(&bob, room, "bob").await;
        assert_eq!(unread(&world, &amy, room).await, 1);
    }
}
