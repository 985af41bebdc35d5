//! Limits failed sign-ins by account and by address, against guessing of passwords, and sign-ups by address, against
//! mass creation of accounts.
//!
//! A sliding window of five minutes counts. An attempt in progress counts as one that may fail, so that concurrent
//! attempts get no more tries than consecutive ones; attempts that may yet be allowed wait. The number of tracked
//! accounts and addresses is bounded: the least used are evicted first.

use std::{
    collections::VecDeque,
    convert::Infallible,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chat::{
    clock::Clock,
    model::{Code, Timestamp},
    rules::account::username_key,
};
use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::middleware::client::ClientAddr;

/// The length of the window.
const WINDOW: Duration = Duration::from_mins(5);
/// The number of accounts, and of addresses, that are tracked.
const MAX_TRACKED: usize = 10_000;

/// The limits within [`WINDOW`]. `None`: no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Failed sign-ins per account.
    pub per_account: Option<u32>,
    /// Failed sign-ins per address.
    pub per_address: Option<u32>,
    /// Accounts created per address.
    pub sign_ups_per_address: Option<u32>,
    /// Rejected sign-ups per address. Each may reveal whether a username is taken.
    pub sign_up_failures_per_address: Option<u32>,
}

/// The limit is reached. Holds the time after which another attempt is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled(pub Duration);

/// Counts failed sign-ins and sign-ups.
pub struct Throttle {
    accounts: Option<AttemptCounters>,
    addresses: Option<AttemptCounters>,
    sign_ups: Option<AttemptCounters>,
    rejected_sign_ups: Option<AttemptCounters>,
    clock: Clock,
}

/// Counters by the hash of a username or address. With a hash, long input takes no more memory.
struct AttemptCounters {
    limit: usize,
    hasher: RandomState,
    by_key: Cache<u64, Arc<AttemptCounter>>,
}

#[derive(Default)]
struct AttemptCounter {
    state: Mutex<AttemptState>,
    /// Notified when a waiting attempt may proceed.
    changed: Notify,
}

#[derive(Default)]
struct AttemptState {
    /// Times of the counted attempts, oldest first, none older than [`WINDOW`].
    counted: VecDeque<Timestamp>,
    in_flight: usize,
}

/// A permit for one attempt, released when it is dropped.
struct AttemptPermit {
    counter: Arc<AttemptCounter>,
    limit: usize,
}

impl Throttle {
    /// A throttle that takes the time from `clock`.
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            accounts: AttemptCounters::new(limits.per_account),
            addresses: AttemptCounters::new(limits.per_address),
            sign_ups: AttemptCounters::new(limits.sign_ups_per_address),
            rejected_sign_ups: AttemptCounters::new(limits.sign_up_failures_per_address),
            clock,
        }
    }

    /// Runs `sign_in` unless there were too many failures for this username or address. It counts as a failure if it
    /// returns `no_active_account`.
    ///
    /// # Errors
    /// The outer error is [`Throttled`]: `sign_in` did not run.
    pub async fn attempt<T>(
        &self,
        username: &str,
        from: ClientAddr,
        sign_in: impl Future<Output = chat::Result<T>>,
    ) -> Result<chat::Result<T>, Throttled> {
        let mut permits = Vec::with_capacity(2);
        // No account has such a name: `sign_in` rejects it without checking a password.
        if let (Some(accounts), Some(key)) = (&self.accounts, username_key(username)) {
            permits.push(accounts.acquire(&key, &self.clock).await?);
        }
        if let Some(addresses) = &self.addresses {
            permits.push(addresses.acquire(&from.throttle_key(), &self.clock).await?);
        }
        let result = sign_in.await;
        if matches!(&result, Err(error) if error.code() == Code::NoActiveAccount) {
            let now = self.clock.now();
            for permit in &permits {
                permit.counter.state().counted.push_back(now);
            }
        }
        Ok(result)
    }

    /// Runs `make`, which creates an account, unless too many were created from this address or rejected.
    ///
    /// # Errors
    /// The outer error is [`Throttled`]: `make` did not run.
    pub async fn sign_up<T>(
        &self,
        from: ClientAddr,
        make: impl Future<Output = chat::Result<T>>,
    ) -> Result<chat::Result<T>, Throttled> {
        let key = from.throttle_key();
        let accepted = acquire_from(self.sign_ups.as_ref(), &key, &self.clock).await?;
        let rejected = acquire_from(self.rejected_sign_ups.as_ref(), &key, &self.clock).await?;
        let result = make.await;
        let counted = match &result {
            Ok(_) => accepted.as_ref(),
            Err(error) => rejected.as_ref().filter(|_| error.code() == Code::Invalid),
        };
        if let Some(permit) = counted {
            permit.counter.state().counted.push_back(self.clock.now());
        }
        Ok(result)
    }
}

async fn acquire_from(
    counters: Option<&AttemptCounters>,
    key: &impl Hash,
    clock: &Clock,
) -> Result<Option<AttemptPermit>, Throttled> {
    match counters {
        Some(counters) => counters.acquire(key, clock).await.map(Some),
        None => Ok(None),
    }
}

impl AttemptCounters {
    fn new(limit: Option<u32>) -> Option<Self> {
        let limit = usize::try_from(limit?).unwrap_or(usize::MAX);
        Some(Self { limit, hasher: RandomState::new(), by_key: Cache::new(MAX_TRACKED) })
    }

    async fn acquire(&self, key: &impl Hash, clock: &Clock) -> Result<AttemptPermit, Throttled> {
        let key = self.hasher.hash_one(key);
        let Ok(counter) =
            self.by_key.get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::<AttemptCounter>::default()));
        loop {
            // Created before the check, so that a change in between is not missed.
            let changed = counter.changed.notified();
            if counter.state().acquire(self.limit, clock.now())? {
                break;
            }
            changed.await;
        }
        Ok(AttemptPermit { counter, limit: self.limit })
    }
}

impl AttemptCounter {
    /// After a panic of another holder the counts are still usable.
    fn state(&self) -> MutexGuard<'_, AttemptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AttemptState {
    /// Takes a permit. False while the result depends on other attempts in progress.
    fn acquire(&mut self, limit: usize, now: Timestamp) -> Result<bool, Throttled> {
        let window = i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX);
        while self.counted.front().is_some_and(|at| at.plus_micros(window) <= now) {
            self.counted.pop_front();
        }
        if self.counted.len() >= limit {
            let first = self.counted.front().map_or(now, |at| at.plus_micros(window));
            return Err(Throttled(Duration::from_micros(u64::try_from(first.0 - now.0).unwrap_or(0))));
        }
        let is_free = self.counted.len() + self.in_flight < limit;
        self.in_flight += usize::from(is_free);
        Ok(is_free)
    }
}

impl Drop for AttemptPermit {
    fn drop(&mut self) {
        let mut state = self.counter.state();
        state.in_flight -= 1;
        let is_over = state.counted.len() >= self.limit;
        drop(state);
        if is_over {
            self.counter.changed.notify_waiters();
        } else {
            // At most one permit became free. If the attempt failed, none did, and the woken task waits again.
            self.counter.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
