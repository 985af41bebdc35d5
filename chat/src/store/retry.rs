//! Retries after contention: a deadlock or a lock timeout.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{FailureClass, StoreError};

/// Maximum number of tries.
const MAX_TRIES: u32 = 4;
/// No try starts later than this after the first.
const MAX_TOTAL: Duration = Duration::from_secs(5);
/// The pause before the second try. Each further one is four times as long.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts the tries of one operation.
pub(crate) struct Retry {
    made: u32,
    started: Instant,
}

impl Retry {
    /// To be created before the first try.
    pub(crate) fn new() -> Self {
        Self { made: 0, started: Instant::now() }
    }

    /// Waits and returns true if the operation may be tried again after `error`; returns false if not.
    pub(crate) async fn backoff(&mut self, error: &StoreError) -> bool {
        self.made += 1;
        let is_over = self.made >= MAX_TRIES || self.started.elapsed() >= MAX_TOTAL;
        if is_over || error.class() != FailureClass::Contention {
            return false;
        }
        sleep(pause(self.made, getrandom::u32().unwrap_or_default())).await;
        true
    }
}

/// A random duration between half of the pause and the whole (jitter), so that two conflicting transactions do not
/// meet again.
fn pause(made: u32, random: u32) -> Duration {
    let longest = PAUSE * 4_u32.saturating_pow(made.saturating_sub(1));
    longest / 2 + (longest / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        assert_eq!([pause(1, 0), pause(1, u32::MAX)], [PAUSE / 2, PAUSE]);
        assert_eq!([pause(3, 0), pause(3, u32::MAX)], [PAUSE * 8, PAUSE * 16]);
    }

    #[tokio::test]
    async fn only_contention_is_retried() {
        assert!(!Retry::new().backoff(&StoreError::Corrupt("a row")).await);
        assert!(!Retry::new().backoff(&sqlx::Error::PoolTimedOut.into()).await);
    }
}
