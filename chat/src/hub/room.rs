//! One room's events and who is present in it.
//!
//! Events take one of two ways. What must reach every socket goes into the [`ring`]; what is volatile
//! (typing, presence, read receipts) goes into a lane of its own, [`volatile`], and can neither push out
//! what is in the ring nor close a socket. What people's sockets announce of them takes [`turns`] first.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OnceCell, mpsc},
    time::{Instant, sleep},
};

use super::{Errand, Event, Frame, Hub, RoomPosition, presence::Presence, reads::Reads, sequence::Sequence};
use crate::model::{RoomId, UserRef};

mod filling;
mod people;
mod ring;
mod turns;
pub(super) mod volatile;

pub use filling::Filling;
use ring::Ring;
pub(super) use ring::{BYTES_MAX as RING_BYTES, Reader};
use turns::{Signal, Turns};
use volatile::{Lane, Slot};

/// The reader fell a whole ring behind and has missed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

/// What all listeners of a room share.
pub(super) struct Channel {
    pub(super) room: RoomId,
    ring: Ring,
    volatile: Arc<Lane>,
    /// What the people here announce of themselves, each in their turn.
    turns: Mutex<Turns>,
    /// Is there a task that gives the turns and wakes the readers of the lane?
    is_tended: AtomicBool,
    pub(super) reads: Reads,
    /// Has the database been asked how far the room is?
    started: OnceCell<()>,
    /// Held while stored changes enter the ring, so that they enter in order.
    sequence: Mutex<Sequence>,
    /// How often somebody's membership changed, as far as this node was told.
    member_changes: AtomicU64,
    /// Those who lost the right to listen, up to this number, have been closed.
    checked: AtomicI64,
    /// Held while a change is announced, so that a join and a leave cannot overtake each other.
    presence: Mutex<Presence>,
    /// Were the other nodes asked who is there?
    has_asked: AtomicBool,
    errands: mpsc::UnboundedSender<Errand>,
}

impl Channel {
    pub(super) fn new(
        room: RoomId,
        ring: usize,
        signal_interval: Duration,
        errands: mpsc::UnboundedSender<Errand>,
        presence: Presence,
    ) -> Self {
        Self {
            room,
            ring: Ring::new(ring),
            volatile: Arc::default(),
            turns: Mutex::new(Turns::new(signal_interval)),
            is_tended: AtomicBool::new(false),
            reads: Reads::default(),
            started: OnceCell::new(),
            sequence: Mutex::default(),
            member_changes: AtomicU64::new(0),
            checked: AtomicI64::new(0),
            presence: Mutex::new(presence),
            has_asked: AtomicBool::new(false),
            errands,
        }
    }

    /// Hands the event to the sockets here: a stored change when its turn comes, all else at once.
    pub(super) fn send(&self, event: Event) {
        match event {
            Event::Frame(frame) if let Some(rev) = frame.rev => {
                self.advance(|sequence| sequence.offer(rev, frame));
            }
            other => {
                // Without a number, it is about a membership.
                self.member_changes.fetch_add(1, Ordering::Release);
                self.ring.put(other);
            }
        }
    }

    /// Has somebody read how far the room is? Whoever will do so later reads all of it.
    pub(super) fn is_started(&self) -> bool {
        self.started.initialized()
    }

    /// The database is so far. Gives the number up to which those who lost the right to listen
    /// were closed, if there are later ones.
    pub(super) fn learn(&self, head: RoomPosition) -> Option<i64> {
        // Before the first listener has read, there is nothing to compare with.
        if !self.is_started() {
            return None;
        }
        self.advance(|sequence| {
            sequence.learn(head.rev);
            Vec::new()
        });
        let checked = self.checked.load(Ordering::Relaxed);
        (head.access_rev > checked).then_some(checked)
    }

    /// Everybody who lost the right to listen up to this number was closed.
    pub(super) fn set_checked(&self, access_rev: i64) {
        self.checked.fetch_max(access_rev, Ordering::Relaxed);
    }

    fn advance(&self, step: impl FnOnce(&mut Sequence) -> Vec<Frame>) {
        let mut sequence = self.sequence();
        for frame in step(&mut sequence) {
            self.ring.put(Event::Frame(frame));
        }
        if sequence.must_ask() {
            // An error says that nobody runs errands any more: the process stops.
            let _ = self.errands.send(Errand::Fill(self.room));
        }
    }

    /// Shows the sockets here a volatile frame, in place of an earlier one of its slot unless that ranks
    /// higher.
    pub(super) fn show(self: &Arc<Self>, slot: Slot, rank: i64, frame: Frame, hub: &Hub) {
        if self.volatile.put(slot, rank, frame) {
            self.tend(hub);
        }
    }

    /// Does what the signal announces, now or when it is its turn.
    fn announce(self: &Arc<Self>, signal: Signal, hub: &Hub) {
        let ready = self.turns().take(signal, Instant::now());
        if let Some(signal) = ready {
            self.perform(signal, hub);
        }
        self.tend(hub);
    }

    fn perform(self: &Arc<Self>, signal: Signal, hub: &Hub) {
        match signal {
            Signal::Typing { user, is_typing } => hub.publish_typing(self.room, user, is_typing),
            Signal::Presence(user) => self.settle(user, hub),
        }
    }

    /// Sees that there is a task for what has to be done later, while there is anything.
    fn tend(self: &Arc<Self>, hub: &Hub) {
        if self.has_to_do()
            && !self.is_tended.swap(true, Ordering::AcqRel)
            // None while the process goes down.
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(tend(Arc::downgrade(self), self.room, hub.clone()));
        }
    }

    fn has_to_do(&self) -> bool {
        !self.turns().is_empty() || self.volatile.must_flush()
    }

    /// Does nobody listen, and has everything been announced that the sockets which were here left behind?
    pub(super) fn is_over(&self) -> bool {
        self.listeners() == 0 && self.turns().is_empty()
    }

    /// A panic while the lock was held leaves at worst a signal that comes too early.
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic while the lock was held leaves at worst a hole, which is then filled.
    fn sequence(&self) -> MutexGuard<'_, Sequence> {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listeners(&self) -> usize {
        self.ring.readers()
    }
}

/// Gives the turns and wakes the lane's readers, a few times a second, until nothing is left to do. Then the
/// room is forgotten if nobody listens to it any more.
async fn tend(channel: Weak<Channel>, room: RoomId, hub: Hub) {
    loop {
        sleep(volatile::PAUSE).await;
        let Some(channel) = channel.upgrade() else { return };
        let now = Instant::now();
        let due = channel.turns().due(now);
        for signal in due {
            channel.perform(signal, &hub);
        }
        channel.volatile.flush(now);
        if channel.has_to_do() {
            continue;
        }
        channel.is_tended.store(false, Ordering::Release);
        // What came in between has found a task that was about to end.
        if !channel.has_to_do() || channel.is_tended.swap(true, Ordering::AcqRel) {
            drop(channel);
            hub.forget_unused(room);
            return;
        }
    }
}

/// One socket's place in a room. Dropping it leaves.
pub struct Subscription {
    hub: Hub,
    user: UserRef,
    channel: Arc<Channel>,
    /// Always there until the drop.
    receiver: Option<ring::Reader>,
    volatile: volatile::Reader,
    is_present: bool,
}

impl Subscription {
    pub(super) fn new(hub: Hub, user: UserRef, channel: Arc<Channel>) -> Self {
        let (receiver, volatile) = (Some(channel.ring.read()), channel.volatile.read());
        Self { hub, user, channel, receiver, volatile, is_present: false }
    }

    /// Asks the other nodes who is in the room, if nobody here has.
    pub(super) fn ask_first(&self) {
        self.channel.ask_first(self.hub.bus());
    }

    /// Begins with stored changes: those after what `head` reads from the database reach this
    /// subscription. The first of a room's subscriptions reads, for all.
    ///
    /// # Errors
    /// What `head` says; the next one tries again.
    pub async fn begin<E>(&self, head: impl AsyncFnOnce() -> Result<RoomPosition, E>) -> Result<(), E> {
        let read = async || {
            let head = head().await?;
            self.channel.checked.store(head.access_rev, Ordering::Relaxed);
            self.channel.advance(|sequence| sequence.start(head.rev));
            Ok(())
        };
        self.channel.started.get_or_try_init(read).await.copied()
    }

    /// The next event meant for this user, a stored change before what is volatile. Cancel-safe: an event
    /// is either returned or still there.
    ///
    /// # Errors
    /// [`Lagged`] once this reader missed something.
    pub async fn next(&mut self) -> Result<Event, Lagged> {
        let user = self.user.id;
        let Some(receiver) = &mut self.receiver else { return Err(Lagged) };
        tokio::select! {
            biased;
            event = receiver.next(user) => event,
            frame = poll_fn(|context| self.volatile.poll_next(context, user)) => Ok(Event::Frame(frame)),
        }
    }

    /// The same if it is there already; `None` when it has to be waited for.
    pub fn try_next(&mut self) -> Option<Result<Event, Lagged>> {
        let user = self.user.id;
        let stored = self.receiver.as_mut()?.try_next(user);
        stored.or_else(|| self.volatile.try_next(user).map(|frame| Ok(Event::Frame(frame))))
    }

    /// How often somebody's membership of the room changed, as far as this node was told.
    pub fn member_changes(&self) -> u64 {
        self.channel.member_changes.load(Ordering::Acquire)
    }

    /// Does this socket count as here?
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// This socket counts as here, or no longer; others are told when it is the user's
    /// first one here or the last one to go.
    pub fn set_present(&mut self, is_present: bool) {
        if is_present == self.is_present {
            return;
        }
        self.is_present = is_present;
        if is_present {
            self.channel.arrive(&self.user, &self.hub);
        } else {
            self.channel.depart(&self.user, &self.hub);
        }
    }

    /// Tells the others that this user is, or is no longer, writing: now, or when it is this user's turn.
    pub fn announce_typing(&self, is_typing: bool) {
        self.channel.announce(Signal::Typing { user: self.user.clone(), is_typing }, &self.hub);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.set_present(false);
        if let Some(receiver) = self.receiver.take() {
            self.hub.unsubscribe(self.channel.room, receiver);
        }
    }
}

#[cfg(test)]
mod tests;
