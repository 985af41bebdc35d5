//! Group commit: what has queued up is stored as one transaction, then every
//! sender is answered and the events go to the hub.
//!
//! There is no timer: when idle, a message goes at once; under load the commit
//! under way is the pause in which the next batch gathers. Rooms take turns, and no
//! room is in two batches at once, so the events of a room are always published in the
//! order of their commits (see [`queue`]). What makes a batch fail is found and refused
//! alone (see [`isolation`]).
//!
//! The queue is bounded. When it is full the caller is told ([`Error::Overloaded`]).

use std::{collections::HashMap, sync::Arc};

use tokio::{
    sync::oneshot,
    task::{Id, JoinSet},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    credential::Claim,
    error::Result,
    hub::Hub,
    metrics::{Metrics, as_f64},
    model::{Message, MessageId, MessageType, RoomId, User, UserId},
    service::Clock,
    store::Store,
};

mod batch;
mod isolation;
mod queue;

use queue::{Hold, Queue};

/// Whose message it is.
#[derive(Clone, Debug)]
pub enum Sender {
    /// Somebody who may chat.
    Known(User),
    /// Somebody who has to be looked up, together with all else that the rules ask.
    Claimed(Claim),
}

impl Sender {
    fn id(&self) -> UserId {
        match self {
            Self::Known(user) => user.id,
            Self::Claimed(claim) => claim.user,
        }
    }

    fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Known(_) => None,
            Self::Claimed(claim) => Some(claim),
        }
    }
}

/// A message that passed every check that needs no database.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Where it goes.
    pub room: RoomId,
    /// Who sends it.
    pub sender: Sender,
    /// What kind it is.
    pub message_type: MessageType,
    /// The text.
    pub content: String,
    /// Where its file is.
    pub file_url: Option<String>,
    /// What its file is called.
    pub file_name: Option<String>,
    /// Its file's size in bytes.
    pub file_size: Option<i64>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own id for it.
    pub client_id: Option<String>,
}

/// What is to happen to a room's messages.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new one.
    Send(Submission),
    /// Other words for one.
    Edit {
        /// Where it is.
        room: RoomId,
        /// Who asks.
        editor: UserId,
        /// Which.
        message: MessageId,
        /// The words.
        content: String,
    },
    /// One is taken away.
    Delete {
        /// Where it is.
        room: RoomId,
        /// Who asks.
        user: UserId,
        /// Which.
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

    /// Who asks for it.
    fn actor(&self) -> UserId {
        match self {
            Self::Send(submission) => submission.sender.id(),
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

/// A message that is on disk.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The message.
    pub message: Message,
    /// False when nothing was stored, since it had been before: the same `client_id`,
    /// the same edit, the same deletion.
    pub is_new: bool,
}

struct Job {
    change: Change,
    reply: oneshot::Sender<Result<Stored>>,
}

/// The handle to the writer task. Cheap to clone; when the last one is dropped the task stores what it has and ends.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
    closing: CancellationToken,
    tasks: TaskTracker,
    _closes: Arc<DropGuard>,
}

impl Writer {
    /// Starts the task; `capacity` messages may wait.
    pub(crate) fn start(store: Store, hub: Hub, clock: Clock, capacity: usize) -> Self {
        let queue = Arc::new(Queue::new(store.backend(), capacity));
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        let task = Task {
            context: batch::Context { store, hub, clock, metrics: Metrics::default() },
            queue: Arc::clone(&queue),
            running: JoinSet::new(),
            holds: HashMap::new(),
        };
        tasks.spawn(task.run(closing.clone()));
        tasks.close();
        let closes = Arc::new(closing.clone().drop_guard());
        Self { queue, closing, tasks, _closes: closes }
    }

    /// Queues a change. The receiver is answered when it is on disk, or refused.
    ///
    /// # Errors
    /// [`Error::Overloaded`](crate::Error::Overloaded) when the queue is full, or the room has more than its share of
    /// it; [`Error::Stopping`](crate::Error::Stopping).
    pub(crate) fn submit(&self, change: Change) -> Result<oneshot::Receiver<Result<Stored>>> {
        let (reply, receiver) = oneshot::channel();
        self.queue.push(Job { change, reply })?;
        Ok(receiver)
    }

    /// Takes no more, stores what was accepted, and returns when it is stored.
    pub(crate) async fn stop(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

struct Task {
    context: batch::Context,
    queue: Arc<Queue>,
    /// Batches; each gives the senders whose messages failed by themselves.
    running: JoinSet<Vec<UserId>>,
    /// What a running batch holds. Kept outside it, so that even a batch that
    /// panicked gives it back.
    holds: HashMap<Id, Hold>,
}

impl Task {
    async fn run(mut self, closing: CancellationToken) {
        let mut is_open = true;
        loop {
            while let Some(batch) = self.queue.next() {
                let handle = self.running.spawn(isolation::run(self.context.clone(), batch.jobs));
                self.holds.insert(handle.id(), batch.hold);
            }
            self.context.metrics.waiting.set(as_f64(self.queue.waiting()));
            if !is_open && self.running.is_empty() {
                break;
            }
            tokio::select! {
                Some(done) = self.running.join_next_with_id() => {
                    let (id, guilty) = done.unwrap_or_else(|error| {
                        tracing::error!(%error, "a batch ended before its time");
                        (error.id(), Vec::new())
                    });
                    if let Some(hold) = self.holds.remove(&id) {
                        self.queue.done(hold, &guilty);
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
