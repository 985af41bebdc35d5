//! One socket's position in a room's ring.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

use super::{
    Lagged, Ring, State,
    batch::{Batch, FrameBatch},
};
use crate::{event::Event, hub::open_sockets::SocketEntry, model::UserId};

/// A socket that a room's frames can be written to without its task.
pub trait DirectSink: Send + Sync {
    /// Writes these frames at once, if nothing waits to be written before them and no other thread is using the socket.
    /// Never blocks.
    fn write(&self, frames: &FrameBatch) -> DirectWrite;
}

/// What became of a [`DirectSink::write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectWrite {
    /// The socket has the frames: they are written, or it writes the rest by itself.
    Taken,
    /// Nothing was written. The socket's task has to take the events.
    Refused,
}

/// What the publisher and a socket's task share.
pub(super) struct Reader {
    user: UserId,
    position: Mutex<Position>,
    task: AtomicWaker,
    /// Where it stands in the list of readers; changed only under the ring's lock.
    index: AtomicUsize,
}

struct Position {
    /// The number of the next event to read.
    next: u64,
    /// Whether the task waits for an event, and has handed on all that it took.
    is_waiting: bool,
    /// Whether the ring counts it as behind.
    is_behind: bool,
    direct: Option<Direct>,
}

/// How events are written without the task.
struct Direct {
    sink: Arc<dyn DirectSink>,
    /// The socket already has the changes up to this one.
    rev: i64,
    /// Once it has ended, nothing is written any more.
    credential: Arc<SocketEntry>,
}

impl Reader {
    /// Writes the events, or wakes the reader's task to take them. Returns the number of the next event to read.
    pub(super) fn offer(&self, batch: &Batch, behind: &AtomicUsize) -> u64 {
        let mut position = self.position();
        if position.next >= batch.end() {
            return position.next;
        }
        let is_in_place = position.is_waiting && position.next == batch.first();
        if is_in_place && (batch.is_foreign(self.user) || position.write(batch)) {
            position.next = batch.end();
            return position.next;
        }
        if !position.is_behind {
            position.is_behind = true;
            behind.fetch_add(1, Ordering::AcqRel);
        }
        // Otherwise the task looks for events before it waits.
        if std::mem::take(&mut position.is_waiting) {
            self.task.wake();
        }
        position.next
    }

    /// A panic under the lock leaves a position that is valid.
    fn position(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Position {
    /// Whether the socket has taken the batch.
    fn write(&self, batch: &Batch) -> bool {
        let Some(direct) = self.direct.as_ref().filter(|direct| !direct.credential.has_ended()) else {
            return false;
        };
        let frames = batch.frames_after(direct.rev);
        frames.is_some_and(|frames| direct.sink.write(frames) == DirectWrite::Taken)
    }

    /// The next event for `user`.
    fn take(&mut self, ring: &Ring, state: &mut State, user: UserId) -> Option<Result<Event, Lagged>> {
        loop {
            match state.get(self.next) {
                Ok(Some(event)) => {
                    self.next += 1;
                    if event.is_for(user) {
                        return Some(Ok(event.clone()));
                    }
                }
                Ok(None) => {
                    self.catch_up(ring, state);
                    return None;
                }
                Err(lagged) => return Some(Err(lagged)),
            }
        }
    }

    /// Is no longer behind.
    fn catch_up(&mut self, ring: &Ring, state: &mut State) {
        if std::mem::take(&mut self.is_behind) {
            ring.behind.fetch_sub(1, Ordering::AcqRel);
            ring.drop_if_read(state);
        }
    }
}

/// One socket's position in the ring, as its task uses it.
pub(in crate::hub) struct RingReader {
    ring: Arc<Ring>,
    reader: Arc<Reader>,
}

impl RingReader {
    /// A reader of the events from now on.
    pub(in crate::hub::room) fn new(ring: &Arc<Ring>, user: UserId) -> Self {
        let mut state = ring.state();
        let position = Position { next: state.head(), is_waiting: false, is_behind: false, direct: None };
        let reader = Arc::new(Reader {
            user,
            position: Mutex::new(position),
            task: AtomicWaker::new(),
            index: AtomicUsize::new(state.readers.len()),
        });
        Arc::make_mut(&mut state.readers).push(Arc::clone(&reader));
        drop(state);
        Self { ring: Arc::clone(ring), reader }
    }

    /// From now on events may be written to `sink` while the task waits in [`Self::poll_next`]: those of changes after
    /// `rev`, until `credential` ends.
    pub(in crate::hub::room) fn write_to(
        &self,
        sink: Arc<dyn DirectSink>,
        rev: i64,
        credential: Arc<SocketEntry>,
    ) {
        self.reader.position().direct = Some(Direct { sink, rev, credential });
    }

    /// The next event for this reader, if there is one. Until the next [`Self::poll_next`], nothing is written directly.
    pub(in crate::hub::room) fn try_next(&self) -> Option<Result<Event, Lagged>> {
        let mut position = self.reader.position();
        position.is_waiting = false;
        position.take(&self.ring, &mut self.ring.state(), self.reader.user)
    }

    /// Waits for the next event for this reader. Only one task can wait at a time. All events that were returned before
    /// must have been handed on to the socket.
    pub(in crate::hub::room) fn poll_next(&self, context: &Context<'_>) -> Poll<Result<Event, Lagged>> {
        self.reader.task.register(context.waker());
        let mut position = self.reader.position();
        let event = position.take(&self.ring, &mut self.ring.state(), self.reader.user);
        position.is_waiting = event.is_none();
        event.map_or(Poll::Pending, Poll::Ready)
    }

    /// Continues behind the newest event.
    pub(in crate::hub::room) fn skip_to_end(&self) {
        let mut position = self.reader.position();
        let mut state = self.ring.state();
        (position.next, position.is_waiting) = (state.head(), false);
        position.catch_up(&self.ring, &mut state);
    }
}

impl Drop for RingReader {
    fn drop(&mut self) {
        let mut position = self.reader.position();
        position.direct = None;
        let mut state = self.ring.state();
        // A publisher that still has this reader in its list leaves it alone.
        position.next = u64::MAX;
        position.catch_up(&self.ring, &mut state);
        let readers = Arc::make_mut(&mut state.readers);
        let index = self.reader.index.load(Ordering::Relaxed);
        readers.swap_remove(index);
        if let Some(moved) = readers.get(index) {
            moved.index.store(index, Ordering::Relaxed);
        }
    }
}
