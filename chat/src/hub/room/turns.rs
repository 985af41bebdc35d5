//! When the signals of a room's people may go out: of each user and kind one in a given time, whatever the
//! number of their sockets. The latest of those that come too early waits its turn; the others are not sent.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::volatile::Slot;
use crate::model::{UserId, UserRef};

/// What a user's sockets here announce of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// They began or ceased to type.
    Typing { user: UserRef, is_typing: bool },
    /// They may have come or gone; which, is seen when it is their turn.
    Presence(UserId),
}

impl Signal {
    fn slot(&self) -> Slot {
        match self {
            Self::Typing { user, .. } => Slot::Typing(user.id),
            Self::Presence(user) => Slot::Presence(*user),
        }
    }
}

struct Turn {
    free_at: Instant,
    waiting: Option<Signal>,
}

/// The turns of a room's people on this node.
pub(super) struct Turns {
    /// Zero: everything goes out at once.
    interval: Duration,
    of: HashMap<Slot, Turn>,
}

impl Turns {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, of: HashMap::new() }
    }

    /// Gives the signal back if it may go out now; else it waits, in place of an earlier one.
    pub(super) fn take(&mut self, signal: Signal, now: Instant) -> Option<Signal> {
        if self.interval.is_zero() {
            return Some(signal);
        }
        let free = Turn { free_at: now, waiting: None };
        let turn = self.of.entry(signal.slot()).or_insert(free);
        if turn.free_at > now {
            turn.waiting = Some(signal);
            return None;
        }
        *turn = Turn { free_at: now + self.interval, waiting: None };
        Some(signal)
    }

    /// The signals whose turn has come.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Signal> {
        let mut due = Vec::new();
        let interval = self.interval;
        self.of.retain(|_, turn| {
            if turn.free_at > now {
                return true;
            }
            let signal = turn.waiting.take();
            let goes_on = signal.is_some();
            due.extend(signal);
            turn.free_at = now + interval;
            goes_on
        });
        due
    }

    /// Does nobody wait, and has nobody to wait who comes now?
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn typing(user: i64, is_typing: bool) -> Signal {
        Signal::Typing { user: UserRef { id: UserId(user), username: String::new() }, is_typing }
    }

    #[test]
    fn the_first_goes_at_once_and_of_the_rest_the_last_when_its_turn_has_come() {
        let (mut turns, start) = (Turns::new(SECOND), Instant::now());
        assert_eq!(turns.take(typing(1, true), start), Some(typing(1, true)));
        for number in 0..1_000 {
            assert_eq!(turns.take(typing(1, number % 2 == 0), start + SECOND / 2), None);
        }
        assert_eq!(turns.due(start + SECOND / 2), []);
        assert_eq!(turns.due(start + SECOND), [typing(1, false)]);
        assert_eq!(turns.take(typing(1, true), start + SECOND), None, "that was the turn of this second");
        assert_eq!(turns.due(start + 2 * SECOND), [typing(1, true)]);
        assert!(turns.due(start + 3 * SECOND).is_empty() && turns.is_empty(), "nothing is remembered");
    }

    #[test]
    fn each_user_and_kind_has_turns_of_its_own() {
        let (mut turns, now) = (Turns::new(SECOND), Instant::now());
        for signal in [typing(1, true), typing(2, true), Signal::Presence(UserId(1))] {
            assert_eq!(turns.take(signal.clone(), now), Some(signal));
        }
    }

    #[test]
    fn without_a_limit_everything_goes_at_once() {
        let (mut turns, now) = (Turns::new(Duration::ZERO), Instant::now());
        for _ in 0..3 {
            assert!(turns.take(typing(1, true), now).is_some());
        }
        assert!(turns.is_empty());
    }
}
