//! What nodes tell each other, by way of Redis.
//!
//! The bus is an accelerator and nothing rests on it: whatever must not be lost is in the
//! database, where each node finds it also without being told. So publishing never waits and
//! never fails. While Redis is away, or slower than we write, messages are dropped and counted;
//! a room's next event, or the next look at the database, shows the hole.
//!
//! Sharded channels (`SPUBLISH`, `SSUBSCRIBE`; Redis 7) serve a single server and a cluster
//! alike, and in a cluster spread the rooms. Reading order: [`wire`] (what is said), `topic`,
//! `wishes` (what we listen to), `session` (one connection's life), `reconnect`, `link`. The bus knows no
//! rooms' rules and no SQL; what arrives goes to a [`Listener`].

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

mod address;
mod link;
mod reconnect;
mod session;
mod topic;
pub mod wire;
mod wishes;

pub use address::Addresses;
pub use topic::Topic;
use wire::{Message, NodeId};
use wishes::Wishes;

use crate::{metrics::Metrics, queue};

/// Messages that wait to be published. More are not worth sending late: the database has them.
const QUEUE: usize = 8_192;
/// And their bytes.
const QUEUE_BYTES: u32 = 16 * 1024 * 1024;

/// How long somebody who opens a socket waits until its channels are listened to.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who is told what arrives. Calls come one at a time and must not block.
pub trait Listener: Send + Sync + 'static {
    /// Another node said this.
    fn received(&self, topic: Topic, sender: NodeId, messages: Vec<Message>);

    /// From now on what others say of the topic arrives. `is_again`: it did before, and what they
    /// said in between may be lost.
    fn heard(&self, topic: Topic, is_again: bool);
}

/// The handle to the bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

struct Shared {
    node: NodeId,
    /// What tells this system from others on the same Redis.
    system: String,
    addresses: Addresses,
    queue: queue::Sender<(Topic, Message)>,
    wishes: Mutex<Wishes>,
    wishes_changed: Notify,
    /// Is there a connection, so that publishing makes sense?
    is_up: AtomicBool,
    /// Is there one, and is every wanted topic listened to?
    is_connected: watch::Sender<bool>,
    closing: CancellationToken,
    tasks: TaskTracker,
    metrics: Metrics,
}

impl Bus {
    /// Starts to connect, and goes on trying until [`Self::stop`].
    pub(crate) fn start(
        addresses: Addresses,
        system: &str,
        node: NodeId,
        listener: Arc<dyn Listener>,
    ) -> Self {
        let (queue, receiver) = queue::bounded(QUEUE, QUEUE_BYTES);
        let shared = Arc::new(Shared {
            node,
            system: system.to_owned(),
            addresses,
            queue,
            wishes: Mutex::default(),
            wishes_changed: Notify::new(),
            is_up: AtomicBool::new(false),
            is_connected: watch::Sender::new(false),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics: Metrics::default(),
        });
        shared.metrics.redis.set(0.0);
        shared.tasks.spawn(reconnect::run(Arc::clone(&shared), receiver, listener));
        shared.tasks.close();
        Self { shared }
    }

    /// Tells the other nodes. Never waits: what cannot be sent now is dropped.
    pub(crate) fn publish(&self, topic: Topic, message: Message) {
        let is_up = self.shared.is_up.load(Ordering::Relaxed);
        let bytes = message.bytes();
        if !is_up || self.shared.queue.try_send((topic, message), bytes).is_err() {
            self.shared.metrics.dropped.increment(1);
        }
    }

    /// Is it any use to publish?
    pub(crate) fn is_up(&self) -> bool {
        self.shared.is_up.load(Ordering::Relaxed)
    }

    /// Is Redis there, and everything wanted listened to?
    pub fn is_connected(&self) -> bool {
        *self.shared.is_connected.borrow()
    }

    /// Listens to the topic from now on, until as many calls of [`Self::release`];
    /// [`Self::until_heard`] waits for it.
    pub(crate) fn want(&self, topic: Topic) {
        if self.shared.wishes().want(topic) {
            self.shared.wishes_changed.notify_one();
        }
    }

    /// One less wants the topic.
    pub(crate) fn release(&self, topic: Topic) {
        self.shared.wishes().release(topic, Instant::now());
    }

    /// Waits until what others say of these topics arrives. Not for long, and not at all while
    /// Redis is away: the database has what matters.
    pub(crate) async fn until_heard(&self, topics: impl IntoIterator<Item = Topic>) {
        if !self.is_connected() {
            return;
        }
        let all = async {
            for topic in topics {
                let watch = self.shared.wishes().watch(topic);
                if let Some(mut watch) = watch {
                    // An error says that it was given up meanwhile.
                    let _ = watch.wait_for(|is_heard| *is_heard).await;
                }
            }
        };
        // After that the next look at the database has to do.
        let _ = timeout(PATIENCE, all).await;
    }

    /// Sends what is queued and leaves.
    pub(crate) async fn stop(&self) {
        self.shared.closing.cancel();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    /// A panic while the lock was held leaves the wishes as they were.
    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
