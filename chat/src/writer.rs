//! Group commit: queued changes of rooms, their messages and their members are stored in one transaction, then every sender gets its response and the events go
//! to the hub.
//!
//! There is no timer. When idle, a message is stored at once; under load the next batch collects while a commit is in
//! progress. No room is in two batches at once, so the events of a room are published in commit order (see
//! [`queue`]). A change that makes a batch fail is isolated and refused alone (see [`isolation`]).
//!
//! The queue is bounded. When it is full the caller gets [`Error::Overloaded`](crate::Error::Overloaded).

use std::{collections::HashMap, sync::Arc, time::Instant};

use tokio::{
    sync::oneshot,
    task::{Id, JoinSet},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    clock::Clock,
    error::{Error, Result},
    hub::Hub,
    metrics::{Metrics, as_f64},
    model::{Message, MessageId, MessageType, RoomId, User, UserId},
    store::Store,
};

mod batch;
mod isolation;
mod queue;
mod read_marks;
mod update;

use queue::{BatchScope, Jobs, Queue};
pub(crate) use read_marks::Mark;
use read_marks::MarkQueue;
use update::{Queued, QueuedUpdate, Updates};
pub(crate) use update::{RoomTransaction, RoomUpdate};

/// A message that passed all checks that need no database.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The room.
    pub room: RoomId,
    /// The sender.
    pub sender: User,
    /// The kind of message.
    pub message_type: MessageType,
    /// The text.
    pub content: String,
    /// URL of the attached file.
    pub file_url: Option<String>,
    /// Name of the attached file.
    pub file_name: Option<String>,
    /// Size of the attached file in bytes.
    pub file_size: Option<i64>,
    /// The message this one replies to.
    pub reply_to: Option<MessageId>,
    /// The id chosen by the sender, for idempotent retries.
    pub client_id: Option<String>,
}

/// A change of a room's messages.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new message.
    Send(Submission),
    /// An edit.
    Edit {
        /// The room.
        room: RoomId,
        /// The user who edits.
        editor: UserId,
        /// The message to edit.
        message: MessageId,
        /// The new text.
        content: String,
    },
    /// A deletion.
    Delete {
        /// The room.
        room: RoomId,
        /// The user who deletes.
        user: UserId,
        /// The message to delete.
        message: MessageId,
    },
}

impl Change {
    fn room(&self) -> RoomId {
        match self {
            Self::Send(Submission { room, .. }) | Self::Edit { room, .. } | Self::Delete { room, .. } => {
                *room
            }
        }
    }

    /// The user who makes the change.
    fn actor(&self) -> UserId {
        match self {
            Self::Send(submission) => submission.sender.id,
            Self::Edit { editor: user, .. } | Self::Delete { user, .. } => *user,
        }
    }

    fn submission(&self) -> Option<&Submission> {
        match self {
            Self::Send(submission) => Some(submission),
            Self::Edit { .. } | Self::Delete { .. } => None,
        }
    }
}

/// A committed message.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The message.
    pub message: Message,
    /// False if the same change was stored before: the same `client_id`, the same edit or the same deletion.
    pub is_new: bool,
}

/// A queued change of a room's messages.
struct MessageJob {
    change: Change,
    reply: oneshot::Sender<Result<Stored>>,
}

/// A queued change.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all jobs are messages, which need no allocation of their own"
)]
enum Job {
    Message(MessageJob),
    Room(Box<dyn QueuedUpdate>),
}

impl Job {
    fn room(&self) -> RoomId {
        match self {
            Self::Message(job) => job.change.room(),
            Self::Room(job) => job.room(),
        }
    }

    /// The user who makes the change.
    fn actor(&self) -> UserId {
        match self {
            Self::Message(job) => job.change.actor(),
            Self::Room(job) => job.actor(),
        }
    }
}

/// A handle to the writer task. Cheap to clone; when the last one is dropped the task stores what is queued and ends.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
    marks: Arc<MarkQueue>,
    closing: CancellationToken,
    tasks: TaskTracker,
    _closes: Arc<DropGuard>,
}

impl Writer {
    /// Starts the task with a queue of `capacity` changes.
    pub(crate) fn start(
        store: Store,
        hub: Hub,
        clock: Clock,
        capacity: usize,
        required_group: Option<&str>,
    ) -> Self {
        let queue = Arc::new(Queue::new(store.backend(), capacity));
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        let context = batch::Context {
            store,
            hub,
            clock,
            metrics: Metrics::default(),
            required_group: required_group.map(Arc::from),
        };
        let marks = Arc::new(MarkQueue::new(capacity));
        let messages = Arc::clone(&queue);
        tasks.spawn(read_marks::run(context.clone(), Arc::clone(&marks), messages, closing.clone()));
        let task =
            Task { context, queue: Arc::clone(&queue), running: JoinSet::new(), scopes: HashMap::new() };
        tasks.spawn(task.run(closing.clone()));
        tasks.close();
        let closes = Arc::new(closing.clone().drop_guard());
        Self { queue, marks, closing, tasks, _closes: closes }
    }

    /// Queues a change. The receiver gets the result when the change is on disk or refused.
    ///
    /// # Errors
    /// [`Error::Overloaded`](crate::Error::Overloaded) when the queue is full, or the room has used its share of it;
    /// [`Error::Stopping`](crate::Error::Stopping).
    pub(crate) fn submit(&self, change: Change) -> Result<oneshot::Receiver<Result<Stored>>> {
        let (reply, receiver) = oneshot::channel();
        self.queue.push(Job::Message(MessageJob { change, reply }))?;
        Ok(receiver)
    }

    /// Applies `actor`'s change of a room or its members. It is stored and announced even if the caller is cancelled.
    ///
    /// # Errors
    /// As [`Self::submit`]; those of the change.
    pub(crate) async fn update<U: RoomUpdate>(
        &self,
        room: RoomId,
        actor: UserId,
        update: U,
    ) -> Result<U::Output> {
        let (job, receiver) = Queued::new(room, actor, update);
        self.queue.push(Job::Room(job))?;
        // Without an answer the writer has ended.
        receiver.await.unwrap_or(Err(Error::Stopping))
    }

    /// Queues a read mark. The receiver gets the result when the mark is stored.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(crate) fn mark_read(&self, mark: Mark) -> Result<oneshot::Receiver<Result<()>>> {
        self.marks.push(mark)
    }

    /// Refuses new changes, stores the queued ones, and returns when they are stored.
    pub(crate) async fn stop(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

struct Task {
    context: batch::Context,
    queue: Arc<Queue>,
    /// Running batches; each returns the senders whose changes failed on their own.
    running: JoinSet<Vec<UserId>>,
    /// The scopes of running batches. Kept outside the task, so that a batch that panicked also releases its scope.
    scopes: HashMap<Id, BatchScope>,
}

impl Task {
    async fn run(mut self, closing: CancellationToken) {
        let mut is_open = true;
        loop {
            while let Some(batch) = self.queue.next() {
                let handle = self.running.spawn(run_batch(self.context.clone(), batch.jobs));
                self.scopes.insert(handle.id(), batch.scope);
            }
            self.context.metrics.waiting.set(as_f64(self.queue.waiting()));
            if !is_open && self.running.is_empty() {
                break;
            }
            tokio::select! {
                Some(done) = self.running.join_next_with_id() => {
                    let (id, offenders) = done.unwrap_or_else(|error| {
                        tracing::error!(%error, "a batch ended before its time");
                        (error.id(), Vec::new())
                    });
                    if let Some(scope) = self.scopes.remove(&id) {
                        self.queue.done(scope, &offenders);
                    }
                }
                () = self.queue.pushed() => {}
                () = closing.cancelled(), if is_open => {
                    self.queue.close();
                    is_open = false;
                }
            }
        }
    }
}

/// Stores `jobs` and sends every result; returns the senders whose changes failed on their own.
async fn run_batch(context: batch::Context, jobs: Jobs) -> Vec<UserId> {
    let start = Instant::now();
    let offenders = match jobs {
        Jobs::Messages(jobs) => isolation::run(&context, jobs).await,
        Jobs::Room(jobs) => isolation::run(&Updates(context.clone()), jobs).await,
    };
    context.metrics.commit_seconds.record(start.elapsed());
    offenders
}
