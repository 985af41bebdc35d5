//! The ring buffer for what must reach every socket of a room: stored changes and closings.
//!
//! It keeps a bounded number of events, and a bounded number of bytes, for slow readers. A reader that falls out of
//! it gets [`Lagged`] and resumes from the database.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak},
};

use tokio::sync::broadcast;

use super::Lagged;
use crate::{event::Event, model::UserId};

/// Bytes of a room's events that may wait for its slowest reader.
pub(in crate::hub) const BYTES_MAX: usize = 4 * 1024 * 1024;

/// An event in the ring; `None` after its eviction.
#[derive(Debug)]
pub(super) struct RingEntry(RwLock<Option<Event>>);

impl RingEntry {
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

/// The events that some reader has not read yet, oldest first, with their sizes.
#[derive(Default)]
struct Unread {
    entries: VecDeque<(Weak<RingEntry>, usize)>,
    bytes: usize,
}

impl Unread {
    fn push(&mut self, entry: &Arc<RingEntry>, bytes: usize) {
        self.forget_read();
        self.entries.push_back((Arc::downgrade(entry), bytes));
        self.bytes += bytes;
        // A single event always fits.
        while self.bytes > BYTES_MAX && self.entries.len() > 1 {
            if let Some(entry) = self.pop().and_then(|entry| entry.upgrade()) {
                entry.evict();
            }
        }
    }

    /// The channel has dropped the entries that every reader has read.
    fn forget_read(&mut self) {
        while self.entries.front().is_some_and(|(entry, _)| entry.strong_count() == 0) {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Weak<RingEntry>> {
        let (entry, bytes) = self.entries.pop_front()?;
        self.bytes -= bytes;
        Some(entry)
    }
}

/// The sending half, shared by a room's sockets.
pub(super) struct Ring {
    sender: broadcast::Sender<Arc<RingEntry>>,
    /// Held while an event enters, so that both lists have the same order.
    unread: Mutex<Unread>,
}

impl Ring {
    /// A ring of `events` at most.
    pub(super) fn new(events: usize) -> Self {
        Self { sender: broadcast::Sender::new(events), unread: Mutex::default() }
    }

    pub(super) fn put(&self, event: Event) {
        let bytes = event.bytes();
        let entry = Arc::new(RingEntry(RwLock::new(Some(event))));
        let mut unread = self.unread();
        unread.push(&entry, bytes);
        // An error means that there is no reader.
        let _ = self.sender.send(entry);
    }

    /// Whether more than this many events, or bytes, wait for the slowest reader.
    pub(super) fn is_above(&self, events: usize, bytes: usize) -> bool {
        let mut unread = self.unread();
        unread.forget_read();
        self.sender.len() > events || unread.bytes > bytes
    }

    /// A panic under the lock leaves sizes that are accurate enough.
    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn readers(&self) -> usize {
        self.sender.receiver_count()
    }

    pub(super) fn subscribe(&self) -> RingReader {
        RingReader(self.sender.subscribe())
    }
}

/// One socket's position in the ring.
pub(in crate::hub) struct RingReader(broadcast::Receiver<Arc<RingEntry>>);

impl RingReader {
    /// The next event for `user`. Cancel-safe.
    pub(super) async fn next(&mut self, user: UserId) -> Result<Event, Lagged> {
        loop {
            // It cannot be closed: a reader keeps the room's channel alive, which owns the sender.
            let entry = self.0.recv().await.map_err(|_| Lagged)?;
            if let Some(event) = entry.event_for(user)? {
                return Ok(event);
            }
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting. Unlike polling [`Self::next`] it registers no
    /// waker, which would take the channel's lock twice.
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::{Audience, Frame};

    const READER: UserId = UserId(1);

    fn frame(bytes: usize) -> Event {
        Event::Frame(Frame { json: Bytes::from(vec![b' '; bytes]), rev: None, audience: Audience::Everyone })
    }

    #[test]
    fn slow_reader_is_bounded_in_bytes() {
        let ring = Ring::new(512);
        let (mut slow, mut fast) = (ring.subscribe(), ring.subscribe());
        let large = 60 * 1024;
        for _ in 0..200 {
            ring.put(frame(large));
            assert!(matches!(fast.try_next(READER), Some(Ok(_))), "a fast reader misses nothing");
        }
        let unread = ring.unread.lock().expect("not poisoned");
        let held = unread.entries.iter().filter(|(entry, _)| entry.strong_count() > 0);
        let held: usize = held.map(|(_, bytes)| bytes).sum();
        assert!((BYTES_MAX - large..=BYTES_MAX).contains(&held), "{held}");
        drop(unread);
        assert_eq!(slow.try_next(READER).map(|event| event.is_err()), Some(true), "it missed some");
    }

    #[test]
    fn events_read_by_all_are_not_counted() {
        let ring = Ring::new(512);
        let mut reader = ring.subscribe();
        for _ in 0..200 {
            ring.put(frame(1024 * 1024));
            assert!(matches!(reader.try_next(READER), Some(Ok(_))));
        }
        // One megabyte each, and at most three wait.
        for _ in 0..3 {
            ring.put(frame(1024 * 1024));
        }
        for _ in 0..3 {
            assert!(matches!(reader.try_next(READER), Some(Ok(_))));
        }
        assert!(reader.try_next(READER).is_none());
    }

    #[test]
    fn small_events_are_bounded_in_number() {
        let ring = Ring::new(2);
        let mut reader = ring.subscribe();
        for _ in 0..3 {
            ring.put(frame(1));
        }
        assert_eq!(reader.try_next(READER).map(|event| event.is_err()), Some(true));
    }
}
