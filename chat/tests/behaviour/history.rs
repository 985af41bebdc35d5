//! Pagination of the history, by page and by cursor.

use chat::{
    model::{Code, MessageId, User},
    service::history::HistoryQuery,
};

use crate::support::{World, both};

/// 25 messages, "1" to "25".
async fn full_room(world: &World, amy: &User) -> (chat::model::RoomId, Vec<MessageId>) {
    let room = world.room(amy).await.id;
    let mut ids = Vec::new();
    for n in 1..=25 {
        ids.push(world.say(amy, room, &n.to_string()).await.id);
    }
    (room, ids)
}

fn texts(page: chat::model::MessagePage) -> Vec<String> {
    page.messages.into_iter().map(|m| m.content).collect()
}

fn numbers(range: impl Iterator<Item = i32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

both! {
    async fn pages_are_newest_first_and_empty_after_the_last(world: World) {
        let amy = world.person("amy").await;
        let (room, _) = full_room(&world, &amy).await;
        let page = |page| HistoryQuery { page: Some(page), page_size: Some(10), ..HistoryQuery::default() };
        let first = world.chat.history(&amy, room, page(1)).await.expect("readable");
        assert_eq!((first.total, first.page, first.page_size, first.has_more), (25, 1, 10, true));
        assert_eq!(texts(first), numbers((16..=25).rev()));
        let last = world.chat.history(&amy, room, page(3)).await.expect("readable");
        assert!(!last.has_more);
        assert_eq!(texts(last), numbers((1..=5).rev()));
        for past in [4, 5, i64::MAX] {
            let past = world.chat.history(&amy, room, page(past)).await.expect("readable");
            assert!(past.messages.is_empty() && past.total == 25);
        }
        let large = HistoryQuery { page_size: Some(5_000), ..HistoryQuery::default() };
        assert_eq!(world.chat.history(&amy, room, large).await.expect("readable").page_size, 100);
    }

    async fn cursors_go_both_ways_and_take_any_id(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        let size = Some(3);
        let before = |id| HistoryQuery { before_id: Some(id), page_size: size, ..HistoryQuery::default() };
        let after = |id| HistoryQuery { after_id: Some(id), page_size: size, ..HistoryQuery::default() };
        let older = world.chat.history(&amy, room, before(ids[9].0)).await.expect("readable");
        assert!(older.has_more);
        assert_eq!(texts(older), ["9", "8", "7"]);
        let newer = world.chat.history(&amy, room, after(ids[9].0)).await.expect("readable");
        assert_eq!(texts(newer), ["11", "12", "13"]);
        let start = world.chat.history(&amy, room, after(0)).await.expect("readable");
        assert_eq!(texts(start), ["1", "2", "3"]);
        let end = world.chat.history(&amy, room, after(ids[24].0)).await.expect("readable");
        assert!(end.messages.is_empty() && !end.has_more);
        // An id of no message in this room is still a position among the ids.
        let far = world.chat.history(&amy, room, before(ids[24].0 + 1_000)).await.expect("readable");
        assert_eq!(texts(far), ["25", "24", "23"]);
    }

    async fn cursor_of_another_room_is_a_position_among_the_ids(world: World) {
        let amy = world.person("amy").await;
        let (here, there) = (world.room(&amy).await.id, world.room(&amy).await.id);
        world.say(&amy, here, "before").await;
        let between = world.say(&amy, there, "elsewhere").await.id;
        world.say(&amy, here, "after").await;
        let query = HistoryQuery { after_id: Some(between.0), ..HistoryQuery::default() };
        assert_eq!(texts(world.chat.history(&amy, here, query).await.expect("readable")), ["after"]);
        let query = HistoryQuery { before_id: Some(between.0), ..HistoryQuery::default() };
        assert_eq!(texts(world.chat.history(&amy, here, query).await.expect("readable")), ["before"]);
    }

    async fn invalid_queries_are_rejected(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let none = HistoryQuery::default();
        for bad in [
            HistoryQuery { page: Some(0), ..none },
            HistoryQuery { page: Some(-1), ..none },
            HistoryQuery { page_size: Some(0), ..none },
            HistoryQuery { page_size: Some(-1), ..none },
            HistoryQuery { before_id: Some(-1), ..none },
            HistoryQuery { after_id: Some(1 << 53), ..none },
            HistoryQuery { before_id: Some(1), after_id: Some(1), ..none },
        ] {
            let error = world.chat.history(&amy, room, bad).await.expect_err("refused");
            assert_eq!(error.code(), Code::Invalid, "{bad:?}");
        }
    }

    async fn only_members_read(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let error = world.chat.history(&bob, room, HistoryQuery::default()).await.expect_err("refused");
        assert_eq!(error.code(), Code::NotAMember);
    }
}
