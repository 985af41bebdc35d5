//! The bus between nodes: Redis pub/sub.
//!
//! The bus only makes things faster. Everything that must not be lost is in the database, where each node finds it by
//! polling. So publishing never blocks and never fails: while Redis is away, or slower than this node writes,
//! messages are dropped and counted. The next event of the room, or the next poll of the database, then reveals the
//! gap.
//!
//! Sharded channels (`SPUBLISH`, `SSUBSCRIBE`; Redis 7) work with a single server and with a cluster, where they
//! spread the rooms over the servers. Reading order: [`wire`] (the message format), `topic`, `subscriptions`
//! (ref-counted), `session` (one connection), `reconnect`, `connection`. The bus knows no rules and no SQL; what it
//! receives goes to a [`Listener`].

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
mod connection;
mod reconnect;
mod session;
mod subscriptions;
mod topic;
pub mod wire;

pub use address::Addresses;
use subscriptions::Subscriptions;
pub use topic::Topic;
use wire::{BusMessage, NodeId};

use crate::{metrics::Metrics, queue};

/// Capacity of the publish queue. Older messages are not worth sending late: the database has them.
const QUEUE: usize = 8_192;
/// Capacity of the publish queue in bytes.
const QUEUE_BYTES: u32 = 16 * 1024 * 1024;

/// How long opening a socket waits for its topics to be subscribed.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(1);

/// Receives what arrives on the bus. Calls are sequential and must not block.
pub trait Listener: Send + Sync + 'static {
    /// `sender` published these messages.
    fn received(&self, topic: Topic, sender: NodeId, messages: Vec<BusMessage>);

    /// The topic is subscribed from now on. `is_resubscribed`: it was before, so messages in between may be lost.
    fn subscribed(&self, topic: Topic, is_resubscribed: bool);
}

/// A handle to the bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

struct Shared {
    node: NodeId,
    /// Distinguishes this system from others that use the same Redis.
    system: String,
    addresses: Addresses,
    queue: queue::Sender<(Topic, BusMessage)>,
    subscriptions: Mutex<Subscriptions>,
    subscriptions_changed: Notify,
    /// Whether there is a connection, so that publishing makes sense.
    is_up: AtomicBool,
    /// Whether there is a connection with all topics subscribed.
    is_connected: watch::Sender<bool>,
    closing: CancellationToken,
    tasks: TaskTracker,
    metrics: Metrics,
}

impl Bus {
    /// Starts the task that connects, and reconnects until [`Self::stop`].
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
            subscriptions: Mutex::default(),
            subscriptions_changed: Notify::new(),
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

    /// Publishes to the other nodes. Never blocks: a message that cannot be queued is dropped.
    pub(crate) fn publish(&self, topic: Topic, message: BusMessage) {
        let is_up = self.shared.is_up.load(Ordering::Relaxed);
        let bytes = message.bytes();
        if !is_up || self.shared.queue.try_send((topic, message), bytes).is_err() {
            self.shared.metrics.dropped.increment(1);
        }
    }

    /// Whether there is a connection to publish on.
    pub(crate) fn is_up(&self) -> bool {
        self.shared.is_up.load(Ordering::Relaxed)
    }

    /// Whether Redis is connected and all topics are subscribed.
    pub fn is_connected(&self) -> bool {
        *self.shared.is_connected.borrow()
    }

    /// Subscribes to the topic. Ref-counted: it ends after as many calls of [`Self::unsubscribe`]. Does not wait; see
    /// [`Self::wait_until_subscribed`].
    pub(crate) fn subscribe(&self, topic: Topic) {
        if self.shared.subscriptions().subscribe(topic) {
            self.shared.subscriptions_changed.notify_one();
        }
    }

    /// Releases one reference to the topic.
    pub(crate) fn unsubscribe(&self, topic: Topic) {
        self.shared.subscriptions().unsubscribe(topic, Instant::now());
    }

    /// Waits until these topics are subscribed, at most a second, and not at all while Redis is away: the database
    /// has everything that matters.
    pub(crate) async fn wait_until_subscribed(&self, topics: impl IntoIterator<Item = Topic>) {
        if !self.is_connected() {
            return;
        }
        let all = async {
            for topic in topics {
                let watch = self.shared.subscriptions().watch(topic);
                if let Some(mut watch) = watch {
                    // An error means that the topic was dropped meanwhile.
                    let _ = watch.wait_for(|is_active| *is_active).await;
                }
            }
        };
        // After the timeout, polling the database finds what was missed.
        let _ = timeout(SUBSCRIBE_TIMEOUT, all).await;
    }

    /// Publishes what is queued and closes the connection.
    pub(crate) async fn stop(&self) {
        self.shared.closing.cancel();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    /// A panic under the lock leaves the subscriptions consistent.
    fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
