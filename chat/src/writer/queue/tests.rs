use tokio::sync::oneshot;

use super::*;
use crate::{model::MessageId, writer::Change};

/// A job of this sender in this room; the message tells it from others.
fn job(room: i64, user: i64, message: i64) -> Job {
    let change = Change::Delete { room: RoomId(room), user: UserId(user), message: MessageId(message) };
    Job { change, reply: oneshot::channel().0 }
}

fn turns(backend: Backend) -> Turns {
    Turns::new(backend, 10_000)
}

impl Turns {
    /// Queues jobs of these rooms and senders, which are numbered as they come.
    fn fill(&mut self, jobs: impl IntoIterator<Item = (i64, i64)>) {
        let now = Instant::now();
        for (number, (room, user)) in (0..).zip(jobs) {
            self.push(job(room, user, number), now).expect("there is room");
        }
    }

    /// The numbers of the next batch's jobs.
    fn take_next(&mut self) -> Option<(Vec<i64>, Hold)> {
        let batch = self.next()?;
        let numbers = batch.jobs.iter().map(|job| match job.change {
            Change::Delete { message, .. } => message.0,
            Change::Send(_) | Change::Edit { .. } => unreachable!("only deletions here"),
        });
        Some((numbers.collect(), batch.hold))
    }
}

#[test]
fn rooms_that_are_always_busy_have_the_same_number_of_turns() {
    let mut turns = turns(Backend::MySql);
    let mut had = vec![0; 24];
    turns.fill((0..24).flat_map(|room| vec![(room, 1); 8]));
    let mut running: VecDeque<Hold> = VecDeque::new();
    for _ in 0..24 * 10 {
        while let Some((_, hold)) = turns.take_next() {
            running.push_back(hold);
        }
        // The first to end writes more at once, as a busy room does.
        let hold = running.pop_front().expect("one runs");
        turns.done(hold, &[], Instant::now());
        let Hold::Room(room) = hold else { panic!("a batch of one room") };
        had[usize::try_from(room.0).expect("small")] += 1;
        turns.fill(vec![(room.0, 1); 8]);
    }
    assert_eq!(had, vec![10; 24]);
}

#[test]
fn a_room_is_in_one_batch_at_a_time_and_lanes_are_bounded() {
    let mut turns = turns(Backend::MySql);
    turns.fill([(1, 1), (1, 1)]);
    let (first, hold) = turns.take_next().expect("a batch");
    assert_eq!((first, hold), (vec![0, 1], Hold::Room(RoomId(1))));
    turns.fill([(1, 1)]);
    assert!(turns.take_next().is_none(), "the room is busy");
    turns.fill((2..20).map(|room| (room, 1)));
    for room in 2..9 {
        assert_eq!(turns.take_next().map(|(_, hold)| hold), Some(Hold::Room(RoomId(room))));
    }
    assert!(turns.take_next().is_none(), "all lanes are taken");
    turns.done(hold, &[], Instant::now());
    assert_eq!(turns.take_next().map(|(_, hold)| hold), Some(hold), "it came before the others");
}

#[test]
fn on_sqlite_a_flooded_room_leaves_the_others_their_places_in_the_batch() {
    let mut turns = turns(Backend::Sqlite);
    turns.fill(vec![(1, 1); 1_000]);
    turns.fill([(2, 2), (3, 3)]);
    let (first, hold) = turns.take_next().expect("a batch");
    assert_eq!((first.len(), hold), (BATCH, Hold::Whole));
    // A share of room 1, the one of room 2, the one of room 3, and of room 1 what is left.
    assert_eq!(first[..SHARE], (0..16).collect::<Vec<_>>());
    assert_eq!(first[SHARE..SHARE + 3], [0, 1, 16]);
    assert!(turns.take_next().is_none(), "one transaction at a time");
    turns.done(hold, &[], Instant::now());
    assert_eq!(turns.take_next().map(|(second, _)| second.len()), Some(1_000 - (BATCH - 2)));
    assert_eq!((turns.waiting, turns.by_room.len(), turns.queues.len()), (0, 0, 0));
}

#[test]
fn no_more_wait_than_the_setting_says_and_one_room_has_a_part_of_it() {
    for backend in [Backend::Sqlite, Backend::MySql] {
        let mut turns = Turns::new(backend, 40);
        let now = Instant::now();
        let refused = |result: Result<()>| matches!(result, Err(Error::Overloaded));
        for room in 1..=4 {
            for number in 0..10 {
                turns.push(job(room, 1, number), now).expect("there is room");
            }
            assert!(refused(turns.push(job(room, 2, 10), now)), "the room has its part");
        }
        assert!(refused(turns.push(job(5, 1, 0), now)), "40 wait");
        assert!(turns.next().is_some());
        turns.push(job(5, 1, 0), now).expect("a batch has gone");
        turns.is_closed = true;
        assert!(matches!(turns.push(job(5, 1, 0), now), Err(Error::Stopping)));
    }
}

#[test]
fn a_suspect_is_in_no_batch_with_others_for_a_minute_and_keeps_their_order() {
    for backend in [Backend::Sqlite, Backend::MySql] {
        let mut turns = turns(backend);
        let now = Instant::now();
        turns.fill([(1, 7)]);
        let (_, hold) = turns.take_next().expect("a batch");
        for (number, user) in [(1, 7), (2, 8), (3, 7), (4, 9)] {
            turns.push(job(1, user, number), now).expect("there is room");
        }
        turns.done(hold, &[UserId(7)], now);
        turns.push(job(1, 7, 5), now).expect("there is room");
        turns.push(job(1, 8, 6), now).expect("there is room");
        let mut batches = Vec::new();
        let later = now + SUSPECTED;
        while let Some((numbers, hold)) = turns.take_next() {
            if batches.is_empty() {
                // No longer a suspect, yet behind what they sent before.
                turns.push(job(1, 7, 7), later).expect("there is room");
            }
            batches.push(numbers);
            turns.done(hold, &[], later);
        }
        assert_eq!(batches, [vec![2, 4, 6], vec![1, 3, 5, 7]], "{backend:?}");
        turns.push(job(1, 7, 8), later).expect("there is room");
        turns.push(job(1, 8, 9), later).expect("there is room");
        assert_eq!(turns.take_next().map(|(numbers, _)| numbers), Some(vec![8, 9]), "{backend:?}");
    }
}
