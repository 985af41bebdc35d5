//! A queue bounded by the number of its entries and by their bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The queue has no room for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The sending half.
pub(crate) struct Sender<T> {
    sender: mpsc::Sender<(T, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
}

/// The receiving half.
pub(crate) struct Receiver<T>(mpsc::Receiver<(T, OwnedSemaphorePermit)>);

/// A queue of so many entries and so many bytes at most.
pub(crate) fn bounded<T>(entries: usize, bytes: u32) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(entries);
    let bytes = usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS);
    (Sender { sender, bytes: Arc::new(Semaphore::new(bytes)) }, Receiver(receiver))
}

impl<T> Sender<T> {
    /// Queues an entry that holds so many bytes.
    ///
    /// # Errors
    /// [`Full`], also when nobody receives any more.
    pub(crate) fn try_send(&self, entry: T, bytes: usize) -> Result<(), Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| Full)?;
        self.sender.try_send((entry, permit)).map_err(|_| Full)
    }
}

impl<T> Receiver<T> {
    /// The next entry; `None` when nobody sends any more. Cancel-safe.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        self.0.recv().await.map(|(entry, _)| entry)
    }

    /// The next entry if it is there already.
    pub(crate) fn try_recv(&mut self) -> Option<T> {
        self.0.try_recv().ok().map(|(entry, _)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_full_by_number_or_by_bytes_and_has_room_again_when_something_is_taken() {
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
