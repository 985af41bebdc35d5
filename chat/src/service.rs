//! [`Chat`]: the handle that all handlers use. It has no feature logic itself; each feature is one file that adds
//! methods to it.
//!
//! Permissions are one table, `access`. Nothing here knows the transport of a request or the wording of a response.

use std::{future::Future, sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    bus::Addresses,
    clock::Clock,
    error::{Error, Result},
    hub::Hub,
    metrics::Metrics,
    store::{Retry, Store, StoreError},
    writer::Writer,
};

use room_cards::RoomCards;

pub mod accounts;
mod backfill;
mod combined_session;
mod connect;
pub mod edits;
pub mod history;
mod history_page;
mod job_runner;
mod jobs;
mod limits;
pub mod members;
pub mod messages;
mod moderation;
mod notification_dispatch;
mod notification_session;
pub mod notifications;
mod online_dispatch;
mod poll;
pub mod reads;
mod room_cards;
mod room_feed;
pub mod room_session;
pub mod rooms;
pub mod roster;
pub mod shared_rooms;
mod succession;
mod system;
pub mod trim;

pub use combined_session::{CombinedEvent, CombinedSession, OpenedSubscription};
pub use connect::AuthenticatedSocket;
pub use messages::Receipt;
pub use notification_session::NotificationSession;
pub use room_session::RoomSession;
pub use system::KeyAgreement;

/// Retries on contention, which leaves nothing behind: on MySQL with the writer storing a message of the same member,
/// or with another join or leave at the same moment.
async fn retried<T, F: Future<Output = Result<T>>>(once: impl Fn() -> F) -> Result<T> {
    let mut retry = Retry::new();
    loop {
        match once().await {
            Err(Error::Store(error)) => {
                if !retry.backoff(&error).await {
                    return Err(error.into());
                }
            }
            other => return other,
        }
    }
}

/// The operator's settings of the domain.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether anybody may create an account.
    pub sign_up: bool,
    /// Only members of this group may chat; `None`: every signed-in user.
    pub required_group: Option<String>,
    /// Messages that a user may send per second, over all transports; 0: no limit.
    pub writes_per_second: u32,
    /// Burst for `writes_per_second`; 0: no limit.
    pub write_burst: u32,
    /// Rooms created, joined or changed, invitations, members and profiles changed, per user and minute; 0: no limit.
    pub acts_per_minute: u32,
    /// Burst for `acts_per_minute`; 0: no limit.
    pub act_burst: u32,
    /// Messages and notifications that a user may mark as read per second; 0: no limit.
    pub read_marks_per_second: u32,
    /// Burst for `read_marks_per_second`; 0: no limit.
    pub read_mark_burst: u32,
    /// Rooms that a user may create in 24 hours; 0: no limit.
    pub rooms_per_day: u32,
    /// Invitations per hour of users who share no room with the inviter; 0: no limit.
    pub invitations_per_hour: u32,
    /// How often per second a user's typing, and their joining and leaving, is announced in a room; 0: no limit.
    pub signals_per_second: u32,
    /// Open sockets per user on this node; 0: no limit.
    pub sockets_per_user: usize,
    /// Capacity of the writer's queue in messages; when it is full, sending fails with `overloaded`. One room may use
    /// a quarter of it.
    pub queue: usize,
    /// Events that a room keeps for slow sockets. A socket that falls further behind is closed.
    pub ring: usize,
    /// The name of the release of the server and of its web pages, for the first frame of each socket.
    pub build: String,
    /// The Redis that connects the nodes of this system; `None`: this is the only node.
    pub redis: Option<Addresses>,
}

impl Default for Settings {
    fn default() -> Self {
        // Limits as in the contract; queue and ring are sized for a short burst.
        Self {
            sign_up: true,
            required_group: None,
            writes_per_second: 30,
            write_burst: 60,
            acts_per_minute: 60,
            act_burst: 30,
            read_marks_per_second: 20,
            read_mark_burst: 100,
            rooms_per_day: 50,
            invitations_per_hour: 100,
            signals_per_second: 1,
            sockets_per_user: 200,
            queue: 8_192,
            ring: 512,
            build: env!("CARGO_PKG_VERSION").into(),
            redis: None,
        }
    }
}

impl Settings {
    /// Minimum time between two signals of a user and kind; zero: no limit.
    fn signal_interval(&self) -> Duration {
        Duration::from_secs(1).checked_div(self.signals_per_second).unwrap_or_default()
    }
}

/// The domain's API. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    writer: Writer,
    hub: Hub,
    clock: Clock,
    limits: limits::Limits,
    room_cards: RoomCards,
    settings: Settings,
    metrics: Metrics,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// A dependency that is not available.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] StoreError),
    /// Redis, if it is configured. The server works without it.
    #[error("Redis")]
    Redis,
}

impl Chat {
    /// Runs `work` to completion in a task of its own, even if the caller is cancelled.
    async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.inner.tasks.spawn(work.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Stopping),
            },
        }
    }

    /// Starts the writer, the hub and the background tasks on an open store. Must be called inside a tokio runtime.
    pub fn start(store: Store, settings: Settings, clock: Clock) -> Self {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (hub, requests) = Hub::new(settings.ring, settings.signal_interval());
        if let Some(addresses) = settings.redis.clone() {
            hub.join(addresses, &store.system().name);
            tasks.spawn(hub.clone().run_heartbeat(stopping.clone()));
        }
        for (sign_in, at) in store.ended_sign_ins() {
            hub.open_sockets().add_ended_sign_in(sign_in.clone(), *at);
        }
        tasks.spawn(poll::run(store.clone(), hub.clone(), clock.clone(), requests, stopping.clone()));
        let online = online_dispatch::run(store.clone(), hub.clone());
        tasks.spawn(stopping.clone().run_until_cancelled_owned(online));
        tasks.close();
        let group = settings.required_group.as_deref();
        let writer = Writer::start(store.clone(), hub.clone(), clock.clone(), settings.queue, group);
        tokio::spawn(notification_dispatch::run(store.clone(), hub.watched_rooms()));
        let limits = limits::Limits::new(&settings, clock.clone());
        let metrics = Metrics::default();
        let room_cards = RoomCards::new();
        let inner =
            Inner { store, writer, hub, clock, limits, room_cards, settings, metrics, stopping, tasks };
        let inner = Arc::new(inner);
        inner.tasks.spawn(job_runner::run(Arc::downgrade(&inner), inner.stopping.clone()));
        Self { inner }
    }

    /// Checks the dependencies: database and, if configured, Redis.
    ///
    /// # Errors
    /// The dependency that is not available.
    pub async fn ready(&self) -> Result<(), Unready> {
        self.store().ping().await?;
        match self.hub().bus() {
            Some(bus) if !bus.is_connected() => Err(Unready::Redis),
            Some(_) | None => Ok(()),
        }
    }

    /// Stores the queued changes, then closes the database. New work is rejected from now on.
    pub async fn stop(&self) {
        self.inner.writer.stop().await;
        self.inner.stopping.cancel();
        self.inner.tasks.wait().await;
        if let Some(bus) = self.hub().bus() {
            bus.stop().await;
        }
        self.inner.store.close().await;
    }

    /// The operator's settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The clock used throughout the domain.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    fn room_cards(&self) -> &RoomCards {
        &self.inner.room_cards
    }

    fn limits(&self) -> &limits::Limits {
        &self.inner.limits
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}
