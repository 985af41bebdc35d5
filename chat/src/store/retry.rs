//! Trying again what met contention: a deadlock, or a lock that was not to be had.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{FailureClass, StoreError};

/// Tries of one piece of work.
const TRIES: u32 = 4;
/// No try begins later than this after the first.
const IN_ALL: Duration = Duration::from_secs(5);
/// The pause before the second try; each further one is four times as long.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts the tries of one piece of work.
pub(crate) struct Tries {
    made: u32,
    started: Instant,
}

impl Tries {
    /// Before the first try.
    pub(crate) fn new() -> Self {
        Self { made: 0, started: Instant::now() }
    }

    /// After a try that failed: if the same may succeed now, waits for a moment and is true.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        self.made += 1;
        let is_over = self.made >= TRIES || self.started.elapsed() >= IN_ALL;
        if is_over || error.class() != FailureClass::Contention {
            return false;
        }
        sleep(pause(self.made, getrandom::u32().unwrap_or_default())).await;
        true
    }
}

/// Between half of the pause and the whole: two that met once must not meet again.
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
    async fn what_is_no_contention_is_not_tried_again() {
        assert!(!Tries::new().again(&StoreError::Corrupt("a row")).await);
        assert!(!Tries::new().again(&sqlx::Error::PoolTimedOut.into()).await);
    }
}
