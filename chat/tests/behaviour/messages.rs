//! Sending: gapless `seq`, idempotency by `client_id`, validation.

use std::collections::BTreeSet;

use chat::{
    model::{Code, MessageDraft, MessageId, Problem, RoomId},
    service::history::HistoryQuery,
};

use crate::support::{both, draft, new_room};

both! {
    /// The central invariant.
    async fn concurrent_sends_leave_seqs_gapless_and_ids_in_the_same_order(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let tasks: Vec<_> = (0..20)
            .map(|task| {
                let (chat, amy) = (world.chat.clone(), amy.clone());
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    for n in 0..10 {
                        let sent = chat.send(&amy, room, draft(&format!("{task}-{n}"))).await.expect("stored");
                        ids.push((sent.message.id, sent.message.rev, sent.message.content));
                    }
                    ids
                })
            })
            .collect();
        let mut acknowledged = Vec::new();
        for task in tasks {
            acknowledged.extend(task.await.expect("no panic"));
        }
        acknowledged.sort();
        let revs: Vec<i64> = acknowledged.iter().map(|(_, rev, _)| *rev).collect();
        assert_eq!(revs, (1..=200).collect::<Vec<i64>>(), "revs rise with ids, without a gap");

        let mut stored = Vec::new();
        for page in 1..=2 {
            let query = HistoryQuery { page: Some(page), page_size: Some(100), ..HistoryQuery::default() };
            let found = world.chat.history(&amy, room, query).await.expect("readable");
            assert_eq!(found.total, 200);
            stored.extend(found.messages.into_iter().map(|m| (m.id, m.rev, m.content)));
        }
        stored.reverse();
        assert_eq!(stored, acknowledged, "what is stored is what was acknowledged, in the same order");
    }

    async fn concurrent_writes_to_rooms_do_not_mix(world: World) {
        let amy = world.person("amy").await;
        let mut rooms = Vec::new();
        for _ in 0..8 {
            rooms.push(world.room(&amy).await.id);
        }
        let tasks: Vec<_> = rooms
            .iter()
            .map(|room| {
                let (chat, amy, room) = (world.chat.clone(), amy.clone(), *room);
                tokio::spawn(async move {
                    for n in 0..20 {
                        chat.send(&amy, room, draft(&format!("{room} {n}"))).await.expect("stored");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        for room in rooms {
            let expected: Vec<String> = (0..20).map(|n| format!("{room} {n}")).collect();
            assert_eq!(world.texts(&amy, room).await, expected);
        }
    }

    async fn messages_queued_one_after_another_keep_their_order(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let receipts: Vec<_> = (0..300)
            .map(|n| world.chat.submit(&amy, room, draft(&n.to_string())).expect("queued"))
            .collect();
        let mut places = Vec::new();
        for receipt in receipts {
            places.push(receipt.await.expect("stored").message.rev);
        }
        assert_eq!(places, (1..=300).collect::<Vec<i64>>());
    }

    async fn a_message_has_what_was_sent(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let first = world.say(&amy, room, "你好 👋🏽 <b>\u{202E}x").await;
        let answer = MessageDraft {
            message_type: Some("file".into()),
            file_url: Some("https://example.org/a.png".into()),
            file_name: Some("图.png".into()),
            file_size: Some(7),
            reply_to: Some(first.id.0),
            client_id: Some("c-1".into()),
            ..draft("see")
        };
        let sent = world.chat.send(&amy, room, answer).await.expect("stored").message;
        let page = world.chat.history(&amy, room, HistoryQuery::default()).await.expect("readable");
        assert_eq!(page.messages, [sent.clone(), first.clone()], "what is read is what was acknowledged");
        assert_eq!(first.content, "你好 👋🏽 <b>\u{202E}x");
        assert_eq!((sent.reply_to, sent.file_size), (Some(first.id), Some(7)));
        assert_eq!(sent.client_id.as_deref(), Some("c-1"));
        assert_eq!(sent.created_at, crate::support::NOW);
    }

    async fn the_same_client_id_is_the_same_message(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let with_id = |text: &str| MessageDraft { client_id: Some("again".into()), ..draft(text) };
        let retries: Vec<_> =
            (0..20).map(|_| world.chat.submit(&amy, room, with_id("once")).expect("queued")).collect();
        let mut ids = BTreeSet::new();
        let mut new = 0;
        for retry in retries {
            let stored = retry.await.expect("answered");
            ids.insert(stored.message.id);
            new += u32::from(stored.is_new);
        }
        assert_eq!((ids.len(), new), (1, 1));
        let later = world.chat.send(&amy, room, with_id("changed")).await.expect("answered");
        assert_eq!((later.is_new, later.message.content.as_str()), (false, "once"));
        let other = world.chat.send(&bob, room, with_id("bob's own")).await.expect("stored");
        assert!(other.is_new, "another sender's id is another's");
        assert_eq!(world.texts(&amy, room).await, ["once", "bob's own"]);
    }

    async fn reply_must_be_to_a_message_of_the_same_room(world: World) {
        let amy = world.person("amy").await;
        let (here, there) = (world.room(&amy).await.id, world.room(&amy).await.id);
        let elsewhere = world.say(&amy, there, "over there").await.id;
        for reply_to in [elsewhere, MessageId(999_999)] {
            let answer = MessageDraft { reply_to: Some(reply_to.0), ..draft("yes") };
            let error = world.chat.send(&amy, here, answer).await.expect_err("refused");
            let fields = error.failure().fields;
            assert_eq!((fields[0].field.as_str(), fields[0].problem), ("reply_to", Problem::NoSuchMessage));
        }
        assert!(world.texts(&amy, here).await.is_empty(), "nothing half stored");
    }

    async fn only_members_write_and_a_rejected_message_takes_no_seq(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let open = world.room(&amy).await.id;
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        let refused = |error: chat::Error| error.code();
        assert_eq!(world.chat.send(&bob, open, draft("hi")).await.map_err(refused).err(), Some(Code::NotAMember));
        assert_eq!(world.chat.send(&bob, hidden, draft("hi")).await.map_err(refused).err(), Some(Code::NotFound));
        assert_eq!(
            world.chat.send(&bob, RoomId(424_242), draft("hi")).await.map_err(refused).err(),
            Some(Code::NotFound)
        );
        assert_eq!(world.say(&amy, open, "first").await.rev, 1);
    }

    async fn accepted_messages_are_stored_before_stop_returns(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let receipts: Vec<_> =
            (0..50).map(|n| world.chat.submit(&amy, room, draft(&n.to_string())).expect("queued")).collect();
        let world = world.restarted(chat::Settings::default()).await;
        for receipt in receipts {
            receipt.await.expect("stored, not dropped");
        }
        assert_eq!(world.texts(&amy, room).await.len(), 50);
    }
}
