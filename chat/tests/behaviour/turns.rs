//! Rooms take turns at the writer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chat::{Settings, model::Code};

use crate::support::{World, draft, unhurried};

/// Rooms that are written in without a pause: three times as many as batches run side by side.
const ROOMS: usize = 24;
/// Messages under way in each.
const FLIGHT: usize = 8;
/// What each room has stored on average when it ends.
const EACH: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_that_are_all_busy_have_their_share_each() {
    let world = World::mariadb().await;
    let amy = world.person("amy").await;
    let stored: Arc<[AtomicUsize]> = (0..ROOMS).map(|_| AtomicUsize::new(0)).collect();
    let total = Arc::new(AtomicUsize::new(0));
    let mut writers = Vec::new();
    for place in 0..ROOMS {
        let room = world.room(&amy).await.id;
        for _ in 0..FLIGHT {
            let (chat, amy) = (world.chat.clone(), amy.clone());
            let (stored, total) = (Arc::clone(&stored), Arc::clone(&total));
            writers.push(async move {
                while total.fetch_add(1, Ordering::Relaxed) < ROOMS * EACH {
                    chat.send(&amy, room, draft("x")).await.expect("stored");
                    stored[place].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
    let writers: Vec<_> = writers.into_iter().map(tokio::spawn).collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    let mut stored: Vec<usize> = stored.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    stored.sort_unstable();
    assert_eq!(stored.iter().sum::<usize>(), ROOMS * EACH);
    // Whoever starts first, or last, is a few turns ahead or behind.
    assert!(stored[0] >= EACH / 2 && stored[ROOMS - 1] <= EACH * 2, "{stored:?}");
}

#[tokio::test]
async fn the_queue_holds_what_the_setting_says_and_one_room_a_part_of_it() {
    let world = World::sqlite().await.restarted(Settings { queue: 40, ..unhurried() }).await;
    let amy = world.person("amy").await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(world.room(&amy).await.id);
    }
    // One thread, and nothing is awaited: the writer takes none of it meanwhile.
    let mut receipts = Vec::new();
    let mut refused = Vec::new();
    for room in rooms {
        for _ in 0..11 {
            match world.chat.submit(&amy, room, draft("x")) {
                Ok(receipt) => receipts.push(receipt),
                Err(error) => refused.push((room, error.code())),
            }
        }
    }
    assert_eq!(receipts.len(), 40);
    assert!(refused.iter().all(|(_, code)| *code == Code::Unavailable));
    assert_eq!(refused.len(), 4 + 11, "the eleventh of four rooms, all of the fifth");
    for receipt in receipts {
        receipt.await.expect("stored");
    }
}
