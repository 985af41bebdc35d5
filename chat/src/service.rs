//! [`Chat`]: the handle that every door holds. It has no feature logic of its own;
//! each feature is one file that adds methods to it.
//!
//! Rules of who may do what are one table, `access`. Nothing here knows how a
//! request arrived or how its answer is worded.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    bus::Addresses,
    error::{Error, Result},
    figures::Figures,
    hub::Hub,
    model::RoomId,
    store::{Store, StoreError, Tries},
    writer::Writer,
};

pub mod access;
pub mod accounts;
mod arrivals;
mod backfill;
pub mod changes;
pub mod clock;
pub mod companions;
mod connect;
pub mod history;
mod inbox;
mod limits;
pub mod members;
pub(crate) mod mention;
pub mod messages;
mod moderation;
pub mod notifications;
pub mod reads;
pub mod rooms;
pub mod roster;
pub mod sockets;
mod succession;
mod system;
mod validate;
mod visible;
mod visit;
mod watch;
mod window;

pub use clock::Clock;
pub use connect::AuthenticatedSocket;
pub use inbox::NotificationSession;
pub use messages::Receipt;
pub use sockets::RoomSession;
pub use system::KeyAgreement;

/// So many rooms' members can change at once.
const COMINGS: usize = 64;

/// Does it again where it met contention, which leaves nothing of it behind: on MySQL with the writer storing a message
/// of the same member, or with whoever joins or leaves at the same moment.
async fn retried<T, F: Future<Output = Result<T>>>(once: impl Fn() -> F) -> Result<T> {
    let mut tries = Tries::new();
    loop {
        match once().await {
            Err(Error::Store(error)) => {
                if !tries.again(&error).await {
                    return Err(error.into());
                }
            }
            other => return other,
        }
    }
}

/// What an operator decides about the domain.
#[derive(Clone, Debug)]
pub struct Settings {
    /// May strangers make an account?
    pub sign_up: bool,
    /// Only members of this group may chat; `None`: whoever is signed in.
    pub required_group: Option<String>,
    /// Messages a user may send a second, by whatever door; 0: no limit.
    pub writes_per_second: u32,
    /// How many of them may come at once; 0: no limit.
    pub write_burst: u32,
    /// Rooms made, joined or changed, invitations, members and profiles changed, by one user in a minute; 0: no limit.
    pub acts_per_minute: u32,
    /// How many of them may come at once; 0: no limit.
    pub act_burst: u32,
    /// Messages and notifications that a user may mark as read in a second; 0: no limit.
    pub read_marks_per_second: u32,
    /// How many of them may come at once; 0: no limit.
    pub read_mark_burst: u32,
    /// Rooms a user may make in 24 hours; 0: no limit.
    pub rooms_per_day: u32,
    /// People a user may invite in an hour whom they share no room with; 0: no limit.
    pub invitations_per_hour: u32,
    /// How often a second a room is told that a user types, and that they come or go; 0: no limit.
    pub signals_per_second: u32,
    /// Sockets a user may have open on this node; 0: no limit.
    pub sockets_per_user: usize,
    /// Messages that may wait for the writer before senders are told to try again; those of one room may be a quarter
    /// of them.
    pub queue: usize,
    /// Events that a room keeps for a socket that reads slowly; one more and it is closed.
    pub ring: usize,
    /// The Redis by which the nodes of this system tell each other; `None`: this is the only one.
    pub redis: Option<Addresses>,
}

impl Default for Settings {
    fn default() -> Self {
        // Limits as in the contract; queue and ring as large as a short burst needs.
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
            redis: None,
        }
    }
}

impl Settings {
    /// The time between two signals of a user and kind; zero: no limit.
    fn signal_interval(&self) -> Duration {
        Duration::from_secs(1).checked_div(self.signals_per_second).unwrap_or_default()
    }
}

/// The domain, ready for use. Cheap to clone.
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
    /// Each is held while a room's members change, until that is published, so that others hear of it in the order in
    /// which it was stored. Rooms share them, and wait for each other where they do.
    comings: [Mutex<()>; COMINGS],
    settings: Settings,
    figures: Figures,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// What the domain depends on and does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] StoreError),
    /// Redis, where it is configured. Work goes on without it.
    #[error("Redis")]
    Redis,
}

impl Chat {
    /// Changes who is in `room` and tells of it, as `once` does, after whoever does so already.
    ///
    /// In a task of its own: a caller that hangs up is gone at whatever it waits for, and between the storing and the
    /// telling nobody would hear of what was stored.
    async fn in_turn<T, F>(&self, room: RoomId, once: impl Fn(Self) -> F + Send + Sync + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let chat = self.clone();
        self.to_the_end(async move {
            let comings = &chat.inner.comings;
            let place = usize::try_from(room.0.unsigned_abs()).map_or(0, |id| id % comings.len());
            let _turn = comings[place].lock().await;
            retried(|| once(chat.clone())).await
        })
        .await
    }

    /// Does `work` to its end in a task of its own, also for a caller that hangs up meanwhile.
    async fn to_the_end<T: Send + 'static>(
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

    /// Starts the writer, the hub and the watch on an open store. Must be called inside a
    /// tokio runtime.
    pub fn start(store: Store, settings: Settings, clock: Clock) -> Self {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (hub, errands) = Hub::new(settings.ring, settings.signal_interval());
        if let Some(addresses) = settings.redis.clone() {
            hub.join(addresses, &store.system().name);
            tasks.spawn(hub.clone().keep_company(stopping.clone()));
        }
        for (sign_in, at) in store.ended_sign_ins() {
            hub.open_sockets().add_ended_sign_in(sign_in.clone(), *at);
        }
        tasks.spawn(watch::run(store.clone(), hub.clone(), clock.clone(), errands, stopping.clone()));
        tasks.close();
        let writer = Writer::start(store.clone(), hub.clone(), clock.clone(), settings.queue);
        tokio::spawn(arrivals::run(store.clone(), hub.watched_rooms()));
        let limits = limits::Limits::new(&settings, clock.clone());
        let figures = Figures::default();
        let comings = std::array::from_fn(|_| Mutex::default());
        let inner = Inner { store, writer, hub, clock, limits, comings, settings, figures, stopping, tasks };
        Self { inner: Arc::new(inner) }
    }

    /// Does everything answer that the domain depends on?
    ///
    /// # Errors
    /// What does not.
    pub async fn ready(&self) -> Result<(), Unready> {
        self.store().ping().await?;
        match self.hub().bus() {
            Some(bus) if !bus.is_connected() => Err(Unready::Redis),
            Some(_) | None => Ok(()),
        }
    }

    /// Stores what was accepted, then closes the database. New work is refused from now on.
    pub async fn stop(&self) {
        self.inner.writer.stop().await;
        self.inner.stopping.cancel();
        self.inner.tasks.wait().await;
        if let Some(bus) = self.hub().bus() {
            bus.stop().await;
        }
        self.inner.store.close().await;
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The clock all of the domain goes by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    fn limits(&self) -> &limits::Limits {
        &self.inner.limits
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    fn figures(&self) -> &Figures {
        &self.inner.figures
    }
}
