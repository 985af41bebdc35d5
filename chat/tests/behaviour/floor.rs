//! A room whose oldest messages were removed: everything ends at its floor.

use chat::{
    Chat,
    model::{
        Code, LastMessage, MessageDraft, MessageId, NotificationFrame, RoomId, ServerFrame, User, WindowAt,
    },
    service::{
        NotificationSession,
        history::HistoryQuery,
        notifications::NotificationQuery,
        room_session::Resume,
        trim::{Kept, Trimmed},
    },
    store::{
        Store, jobs, messages,
        rooms::{self, RoomState},
    },
};
use tokio::time::timeout;

use crate::support::{
    Listed as _, Sockets as _, World, both,
    cast::refused,
    draft,
    nodes::{self, TIMEOUT, until},
};

/// 25 messages, "1" to "25".
async fn full_room(world: &World, sender: &User) -> (RoomId, Vec<MessageId>) {
    let room = world.room(sender).await.id;
    let mut ids = Vec::new();
    for n in 1..=25 {
        world.clock.advance(1);
        ids.push(world.say(sender, room, &n.to_string()).await.id);
    }
    (room, ids)
}

async fn keep(world: &World, room: RoomId, count: i64) -> Trimmed {
    world.chat.trim_room(room, Kept::Newest(count)).await.expect("trimmed")
}

fn numbers(range: impl Iterator<Item = i32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

async fn page(chat: &Chat, who: &User, room: RoomId, query: HistoryQuery) -> (Vec<String>, i64, bool) {
    let page = chat.history(who, room, query).await.expect("readable");
    (page.messages.into_iter().map(|message| message.content).collect(), page.total, page.has_more)
}

/// Whether rows of messages below the floor are left.
async fn has_rows_below(world: &World, room: RoomId) -> bool {
    let store = Store::open_existing(&world.url).await.expect("opened");
    let mut conn = store.read().await.expect("a connection");
    let state = rooms::state(&mut conn, room).await.expect("read").expect("it is there");
    let all = RoomState { first_seq: 1, ..state.clone() };
    let below_rows = messages::seq_at_rev(&mut conn, &all, 0).await.expect("found");
    drop(conn);
    store.close().await;
    below_rows < state.floor()
}

async fn unread(world: &World, who: &User, room: RoomId) -> (i64, i64, i64) {
    let in_room = world.chat.room(who, room).await.expect("seen").unread_count;
    let in_list = world.chat.room_in_list(who, room).await.unread_count;
    (in_room, in_list, world.chat.unread_notifications(who).await.expect("counted"))
}

/// The next count of unread messages.
async fn next_unread(session: &mut NotificationSession) -> i64 {
    loop {
        let json = timeout(TIMEOUT, session.next()).await.expect("in time").expect("open");
        if let Ok(NotificationFrame::Unread { unread_count, .. }) = serde_json::from_slice(&json) {
            return unread_count;
        }
    }
}

both! {
    async fn history_ends_at_the_floor(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        assert_eq!(keep(&world, room, 10).await, Trimmed { removed: 15, left: 10 });
        assert!(!has_rows_below(&world, room).await);
        let none = HistoryQuery { page_size: Some(4), ..HistoryQuery::default() };
        let at = async |query| page(&world.chat, &amy, room, query).await;
        let downwards = |range: std::ops::RangeInclusive<i32>| numbers(range.rev());
        assert_eq!(at(HistoryQuery { page: Some(1), ..none }).await, (downwards(22..=25), 10, true));
        assert_eq!(at(HistoryQuery { page: Some(3), ..none }).await, (downwards(16..=17), 10, false));
        assert_eq!(at(HistoryQuery { page: Some(4), ..none }).await, (Vec::new(), 10, false));
        // Cursors need not exist.
        for (n, expected) in [(18, downwards(16..=18)), (15, Vec::new()), (0, Vec::new())] {
            let query = HistoryQuery { before_id: Some(ids[n].0), ..none };
            assert_eq!(at(query).await, (expected, 10, false), "before {n}");
        }
        let query = HistoryQuery { before_id: Some(ids[19].0), page: Some(2), ..none };
        assert_eq!(at(query).await, (Vec::new(), 10, false));
        for after in [0, ids[0].0, ids[14].0] {
            let query = HistoryQuery { after_id: Some(after), ..none };
            assert_eq!(at(query).await, (numbers(16..=19), 10, true), "after {after}");
        }
        let query = HistoryQuery { after_id: Some(ids[20].0), ..none };
        assert_eq!(at(query).await, (numbers(22..=25), 10, false));
    }

    async fn windows_of_the_page_end_at_the_floor(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        keep(&world, room, 10).await;
        for (at, first, has_earlier) in [
            (WindowAt::Newest, Some("20"), true),
            (WindowAt::Before(ids[17]), Some("16"), false),
            (WindowAt::Before(ids[3]), None, false),
            (WindowAt::After(ids[3]), Some("16"), false),
            (WindowAt::Around(ids[16]), Some("16"), false),
            (WindowAt::Around(ids[3]), Some("20"), true),
        ] {
            let window = world.chat.history_window(&amy, room, at, 6).await.expect("readable");
            let found = window.messages.first().map(|message| message.content.as_str());
            assert_eq!((found, window.has_earlier), (first, has_earlier), "{at:?}");
        }
    }

    async fn window_of_who_had_read_less_begins_with_new_messages(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (room, _) = full_room(&world, &amy).await;
        world.chat.join(&bob, room).await.expect("joined");
        for text in ["26", "27"] {
            world.say(&amy, room, text).await;
        }
        keep(&world, room, 1).await;
        let window = world.chat.history_window(&bob, room, WindowAt::Newest, 6).await.expect("readable");
        assert_eq!((window.messages.len(), window.last_read), (1, Some(MessageId(0))));
    }

    async fn removed_messages_are_gone_for_every_call(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        let answer = MessageDraft { reply_to: Some(ids[0].0), ..draft("an answer") };
        let answer = world.chat.send(&amy, room, answer).await.expect("stored").message;
        keep(&world, room, 2).await;
        let gone = ids[0];
        assert_eq!(refused(world.chat.mark_read(&amy, gone).await), Code::NotFound);
        assert_eq!(refused(world.chat.readers(&amy, gone).await), Code::NotFound);
        assert_eq!(refused(world.chat.edit(&amy, gone, "late".into()).await), Code::NotFound);
        assert_eq!(refused(world.chat.delete(&amy, gone).await), Code::NotFound);
        assert_eq!(world.chat.quoted(&amy, room, gone).await.expect("asked"), None);
        let late = MessageDraft { reply_to: Some(gone.0), ..draft("too late") };
        assert_eq!(refused(world.chat.send(&amy, room, late).await), Code::Invalid);
        // The answer is as it was.
        let window = world.chat.history_window(&amy, room, WindowAt::Newest, 9).await.expect("readable");
        assert_eq!(window.messages.last().and_then(|message| message.reply_to), Some(gone));
        assert_eq!(window.quoted, []);
        world.chat.edit(&amy, answer.id, "edited".into()).await.expect("edited");
        assert_eq!(world.texts(&amy, room).await, ["25", "edited"]);
        assert!(world.say(&amy, room, "on").await.id > answer.id, "ids are not used again");
    }

    async fn a_floor_only_rises(world: World) {
        let amy = world.person("amy").await;
        let (room, _) = full_room(&world, &amy).await;
        assert_eq!(keep(&world, room, 100).await, Trimmed { removed: 0, left: 25 });
        assert_eq!(keep(&world, room, 5).await, Trimmed { removed: 20, left: 5 });
        assert_eq!(keep(&world, room, 9).await, Trimmed { removed: 0, left: 5 });
        assert_eq!(keep(&world, room, 4).await, Trimmed { removed: 1, left: 4 });
        assert_eq!(world.texts(&amy, room).await, numbers(22..=25));
        assert_eq!(refused(world.chat.trim_room(RoomId(987_654), Kept::Newest(1)).await), Code::NotFound);
    }

    async fn messages_from_before_a_time_are_removed(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        for text in ["one", "two"] {
            world.say(&amy, room, text).await;
        }
        world.clock.advance(10);
        let later = world.clock.now();
        world.say(&amy, room, "three").await;
        let since = async |time| world.chat.trim_room(room, Kept::Since(time)).await.expect("trimmed");
        assert_eq!(since(later.plus_micros(-10)).await, Trimmed { removed: 0, left: 3 });
        assert_eq!(since(later).await, Trimmed { removed: 2, left: 1 });
        assert_eq!(world.texts(&amy, room).await, ["three"]);
    }

    async fn a_room_may_lose_all_its_messages(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (room, _) = full_room(&world, &amy).await;
        world.chat.join(&bob, room).await.expect("joined");
        world.say(&amy, room, "unread").await;
        assert_eq!(keep(&world, room, 0).await, Trimmed { removed: 26, left: 0 });
        assert_eq!(page(&world.chat, &bob, room, HistoryQuery::default()).await, (Vec::new(), 0, false));
        assert_eq!(unread(&world, &bob, room).await, (0, 0, 0));
        assert_eq!(world.chat.room(&bob, room).await.expect("seen").last_message, None);
        assert_eq!(world.chat.notifications(&bob, NotificationQuery::default()).await.expect("listed"), []);
        let mut socket = world.chat.open_room(&bob, room, Some(Resume::AfterRev(0))).await.expect("open");
        let first = nodes::next(&mut socket).await;
        assert!(matches!(first, ServerFrame::ConnectionEstablished { last_message_id: None, .. }), "{first:?}");
        world.say(&amy, room, "new").await;
        assert_eq!(unread(&world, &bob, room).await, (1, 1, 1));
        let last = world.chat.room(&bob, room).await.expect("seen").last_message;
        assert!(matches!(last, Some(LastMessage { content, .. }) if content == "new"));
    }

    async fn unread_counters_are_exact_above_a_floor(world: World) {
        let (amy, bob, cid) = (world.person("amy").await, world.person("bob").await, world.person("cid").await);
        let room = world.room(&amy).await.id;
        for who in [&bob, &cid] {
            world.chat.join(who, room).await.expect("joined");
        }
        // Bob's own are the 3rd, 6th and 9th.
        let mut ids = Vec::new();
        for n in 1..=10 {
            let sender = if n % 3 == 0 { &bob } else { &amy };
            ids.push(world.say(sender, room, &format!("@cid {n}")).await.id);
        }
        world.chat.mark_read(&bob, ids[3]).await.expect("marked");
        let mut session = world.chat.open_notifications(&cid).await.expect("open");
        assert_eq!(next_unread(&mut session).await, 10);
        keep(&world, room, 8).await;
        assert_eq!(unread(&world, &bob, room).await, (4, 4, 4), "he had read more");
        assert_eq!(unread(&world, &cid, room).await, (8, 8, 8));
        assert_eq!(next_unread(&mut session).await, 8);
        keep(&world, room, 3).await;
        assert_eq!(unread(&world, &bob, room).await, (2, 2, 2), "of three, one is his own");
        assert_eq!(unread(&world, &cid, room).await, (3, 3, 3));
        let list = async |query| {
            let found = world.chat.notifications(&cid, query).await.expect("listed");
            found.into_iter().map(|found| found.content).collect::<Vec<_>>()
        };
        let none = NotificationQuery::default();
        assert_eq!(list(none).await, ["@cid 10", "@cid 9", "@cid 8"]);
        assert_eq!(list(NotificationQuery { unread: true, ..none }).await, ["@cid 10", "@cid 9", "@cid 8"]);
        let newest = world.chat.notifications(&cid, none).await.expect("listed").remove(0).id;
        assert_eq!(list(NotificationQuery { before_id: Some(newest.0), ..none }).await, ["@cid 9", "@cid 8"]);
        // Reading on counts right.
        world.chat.mark_read(&bob, ids[7]).await.expect("marked");
        world.say(&bob, room, "own").await;
        world.say(&amy, room, "hers").await;
        assert_eq!(unread(&world, &bob, room).await, (2, 2, 2), "the 10th, and hers");
    }

    async fn a_client_resumes_from_below_a_floor(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        world.chat.edit(&amy, ids[1], "edited".into()).await.expect("edited");
        world.chat.edit(&amy, ids[22], "edited too".into()).await.expect("edited");
        keep(&world, room, 3).await;
        for resume in [Resume::AfterRev(2), Resume::AfterId(ids[2].0)] {
            let mut socket = world.chat.open_room(&amy, room, Some(resume)).await.expect("open");
            nodes::next(&mut socket).await;
            let mut received = Vec::new();
            while received.last().is_none_or(|last| last != "25") {
                match nodes::next(&mut socket).await {
                    ServerFrame::ChatMessage { message, .. } => received.push(message.content),
                    other => panic!("{resume:?}: {other:?}"),
                }
            }
            assert_eq!(received, ["edited too", "24", "25"], "{resume:?}");
            if resume == Resume::AfterRev(2) {
                let edited = nodes::next(&mut socket).await;
                assert!(matches!(edited, ServerFrame::MessageEdited { rev: 27, .. }), "{edited:?}");
                // The moved floor is the room's latest change.
                let last = nodes::next(&mut socket).await;
                assert!(matches!(last, ServerFrame::RoomChanged { rev: 28, .. }), "{last:?}");
            }
        }
    }

    async fn what_an_interrupted_command_left_is_done_by_a_server(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (room, _) = full_room(&world, &amy).await;
        world.chat.join(&bob, room).await.expect("joined");
        for n in 26..=30 {
            world.say(&bob, room, &n.to_string()).await;
            world.say(&amy, room, &n.to_string()).await;
        }
        // What the command commits, and no more.
        let store = Store::open_existing(&world.url).await.expect("opened");
        let mut tx = store.write().await.expect("a transaction");
        let now = world.clock.now();
        let floor = rooms::RoomUpdate { first_seq: Some(33), ..rooms::RoomUpdate::default() };
        rooms::update(&mut tx, room, &floor, 99, now).await.expect("moved");
        jobs::add(&mut tx, &format!("trim_room:{room}"), 7, now.plus_micros(60_000_000)).await.expect("added");
        tx.commit().await.expect("stored");
        store.close().await;
        assert_eq!(world.texts(&bob, room).await.len(), 3, "nobody sees the others");
        let (count, ..) = unread(&world, &bob, room).await;
        assert_eq!(count, 3, "not more than there are");
        world.clock.advance(60_000_000);
        until("counted", async || unread(&world, &bob, room).await == (2, 2, 2)).await;
        until("deleted", async || !has_rows_below(&world, room).await).await;
    }
}
