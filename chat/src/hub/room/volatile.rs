//! The lane of what is volatile in a room: who is typing, who is here, who has read what.
//!
//! It takes no place in the ring of stored changes, so it can neither push those out nor close a reader.
//! Each thing that can be told has a slot, in which a newer frame replaces the older one: a socket that
//! reads slowly skips what was replaced, and ends up with the latest of each. Sockets are woken for it a few
//! times a second at most.

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
use tokio::time::Instant;

use crate::{hub::Frame, model::UserId};

/// The pause between two wakings of a room's sockets.
pub(in crate::hub) const PAUSE: Duration = Duration::from_millis(250);
/// How long a frame is kept for those who read slowly: a socket that takes nothing for that long is closed.
const KEPT: Duration = Duration::from_secs(30);

/// What a volatile frame is about. Of each slot only the latest frame matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::hub) enum Slot {
    /// Is this user typing?
    Typing(UserId),
    /// Is this user here?
    Presence(UserId),
    /// How far has this user read?
    Read(UserId),
    /// How far have these users read? Each such frame is about others, and replaces none.
    Reads(u64),
}

struct Entry {
    slot: Slot,
    rank: i64,
    frame: Frame,
    at: Instant,
}

#[derive(Default)]
struct State {
    /// By number, rising.
    entries: BTreeMap<u64, Entry>,
    /// Where each slot's frame is.
    latest: HashMap<Slot, u64>,
    readers: Vec<Weak<AtomicWaker>>,
    woken_at: Option<Instant>,
    /// Is there something that readers were not woken for?
    must_wake: bool,
}

impl State {
    fn wake(&mut self, now: Instant) {
        (self.woken_at, self.must_wake) = (Some(now), false);
        self.readers.retain(|reader| match reader.upgrade() {
            Some(reader) => {
                reader.wake();
                true
            }
            None => false,
        });
    }

    fn remove(&mut self, number: u64) {
        if let Some(entry) = self.entries.remove(&number)
            && self.latest.get(&entry.slot) == Some(&number)
        {
            self.latest.remove(&entry.slot);
        }
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
    /// Puts a frame into its slot, unless what is there ranks higher. True where readers have still to
    /// be woken for it, by [`Self::flush`].
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
            && now.saturating_duration_since(oldest.get().at) > KEPT
        {
            let number = *oldest.key();
            state.remove(number);
        }
        let number = self.newest.load(Ordering::Relaxed) + 1;
        state.entries.insert(number, Entry { slot, rank, frame, at: now });
        state.latest.insert(slot, number);
        self.newest.store(number, Ordering::Release);
        if state.woken_at.is_none_or(|at| now.saturating_duration_since(at) >= PAUSE) {
            state.wake(now);
        } else {
            state.must_wake = true;
        }
        state.must_wake
    }

    /// Wakes the readers, if there is something that they were not woken for.
    pub(in crate::hub) fn flush(&self, now: Instant) {
        let mut state = self.state();
        if state.must_wake {
            state.wake(now);
        }
    }

    /// Are there readers that have still to be woken?
    pub(in crate::hub) fn must_flush(&self) -> bool {
        self.state().must_wake
    }

    pub(in crate::hub) fn read(self: &Arc<Self>) -> Reader {
        let waker = Arc::new(AtomicWaker::new());
        let mut state = self.state();
        if state.readers.len() == state.readers.capacity() {
            // Those who have gone make room before the list grows.
            state.readers.retain(|reader| reader.strong_count() > 0);
        }
        state.readers.push(Arc::downgrade(&waker));
        let seen = self.newest.load(Ordering::Relaxed);
        drop(state);
        Reader { lane: Arc::clone(self), waker, seen }
    }

    /// A panic while the lock was held leaves at worst a frame that is not found.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket's place in the lane.
pub(in crate::hub) struct Reader {
    lane: Arc<Lane>,
    waker: Arc<AtomicWaker>,
    seen: u64,
}

impl Reader {
    /// The next frame meant for `user` if there is one already.
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

    /// The same, waiting for it.
    pub(in crate::hub) fn poll_next(&mut self, context: &mut Context<'_>, user: UserId) -> Poll<Frame> {
        // Before the look: what comes between the two wakes the task.
        self.waker.register(context.waker());
        self.try_next(user).map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::hub::Audience;

    const READER: UserId = UserId(1);

    fn frame(text: &str) -> Frame {
        Frame::serialised(Bytes::copy_from_slice(text.as_bytes()), None, Audience::Others(UserId(9)))
    }

    fn rest(reader: &mut Reader) -> Vec<String> {
        std::iter::from_fn(|| reader.try_next(READER))
            .map(|frame| String::from_utf8_lossy(&frame.json).into_owned())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_gets_the_latest_of_each_slot_in_the_order_of_their_coming() {
        let lane = Arc::<Lane>::default();
        lane.put(Slot::Typing(UserId(2)), 0, frame("before"));
        let mut reader = lane.read();
        for number in 0..10_000 {
            lane.put(Slot::Typing(UserId(2)), 0, frame(&format!("typing {number}")));
            lane.put(Slot::Presence(UserId(2)), 0, frame(&format!("presence {number}")));
            lane.put(Slot::Reads(number), 0, frame("read"));
        }
        lane.put(Slot::Typing(UserId(2)), 0, frame("the last"));
        let heard = rest(&mut reader);
        assert_eq!(heard.iter().filter(|text| *text == "read").count(), 10_000, "these are all different");
        let others: Vec<&String> = heard.iter().filter(|text| *text != "read").collect();
        assert_eq!(others, ["presence 9999", "the last"]);
        assert_eq!(rest(&mut reader), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn what_ranks_lower_replaces_nothing() {
        let lane = Arc::<Lane>::default();
        let mut reader = lane.read();
        lane.put(Slot::Read(UserId(2)), 7, frame("7"));
        lane.put(Slot::Read(UserId(2)), 5, frame("5"));
        lane.put(Slot::Read(UserId(3)), 5, frame("another's 5"));
        assert_eq!(rest(&mut reader), ["7", "another's 5"]);
    }

    #[tokio::test(start_paused = true)]
    async fn frames_are_kept_for_a_while_and_then_forgotten() {
        let lane = Arc::<Lane>::default();
        let mut reader = lane.read();
        lane.put(Slot::Reads(1), 0, frame("old"));
        tokio::time::advance(KEPT + Duration::from_secs(1)).await;
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
        tokio::time::advance(PAUSE).await;
        assert!(!lane.put(Slot::Typing(UserId(2)), 0, frame("c")), "at once again");
    }

    #[test]
    fn readers_that_have_gone_are_forgotten() {
        let lane = Arc::<Lane>::default();
        let _stays = lane.read();
        for _ in 0..10_000 {
            drop(lane.read());
        }
        assert!(lane.state().readers.len() < 100);
    }
}
