//! Polls the database for what other processes changed: other nodes, and the command line.
//!
//! The bus delivers other nodes' events faster, but nothing depends on it. This task backfills the gaps that the hub
//! finds in a room's changes. At a bounded rate it also polls for what no event announced: the counters of the rooms
//! in use, the streams of the users with a notification socket, and ended credentials. Each poll is one query for many
//! rooms or users, or for all credentials.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use metrics::Counter;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    accounts::credentials,
    backfill::{Backfill, Receiver, Resume},
};
use crate::{
    bus::Bus,
    clock::Clock,
    hub::{GapBackfill, Hub, HubRequest, RoomCounters},
    model::{RoomId, UserId},
    store::{Store, StoreResult, credentials as credential_rows, rooms, streams, watch},
};

/// Poll interval without Redis, or while it is away.
const TICK: Duration = Duration::from_secs(1);
/// The rooms are polled only every this many ticks while Redis is connected.
const TICKS_PER_POLL: u32 = 5;
/// How long to wait for a missing change to arrive before it is fetched. On a busy machine the bus takes a while, and a
/// fetched change tells less: only the state after it.
const GAP_DELAY: Duration = Duration::from_millis(250);
/// Delay before a failed backfill is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Backfills that run at once: they must not use up the writer's connections.
const BACKFILLS_MAX: usize = 4;
/// Rooms or users per query.
const PER_POLL: usize = 512;

/// Runs until `stopping`.
pub(super) async fn run(
    store: Store,
    hub: Hub,
    clock: Clock,
    mut requests: mpsc::UnboundedReceiver<HubRequest>,
    stopping: CancellationToken,
) {
    let credential_rev = store.system().credential_rev;
    let mut poller = Poller { store, hub, clock, credential_rev, is_failing: false };
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks_since_poll = 0;
    let mut backfills = JoinSet::new();
    let permits = Arc::new(Semaphore::new(BACKFILLS_MAX));
    let mut received = Vec::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            count = requests.recv_many(&mut received, PER_POLL) => {
                if count == 0 {
                    return;
                }
                let (mut rooms_to_poll, mut users_to_poll) = (BTreeSet::new(), BTreeSet::new());
                let mut must_poll_credentials = false;
                for request in received.drain(..) {
                    match request {
                        HubRequest::PollRoom(room) => drop(rooms_to_poll.insert(room)),
                        HubRequest::PollUser(user) => drop(users_to_poll.insert(user)),
                        HubRequest::PollCredentials => must_poll_credentials = true,
                        HubRequest::BackfillGap(room) => drop(backfills.spawn(backfill_gap(
                            poller.store.clone(), poller.hub.clone(), room, Arc::clone(&permits),
                        ))),
                    }
                }
                if must_poll_credentials {
                    poller.poll_credentials().await;
                }
                poller.poll_rooms(&rooms_to_poll.into_iter().collect::<Vec<_>>()).await;
                poller.poll_users(&users_to_poll.into_iter().collect::<Vec<_>>()).await;
            }
            Some(_) = backfills.join_next() => {}
            _ = ticks.tick() => {
                poller.poll_credentials().await;
                // There may be other nodes even without a bus, and the command line is another process.
                ticks_since_poll += 1;
                let is_connected = poller.hub.bus().is_some_and(Bus::is_connected);
                if !is_connected || ticks_since_poll >= TICKS_PER_POLL {
                    ticks_since_poll = 0;
                    poller.poll_in_use().await;
                }
            }
        }
    }
}

struct Poller {
    store: Store,
    hub: Hub,
    clock: Clock,
    /// Ended credentials up to this number have been applied.
    credential_rev: i64,
    is_failing: bool,
}

impl Poller {
    async fn poll_in_use(&mut self) {
        let rooms = self.hub.rooms_in_use();
        self.poll_rooms(&rooms).await;
        let users = self.hub.users_in_use();
        self.poll_users(&users).await;
    }

    async fn poll_rooms(&mut self, rooms: &[RoomId]) {
        for rooms in rooms.chunks(PER_POLL) {
            let outcome = poll_rooms(&self.store, &self.hub, rooms).await;
            self.log_outcome(outcome);
        }
    }

    async fn poll_users(&mut self, users: &[UserId]) {
        for users in users.chunks(PER_POLL) {
            let outcome = poll_users(&self.store, &self.hub, users).await;
            self.log_outcome(outcome);
        }
    }

    /// Closes sockets whose credentials other processes ended, or that have expired.
    async fn poll_credentials(&mut self) {
        let now = self.clock.now();
        let to_check = self.hub.open_sockets().expire(now);
        let outcome = async {
            for user in to_check {
                credentials::check_sockets(&self.store, &self.hub, now, user).await?;
            }
            loop {
                let mut conn = self.store.read().await?;
                let ends = credential_rows::above(&mut conn, self.credential_rev).await?;
                drop(conn);
                let is_last = ends.len() < credential_rows::PAGE;
                for (rev, end) in ends {
                    credentials::close(&self.store, &self.hub, now, &end).await?;
                    self.credential_rev = rev;
                }
                if is_last {
                    return Ok(());
                }
            }
        };
        let outcome = outcome.await;
        self.log_outcome(outcome);
    }

    /// Logs once when the database fails, and once when it works again.
    fn log_outcome(&mut self, outcome: StoreResult<()>) {
        match outcome {
            Ok(()) if self.is_failing => tracing::info!("polling the database works again"),
            Err(error) if !self.is_failing => {
                tracing::warn!(%error, "polling the database failed");
                self.is_failing = true;
                return;
            }
            Ok(()) | Err(_) => {}
        }
        self.is_failing = false;
    }
}

async fn poll_rooms(store: &Store, hub: &Hub, rooms: &[RoomId]) -> StoreResult<()> {
    if rooms.is_empty() {
        return Ok(());
    }
    let mut conn = store.read().await?;
    for found in watch::positions(&mut conn, rooms).await? {
        hub.apply_poll(
            found.room(),
            RoomCounters { rev: found.rev, seq: found.seq, info_rev: found.info_rev },
        );
    }
    Ok(())
}

async fn poll_users(store: &Store, hub: &Hub, users: &[UserId]) -> StoreResult<()> {
    if users.is_empty() {
        return Ok(());
    }
    let mut conn = store.read().await?;
    for (user, rev) in streams::revs(&mut conn, users).await? {
        hub.apply_user_poll(user, rev);
    }
    Ok(())
}

/// Backfills the gap in the room's changes, for all its sockets at once.
async fn backfill_gap(store: Store, hub: Hub, room: RoomId, permits: Arc<Semaphore>) {
    // Messages of other nodes may arrive out of order by milliseconds.
    sleep(GAP_DELAY).await;
    let Ok(permit) = permits.acquire().await else { return };
    let Some(backfill) = hub.begin_backfill(room) else { return };
    if let Err(error) = fill(&store, room, &backfill, &hub.metrics().gaps).await {
        tracing::warn!(%error, %room, "changes of a room could not be fetched");
        drop(permit);
        // Until then no other backfill of this room begins.
        sleep(RETRY_DELAY).await;
    }
}

async fn fill(store: &Store, room: RoomId, gap: &GapBackfill, gaps: &Counter) -> crate::Result<()> {
    let mut conn = store.read().await?;
    let Some(state) = rooms::state(&mut conn, room).await? else { return Ok(()) };
    let from = Resume::AfterRev(gap.after());
    let mut backfill = Backfill::plan(&mut conn, store, &state, Receiver::Node, from).await?;
    drop(conn);
    gaps.increment(u64::try_from(backfill.changes()).unwrap_or_default());
    while let Some(changes) = backfill.next().await? {
        gap.publish(changes).await;
    }
    gap.complete(backfill.head());
    Ok(())
}
