//! The channel of one room: its events, and who is present in it.
//!
//! Events that must reach every socket go into the [`ring`]. Volatile events (typing, presence, read receipts) go
//! into a separate lane, [`volatile`], and can neither evict what is in the ring nor close a socket. What a user's
//! sockets announce passes [`signal_limiter`] first.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OnceCell, mpsc},
    time::{Instant, sleep},
};

use super::{Hub, HubRequest, presence::Presence, sequence::Sequence};
use crate::{
    event::{Audience, ChangeKind, Event, Frame, StoredChange},
    model::RoomId,
};

mod gap_backfill;
mod member_feed;
mod presence_events;
mod read_receipts;
mod ring;
mod signal_limiter;
mod subscription;
pub(super) mod volatile;

pub use gap_backfill::GapBackfill;
use member_feed::MemberFeed;
use read_receipts::ReadReceipts;
use ring::Ring;
pub use ring::{DirectSink, DirectWrite, FrameBatch};
use signal_limiter::{SignalLimiter, UserSignal};
pub use subscription::Subscription;
use volatile::{Lane, Slot};

/// The reader fell a whole ring behind and has missed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

/// The stored changes of a room on their way into the ring.
struct Stream {
    sequence: Sequence,
    members: MemberFeed,
}

/// Shared by all subscriptions of a room.
pub(super) struct Channel {
    pub(super) room: RoomId,
    ring: Arc<Ring>,
    volatile: Arc<Lane>,
    /// Volatile frames for the subscriptions of combined sockets alone: which members are online, and who was present
    /// before this node used the room.
    online: Arc<Lane>,
    /// Limits how often each user's typing and presence are announced.
    signal_limiter: Mutex<SignalLimiter>,
    /// Whether the task is running that sends delayed signals and wakes the lane's readers.
    has_flush_task: AtomicBool,
    read_receipts: ReadReceipts,
    /// Set once the room's counters were read from the database.
    started: OnceCell<()>,
    /// Held while stored changes enter the ring, so that they enter in order.
    stream: Mutex<Stream>,
    /// How many membership changes this node knows of; invalidates cached permissions.
    member_changes: AtomicU64,
    /// Held while a change is announced, so that a join and a leave cannot overtake each other.
    presence: Mutex<Presence>,
    /// Whether the other nodes' rosters were requested.
    has_requested_rosters: AtomicBool,
    requests: mpsc::UnboundedSender<HubRequest>,
}

impl Channel {
    pub(super) fn new(
        room: RoomId,
        ring: usize,
        signal_interval: Duration,
        requests: mpsc::UnboundedSender<HubRequest>,
        presence: Presence,
    ) -> Self {
        Self {
            room,
            ring: Arc::new(Ring::new(ring)),
            volatile: Arc::default(),
            online: Arc::default(),
            signal_limiter: Mutex::new(SignalLimiter::new(signal_interval)),
            has_flush_task: AtomicBool::new(false),
            read_receipts: ReadReceipts::default(),
            started: OnceCell::new(),
            stream: Mutex::new(Stream { sequence: Sequence::default(), members: MemberFeed::new(room) }),
            member_changes: AtomicU64::new(0),
            presence: Mutex::new(presence),
            has_requested_rosters: AtomicBool::new(false),
            requests,
        }
    }

    /// Delivers a stored change to the sockets of this node, in order of `rev`.
    pub(super) fn send(self: &Arc<Self>, change: StoredChange, hub: &Hub) {
        self.advance(hub, |sequence| sequence.offer(change));
    }

    /// Whether the room's counters were read. If not, the first subscription will read a state that includes
    /// everything so far.
    pub(super) fn is_started(&self) -> bool {
        self.started.initialized()
    }

    /// The database has changes up to `rev`.
    pub(super) fn observe(self: &Arc<Self>, rev: i64, hub: &Hub) {
        // Nothing to compare with before the first subscription has read the counters.
        if self.is_started() {
            self.advance(hub, |sequence| {
                sequence.observe(rev);
                Vec::new()
            });
        }
    }

    fn advance(self: &Arc<Self>, hub: &Hub, step: impl FnOnce(&mut Sequence) -> Vec<StoredChange>) {
        let mut stream = self.stream();
        for change in step(&mut stream.sequence) {
            match change.kind {
                // The common cases.
                ChangeKind::NewMessage(_) | ChangeKind::MessageChanged if !stream.members.is_waiting() => {
                    self.ring.put(Event::Frame(change.into_frame(Audience::Everyone)));
                    continue;
                }
                ChangeKind::Member(_) | ChangeKind::Room { .. } | ChangeKind::Resync => {
                    self.member_changes.fetch_add(1, Ordering::Release);
                }
                ChangeKind::NewMessage(_) | ChangeKind::MessageChanged => {}
            }
            for event in stream.members.pass(change, Instant::now()) {
                self.ring.put(event);
            }
        }
        let must_flush = stream.members.is_waiting();
        if stream.sequence.needs_backfill() {
            // An error means that the process is shutting down.
            let _ = self.requests.send(HubRequest::BackfillGap(self.room));
        }
        drop(stream);
        if must_flush {
            self.ensure_flush_task(hub);
        }
    }

    /// Sends a volatile frame to the sockets of this node. It replaces an earlier one of its slot, unless that has a
    /// higher rank.
    pub(super) fn put_volatile(self: &Arc<Self>, slot: Slot, rank: i64, frame: Frame, hub: &Hub) {
        if self.volatile.put(slot, rank, frame) {
            self.ensure_flush_task(hub);
        }
    }

    /// Like [`Self::put_volatile`], for the subscriptions of combined sockets alone.
    pub(super) fn put_for_subscriptions(self: &Arc<Self>, slot: Slot, frame: Frame, hub: &Hub) {
        if self.online.put(slot, 0, frame) {
            self.ensure_flush_task(hub);
        }
    }

    /// Announces the signal, now or when the rate limit allows.
    fn submit_signal(self: &Arc<Self>, signal: UserSignal, hub: &Hub) {
        let ready = self.signal_limiter().take(signal, Instant::now());
        if let Some(signal) = ready {
            self.run_signal(signal, hub);
        }
        self.ensure_flush_task(hub);
    }

    fn run_signal(self: &Arc<Self>, signal: UserSignal, hub: &Hub) {
        match signal {
            UserSignal::Typing { user, is_typing } => hub.publish_typing(self.room, user, is_typing),
            UserSignal::Presence(user) => self.announce_presence(user, hub),
        }
    }

    /// Starts the flush task if there is pending work.
    fn ensure_flush_task(self: &Arc<Self>, hub: &Hub) {
        if self.has_pending_work()
            && !self.has_flush_task.swap(true, Ordering::AcqRel)
            // An error means that the process is shutting down.
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(run_flush_task(Arc::downgrade(self), self.room, hub.clone()));
        }
    }

    fn has_pending_work(&self) -> bool {
        !self.signal_limiter().is_empty()
            || self.volatile.must_flush()
            || self.online.must_flush()
            || self.stream().members.is_waiting()
    }

    /// Whether there is no subscription and no pending signal.
    pub(super) fn is_unused(&self) -> bool {
        self.listeners() == 0 && self.signal_limiter().is_empty()
    }

    /// A panic under the lock leaves at worst a signal that is sent too early.
    fn signal_limiter(&self) -> MutexGuard<'_, SignalLimiter> {
        self.signal_limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic under the lock leaves at worst a gap, which is then filled.
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listeners(&self) -> usize {
        self.ring.readers()
    }
}

/// Sends delayed signals and sums of membership changes, and wakes the lane's readers a few times a second, until nothing
/// is pending. Then removes
/// the room if it is unused.
async fn run_flush_task(channel: Weak<Channel>, room: RoomId, hub: Hub) {
    loop {
        sleep(volatile::WAKE_INTERVAL).await;
        let Some(channel) = channel.upgrade() else { return };
        let now = Instant::now();
        let due = channel.signal_limiter().due(now);
        for signal in due {
            channel.run_signal(signal, &hub);
        }
        channel.volatile.flush(now);
        channel.online.flush(now);
        let mut stream = channel.stream();
        if let Some(sum) = stream.members.due(now) {
            channel.ring.put(sum);
        }
        drop(stream);
        if channel.has_pending_work() {
            continue;
        }
        channel.has_flush_task.store(false, Ordering::Release);
        // Work added meanwhile did not start a task, because this one was still running.
        if !channel.has_pending_work() || channel.has_flush_task.swap(true, Ordering::AcqRel) {
            drop(channel);
            hub.remove_unused_room(room);
            return;
        }
    }
}

#[cfg(test)]
mod tests;
