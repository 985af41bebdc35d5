//! Fairness between rooms in the writer's queue.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chat::{Settings, model::Code};

use crate::support::{World, draft, unhurried};

/// Rooms with constant load: three times as many as batches that run in parallel.
const ROOMS: usize = 24;
/// Messages in flight in each room.
const IN_FLIGHT: usize = 8;
/// Average number of messages stored per room when the test ends.
const PER_ROOM: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_rooms_share_the_writer_fairly() {
    let world = World::mariadb().await;
    let amy = world.person("amy").await;
    let stored: Arc<[AtomicUsize]> = (0..ROOMS).map(|_| AtomicUsize::new(0)).collect();
    let total = Arc::new(AtomicUsize::new(0));
    let mut writers = Vec::new();
    for place in 0..ROOMS {
        let room = world.room(&amy).await.id;
        for _ in 0..IN_FLIGHT {
            let (chat, amy) = (world.chat.clone(), amy.clone());
            let (stored, total) = (Arc::clone(&stored), Arc::clone(&total));
            writers.push(async move {
                while total.fetch_add(1, Ordering::Relaxed) < ROOMS * PER_ROOM {
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
    assert_eq!(stored.iter().sum::<usize>(), ROOMS * PER_ROOM);
    // The first and last to start are a few batches ahead or behind.
    assert!(stored[0] >= PER_ROOM / 2 && stored[ROOMS - 1] <= PER_ROOM * 2, "{stored:?}");
}

#[tokio::test]
async fn queue_is_bounded_in_total_and_per_room() {
    let world = World::sqlite().await.restarted(Settings { queue: 40, ..unhurried() }).await;
    let amy = world.person("amy").await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(world.room(&amy).await.id);
    }
    // One thread, and no await: the writer takes no message meanwhile.
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
