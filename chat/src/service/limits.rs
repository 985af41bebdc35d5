//! How fast one user may go, whichever door they use.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::Settings;
use crate::{
    error::{Error, Result},
    model::UserId,
};

/// How long a socket beyond the limit should wait before the next try.
const SOCKET_RETRY: Duration = Duration::from_secs(10);
/// Users remembered before those who have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// The limits of this node.
pub(super) struct Limits {
    writes: Option<DefaultKeyedRateLimiter<UserId>>,
    sockets: Arc<Mutex<HashMap<UserId, usize>>>,
    sockets_per_user: usize,
}

/// A socket that counts against its user's limit until it is dropped.
pub(super) struct SocketPlace {
    sockets: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        let rate = NonZeroU32::new(settings.writes_per_second);
        let burst = NonZeroU32::new(settings.write_burst);
        let writes = match (rate, burst) {
            (Some(rate), Some(burst)) => Some(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))),
            _ => None,
        };
        Self { writes, sockets: Arc::default(), sockets_per_user: settings.sockets_per_user }
    }

    /// Counts one message of `user`.
    pub(super) fn write(&self, user: UserId) -> Result<()> {
        let Some(writes) = &self.writes else { return Ok(()) };
        if writes.len() > REMEMBERED {
            writes.retain_recent();
        }
        writes.check_key(&user).map_err(|not_until| {
            let retry_after = not_until.wait_time_from(writes.clock().now());
            Error::Throttled { retry_after }
        })
    }

    /// Counts one socket of `user`.
    pub(super) fn open_socket(&self, user: UserId) -> Result<SocketPlace> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sockets.entry(user).or_default();
        if self.sockets_per_user > 0 && *open >= self.sockets_per_user {
            return Err(Error::Throttled { retry_after: SOCKET_RETRY });
        }
        *open += 1;
        Ok(SocketPlace { sockets: Arc::clone(&self.sockets), user })
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = sockets.get_mut(&self.user) {
            *open -= 1;
            if *open == 0 {
                sockets.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(writes_per_second: u32, write_burst: u32, sockets_per_user: usize) -> Limits {
        Limits::new(&Settings { writes_per_second, write_burst, sockets_per_user, ..Settings::default() })
    }

    #[test]
    fn a_burst_passes_and_what_is_more_is_told_to_wait() {
        let limits = limits(1, 3, 0);
        for _ in 0..3 {
            limits.write(UserId(1)).expect("within the burst");
        }
        let refused = limits.write(UserId(1)).expect_err("beyond it");
        assert!(matches!(refused, Error::Throttled { retry_after } if retry_after <= Duration::from_secs(1)));
        limits.write(UserId(2)).expect("another user has a burst of their own");
    }

    #[test]
    fn zero_turns_a_limit_off() {
        let limits = limits(0, 3, 0);
        for _ in 0..1_000 {
            limits.write(UserId(1)).expect("no limit");
        }
        let places: Vec<_> = (0..1_000).map(|_| limits.open_socket(UserId(1)).expect("no limit")).collect();
        assert_eq!(places.len(), 1_000);
    }

    #[test]
    fn a_closed_socket_gives_its_place_back() {
        let limits = limits(0, 0, 2);
        let first = limits.open_socket(UserId(1)).expect("one");
        let _second = limits.open_socket(UserId(1)).expect("two");
        assert!(limits.open_socket(UserId(1)).is_err());
        drop(first);
        assert!(limits.open_socket(UserId(1)).is_ok());
    }
}
