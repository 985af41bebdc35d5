//! Polls the database for what other processes changed: other nodes, and the command line.
//!
//! The bus delivers other nodes' events faster, but nothing depends on it. This task backfills the gaps that the hub
//! finds in a room's changes. At a bounded rate it also polls for what no event announced: the counters of the rooms
//! in use, revocations, and ended credentials. Each poll is one query for all rooms, or for all credentials.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use metrics::Counter;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{accounts::credentials, history};
use crate::{
    bus::Bus,
    change::RoomChange,
    clock::Clock,
    event::{AlreadySeen, Audience, Event, Frame, Publication, UserEvent},
    hub::{GapBackfill, Hub, HubRequest, RoomCounters},
    model::{Code, RoomId, ServerFrame},
    rules::access,
    store::{
        Backend, Conn, Store, StoreResult, credentials as credential_rows, messages::StoredMessage, rooms,
        watch,
    },
};

/// Poll interval without Redis, or while it is away.
const TICK: Duration = Duration::from_secs(1);
/// The rooms are polled only every this many ticks while Redis is connected.
const TICKS_PER_POLL: u32 = 5;
/// How long to wait for a missing change to arrive before it is fetched.
const GAP_DELAY: Duration = Duration::from_millis(100);
/// Delay before a failed backfill is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Backfills that run at once: they must not use up the writer's connections.
const BACKFILLS_MAX: usize = 4;
/// Rooms per query.
const ROOMS_PER_POLL: usize = 512;

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
            count = requests.recv_many(&mut received, ROOMS_PER_POLL) => {
                if count == 0 {
                    return;
                }
                let (mut rooms_to_poll, mut must_poll_credentials) = (BTreeSet::new(), false);
                for request in received.drain(..) {
                    match request {
                        HubRequest::PollRoom(room) => drop(rooms_to_poll.insert(room)),
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
            }
            Some(_) = backfills.join_next() => {}
            _ = ticks.tick() => {
                poller.poll_credentials().await;
                // There may be other nodes even without a bus.
                ticks_since_poll += 1;
                let is_connected = poller.hub.bus().is_some_and(Bus::is_connected);
                if !is_connected || ticks_since_poll >= TICKS_PER_POLL {
                    ticks_since_poll = 0;
                    poller.poll_rooms_in_use().await;
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
    async fn poll_rooms_in_use(&mut self) {
        // SQLite has a single server, which knows of its own changes.
        if self.store.backend() == Backend::MySql {
            let rooms = self.hub.rooms_in_use();
            self.poll_rooms(&rooms).await;
        }
    }

    async fn poll_rooms(&mut self, rooms: &[RoomId]) {
        for rooms in rooms.chunks(ROOMS_PER_POLL) {
            let outcome = poll(&self.store, &self.hub, rooms).await;
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

async fn poll(store: &Store, hub: &Hub, rooms: &[RoomId]) -> StoreResult<()> {
    if rooms.is_empty() {
        return Ok(());
    }
    let mut conn = store.read().await?;
    for found in watch::positions(&mut conn, rooms).await? {
        let counters = RoomCounters { rev: found.rev, seq: found.seq, access_rev: found.access_rev };
        if let Some(known) = hub.apply_poll(found.room(), counters) {
            apply_revocations(&mut conn, hub, found.room(), known).await?;
            hub.set_revocations_upto(found.room(), counters);
        }
    }
    Ok(())
}

/// Closes the sockets of members with a revocation numbered above `known`.
async fn apply_revocations(conn: &mut Conn, hub: &Hub, room: RoomId, known: i64) -> StoreResult<()> {
    for user in watch::revoked_since(conn, room, known).await? {
        if let Some(access) = rooms::access(conn, room, user).await?
            && let Some(code) = access::revocation(&access)
        {
            hub.deliver(Publication::Room(room, Event::Close { user: Some(user), code }));
            hub.deliver(Publication::User(user, UserEvent::Room(room)));
        }
    }
    if rooms::state(conn, room).await?.is_none_or(|state| !state.is_active) {
        hub.deliver(Publication::Room(room, Event::Close { user: None, code: Code::NotFound }));
    }
    Ok(())
}

/// Backfills the gap in the room's changes, for all its sockets at once.
async fn backfill_gap(store: Store, hub: Hub, room: RoomId, permits: Arc<Semaphore>) {
    // Messages of other nodes may arrive out of order by milliseconds.
    sleep(GAP_DELAY).await;
    let Ok(_permit) = permits.acquire().await else { return };
    let Some(backfill) = hub.begin_backfill(room) else { return };
    if let Err(error) = fetch(&store, room, &backfill, &hub.metrics().gaps).await {
        tracing::warn!(%error, %room, "changes of a room could not be fetched");
        sleep(RETRY_DELAY).await;
    }
}

async fn fetch(store: &Store, room: RoomId, backfill: &GapBackfill, gaps: &Counter) -> crate::Result<()> {
    let mut conn = store.read().await?;
    let Some(state) = rooms::state(&mut conn, room).await? else { return Ok(()) };
    let missed = history::missed(&mut conn, &state.to_ref(), backfill.after()).await?;
    drop(conn);
    let frames = if let Some(missed) = missed {
        gaps.increment(missed.len() as u64);
        missed.iter().filter_map(|stored| frame(stored, backfill.after())).collect()
    } else {
        // As for a resuming client: it reads the history page by page.
        let resync = ServerFrame::Resync { rev: state.rev };
        let frame = Frame::new(&resync, Some(state.rev), Audience::Everyone);
        frame.map(|frame| (state.rev, frame)).into_iter().collect()
    };
    backfill.publish(frames).await;
    Ok(())
}

/// A stored change, for a client that has everything up to change `known`.
fn change(stored: &StoredMessage, known: i64) -> RoomChange<'_> {
    let message = &stored.message;
    if stored.created_rev > known {
        RoomChange::NewMessage { message, rev: message.rev }
    } else {
        RoomChange::MessageChanged(message)
    }
}

/// The frame of a stored change for clients that have everything up to `known`. If the message is new to them, the
/// alternative for clients that subscribed after its creation is set too.
fn frame(stored: &StoredMessage, known: i64) -> Option<(i64, Frame)> {
    let rev = stored.message.rev;
    let mut frame = Frame::new(&change(stored, known).frame(), Some(rev), Audience::Everyone)?;
    let since = stored.created_rev;
    if since > known && since < rev {
        let changed = Frame::new(&change(stored, since).frame(), Some(rev), Audience::Everyone)?;
        frame.already_seen = Some(Arc::new(AlreadySeen { since, json: changed.json }));
    }
    Some((rev, frame))
}
