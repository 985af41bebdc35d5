//! The writer's queue: one queue per room, served round-robin.
//!
//! Rooms with queued changes are in one list. On SQLite, which commits one transaction at a time, a batch takes a few
//! changes of every room in that order. On MySQL batches run in parallel, each of one room. A room is never in two
//! batches at once.
//!
//! A sender whose change made a batch fail is a suspect for a while: their changes have a queue of their own in each
//! room, and are never in a batch with changes of others.
//!
//! The number of queued changes is bounded, in total and for each room, so that one room cannot fill the queue.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{Job, MessageJob, update::QueuedUpdate};
use crate::{
    error::{Error, Result},
    model::{RoomId, UserId},
    store::Backend,
};

/// Maximum number of changes in one transaction. Above it the cost of the commit hardly matters (256 and 1,000 differ
/// by a quarter), and the first sender waits longer.
const MAX_BATCH: usize = 512;
/// How many of them are taken from one room at a time, in a batch of several rooms.
const ROOM_BATCH: usize = 16;
/// Maximum number of changes in a batch of a suspect: each may fail, and then needs a transaction of its own.
const SUSPECT_BATCH: usize = 16;
/// Maximum number of parallel batches on MySQL, which leaves connections for reading.
const LANES: usize = 8;
/// One room may use this fraction (1/n) of the queue.
const ROOM_FRACTION: usize = 4;
/// How long a sender remains a suspect.
const SUSPECT_FOR: Duration = Duration::from_mins(1);

/// Shared by the senders and the writer task.
pub(super) struct Queue {
    schedule: Mutex<Schedule>,
    pushed: Notify,
}

/// The changes of one transaction, and the scope it occupies until [`Queue::done`].
pub(super) struct Batch {
    pub(super) jobs: Jobs,
    pub(super) scope: BatchScope,
}

/// The jobs of one batch, all of one kind.
pub(super) enum Jobs {
    Messages(Vec<MessageJob>),
    Room(Vec<Box<dyn QueuedUpdate>>),
}

impl Jobs {
    fn empty_like(job: &Job) -> Self {
        match job {
            Job::Message(_) => Self::Messages(Vec::new()),
            Job::Room(_) => Self::Room(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Messages(jobs) => jobs.len(),
            Self::Room(jobs) => jobs.len(),
        }
    }

    fn accepts(&self, job: &Job) -> bool {
        matches!((self, job), (Self::Messages(_), Job::Message(_)) | (Self::Room(_), Job::Room(_)))
    }

    /// Moves the next job of `queue` here, if it is of this kind.
    fn take_from(&mut self, queue: &mut VecDeque<Job>) -> bool {
        match (self, queue.pop_front()) {
            (Self::Messages(jobs), Some(Job::Message(job))) => jobs.push(job),
            (Self::Room(jobs), Some(Job::Room(job))) => jobs.push(job),
            (_, Some(other)) => {
                queue.push_front(other);
                return false;
            }
            (_, None) => return false,
        }
        true
    }
}

/// What cannot be in two batches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchScope {
    /// The whole database.
    Database,
    /// One room.
    Room(RoomId),
}

impl Queue {
    /// Creates a queue of at most `capacity` jobs.
    pub(super) fn new(backend: Backend, capacity: usize) -> Self {
        Self { schedule: Mutex::new(Schedule::new(backend, capacity)), pushed: Notify::new() }
    }

    /// Queues a job.
    pub(super) fn push(&self, job: Job) -> Result<()> {
        self.schedule().push(job, Instant::now())?;
        self.pushed.notify_one();
        Ok(())
    }

    /// Waits until a job was pushed since the last call.
    pub(super) async fn pushed(&self) {
        self.pushed.notified().await;
    }

    /// The next batch that can run now.
    pub(super) fn next(&self) -> Option<Batch> {
        self.schedule().next()
    }

    /// Ends a batch, in which changes of the senders `offenders` failed on their own.
    pub(super) fn done(&self, scope: BatchScope, offenders: &[UserId]) {
        self.schedule().done(scope, offenders, Instant::now());
    }

    /// Refuses further jobs.
    pub(super) fn close(&self) {
        self.schedule().is_closed = true;
    }

    /// The number of queued jobs.
    pub(super) fn waiting(&self) -> usize {
        self.schedule().waiting
    }

    /// No code panics in the middle of an update under this lock, so a poisoned one is ignored.
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue of a room, or of a suspect in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct QueueKey {
    room: RoomId,
    suspect: Option<UserId>,
}

struct Schedule {
    backend: Backend,
    capacity: usize,
    /// Never contains an empty queue.
    queues: HashMap<QueueKey, VecDeque<Job>>,
    /// The keys of all queues, in round-robin order.
    ready: VecDeque<QueueKey>,
    waiting: usize,
    /// Number of queued jobs by room, never 0.
    by_room: HashMap<RoomId, usize>,
    running: usize,
    busy: HashSet<RoomId>,
    /// The suspects, with the end of the suspicion.
    suspects: HashMap<UserId, Instant>,
    is_closed: bool,
}

impl Schedule {
    fn new(backend: Backend, capacity: usize) -> Self {
        Self {
            backend,
            capacity,
            queues: HashMap::new(),
            ready: VecDeque::new(),
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
        let room = job.room();
        let in_room = self.by_room.get(&room).copied().unwrap_or_default();
        if self.waiting >= self.capacity || in_room >= (self.capacity / ROOM_FRACTION).max(1) {
            return Err(Error::Overloaded);
        }
        let key = self.key(room, job.actor(), now);
        self.waiting += 1;
        self.by_room.insert(room, in_room + 1);
        self.append(key, job);
        Ok(())
    }

    /// The queue of a job of this sender. A former suspect who still has queued jobs stays in their own queue, to
    /// keep their order.
    fn key(&self, room: RoomId, sender: UserId, now: Instant) -> QueueKey {
        let suspect = QueueKey { room, suspect: Some(sender) };
        let is_suspect = self.suspects.get(&sender).is_some_and(|until| now < *until);
        if is_suspect || (!self.suspects.is_empty() && self.queues.contains_key(&suspect)) {
            suspect
        } else {
            QueueKey { room, suspect: None }
        }
    }

    fn append(&mut self, key: QueueKey, job: Job) {
        let queue = self.queues.entry(key).or_default();
        if queue.is_empty() {
            self.ready.push_back(key);
        }
        queue.push_back(job);
    }

    fn next(&mut self) -> Option<Batch> {
        let (first, scope) = match self.backend {
            Backend::Sqlite if self.running > 0 => return None,
            Backend::Sqlite => (0, BatchScope::Database),
            Backend::MySql if self.running >= LANES => return None,
            Backend::MySql => {
                // Fast: there are fewer busy rooms than lanes, so a free one is near the front.
                let first = self.ready.iter().position(|key| !self.busy.contains(&key.room))?;
                (first, BatchScope::Room(self.ready[first].room))
            }
        };
        let key = *self.ready.get(first)?;
        let mut jobs = Jobs::empty_like(self.queues.get(&key)?.front()?);
        match (key.suspect, scope) {
            (Some(_), _) => self.take(first, SUSPECT_BATCH, &mut jobs),
            (None, BatchScope::Room(room)) => {
                self.take(first, MAX_BATCH, &mut jobs);
                debug_assert_eq!(room, key.room);
            }
            (None, BatchScope::Database) => {
                while jobs.len() < MAX_BATCH
                    && let Some(next) = self.next_queue(&jobs)
                {
                    self.take(next, ROOM_BATCH.min(MAX_BATCH - jobs.len()), &mut jobs);
                }
            }
        }
        self.running += 1;
        if let BatchScope::Room(room) = scope {
            self.busy.insert(room);
        }
        Some(Batch { jobs, scope })
    }

    /// The position of the first queue, of no suspect, whose next job fits into the batch.
    fn next_queue(&self, jobs: &Jobs) -> Option<usize> {
        self.ready.iter().position(|key| {
            let next = || self.queues.get(key).and_then(VecDeque::front);
            key.suspect.is_none() && next().is_some_and(|job| jobs.accepts(job))
        })
    }

    /// Takes up to `most` jobs of the queue at `position` in the list, as long as they fit into the batch. A queue with
    /// remaining jobs moves to the end.
    fn take(&mut self, position: usize, most: usize, jobs: &mut Jobs) {
        let Some(key) = self.ready.remove(position) else { return };
        let Some(queue) = self.queues.get_mut(&key) else { return };
        let mut count = 0;
        while count < most && jobs.take_from(queue) {
            count += 1;
        }
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.ready.push_back(key);
        }
        self.waiting -= count;
        match self.by_room.get_mut(&key.room) {
            Some(in_room) if *in_room > count => *in_room -= count,
            Some(_) | None => drop(self.by_room.remove(&key.room)),
        }
    }

    fn done(&mut self, scope: BatchScope, offenders: &[UserId], now: Instant) {
        self.running = self.running.saturating_sub(1);
        if let BatchScope::Room(room) = scope {
            self.busy.remove(&room);
        }
        if offenders.is_empty() {
            return;
        }
        self.suspects.retain(|_, until| now < *until);
        for sender in offenders {
            self.suspects.insert(*sender, now + SUSPECT_FOR);
        }
        self.isolate(offenders);
    }

    /// Moves the queued jobs of these senders into queues of their own.
    fn isolate(&mut self, senders: &[UserId]) {
        let among_others: Vec<QueueKey> =
            self.ready.iter().copied().filter(|key| key.suspect.is_none()).collect();
        for key in among_others {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            if !queue.iter().any(|job| senders.contains(&job.actor())) {
                continue;
            }
            let (theirs, others) =
                queue.drain(..).partition::<VecDeque<_>, _>(|job| senders.contains(&job.actor()));
            if others.is_empty() {
                self.queues.remove(&key);
                self.ready.retain(|other| *other != key);
            } else {
                *queue = others;
            }
            for job in theirs {
                let suspect = Some(job.actor());
                self.append(QueueKey { suspect, ..key }, job);
            }
        }
    }
}

#[cfg(test)]
mod tests;
