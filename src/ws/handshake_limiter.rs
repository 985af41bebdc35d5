//! Limits concurrent handshakes.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Handshakes that use the database at the same time: enough to keep it busy.
const CONCURRENT_HANDSHAKES: usize = 8;

/// Limits concurrent handshakes. After a restart thousands of clients reconnect at once. If they all waited for a
/// database connection from the pool, they would time out and reconnect again and again, and API calls would wait
/// behind them.
#[derive(Clone, Debug)]
pub struct HandshakeLimiter(Arc<Semaphore>);

impl Default for HandshakeLimiter {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CONCURRENT_HANDSHAKES)))
    }
}

impl HandshakeLimiter {
    /// Waits for a permit. Never hold it while waiting for the client.
    pub async fn acquire(&self) -> Option<SemaphorePermit<'_>> {
        // `None` only if the semaphore were closed, which never happens.
        self.0.acquire().await.ok()
    }
}
