//! Group commit: what has queued up is stored as one transaction, then every
//! sender is answered and the events go to the hub.
//!
//! There is no timer: when idle, a message goes at once; under load the commit
//! under way is the pause in which the next batch gathers. Work runs in lanes, one
//! batch at a time in each: SQLite has a single lane, since it commits one
//! transaction at a time; MySQL has a lane for each busy room. So the events of a
//! room are always published in the order of their commits.
//!
//! The queue is bounded. When it is full the caller is told ([`Error::Overloaded`]).

use std::collections::{HashMap, VecDeque};

use tokio::{
    sync::{mpsc, oneshot},
    task::{Id, JoinSet},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    error::{Error, Result},
    figures::{Figures, amount},
    hub::Hub,
    model::{Message, MessageId, MessageType, RoomId, User, UserId},
    service::{Claim, Clock},
    store::{Backend, Store},
};

mod batch;

/// Messages of one transaction: beyond that a commit's share of a message's cost is
/// lost in the rest (design: 256 and 1,000 differ by a quarter, and the first sender waits).
const BATCH: usize = 512;

/// Batches under way at once on MySQL, leaving connections for reading.
const LANES: usize = 8;

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

    fn claim(&self) -> Option<Claim> {
        match self {
            Self::Known(_) => None,
            Self::Claimed(claim) => Some(*claim),
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

/// The handle to the writer task. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Writer {
    /// Starts the task; `capacity` messages may wait.
    pub(crate) fn start(store: Store, hub: Hub, clock: Clock, capacity: usize) -> Self {
        let (queue, receiver) = mpsc::channel(capacity);
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        let task = Task {
            context: batch::Context { store, hub, clock, figures: Figures::default() },
            lanes: HashMap::new(),
            running: JoinSet::new(),
            keys: HashMap::new(),
            waiting: 0,
            capacity,
        };
        tasks.spawn(task.run(receiver, closing.clone()));
        tasks.close();
        Self { queue, closing, tasks }
    }

    /// Queues a change. The receiver is answered when it is on disk, or refused.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full, [`Error::Stopping`].
    pub(crate) fn submit(&self, change: Change) -> Result<oneshot::Receiver<Result<Stored>>> {
        let (reply, receiver) = oneshot::channel();
        self.queue.try_send(Job { change, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })?;
        Ok(receiver)
    }

    /// Takes no more, stores what was accepted, and returns when it is stored.
    pub(crate) async fn stop(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

/// What may not be in two batches at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum LaneKey {
    Whole,
    Room(RoomId),
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Job>,
    is_busy: bool,
}

struct Task {
    context: batch::Context,
    lanes: HashMap<LaneKey, Lane>,
    running: JoinSet<()>,
    /// Which lane a running batch holds. Kept outside it, so that even a batch that
    /// panicked gives its lane back.
    keys: HashMap<Id, LaneKey>,
    waiting: usize,
    capacity: usize,
}

impl Task {
    async fn run(mut self, mut receiver: mpsc::Receiver<Job>, closing: CancellationToken) {
        let mut is_open = true;
        loop {
            tokio::select! {
                Some(done) = self.running.join_next_with_id() => {
                    let id = match done {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "a batch ended before its time");
                            error.id()
                        }
                    };
                    if let Some(lane) = self.keys.remove(&id).and_then(|key| self.lanes.get_mut(&key)) {
                        lane.is_busy = false;
                    }
                    self.start_batches();
                }
                job = receiver.recv(), if is_open && self.waiting < self.capacity => {
                    match job {
                        Some(job) => {
                            self.enqueue(job);
                            while self.waiting < self.capacity && let Ok(job) = receiver.try_recv() {
                                self.enqueue(job);
                            }
                            self.start_batches();
                        }
                        None => is_open = false,
                    }
                }
                () = closing.cancelled(), if !receiver.is_closed() => receiver.close(),
                else => break,
            }
            self.context.figures.waiting.set(amount(self.waiting + receiver.len()));
        }
    }

    fn enqueue(&mut self, job: Job) {
        let key = match self.context.store.backend() {
            Backend::Sqlite => LaneKey::Whole,
            Backend::MySql => LaneKey::Room(job.change.room()),
        };
        self.lanes.entry(key).or_default().waiting.push_back(job);
        self.waiting += 1;
    }

    fn start_batches(&mut self) {
        self.lanes.retain(|_, lane| lane.is_busy || !lane.waiting.is_empty());
        for (key, lane) in &mut self.lanes {
            if self.running.len() >= LANES {
                break;
            }
            if lane.is_busy || lane.waiting.is_empty() {
                continue;
            }
            let jobs: Vec<Job> = lane.waiting.drain(..lane.waiting.len().min(BATCH)).collect();
            self.waiting -= jobs.len();
            lane.is_busy = true;
            let handle = self.running.spawn(batch::run(self.context.clone(), jobs));
            self.keys.insert(handle.id(), *key);
        }
    }
}
