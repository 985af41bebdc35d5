//! A queue bounded both by number of entries and by their size in bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The queue has no capacity for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

pub(crate) struct Sender<T> {
    sender: mpsc::Sender<(T, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
}

pub(crate) struct Receiver<T>(mpsc::Receiver<(T, OwnedSemaphorePermit)>);

/// Creates a queue of at most `entries` entries and `bytes` bytes.
pub(crate) fn bounded<T>(entries: usize, bytes: u32) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(entries);
    let bytes = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
    (Sender { sender, bytes: Arc::new(Semaphore::new(bytes)) }, Receiver(receiver))
}

impl<T> Sender<T> {
    /// Enqueues an entry that holds `bytes` bytes.
    ///
    /// # Errors
    /// [`Full`], also when the receiver was dropped.
    pub(crate) fn try_send(&self, entry: T, bytes: usize) -> Result<(), Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| Full)?;
        self.sender.try_send((entry, permit)).map_err(|_| Full)
    }
}

impl<T> Receiver<T> {
    /// The next entry; `None` when all senders were dropped. Cancel-safe.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        self.0.recv().await.map(|(entry, _)| entry)
    }

    /// The next entry if one is queued.
    pub(crate) fn try_recv(&mut self) -> Option<T> {
        self.0.try_recv().ok().map(|(entry, _)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_is_bounded_by_entries_and_by_bytes() {
        let (sender, mut receiver) = bounded(3, 100);
        assert_eq!(sender.try_send(1, 60), Ok(()));
        assert_eq!(sender.try_send(2, 60), Err(Full));
        assert_eq!(sender.try_send(3, 40), Ok(()));
        assert_eq!(sender.try_send(4, 1), Err(Full));
        assert_eq!(sender.try_send(5, 0), Ok(()));
        assert_eq!(sender.try_send(6, 0), Err(Full), "three are enough");
        assert_eq!(receiver.try_recv(), Some(1));
        assert_eq!(sender.try_send(7, 60), Ok(()));
        assert_eq!(
            [receiver.try_recv(), receiver.try_recv(), receiver.try_recv()],
            [Some(3), Some(5), Some(7)]
        );
        assert_eq!(receiver.try_recv(), None);
        assert_eq!(sender.try_send(8, usize::MAX), Err(Full));
    }
}
