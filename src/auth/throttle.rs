//! Failed sign-ins, counted for each account and for each address, so that a
//! password cannot be guessed by trying; and the accounts made from each address, so
//! that nobody fills the place with them.
//!
//! What counts is what happened in the last five minutes. An attempt under way counts as
//! one that may count: a thousand at once get no more than a thousand in a row;
//! those that may yet be allowed wait. What is remembered is bounded, however many
//! names or addresses are tried: those least used are forgotten first.

use std::{
    collections::VecDeque,
    convert::Infallible,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chat::{
    model::{Code, Timestamp},
    service::{Clock, accounts::username_key},
};
use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::middleware::client::ClientAddr;

/// How long a failure or a new account counts.
const WINDOW: Duration = Duration::from_mins(5);
/// Accounts, and addresses, of which it is remembered.
const MAX_TRACKED: usize = 10_000;

/// How many may be, of each; `None`: any number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Failed sign-ins to one account.
    pub per_account: Option<u32>,
    /// Failed sign-ins from one address.
    pub per_address: Option<u32>,
    /// Accounts made from one address.
    pub sign_ups_per_address: Option<u32>,
    /// Refused sign-ups from one address: each may tell whether a name is taken.
    pub sign_up_failures_per_address: Option<u32>,
}

/// Too many: come back after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttled(pub Duration);

/// Counts failed sign-ins and new accounts.
pub struct Throttle {
    accounts: Option<AttemptCounters>,
    addresses: Option<AttemptCounters>,
    sign_ups: Option<AttemptCounters>,
    rejected_sign_ups: Option<AttemptCounters>,
    clock: Clock,
}

/// The counts of many, each under a hash of the name or address: what a stranger
/// sends takes the same room whatever its length.
struct AttemptCounters {
    limit: usize,
    hasher: RandomState,
    by_key: Cache<u64, Arc<AttemptCounter>>,
}

#[derive(Default)]
struct AttemptCounter {
    state: Mutex<AttemptState>,
    /// Something changed that those who wait want to know.
    changed: Notify,
}

#[derive(Default)]
struct AttemptState {
    /// Oldest first, none older than [`WINDOW`].
    counted: VecDeque<Timestamp>,
    in_flight: usize,
}

/// The right to one attempt. Dropping it gives the right back.
struct AttemptPermit {
    counter: Arc<AttemptCounter>,
    limit: usize,
}

impl Throttle {
    /// Counts by `clock`.
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            accounts: AttemptCounters::new(limits.per_account),
            addresses: AttemptCounters::new(limits.per_address),
            sign_ups: AttemptCounters::new(limits.sign_ups_per_address),
            rejected_sign_ups: AttemptCounters::new(limits.sign_up_failures_per_address),
            clock,
        }
    }

    /// Runs `sign_in` unless there were too many failures for this name or from this
    /// address; it counts as one if it says `no_active_account`.
    ///
    /// # Errors
    /// The outer one is [`Throttled`], and then `sign_in` did not run.
    pub async fn attempt<T>(
        &self,
        username: &str,
        from: ClientAddr,
        sign_in: impl Future<Output = chat::Result<T>>,
    ) -> Result<chat::Result<T>, Throttled> {
        let mut permits = Vec::with_capacity(2);
        // What is too long for a name is no account's: `sign_in` refuses it as soon as it has seen its length.
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

    /// Runs `make`, which makes an account, unless too many were made from this address, or rejected to it.
    ///
    /// # Errors
    /// The outer one is [`Throttled`], and then `make` did not run.
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
            // Listening starts before looking, so that no change falls between the two.
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
    /// A panic while the lock was held leaves numbers that are right enough.
    fn state(&self) -> MutexGuard<'_, AttemptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AttemptState {
    /// Takes the right to one attempt; false while that depends on others under way.
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
            // One place is free again, for one. After a failure it is not, and who is
            // woken waits again.
            self.counter.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
