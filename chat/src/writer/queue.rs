//! What waits for the writer, and whose turn it is.
//!
//! Rooms take turns: each has a queue of its own, and those with something in them stand in one line. On SQLite, which
//! commits one transaction at a time, a batch takes a little of every room in that order; on MySQL, where batches run
//! side by side, each is of one room. A room is never in two batches at once.
//!
//! A sender whose message made a batch fail is a suspect for a while: what they send stands in a queue of its own in
//! each room, and is never in a batch with anybody else's.
//!
//! The bounds are of all that waits, and of each room a share of it, so that one room cannot fill the queue for all.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::Job;
use crate::{
    error::{Error, Result},
    model::{RoomId, UserId},
    store::Backend,
};

/// Messages of one transaction: beyond that a commit's share of a message's cost is
/// lost in the rest (design: 256 and 1,000 differ by a quarter, and the first sender waits).
const BATCH: usize = 512;
/// How many of them one room has at a time, where a batch is of several.
const SHARE: usize = 16;
/// Messages of a suspect's batch: each may fail, and takes a transaction of its own then.
const ALONE: usize = 16;
/// Batches under way at once on MySQL, leaving connections for reading.
const LANES: usize = 8;
/// The part of the queue that one room may fill.
const ROOM_PART: usize = 4;
/// How long a sender is a suspect.
const SUSPECTED: Duration = Duration::from_mins(1);

/// Shared by the senders, who push, and the writer's task.
pub(super) struct Queue {
    turns: Mutex<Turns>,
    pushed: Notify,
}

/// The jobs of one transaction, and what it holds until [`Queue::done`].
pub(super) struct Batch {
    pub(super) jobs: Vec<Job>,
    pub(super) hold: Hold,
}

/// What may not be in two batches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// The database.
    Whole,
    /// One room.
    Room(RoomId),
}

impl Queue {
    /// At most `capacity` jobs wait.
    pub(super) fn new(backend: Backend, capacity: usize) -> Self {
        Self { turns: Mutex::new(Turns::new(backend, capacity)), pushed: Notify::new() }
    }

    /// Queues a job.
    pub(super) fn push(&self, job: Job) -> Result<()> {
        self.turns().push(job, Instant::now())?;
        self.pushed.notify_one();
        Ok(())
    }

    /// Returns once something was pushed since the last time.
    pub(super) async fn pushed(&self) {
        self.pushed.notified().await;
    }

    /// The next batch, if there is one that may run now.
    pub(super) fn next(&self) -> Option<Batch> {
        self.turns().next()
    }

    /// A batch has ended, in which these senders were found guilty.
    pub(super) fn done(&self, hold: Hold, guilty: &[UserId]) {
        self.turns().done(hold, guilty, Instant::now());
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.turns().is_closed = true;
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.turns().waiting
    }

    /// No code that holds the lock panics half-way through a change.
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A room's queue, or that of a suspect in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    room: RoomId,
    alone: Option<UserId>,
}

struct Turns {
    backend: Backend,
    capacity: usize,
    /// None is empty.
    queues: HashMap<Key, VecDeque<Job>>,
    /// The keys of all queues, in the order of their turns.
    line: VecDeque<Key>,
    waiting: usize,
    /// How many of them wait in each room; none is zero.
    by_room: HashMap<RoomId, usize>,
    running: usize,
    busy: HashSet<RoomId>,
    /// Until when each is one.
    suspects: HashMap<UserId, Instant>,
    is_closed: bool,
}

impl Turns {
    fn new(backend: Backend, capacity: usize) -> Self {
        Self {
            backend,
            capacity,
            queues: HashMap::new(),
            line: VecDeque::new(),
            waiting: 0,
            by_room: HashMap::new(),
            running: 0,
            busy: HashSet::new(),
            suspects: HashMap::new(),
            is_closed: false,
        }
    }

    fn push(&mut self, job: Job, now: Instant) -> Result<()> {
        if self.is_closed {
            return Err(Error::Stopping);
        }
        let room = job.change.room();
        let in_room = self.by_room.get(&room).copied().unwrap_or_default();
        if self.waiting >= self.capacity || in_room >= (self.capacity / ROOM_PART).max(1) {
            return Err(Error::Overloaded);
        }
        let key = self.key(room, job.change.actor(), now);
        self.waiting += 1;
        self.by_room.insert(room, in_room + 1);
        self.append(key, job);
        Ok(())
    }

    /// Where a job of this sender waits. Whoever was a suspect and has something waiting stays behind it.
    fn key(&self, room: RoomId, sender: UserId, now: Instant) -> Key {
        let alone = Key { room, alone: Some(sender) };
        let is_suspect = self.suspects.get(&sender).is_some_and(|until| now < *until);
        if is_suspect || (!self.suspects.is_empty() && self.queues.contains_key(&alone)) {
            alone
        } else {
            Key { room, alone: None }
        }
    }

    fn append(&mut self, key: Key, job: Job) {
        let queue = self.queues.entry(key).or_default();
        if queue.is_empty() {
            self.line.push_back(key);
        }
        queue.push_back(job);
    }

    fn next(&mut self) -> Option<Batch> {
        let (first, hold) = match self.backend {
            Backend::Sqlite if self.running > 0 => return None,
            Backend::Sqlite => (0, Hold::Whole),
            Backend::MySql if self.running >= LANES => return None,
            Backend::MySql => {
                // All but the first few are free: there are fewer busy rooms than lanes.
                let first = self.line.iter().position(|key| !self.busy.contains(&key.room))?;
                (first, Hold::Room(self.line[first].room))
            }
        };
        let key = *self.line.get(first)?;
        let mut jobs = Vec::new();
        match (key.alone, hold) {
            (Some(_), _) => self.take(first, ALONE, &mut jobs),
            (None, Hold::Room(room)) => {
                self.take(first, BATCH, &mut jobs);
                debug_assert_eq!(room, key.room);
            }
            (None, Hold::Whole) => {
                while jobs.len() < BATCH
                    && let Some(next) = self.line.iter().position(|key| key.alone.is_none())
                {
                    self.take(next, SHARE.min(BATCH - jobs.len()), &mut jobs);
                }
            }
        }
        self.running += 1;
        if let Hold::Room(room) = hold {
            self.busy.insert(room);
        }
        Some(Batch { jobs, hold })
    }

    /// Takes up to `most` jobs of the queue at this place in the line; it stands at the end then, if there are more.
    fn take(&mut self, place: usize, most: usize, jobs: &mut Vec<Job>) {
        let Some(key) = self.line.remove(place) else { return };
        let Some(queue) = self.queues.get_mut(&key) else { return };
        let count = queue.len().min(most);
        jobs.extend(queue.drain(..count));
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.line.push_back(key);
        }
        self.waiting -= count;
        match self.by_room.get_mut(&key.room) {
            Some(in_room) if *in_room > count => *in_room -= count,
            Some(_) | None => drop(self.by_room.remove(&key.room)),
        }
    }

    fn done(&mut self, hold: Hold, guilty: &[UserId], now: Instant) {
        self.running = self.running.saturating_sub(1);
        if let Hold::Room(room) = hold {
            self.busy.remove(&room);
        }
        if guilty.is_empty() {
            return;
        }
        self.suspects.retain(|_, until| now < *until);
        for sender in guilty {
            self.suspects.insert(*sender, now + SUSPECTED);
        }
        self.set_apart(guilty);
    }

    /// Moves what these senders have waiting among others' into queues of its own.
    fn set_apart(&mut self, senders: &[UserId]) {
        let among_others: Vec<Key> = self.line.iter().copied().filter(|key| key.alone.is_none()).collect();
        for key in among_others {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            if !queue.iter().any(|job| senders.contains(&job.change.actor())) {
                continue;
            }
            let (theirs, others) =
                queue.drain(..).partition::<VecDeque<_>, _>(|job| senders.contains(&job.change.actor()));
            if others.is_empty() {
                self.queues.remove(&key);
                self.line.retain(|other| *other != key);
            } else {
                *queue = others;
            }
            for job in theirs {
                let alone = Some(job.change.actor());
                self.append(Key { alone, ..key }, job);
            }
        }
    }
}

#[cfg(test)]
mod tests;
