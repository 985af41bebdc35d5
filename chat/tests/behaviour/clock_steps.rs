//! The clock of a machine may be stepped back, and that of another node may be behind: the order of what is stored does
//! not depend on it.

use chat::service::{history::HistoryQuery, notifications::NotificationQuery};

use crate::support::both;

/// A step back, in microseconds.
const BACK: i64 = -3_600_000_000;

both! {
    async fn times_of_a_room_never_fall(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        for text in ["one", "two", "three"] {
            world.say(&amy, room, text).await;
            world.clock.advance(BACK);
        }
        let query = HistoryQuery { after_id: Some(0), ..HistoryQuery::default() };
        let page = world.chat.history(&amy, room, query).await.expect("readable");
        let times: Vec<i64> = page.messages.iter().map(|message| message.created_at.0).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    async fn pages_of_notifications_have_each_once_and_the_newest_first(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut expected = Vec::new();
        for text in ["one", "two", "three", "four"] {
            expected.insert(0, world.say(&amy, room, text).await.id);
            world.clock.advance(BACK);
        }
        let (mut found, mut before_id) = (Vec::new(), None);
        for _ in 0..=expected.len() {
            let query = NotificationQuery { limit: Some(1), before_id, unread: false };
            let page = world.chat.notifications(&bob, query).await.expect("listed");
            let Some(last) = page.last() else { break };
            before_id = Some(last.id.0);
            found.extend(page.iter().filter_map(|found| found.message.as_ref()).map(|message| message.id));
        }
        assert_eq!(found, expected);
    }
}
