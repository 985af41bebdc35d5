use tokio::sync::oneshot;

use super::*;
use crate::{
    model::MessageId,
    writer::{Change, RoomTransaction, RoomUpdate, update::Queued},
};

/// A job of this sender in this room, identified by `message`.
fn job(room: i64, user: i64, message: i64) -> Job {
    let change = Change::Delete { room: RoomId(room), user: UserId(user), message: MessageId(message) };
    Job::Message(MessageJob { change, reply: oneshot::channel().0 })
}

/// A change of a room that does nothing.
struct Idle;

impl RoomUpdate for Idle {
    type Output = ();

    async fn apply(&self, _: &mut RoomTransaction) -> Result<()> {
        Ok(())
    }
}

fn schedule(backend: Backend) -> Schedule {
    Schedule::new(backend, 10_000)
}

impl Schedule {
    /// Queues jobs of these rooms and senders, numbered in order.
    fn fill(&mut self, jobs: impl IntoIterator<Item = (i64, i64)>) {
        let now = Instant::now();
        for (number, (room, user)) in (0..).zip(jobs) {
            self.push(job(room, user, number), now).expect("there is room");
        }
    }

    /// The numbers of the next batch's jobs.
    fn take_next(&mut self) -> Option<(Vec<i64>, BatchScope)> {
        let batch = self.next()?;
        let Jobs::Messages(jobs) = batch.jobs else { return Some((Vec::new(), batch.scope)) };
        let numbers = jobs.iter().map(|job| match job.change {
            Change::Delete { message, .. } => message.0,
            Change::Send(_) | Change::Edit { .. } => unreachable!("only deletions here"),
        });
        Some((numbers.collect(), batch.scope))
    }
}

#[test]
fn busy_rooms_are_served_equally_often() {
    let mut schedule = schedule(Backend::MySql);
    let mut had = vec![0; 24];
    schedule.fill((0..24).flat_map(|room| vec![(room, 1); 8]));
    let mut running: VecDeque<BatchScope> = VecDeque::new();
    for _ in 0..24 * 10 {
        while let Some((_, scope)) = schedule.take_next() {
            running.push_back(scope);
        }
        // The first to end writes more at once, as a busy room does.
        let scope = running.pop_front().expect("one runs");
        schedule.done(scope, &[], Instant::now());
        let BatchScope::Room(room) = scope else { panic!("a batch of one room") };
        had[usize::try_from(room.0).expect("small")] += 1;
        schedule.fill(vec![(room.0, 1); 8]);
    }
    assert_eq!(had, vec![10; 24]);
}

#[test]
fn a_room_is_in_one_batch_at_a_time_and_lanes_are_bounded() {
    let mut schedule = schedule(Backend::MySql);
    schedule.fill([(1, 1), (1, 1)]);
    let (first, scope) = schedule.take_next().expect("a batch");
    assert_eq!((first, scope), (vec![0, 1], BatchScope::Room(RoomId(1))));
    schedule.fill([(1, 1)]);
    assert!(schedule.take_next().is_none(), "the room is busy");
    schedule.fill((2..20).map(|room| (room, 1)));
    for room in 2..9 {
        assert_eq!(schedule.take_next().map(|(_, scope)| scope), Some(BatchScope::Room(RoomId(room))));
    }
    assert!(schedule.take_next().is_none(), "all lanes are taken");
    schedule.done(scope, &[], Instant::now());
    assert_eq!(schedule.take_next().map(|(_, scope)| scope), Some(scope), "it came before the others");
}

#[test]
fn on_sqlite_a_flooded_room_leaves_capacity_in_the_batch_to_others() {
    let mut schedule = schedule(Backend::Sqlite);
    schedule.fill(vec![(1, 1); 1_000]);
    schedule.fill([(2, 2), (3, 3)]);
    let (first, scope) = schedule.take_next().expect("a batch");
    assert_eq!((first.len(), scope), (MAX_BATCH, BatchScope::Database));
    // A share of room 1, the one of room 2, the one of room 3, and of room 1 what is left.
    assert_eq!(first[..ROOM_BATCH], (0..16).collect::<Vec<_>>());
    assert_eq!(first[ROOM_BATCH..ROOM_BATCH + 3], [0, 1, 16]);
    assert!(schedule.take_next().is_none(), "one transaction at a time");
    schedule.done(scope, &[], Instant::now());
    assert_eq!(schedule.take_next().map(|(second, _)| second.len()), Some(1_000 - (MAX_BATCH - 2)));
    assert_eq!((schedule.waiting, schedule.by_room.len(), schedule.queues.len()), (0, 0, 0));
}

#[test]
fn a_batch_has_one_kind_of_job_and_each_room_keeps_its_order() {
    for backend in [Backend::Sqlite, Backend::MySql] {
        let mut schedule = schedule(backend);
        let update = |room| Job::Room(Queued::new(RoomId(room), UserId(1), Idle).0);
        schedule.fill([(1, 1), (1, 1)]);
        schedule.push(update(1), Instant::now()).expect("there is room");
        schedule.push(update(1), Instant::now()).expect("there is room");
        schedule.push(job(1, 1, 2), Instant::now()).expect("there is room");
        let mut batches = Vec::new();
        while let Some(batch) = schedule.next() {
            batches.push((matches!(batch.jobs, Jobs::Room(_)), batch.jobs.len()));
            schedule.done(batch.scope, &[], Instant::now());
        }
        assert_eq!(batches, [(false, 2), (true, 2), (false, 1)], "{backend:?}");
    }
}

#[test]
fn queue_is_bounded_in_total_and_per_room() {
    for backend in [Backend::Sqlite, Backend::MySql] {
        let mut schedule = Schedule::new(backend, 40);
        let now = Instant::now();
        let refused = |result: Result<()>| matches!(result, Err(Error::Overloaded));
        for room in 1..=4 {
            for number in 0..10 {
                schedule.push(job(room, 1, number), now).expect("there is room");
            }
            assert!(refused(schedule.push(job(room, 2, 10), now)), "the room has its part");
        }
        assert!(refused(schedule.push(job(5, 1, 0), now)), "40 wait");
        assert!(schedule.next().is_some());
        schedule.push(job(5, 1, 0), now).expect("a batch has gone");
        schedule.is_closed = true;
        assert!(matches!(schedule.push(job(5, 1, 0), now), Err(Error::Stopping)));
    }
}

#[test]
fn suspects_are_batched_alone_for_a_minute_and_in_order() {
    for backend in [Backend::Sqlite, Backend::MySql] {
        let mut schedule = schedule(backend);
        let now = Instant::now();
        schedule.fill([(1, 7)]);
        let (_, scope) = schedule.take_next().expect("a batch");
        for (number, user) in [(1, 7), (2, 8), (3, 7), (4, 9)] {
            schedule.push(job(1, user, number), now).expect("there is room");
        }
        schedule.done(scope, &[UserId(7)], now);
        schedule.push(job(1, 7, 5), now).expect("there is room");
        schedule.push(job(1, 8, 6), now).expect("there is room");
        let mut batches = Vec::new();
        let later = now + SUSPECT_FOR;
        while let Some((numbers, scope)) = schedule.take_next() {
            if batches.is_empty() {
                // No longer a suspect, yet behind what they sent before.
                schedule.push(job(1, 7, 7), later).expect("there is room");
            }
            batches.push(numbers);
            schedule.done(scope, &[], later);
        }
        assert_eq!(batches, [vec![2, 4, 6], vec![1, 3, 5, 7]], "{backend:?}");
        schedule.push(job(1, 7, 8), later).expect("there is room");
        schedule.push(job(1, 8, 9), later).expect("there is room");
        assert_eq!(schedule.take_next().map(|(numbers, _)| numbers), Some(vec![8, 9]), "{backend:?}");
    }
}
