//! The ring buffer for what must reach every socket of a room: stored changes and closings.
//!
//! It keeps a bounded number of events, and a bounded number of bytes, for slow readers. A reader that falls out of
//! it gets [`Lagged`] and resumes from the database.
//!
//! Events are numbered, and each [`Reader`] has a position. New events are offered to all readers by one task a room,
//! the [`publisher`]; it writes them itself where a reader is [`direct`](DirectSink), and wakes the reader's task
//! elsewhere. The ring is the truth: whatever was not written is read from it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Lagged;
use crate::event::{Audience, Event};

mod batch;
mod publisher;
mod reader;

#[cfg(test)]
mod tests;

use batch::Batch;
pub use batch::FrameBatch;
use reader::Reader;
pub(in crate::hub) use reader::RingReader;
pub use reader::{DirectSink, DirectWrite};

/// Bytes of a room's events that may wait for its slowest reader.
pub(super) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// The ring, shared by a room's sockets.
pub(super) struct Ring {
    /// Events kept at most.
    capacity: usize,
    state: Mutex<State>,
    /// Readers that an event was offered to and that have not reached the newest one since.
    behind: AtomicUsize,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// The number of the first of `events`.
    first: u64,
    bytes: usize,
    /// Events below this one were offered to the readers.
    offered: u64,
    is_publishing: bool,
    /// Copied on write, and only if the publisher is reading it.
    readers: Arc<Vec<Arc<Reader>>>,
}

impl State {
    /// The number of the next event.
    fn head(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Drops the events below this number.
    fn drop_below(&mut self, number: u64) {
        while self.first < number
            && let Some(event) = self.events.pop_front()
        {
            self.first += 1;
            self.bytes -= event.bytes();
        }
    }

    fn get(&self, number: u64) -> Result<Option<&Event>, Lagged> {
        let index = number.checked_sub(self.first).ok_or(Lagged)?;
        Ok(usize::try_from(index).ok().and_then(|index| self.events.get(index)))
    }
}

impl Ring {
    /// A ring of `capacity` events at most.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), behind: AtomicUsize::new(0) }
    }

    /// Adds an event, and has it offered to the readers.
    pub(super) fn put(self: &Arc<Self>, event: Event) {
        let mut state = self.state();
        if state.readers.is_empty() {
            return;
        }
        state.bytes += event.bytes();
        state.events.push_back(event);
        // A single event always fits.
        while state.events.len() > self.capacity || state.bytes > BYTES_MAX && state.events.len() > 1 {
            let next = state.first + 1;
            state.drop_below(next);
        }
        if !std::mem::replace(&mut state.is_publishing, true) {
            drop(state);
            publisher::start(self);
        }
    }

    /// Whether more than this many events, or bytes, wait for the slowest reader.
    pub(super) fn is_above(&self, events: usize, bytes: usize) -> bool {
        let state = self.state();
        state.events.len() > events || state.bytes > bytes
    }

    pub(super) fn readers(&self) -> usize {
        self.state().readers.len()
    }

    /// The next events to offer, and to whom; `None` if all were offered.
    fn next_batch(&self) -> Option<(Batch, Arc<Vec<Arc<Reader>>>)> {
        let mut state = self.state();
        let first = state.offered.max(state.first);
        let skipped = usize::try_from(first - state.first).unwrap_or(usize::MAX);
        let Some(batch) = Batch::of(first, state.events.iter().skip(skipped)) else {
            state.is_publishing = false;
            self.drop_if_read(&mut state);
            return None;
        };
        state.offered = batch.end();
        Some((batch, Arc::clone(&state.readers)))
    }

    /// Drops the events that every reader has read: those below `unread`.
    fn release(&self, unread: u64) {
        self.state().drop_below(unread);
    }

    /// Drops all events, if every reader has read them.
    fn drop_if_read(&self, state: &mut State) {
        if !state.is_publishing && self.behind.load(Ordering::Acquire) == 0 {
            let head = state.head();
            state.drop_below(head);
            // A room that was busy once does not hold on to its memory.
            state.events.shrink_to(4);
        }
    }

    /// The publisher has failed.
    fn stop_publishing(&self) {
        self.state().is_publishing = false;
    }

    /// A panic under the lock leaves sizes that are accurate enough.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether all sockets of the room get this event, as it stands.
fn is_for_everyone(event: &Event) -> bool {
    matches!(event, Event::Frame(frame) if frame.audience == Audience::Everyone)
}
