//! The lane for a room's volatile frames: typing, presence, read receipts.
//!
//! It is separate from the ring of stored changes, so it can neither evict those nor close a reader. Each subject has
//! a slot, in which a newer frame replaces the older one: a slow reader skips replaced frames and gets the latest of
//! each slot. Readers are woken at most a few times a second.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::task::AtomicWaker;
use tokio::{runtime::Handle, task::yield_now, time::Instant};

use crate::{event::Frame, model::UserId};

/// Minimum interval between two wake-ups of a room's readers.
pub(in crate::hub) const WAKE_INTERVAL: Duration = Duration::from_millis(250);
/// How long a frame is kept for slow readers. A socket that reads nothing for that long is closed anyway.
const RETENTION: Duration = Duration::from_secs(30);

/// Readers that are woken before other tasks get a turn.
const CHUNK: usize = 64;

/// The subject of a volatile frame. Only the latest frame of a slot matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::hub) enum Slot {
    /// Whether this user is typing.
    Typing(UserId),
    /// Whether this user is present.
    Presence(UserId),
    /// Whether this user has any socket.
    Online(UserId),
    /// How far this user has read.
    Read(UserId),
    /// How far several users have read. Each frame has a slot of its own and replaces none.
    Reads(u64),
}

struct LaneFrame {
    slot: Slot,
    rank: i64,
    frame: Frame,
    at: Instant,
}

#[derive(Default)]
struct State {
    /// By number, ascending.
    entries: BTreeMap<u64, LaneFrame>,
    /// The number of each slot's frame.
    latest: HashMap<Slot, u64>,
    readers: Vec<Weak<AtomicWaker>>,
    woken_at: Option<Instant>,
    /// Whether there are frames for which readers were not woken yet.
    must_wake: bool,
}

impl State {
    fn wake(&mut self, now: Instant) {
        (self.woken_at, self.must_wake) = (Some(now), false);
        let mut readers = Vec::with_capacity(self.readers.len());
        self.readers.retain(|reader| match reader.upgrade() {
            Some(reader) => {
                readers.push(reader);
                true
            }
            None => false,
        });
        match Handle::try_current() {
            Ok(runtime) if readers.len() > CHUNK => drop(runtime.spawn(wake_in_turns(readers))),
            Ok(_) | Err(_) => readers.iter().for_each(|reader| reader.wake()),
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(entry) = self.entries.remove(&number)
            && self.latest.get(&entry.slot) == Some(&number)
        {
            self.latest.remove(&entry.slot);
        }
    }
}

/// Wakes many readers. If all were woken at once, every other task would wait until thousands of sockets are written.
async fn wake_in_turns(readers: Vec<Arc<AtomicWaker>>) {
    for chunk in readers.chunks(CHUNK) {
        for reader in chunk {
            reader.wake();
        }
        yield_now().await;
    }
}

/// The lane, shared by a room's sockets.
#[derive(Default)]
pub(in crate::hub) struct Lane {
    /// The number of the latest frame.
    newest: AtomicU64,
    state: Mutex<State>,
}

impl Lane {
    /// Puts a frame into its slot, unless the one there has a higher rank. True if readers have yet to be woken for
    /// it, with [`Self::flush`].
    pub(in crate::hub) fn put(&self, slot: Slot, rank: i64, frame: Frame) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(number) = state.latest.get(&slot).copied() {
            if state.entries.get(&number).is_some_and(|entry| entry.rank > rank) {
                return false;
            }
            state.remove(number);
        }
        while let Some(oldest) = state.entries.first_entry()
            && now.saturating_duration_since(oldest.get().at) > RETENTION
        {
            let number = *oldest.key();
            state.remove(number);
        }
        let number = self.newest.load(Ordering::Relaxed) + 1;
        state.entries.insert(number, LaneFrame { slot, rank, frame, at: now });
        state.latest.insert(slot, number);
        self.newest.store(number, Ordering::Release);
        if state.woken_at.is_none_or(|at| now.saturating_duration_since(at) >= WAKE_INTERVAL) {
            state.wake(now);
        } else {
            state.must_wake = true;
        }
        state.must_wake
    }

    /// Wakes the readers, if there are frames for which they were not woken.
    pub(in crate::hub) fn flush(&self, now: Instant) {
        let mut state = self.state();
        if state.must_wake {
            state.wake(now);
        }
    }

    /// Whether readers have yet to be woken.
    pub(in crate::hub) fn must_flush(&self) -> bool {
        self.state().must_wake
    }

    pub(in crate::hub) fn subscribe(self: &Arc<Self>) -> LaneReader {
        let waker = Arc::new(AtomicWaker::new());
        let mut state = self.state();
        if state.readers.len() == state.readers.capacity() {
            // Drop closed readers before the list grows.
            state.readers.retain(|reader| reader.strong_count() > 0);
        }
        state.readers.push(Arc::downgrade(&waker));
        let seen = self.newest.load(Ordering::Relaxed);
        drop(state);
        LaneReader { lane: Arc::clone(self), waker, seen }
    }

    /// A panic under the lock leaves at worst a frame that is not found.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket's position in the lane.
pub(in crate::hub) struct LaneReader {
    lane: Arc<Lane>,
    waker: Arc<AtomicWaker>,
    seen: u64,
}

impl LaneReader {
    /// The next frame for `user`, if there is one.
    pub(in crate::hub) fn try_next(&mut self, user: UserId) -> Option<Frame> {
        if self.lane.newest.load(Ordering::Acquire) == self.seen {
            return None;
        }
        let state = self.lane.state();
        for (number, entry) in state.entries.range(self.seen + 1..) {
            self.seen = *number;
            if entry.frame.audience.includes(user) {
                return Some(entry.frame.clone());
            }
        }
        self.seen = self.lane.newest.load(Ordering::Relaxed);
        None
    }

    /// Waits for the next frame for `user`.
    pub(in crate::hub) fn poll_next(&mut self, context: &mut Context<'_>, user: UserId) -> Poll<Frame> {
        // Registered first, so that a frame added between the two wakes the task.
        self.waker.register(context.waker());
        self.try_next(user).map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::Audience;

    const READER: UserId = UserId(1);

    fn frame(text: &str) -> Frame {
        Frame {
            json: Bytes::copy_from_slice(text.as_bytes()),
            rev: None,
            audience: Audience::Others(UserId(9)),
        }
    }

    fn rest(reader: &mut LaneReader) -> Vec<String> {
        std::iter::from_fn(|| reader.try_next(READER))
            .map(|frame| String::from_utf8_lossy(&frame.json).into_owned())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn slow_reader_gets_the_latest_of_each_slot_in_order() {
        let lane = Arc::<Lane>::default();
        lane.put(Slot::Typing(UserId(2)), 0, frame("before"));
        let mut reader = lane.subscribe();
        for number in 0..10_000 {
            lane.put(Slot::Typing(UserId(2)), 0, frame(&format!("typing {number}")));
            lane.put(Slot::Presence(UserId(2)), 0, frame(&format!("presence {number}")));
            lane.put(Slot::Reads(number), 0, frame("read"));
        }
        lane.put(Slot::Typing(UserId(2)), 0, frame("the last"));
        let received = rest(&mut reader);
        assert_eq!(received.iter().filter(|text| *text == "read").count(), 10_000, "these are all different");
        let others: Vec<&String> = received.iter().filter(|text| *text != "read").collect();
        assert_eq!(others, ["presence 9999", "the last"]);
        assert_eq!(rest(&mut reader), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn lower_rank_replaces_nothing() {
        let lane = Arc::<Lane>::default();
        let mut reader = lane.subscribe();
        lane.put(Slot::Read(UserId(2)), 7, frame("7"));
        lane.put(Slot::Read(UserId(2)), 5, frame("5"));
        lane.put(Slot::Read(UserId(3)), 5, frame("another's 5"));
        assert_eq!(rest(&mut reader), ["7", "another's 5"]);
    }

    #[tokio::test(start_paused = true)]
    async fn old_frames_are_removed() {
        let lane = Arc::<Lane>::default();
        let mut reader = lane.subscribe();
        lane.put(Slot::Reads(1), 0, frame("old"));
        tokio::time::advance(RETENTION + Duration::from_secs(1)).await;
        lane.put(Slot::Reads(2), 0, frame("new"));
        assert_eq!(lane.state().entries.len(), 1);
        assert_eq!(lane.state().latest.len(), 1);
        assert_eq!(rest(&mut reader), ["new"]);
    }

    #[tokio::test(start_paused = true)]
    async fn readers_are_woken_at_once_and_then_not_before_the_pause_is_over() {
        let lane = Arc::<Lane>::default();
        assert!(!lane.put(Slot::Typing(UserId(2)), 0, frame("a")), "at once");
        assert!(lane.put(Slot::Typing(UserId(2)), 0, frame("b")) && lane.must_flush(), "too soon");
        lane.flush(Instant::now());
        assert!(!lane.must_flush());
        tokio::time::advance(WAKE_INTERVAL).await;
        assert!(!lane.put(Slot::Typing(UserId(2)), 0, frame("c")), "at once again");
    }

    #[test]
    fn dropped_readers_are_removed() {
        let lane = Arc::<Lane>::default();
        let _stays = lane.subscribe();
        for _ in 0..10_000 {
            drop(lane.subscribe());
        }
        assert!(lane.state().readers.len() < 100);
    }
}
