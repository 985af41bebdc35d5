//! Offers new events to a room's readers.
//!
//! One task does this for the whole room. If every socket's own task did, a message to a hundred sockets would wake a
//! hundred tasks on all cores, which costs more than the writes themselves. It is neither the writer, which would make
//! other rooms wait, nor the request that stored the message, which may be dropped half way.

use std::sync::Arc;

use tokio::{runtime::Handle, task::yield_now};

use super::{Ring, batch::Batch, reader::Reader};

/// Readers that are served before other tasks get a turn.
const CHUNK: usize = 64;

/// Starts the task. It ends when all events were offered.
pub(super) fn start(ring: &Arc<Ring>) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(publish(Arc::clone(ring)))),
        // Without a runtime there are no tasks to be fair to.
        Err(_) => {
            while let Some((batch, readers)) = ring.next_batch() {
                ring.release(offer(ring, &batch, &readers));
            }
        }
    }
}

/// Lets the next event start another task if this one panics. Readers that were not offered an event then are behind the
/// next one, and read both.
struct Publishing(Arc<Ring>);

impl Drop for Publishing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop_publishing();
        }
    }
}

async fn publish(ring: Arc<Ring>) {
    let publishing = Publishing(ring);
    let ring = &publishing.0;
    while let Some((batch, readers)) = ring.next_batch() {
        let mut unread = batch.end();
        let mut chunks = readers.chunks(CHUNK).peekable();
        while let Some(chunk) = chunks.next() {
            unread = unread.min(offer(ring, &batch, chunk));
            if chunks.peek().is_some() {
                yield_now().await;
            }
        }
        ring.release(unread);
    }
}

/// Offers the events to these readers. Returns the lowest number that one of them has not read.
fn offer(ring: &Ring, batch: &Batch, readers: &[Arc<Reader>]) -> u64 {
    let unread = readers.iter().map(|reader| reader.offer(batch, &ring.behind)).min();
    unread.unwrap_or(u64::MAX).min(batch.end())
}
