//! Noticing what other processes did to the database: other nodes, and the command line.
//!
//! The bus brings other nodes' events at once, but nothing rests on it. This task fills the
//! holes that the hub finds in a room's changes, and looks into the database at a bounded rate
//! for what nobody told: how far the rooms in use are, who has lost the right to listen, and
//! which credentials have ended. Each look is one query for all rooms, or for all credentials.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use metrics::Counter;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Clock, access, accounts::credentials, backfill, history};
use crate::{
    bus::Bus,
    hub::{Audience, Errand, Event, Filling, Frame, Hub, Known, Publication, RoomPosition, UserEvent},
    model::{Code, RoomId, RoomMessage, ServerFrame},
    store::{
        Backend, Conn, Store, StoreResult, credentials as credential_rows, messages::StoredMessage, rooms,
        watch,
    },
};

/// How often we look while nobody tells us: without Redis, or while it is away.
const TICK: Duration = Duration::from_secs(1);
/// Every how many ticks we look at the rooms while Redis is there.
const CALM: u32 = 5;
/// How long a change may be on its way before it is fetched.
const HOLD: Duration = Duration::from_millis(100);
/// How long a hole waits for a database that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Rooms whose holes are filled at once: they must not take the writers' connections.
const FILLED_AT_ONCE: usize = 4;
/// Rooms of one look.
const ROOMS: usize = 512;

/// Runs until `stopping`.
pub(super) async fn run(
    store: Store,
    hub: Hub,
    clock: Clock,
    mut errands: mpsc::UnboundedReceiver<Errand>,
    stopping: CancellationToken,
) {
    let known = store.system().credential_rev;
    let mut watch = Watch { store, hub, clock, known, is_failing: false };
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut calm = 0;
    let mut fillings = JoinSet::new();
    let turns = Arc::new(Semaphore::new(FILLED_AT_ONCE));
    let mut told = Vec::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            count = errands.recv_many(&mut told, ROOMS) => {
                if count == 0 {
                    return;
                }
                let (mut looks, mut has_ended) = (BTreeSet::new(), false);
                for errand in told.drain(..) {
                    match errand {
                        Errand::Look(room) => drop(looks.insert(room)),
                        Errand::Credentials => has_ended = true,
                        Errand::Fill(room) => drop(fillings.spawn(fill(
                            watch.store.clone(), watch.hub.clone(), room, Arc::clone(&turns),
                        ))),
                    }
                }
                if has_ended {
                    watch.look_at_credentials().await;
                }
                watch.look_at(&looks.into_iter().collect::<Vec<_>>()).await;
            }
            Some(_) = fillings.join_next() => {}
            _ = ticks.tick() => {
                watch.look_at_credentials().await;
                // Without a bus there may be other nodes all the same.
                calm = if watch.hub.bus().is_some_and(Bus::is_connected) { calm + 1 } else { CALM };
                if calm >= CALM {
                    calm = 0;
                    watch.look_at_rooms().await;
                }
            }
        }
    }
}

struct Watch {
    store: Store,
    hub: Hub,
    clock: Clock,
    /// What the credentials that ended up to this number had opened here has been closed.
    known: i64,
    is_failing: bool,
}

impl Watch {
    async fn look_at_rooms(&mut self) {
        // An SQLite file has one server, which knows what it did.
        if self.store.backend() == Backend::MySql {
            let rooms = self.hub.listened();
            self.look_at(&rooms).await;
        }
    }

    async fn look_at(&mut self, rooms: &[RoomId]) {
        for rooms in rooms.chunks(ROOMS) {
            let looked = look(&self.store, &self.hub, rooms).await;
            self.note(looked);
        }
    }

    /// Closes what was opened here with credentials that other processes ended, or that have expired.
    async fn look_at_credentials(&mut self) {
        let now = self.clock.now();
        let to_check = self.hub.open_sockets().expire(now);
        let looked = async {
            for user in to_check {
                credentials::check_sockets(&self.store, &self.hub, now, user).await?;
            }
            loop {
                let mut conn = self.store.read().await?;
                let ends = credential_rows::above(&mut conn, self.known).await?;
                drop(conn);
                let is_last = ends.len() < credential_rows::PAGE;
                for (rev, end) in ends {
                    credentials::close(&self.store, &self.hub, now, &end).await?;
                    self.known = rev;
                }
                if is_last {
                    return Ok(());
                }
            }
        };
        let looked = looked.await;
        self.note(looked);
    }

    /// Says it once when the database goes, and once when it is back.
    fn note(&mut self, looked: StoreResult<()>) {
        match looked {
            Ok(()) if self.is_failing => tracing::info!("other processes' changes are seen again"),
            Err(error) if !self.is_failing => {
                tracing::warn!(%error, "other processes' changes cannot be looked at");
                self.is_failing = true;
                return;
            }
            Ok(()) | Err(_) => {}
        }
        self.is_failing = false;
    }
}

async fn look(store: &Store, hub: &Hub, rooms: &[RoomId]) -> StoreResult<()> {
    if rooms.is_empty() {
        return Ok(());
    }
    let mut conn = store.read().await?;
    for found in watch::positions(&mut conn, rooms).await? {
        let head = RoomPosition { rev: found.rev, seq: found.seq, access_rev: found.access_rev };
        if let Some(known) = hub.learn(found.room(), head) {
            check(&mut conn, hub, found.room(), known).await?;
            hub.set_checked(found.room(), head);
        }
    }
    Ok(())
}

/// Closes the sockets here of those who lost the right to listen with a number above `known`.
async fn check(conn: &mut Conn, hub: &Hub, room: RoomId, known: i64) -> StoreResult<()> {
    for user in watch::revoked_since(conn, room, known).await? {
        if let Some(access) = rooms::access(conn, room, user).await?
            && let Some(code) = access::loss(&access)
        {
            hub.hand_out(Publication::Room(room, Event::Close { user: Some(user), code }));
            hub.hand_out(Publication::User(user, UserEvent::Room(room)));
        }
    }
    if rooms::state(conn, room).await?.is_none_or(|state| !state.is_active) {
        hub.hand_out(Publication::Room(room, Event::Close { user: None, code: Code::NotFound }));
    }
    Ok(())
}

/// Fills the hole in the room's changes, for all its sockets at once.
async fn fill(store: Store, hub: Hub, room: RoomId, turns: Arc<Semaphore>) {
    // Other nodes' messages overtake each other by milliseconds.
    sleep(HOLD).await;
    let Ok(_turn) = turns.acquire().await else { return };
    let Some(filling) = hub.filling(room) else { return };
    if let Err(error) = fetch(&store, room, &filling, &hub.metrics().gaps).await {
        tracing::warn!(%error, %room, "changes of a room could not be fetched");
        sleep(PAUSE).await;
    }
}

async fn fetch(store: &Store, room: RoomId, filling: &Filling, gaps: &Counter) -> crate::Result<()> {
    let mut conn = store.read().await?;
    let Some(state) = rooms::state(&mut conn, room).await? else { return Ok(()) };
    let missed = history::missed(&mut conn, &state.to_ref(), filling.after()).await?;
    drop(conn);
    let frames = if let Some(missed) = missed {
        gaps.increment(missed.len() as u64);
        missed.iter().filter_map(|stored| frame(stored, filling.after())).collect()
    } else {
        // As for a client that was away: it pages the rest.
        let resync = ServerFrame::Resync { rev: state.rev };
        let frame = Frame::new(&resync, Some(state.rev), Audience::Everyone);
        frame.map(|frame| (state.rev, frame)).into_iter().collect()
    };
    filling.fill(frames).await;
    Ok(())
}

/// A stored change as a frame, for a client that knew everything up to change `known`.
fn change(stored: &StoredMessage, known: i64) -> ServerFrame {
    if stored.created_rev > known {
        ServerFrame::ChatMessage { message: RoomMessage::from(&stored.message), rev: stored.message.rev }
    } else {
        backfill::change(stored)
    }
}

/// A stored change as those get it who know everything up to `known`; and, if the message is
/// new to them, as those get it who came in since.
fn frame(stored: &StoredMessage, known: i64) -> Option<(i64, Frame)> {
    let rev = stored.message.rev;
    let mut frame = Frame::new(&change(stored, known), Some(rev), Audience::Everyone)?;
    let since = stored.created_rev;
    if since > known && since < rev {
        let changed = Frame::new(&change(stored, since), Some(rev), Audience::Everyone)?;
        frame.known = Some(Arc::new(Known { since, json: changed.json }));
    }
    Some((rev, frame))
}
