//! Rate limit for typing and presence announcements: one per user, kind and interval, whatever the number of the
//! user's sockets. The latest signal that comes too early is delayed; it replaces an earlier delayed one.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::volatile::Slot;
use crate::model::{UserId, UserRef};

/// What a user's sockets announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UserSignal {
    Typing {
        user: UserRef,
        is_typing: bool,
    },
    /// The user may have joined or left; which one is determined when the signal is sent.
    Presence(UserId),
}

impl UserSignal {
    fn slot(&self) -> Slot {
        match self {
            Self::Typing { user, .. } => Slot::Typing(user.id),
            Self::Presence(user) => Slot::Presence(*user),
        }
    }
}

struct SlotState {
    free_at: Instant,
    waiting: Option<UserSignal>,
}

/// The limiter of one room on this node.
pub(super) struct SignalLimiter {
    /// Zero: no limit.
    interval: Duration,
    slots: HashMap<Slot, SlotState>,
}

impl SignalLimiter {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, slots: HashMap::new() }
    }

    /// Returns the signal if it may be sent now. Otherwise it is delayed, replacing an earlier one.
    pub(super) fn take(&mut self, signal: UserSignal, now: Instant) -> Option<UserSignal> {
        if self.interval.is_zero() {
            return Some(signal);
        }
        let free = SlotState { free_at: now, waiting: None };
        let state = self.slots.entry(signal.slot()).or_insert(free);
        if state.free_at > now {
            state.waiting = Some(signal);
            return None;
        }
        *state = SlotState { free_at: now + self.interval, waiting: None };
        Some(signal)
    }

    /// The delayed signals that may be sent now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<UserSignal> {
        let mut due = Vec::new();
        let interval = self.interval;
        self.slots.retain(|_, state| {
            if state.free_at > now {
                return true;
            }
            let signal = state.waiting.take();
            let goes_on = signal.is_some();
            due.extend(signal);
            state.free_at = now + interval;
            goes_on
        });
        due
    }

    /// Whether no signal is delayed and the next one of every user may be sent at once.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn typing(user: i64, is_typing: bool) -> UserSignal {
        UserSignal::Typing { user: UserRef { id: UserId(user), username: String::new() }, is_typing }
    }

    #[test]
    fn first_signal_is_sent_at_once_and_the_last_after_the_interval() {
        let (mut limiter, start) = (SignalLimiter::new(SECOND), Instant::now());
        assert_eq!(limiter.take(typing(1, true), start), Some(typing(1, true)));
        for number in 0..1_000 {
            assert_eq!(limiter.take(typing(1, number % 2 == 0), start + SECOND / 2), None);
        }
        assert_eq!(limiter.due(start + SECOND / 2), []);
        assert_eq!(limiter.due(start + SECOND), [typing(1, false)]);
        assert_eq!(limiter.take(typing(1, true), start + SECOND), None, "that was the state of this second");
        assert_eq!(limiter.due(start + 2 * SECOND), [typing(1, true)]);
        assert!(limiter.due(start + 3 * SECOND).is_empty() && limiter.is_empty(), "nothing is remembered");
    }

    #[test]
    fn each_user_and_kind_has_a_limit_of_its_own() {
        let (mut limiter, now) = (SignalLimiter::new(SECOND), Instant::now());
        for signal in [typing(1, true), typing(2, true), UserSignal::Presence(UserId(1))] {
            assert_eq!(limiter.take(signal.clone(), now), Some(signal));
        }
    }

    #[test]
    fn without_a_limit_everything_is_sent_at_once() {
        let (mut limiter, now) = (SignalLimiter::new(Duration::ZERO), Instant::now());
        for _ in 0..3 {
            assert!(limiter.take(typing(1, true), now).is_some());
        }
        assert!(limiter.is_empty());
    }
}
