//! A socket whose task is busy, like that of a client that reads nothing, keeps no connection of the pool.

use chat::service::room_session::Resume;
use futures::FutureExt as _;

use crate::support::{Sockets as _, both};

/// More sockets than either database has connections for reading.
const SOCKETS: usize = 40;

both! {
    async fn sockets_that_stop_in_the_middle_of_a_backfill_keep_no_connection(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        for text in ["one", "two", "three"] {
            world.say(&amy, room, text).await;
        }
        let mut stopped = Vec::new();
        for _ in 0..SOCKETS {
            let resume = Some(Resume::AfterRev(0));
            let mut session = world.chat.open_room(&amy, room, resume).await.expect("open");
            session.next().await.expect("the first frame");
            if session.next().now_or_never().is_none() {
                stopped.push(session);
            }
        }
        assert_eq!(world.texts(&amy, room).await, ["one", "two", "three"]);
        for session in &mut stopped {
            let frame = session.next().await.expect("a frame");
            assert!(String::from_utf8_lossy(&frame).contains("one"));
        }
    }
}
