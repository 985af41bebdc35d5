//! Delay before the next reconnect.

use std::time::Duration;

const FIRST_MS: u64 = 400;
const LONGEST_MS: u64 = 20_000;

/// The delay after `failures` consecutive failures: exponential, between 50 % and 100 % of the full delay. `jitter`,
/// from 0 to 1, is the jitter that spreads the tabs which a server's restart has disconnected.
pub fn wait(failures: u32, jitter: f64) -> Duration {
    let full = FIRST_MS.saturating_mul(1 << failures.min(10)).min(LONGEST_MS);
    Duration::from_millis(full).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_grows_to_a_limit_with_jitter() {
        assert_eq!(wait(0, 0.0), Duration::from_millis(200));
        assert_eq!(wait(0, 1.0), Duration::from_millis(400));
        assert_eq!(wait(2, 1.0), Duration::from_millis(1_600));
        assert_eq!(wait(u32::MAX, 1.0), Duration::from_secs(20));
    }
}
