//! The ring of what must reach every socket of a room: stored changes, and closings.
//!
//! It keeps a bounded number of events, and a bounded number of bytes, for sockets that read slowly. A
//! socket that falls out of it is told so and resumes from the database.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
};

use tokio::sync::broadcast;

use super::Lagged;
use crate::{
    hub::{Audience, Event},
    model::UserId,
};

/// Bytes of a room's events that may wait for its slowest reader.
pub(in crate::hub) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// An event in the ring, until it is evicted.
#[derive(Debug)]
pub(super) struct Entry(RwLock<Option<Event>>);

impl Entry {
    /// The event, if it is meant for `user`.
    fn event_for(&self, user: UserId) -> Result<Option<Event>, Lagged> {
        let event = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let event = event.as_ref().ok_or(Lagged)?;
        Ok(is_for(user, event).then(|| event.clone()))
    }

    fn evict(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The events that somebody has still to read, oldest first, with their sizes.
#[derive(Default)]
struct Unread {
    entries: VecDeque<(Weak<Entry>, usize)>,
    bytes: usize,
}

impl Unread {
    fn push(&mut self, entry: &Arc<Entry>, bytes: usize) {
        self.forget_read();
        self.entries.push_back((Arc::downgrade(entry), bytes));
        self.bytes += bytes;
        // One event always fits.
        while self.bytes > BYTES_MAX && self.entries.len() > 1 {
            if let Some(entry) = self.pop().and_then(|entry| entry.upgrade()) {
                entry.evict();
            }
        }
    }

    /// What everybody has read, the channel has dropped.
    fn forget_read(&mut self) {
        while self.entries.front().is_some_and(|(entry, _)| entry.strong_count() == 0) {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Weak<Entry>> {
        let (entry, bytes) = self.entries.pop_front()?;
        self.bytes -= bytes;
        Some(entry)
    }
}

/// The sending half, shared by a room's sockets.
pub(super) struct Ring {
    sender: broadcast::Sender<Arc<Entry>>,
    /// Held while an event enters, so that both know the same order.
    unread: Mutex<Unread>,
}

impl Ring {
    /// A ring of `events` at most.
    pub(super) fn new(events: usize) -> Self {
        Self { sender: broadcast::Sender::new(events), unread: Mutex::default() }
    }

    pub(super) fn put(&self, event: Event) {
        let bytes = event.bytes();
        let entry = Arc::new(Entry(RwLock::new(Some(event))));
        let mut unread = self.unread();
        unread.push(&entry, bytes);
        // An error says that nobody listens any more, which is fine.
        let _ = self.sender.send(entry);
    }

    /// Do more events than this, or more bytes, wait for the slowest reader?
    pub(super) fn is_above(&self, events: usize, bytes: usize) -> bool {
        let mut unread = self.unread();
        unread.forget_read();
        self.sender.len() > events || unread.bytes > bytes
    }

    /// A panic while the lock was held leaves sizes that are right enough.
    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn readers(&self) -> usize {
        self.sender.receiver_count()
    }

    pub(super) fn read(&self) -> Reader {
        Reader(self.sender.subscribe())
    }
}

/// One socket's place in the ring.
pub(in crate::hub) struct Reader(broadcast::Receiver<Arc<Entry>>);

impl Reader {
    /// The next event meant for `user`. Cancel-safe: it is either returned or still in the ring.
    pub(super) async fn next(&mut self, user: UserId) -> Result<Event, Lagged> {
        loop {
            // Closed cannot be: whoever reads holds the room, which holds the sender.
            let entry = self.0.recv().await.map_err(|_| Lagged)?;
            if let Some(event) = entry.event_for(user)? {
                return Ok(event);
            }
        }
    }

    /// The same if it is there already. Unlike a poll of [`Self::next`] it leaves no waker behind, for
    /// which the room's lock is taken twice.
    pub(super) fn try_next(&mut self, user: UserId) -> Option<Result<Event, Lagged>> {
        loop {
            match self.0.try_recv() {
                Ok(entry) => match entry.event_for(user) {
                    Ok(Some(event)) => return Some(Ok(event)),
                    Ok(None) => {}
                    Err(lagged) => return Some(Err(lagged)),
                },
                Err(broadcast::error::TryRecvError::Empty) => return None,
                Err(broadcast::error::TryRecvError::Lagged(_) | broadcast::error::TryRecvError::Closed) => {
                    return Some(Err(Lagged));
                }
            }
        }
    }
}

fn is_for(user: UserId, event: &Event) -> bool {
    match event {
        Event::Frame(frame) => frame.audience.includes(user),
        Event::Close { user: whose, .. } => whose.is_none_or(|whose| whose == user),
    }
}

impl Audience {
    /// Is `user` in it?
    pub(super) fn includes(self, user: UserId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Others(author) => author != user,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::hub::Frame;

    const READER: UserId = UserId(1);

    fn frame(bytes: usize) -> Event {
        Event::Frame(Frame::serialised(Bytes::from(vec![b' '; bytes]), None, Audience::Everyone))
    }

    #[test]
    fn a_slow_reader_holds_no_more_than_the_bytes_allowed() {
        let ring = Ring::new(512);
        let (mut slow, mut fast) = (ring.read(), ring.read());
        let large = 60 * 1024;
        for _ in 0..200 {
            ring.put(frame(large));
            assert!(matches!(fast.try_next(READER), Some(Ok(_))), "who reads everything misses nothing");
        }
        let unread = ring.unread.lock().expect("not poisoned");
        let held = unread.entries.iter().filter(|(entry, _)| entry.strong_count() > 0);
        let held: usize = held.map(|(_, bytes)| bytes).sum();
        assert!((BYTES_MAX - large..=BYTES_MAX).contains(&held), "{held}");
        drop(unread);
        assert_eq!(slow.try_next(READER).map(|event| event.is_err()), Some(true), "told that it missed some");
    }

    #[test]
    fn what_everybody_has_read_counts_no_more() {
        let ring = Ring::new(512);
        let mut reader = ring.read();
        for _ in 0..200 {
            ring.put(frame(1024 * 1024));
            assert!(matches!(reader.try_next(READER), Some(Ok(_))));
        }
        // One megabyte each, and only three wait at a time.
        for _ in 0..3 {
            ring.put(frame(1024 * 1024));
        }
        for _ in 0..3 {
            assert!(matches!(reader.try_next(READER), Some(Ok(_))));
        }
        assert!(reader.try_next(READER).is_none());
    }

    #[test]
    fn many_small_events_are_bounded_by_their_number() {
        let ring = Ring::new(2);
        let mut reader = ring.read();
        for _ in 0..3 {
            ring.put(frame(1));
        }
        assert_eq!(reader.try_next(READER).map(|event| event.is_err()), Some(true));
    }
}
