//! Read marks: stored in batches of their own, beside the queue of messages, so that thousands of members who mark do
//! not hold up a message.
//!
//! The first mark is stored at once. After that, marks collect for [`INTERVAL`], or until a batch is full, and of each
//! member only the last one is stored. So the number of transactions, each of which a message may have to wait for,
//! depends neither on the number of readers nor on how often they mark. A caller gets the answer when the mark is
//! stored. A full queue has no interval; members then take turns.
//!
//! Messages go first: a batch waits while messages are queued, up to [`PATIENCE`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    batch::Context,
    isolation::{self, Attempt},
    queue::Queue,
};
use crate::{
    error::{Error, Result},
    event::{UserChange, UserEvent},
    model::{Failure, MessageId, ReadMark, RoomId, Timestamp, User, UserId},
    store::{reads::marks, streams},
};

/// Maximum number of marks in one transaction. On SQLite a message may have to wait for it.
const MAX_BATCH: usize = 256;

/// Minimum time between the beginnings of two batches that are not full. Not long enough to be noticed by a reader who
/// waits for each answer.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long a batch waits for queued messages, and how often it looks.
const PATIENCE: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(2);

/// A member has read a message and all before it.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) room: RoomId,
    pub(crate) reader: User,
    /// The message's `seq`.
    pub(crate) seq: i64,
    pub(crate) message: MessageId,
}

/// A queued mark, and everyone who waits for it or for an earlier one of the member.
pub(super) struct MarkJob {
    mark: Mark,
    replies: Vec<oneshot::Sender<Result<()>>>,
}

/// Shared by the callers and the task.
pub(super) struct MarkQueue {
    queued: Mutex<Queued>,
    pushed: Notify,
    /// Maximum number of members with a queued mark.
    capacity: usize,
}

#[derive(Default)]
struct Queued {
    /// In the order of room and user, in which a batch locks them.
    jobs: BTreeMap<(RoomId, UserId), MarkJob>,
    /// The next batch begins after this member, so that all take turns.
    last: Option<(RoomId, UserId)>,
    is_closed: bool,
}

impl MarkQueue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { queued: Mutex::default(), pushed: Notify::new(), capacity }
    }

    /// Queues a mark, in place of an earlier one of the same member.
    pub(super) fn push(&self, mark: Mark) -> Result<oneshot::Receiver<Result<()>>> {
        let (reply, receiver) = oneshot::channel();
        let mut queued = self.queued();
        if queued.is_closed {
            return Err(Error::Stopping);
        }
        let key = (mark.room, mark.reader.id);
        let count = queued.jobs.len();
        match queued.jobs.get_mut(&key) {
            Some(job) => {
                if mark.seq > job.mark.seq {
                    job.mark = mark;
                }
                job.replies.push(reply);
            }
            None if count >= self.capacity => return Err(Error::Overloaded),
            None => drop(queued.jobs.insert(key, MarkJob { mark, replies: vec![reply] })),
        }
        drop(queued);
        self.pushed.notify_one();
        Ok(receiver)
    }

    fn is_full(&self) -> bool {
        self.queued().jobs.len() >= MAX_BATCH
    }

    fn is_empty(&self) -> bool {
        self.queued().jobs.is_empty()
    }

    /// The next batch, ordered by room and user; empty if nothing is queued.
    fn take(&self) -> Vec<MarkJob> {
        let mut queued = self.queued();
        let after = queued.last.unwrap_or_default();
        let mut keys: Vec<(RoomId, UserId)> = queued
            .jobs
            .range(after..)
            .map(|(key, _)| *key)
            .filter(|key| *key > after)
            .take(MAX_BATCH)
            .collect();
        if keys.is_empty() {
            keys = queued.jobs.keys().copied().take(MAX_BATCH).collect();
        }
        queued.last = keys.last().copied();
        keys.iter().filter_map(|key| queued.jobs.remove(key)).collect()
    }

    fn close(&self) {
        self.queued().is_closed = true;
    }

    /// A panic cannot leave the queue inconsistent, so a poisoned lock is ignored.
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores the queued marks until `closing`, and then those that are left. `messages` go first.
pub(super) async fn run(
    context: Context,
    queue: Arc<MarkQueue>,
    messages: Arc<Queue>,
    closing: CancellationToken,
) {
    let marks = Marks(context);
    let mut earliest = Instant::now();
    loop {
        while !closing.is_cancelled() && (queue.is_empty() || (Instant::now() < earliest && !queue.is_full()))
        {
            tokio::select! {
                () = queue.pushed.notified() => {}
                () = sleep_until(earliest), if !queue.is_empty() => {}
                () = closing.cancelled() => {}
            }
        }
        let is_closing = closing.is_cancelled();
        if is_closing {
            queue.close();
        }
        let deadline = Instant::now() + PATIENCE;
        while messages.waiting() > 0 && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        earliest = Instant::now() + INTERVAL;
        let jobs = queue.take();
        if !jobs.is_empty() {
            isolation::run(&marks, jobs).await;
        } else if is_closing {
            return;
        }
    }
}

struct Marks(Context);

/// The marks of a batch that were new.
struct Moved {
    read_at: Timestamp,
    /// The numbers in the readers' streams, by position in the batch.
    revs: BTreeMap<usize, i64>,
}

impl Attempt for Marks {
    type Job = MarkJob;
    type Outcome = Moved;

    async fn attempt(&self, jobs: &[MarkJob]) -> Result<Moved> {
        let read_at = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let each = |job: &MarkJob| marks::Mark {
            room: job.mark.room,
            user: job.mark.reader.id,
            seq: job.mark.seq,
            message: job.mark.message,
        };
        // A ban, or another device, may have been faster than the service's check.
        let moved = marks::advance_all(&mut tx, &jobs.iter().map(each).collect::<Vec<_>>(), read_at).await?;
        let readers: Vec<UserId> = moved.iter().map(|position| jobs[*position].mark.reader.id).collect();
        let revs = streams::advance(&mut tx, &readers).await?;
        tx.commit().await?;
        Ok(Moved { read_at, revs: moved.into_iter().zip(revs).collect() })
    }

    fn announce(&self, jobs: Vec<MarkJob>, Moved { read_at, revs }: Moved) {
        let hub = &self.0.hub;
        for (position, MarkJob { mark, replies }) in jobs.into_iter().enumerate() {
            if let Some(rev) = revs.get(&position).copied() {
                let (room, reader) = (mark.room, mark.reader.id);
                hub.publish_read(room, ReadMark { message_id: mark.message, user: mark.reader, read_at });
                hub.publish_user(reader, UserEvent { rev: Some(rev), change: UserChange::Read(room) });
            }
            for reply in replies {
                // The receiver may be gone; the mark is stored all the same.
                let _ = reply.send(Ok(()));
            }
        }
    }

    fn refuse(&self, job: MarkJob, failure: Failure) {
        for reply in job.replies {
            let _ = reply.send(Err(Error::Refused(failure.clone())));
        }
    }

    fn sender(job: &MarkJob) -> UserId {
        job.mark.reader.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(room: i64, user: i64, seq: i64) -> Mark {
        let (first_name, last_name) = (String::new(), String::new());
        let reader = User { id: UserId(user), username: format!("u{user}"), first_name, last_name };
        Mark { room: RoomId(room), reader, seq, message: MessageId(seq) }
    }

    fn keys(jobs: &[MarkJob]) -> Vec<(i64, i64, i64)> {
        jobs.iter().map(|job| (job.mark.room.0, job.mark.reader.id.0, job.mark.seq)).collect()
    }

    #[test]
    fn the_last_mark_of_a_member_is_kept_and_answers_all() {
        let queue = MarkQueue::new(10);
        for (room, user, seq) in [(2, 1, 5), (1, 1, 4), (2, 1, 7), (2, 1, 6)] {
            queue.push(mark(room, user, seq)).expect("there is room");
        }
        let jobs = queue.take();
        assert_eq!(keys(&jobs), [(1, 1, 4), (2, 1, 7)], "in the order of the locks");
        assert_eq!(jobs[1].replies.len(), 3);
        assert!(queue.take().is_empty());
    }

    #[test]
    fn batches_are_bounded_and_members_take_turns() {
        let queue = MarkQueue::new(1_000);
        for user in 0..300 {
            queue.push(mark(1, user, 1)).expect("there is room");
        }
        assert_eq!(queue.take().len(), MAX_BATCH);
        // The first members again: they wait for the rest.
        for user in 0..300 {
            queue.push(mark(1, user, 2)).expect("there is room");
        }
        let second = queue.take();
        assert_eq!((second.len(), second[0].mark.reader.id), (44, UserId(256)));
        assert_eq!(queue.take().len(), 256);
    }

    #[test]
    fn the_queue_is_bounded_in_members() {
        let queue = MarkQueue::new(2);
        for user in [1, 2, 1] {
            queue.push(mark(1, user, 1)).expect("there is room");
        }
        assert!(matches!(queue.push(mark(1, 3, 1)), Err(Error::Overloaded)));
        queue.close();
        assert!(matches!(queue.push(mark(1, 1, 2)), Err(Error::Stopping)));
    }
}
