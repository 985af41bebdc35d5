//! The channel of one room: its events, and who is present in it.
//!
//! Events that must reach every socket go into the [`ring`]. Volatile events (typing, presence, read receipts) go
//! into a separate lane, [`volatile`], and can neither evict what is in the ring nor close a socket. What a user's
//! sockets announce passes [`signal_limiter`] first.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;

use tokio::{
    runtime::Handle,
    sync::{OnceCell, mpsc},
    time::{Instant, sleep},
};

use super::{
    Hub, HubRequest, OnlineReader, presence::Presence, read_receipts::ReadReceipts, sequence::Sequence,
};
use crate::{
    event::{Audience, ChangeKind, Event, Frame, StoredChange},
    model::{RoomId, UserId, UserRef},
};

mod gap_backfill;
mod member_feed;
mod presence_events;
mod ring;
mod signal_limiter;
pub(super) mod volatile;

pub use gap_backfill::GapBackfill;
use member_feed::MemberFeed;
pub(super) use ring::BYTES_MAX as RING_BYTES;
use ring::Ring;
use signal_limiter::{SignalLimiter, UserSignal};
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
    ring: Ring,
    volatile: Arc<Lane>,
    /// Which members are online, for the subscriptions that follow that.
    online: Arc<Lane>,
    /// Limits how often each user's typing and presence are announced.
    signal_limiter: Mutex<SignalLimiter>,
    /// Whether the task is running that sends delayed signals and wakes the lane's readers.
    has_flush_task: AtomicBool,
    pub(super) read_receipts: ReadReceipts,
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
            ring: Ring::new(ring),
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

    /// Like [`Self::put_volatile`], for the subscriptions that follow who is online.
    pub(super) fn put_online(self: &Arc<Self>, slot: Slot, frame: Frame, hub: &Hub) {
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

/// One socket's subscription to a room. Dropping it unsubscribes.
pub struct Subscription {
    hub: Hub,
    user: UserRef,
    channel: Arc<Channel>,
    /// `None` while it is in `waiting`, and after the drop.
    receiver: Option<ring::RingReader>,
    /// Waits for the next event of the ring, for [`Self::poll_next`].
    waiting: Option<BoxFuture<'static, (ring::RingReader, Result<Event, Lagged>)>>,
    volatile: volatile::LaneReader,
    is_present: bool,
}

impl Subscription {
    pub(super) fn new(hub: Hub, user: UserRef, channel: Arc<Channel>) -> Self {
        let (receiver, volatile) = (Some(channel.ring.subscribe()), channel.volatile.subscribe());
        Self { hub, user, channel, receiver, waiting: None, volatile, is_present: false }
    }

    /// Requests the rosters of the other nodes, if this node has not yet.
    pub(super) fn request_rosters(&self) {
        self.channel.request_rosters(self.hub.bus());
    }

    /// Starts the delivery of stored changes: those after the number that `rev` reads from the database. Only the first
    /// subscription of a room reads it, for all.
    ///
    /// # Errors
    /// Those of `rev`; the next subscription then tries again.
    pub async fn start<E>(&mut self, rev: impl AsyncFnOnce() -> Result<i64, E>) -> Result<(), E> {
        let read = async || {
            let rev = rev().await?;
            self.channel.advance(&self.hub, |sequence| sequence.start(rev));
            Ok(())
        };
        self.channel.started.get_or_try_init(read).await.copied()
    }

    /// The next event for this user, stored changes before volatile ones. Cancel-safe.
    ///
    /// # Errors
    /// [`Lagged`] if this reader missed events.
    pub async fn next(&mut self) -> Result<Event, Lagged> {
        let user = self.user.id;
        let Some(receiver) = &mut self.receiver else { return Err(Lagged) };
        tokio::select! {
            biased;
            event = receiver.next(user) => event,
            frame = poll_fn(|context| self.volatile.poll_next(context, user)) => Ok(Event::Frame(frame)),
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Event, Lagged>> {
        let user = self.user.id;
        let stored = self.receiver.as_mut()?.try_next(user);
        stored.or_else(|| self.volatile.try_next(user).map(|frame| Ok(Event::Frame(frame))))
    }

    /// Like [`Self::next`], for a task that waits for many subscriptions, each with a waker of its own. The waker stays
    /// registered until an event is ready.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Lagged>> {
        if self.waiting.is_none() {
            if let Some(event) = self.try_next() {
                return Poll::Ready(event);
            }
            let Some(mut receiver) = self.receiver.take() else { return Poll::Ready(Err(Lagged)) };
            let user = self.user.id;
            self.waiting = Some(Box::pin(async move {
                let event = receiver.next(user).await;
                (receiver, event)
            }));
        }
        if let Some(waiting) = &mut self.waiting
            && let Poll::Ready((receiver, event)) = waiting.as_mut().poll(context)
        {
            (self.receiver, self.waiting) = (Some(receiver), None);
            return Poll::Ready(event);
        }
        self.volatile.poll_next(context, self.user.id).map(|frame| Ok(Event::Frame(frame)))
    }

    /// Continues behind the newest event, after [`Lagged`]. What was missed has to be read from the database after this.
    pub fn rejoin(&mut self) {
        (self.receiver, self.waiting) = (Some(self.channel.ring.subscribe()), None);
    }

    /// The ids of users who are present in the room, this one first, as far as this node knows.
    pub fn present(&self, limit: usize) -> Vec<UserId> {
        self.channel.present_ids(self.user.id, limit)
    }

    /// Follows which members are online.
    pub fn follow_online(&self) -> OnlineReader {
        OnlineReader::new(self.hub.clone(), self.channel.online.subscribe(), self.user.id)
    }

    /// How many membership changes of the room this node knows of.
    pub fn member_changes(&self) -> u64 {
        self.channel.member_changes.load(Ordering::Acquire)
    }

    /// Whether this socket counts as present.
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// Sets whether this socket counts as present. Others are notified of the user's first present socket and after
    /// the last one.
    pub fn set_present(&mut self, is_present: bool) {
        if is_present == self.is_present {
            return;
        }
        self.is_present = is_present;
        if is_present {
            self.channel.add_socket(&self.user, &self.hub);
        } else {
            self.channel.remove_socket(&self.user, &self.hub);
        }
    }

    /// Notifies the others that this user started or stopped typing, now or when the rate limit allows.
    pub fn announce_typing(&self, is_typing: bool) {
        self.channel.submit_signal(UserSignal::Typing { user: self.user.clone(), is_typing }, &self.hub);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.set_present(false);
        let reader = (self.receiver.take(), self.waiting.take());
        self.hub.unsubscribe(self.channel.room, reader);
    }
}

#[cfg(test)]
mod tests;
