//! Rate limits per user, over all transports: REST, sockets, server functions.
//!
//! The costs are one table, [`Cost`]. Every write charges the user with [`Limits::charge`] before anything else. Each
//! node counts for itself.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::Settings;
use crate::{
    clock::Clock,
    error::{Error, Result},
    model::{Timestamp, UserId},
};

/// `retry_after` for a socket above the limit.
const SOCKET_RETRY: Duration = Duration::from_secs(10);
/// Subscriptions that a user may make per second, and in a burst: the full number on two sockets that reconnect.
const SUBSCRIPTIONS_PER_SECOND: u32 = 20;
const SUBSCRIPTION_BURST: u32 = 400;
/// Number of users kept before idle ones are removed.
const REMEMBERED: usize = 10_000;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What is limited, and by which setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Sending, editing or deleting a message: `writes_per_second`.
    Write,
    /// Creating, joining, changing or deleting a room, inviting, changing or removing a member, changing one's
    /// profile: `acts_per_minute`, whether or not it is permitted. Leaving costs nothing.
    Act,
    /// Marking messages or notifications as read: `read_marks_per_second`.
    ReadMark,
    /// Creating a room, in addition to [`Self::Act`]: `rooms_per_day`.
    NewRoom,
    /// Subscribing to a room, which reads the database. Not a setting; off with `writes_per_second`.
    Subscription,
    /// Inviting a user who shares no room with the inviter, in addition to [`Self::Act`]: `invitations_per_hour`.
    Invitation,
}

/// The limits of this node.
pub(super) struct Limits {
    writes: RateLimit,
    acts: RateLimit,
    read_marks: RateLimit,
    subscriptions: RateLimit,
    new_rooms: SlidingWindow,
    invitations: SlidingWindow,
    clock: Clock,
    sockets: Arc<Mutex<HashMap<UserId, usize>>>,
    sockets_per_user: usize,
}

/// Counts an open socket of its user until it is dropped.
pub(super) struct SocketPermit {
    sockets: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Limits {
    pub(super) fn new(settings: &Settings, clock: Clock) -> Self {
        Self {
            writes: RateLimit::new(settings.writes_per_second, settings.write_burst, Quota::per_second),
            acts: RateLimit::new(settings.acts_per_minute, settings.act_burst, Quota::per_minute),
            read_marks: RateLimit::new(
                settings.read_marks_per_second,
                settings.read_mark_burst,
                Quota::per_second,
            ),
            subscriptions: RateLimit::new(
                settings.writes_per_second.min(1) * SUBSCRIPTIONS_PER_SECOND,
                SUBSCRIPTION_BURST,
                Quota::per_second,
            ),
            new_rooms: SlidingWindow::new(settings.rooms_per_day, DAY),
            invitations: SlidingWindow::new(settings.invitations_per_hour, HOUR),
            clock,
            sockets: Arc::default(),
            sockets_per_user: settings.sockets_per_user,
        }
    }

    /// Charges `user`.
    ///
    /// # Errors
    /// [`Error::Throttled`] above the limit; nothing is charged then.
    pub(super) fn charge(&self, user: UserId, cost: Cost) -> Result<()> {
        match cost {
            Cost::Write => self.writes.charge(user),
            Cost::Act => self.acts.charge(user),
            Cost::ReadMark => self.read_marks.charge(user),
            Cost::Subscription => self.subscriptions.charge(user),
            Cost::NewRoom => self.new_rooms.charge(user, self.clock.now()),
            Cost::Invitation => self.invitations.charge(user, self.clock.now()),
        }
    }

    /// Whether invitations are limited. If not, the query for shared rooms can be skipped.
    pub(super) fn counts_invitations(&self) -> bool {
        self.invitations.limit > 0
    }

    /// Counts an open socket of `user`.
    pub(super) fn open_socket(&self, user: UserId) -> Result<SocketPermit> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sockets.entry(user).or_default();
        if self.sockets_per_user > 0 && *open >= self.sockets_per_user {
            return Err(Error::Throttled { retry_after: SOCKET_RETRY });
        }
        *open += 1;
        Ok(SocketPermit { sockets: Arc::clone(&self.sockets), user })
    }
}

/// A rate with a burst.
struct RateLimit(Option<DefaultKeyedRateLimiter<UserId>>);

impl RateLimit {
    /// 0 for either means no limit.
    fn new(rate: u32, burst: u32, quota: impl FnOnce(NonZeroU32) -> Quota) -> Self {
        let limits = NonZeroU32::new(rate).zip(NonZeroU32::new(burst));
        Self(limits.map(|(rate, burst)| RateLimiter::keyed(quota(rate).allow_burst(burst))))
    }

    fn charge(&self, user: UserId) -> Result<()> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&user).map_err(|not_until| {
            let retry_after = not_until.wait_time_from(limiter.clock().now());
            Error::Throttled { retry_after }
        })
    }
}

/// At most `limit` events in any period of `length`.
struct SlidingWindow {
    /// 0: no limit.
    limit: usize,
    length: Duration,
    /// The times of each user's events, oldest first.
    users: Mutex<HashMap<UserId, VecDeque<Timestamp>>>,
}

impl SlidingWindow {
    fn new(limit: u32, length: Duration) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), length, users: Mutex::default() }
    }

    fn charge(&self, user: UserId, now: Timestamp) -> Result<()> {
        if self.limit == 0 {
            return Ok(());
        }
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        let mut users = self.users();
        if users.len() > REMEMBERED && !users.contains_key(&user) {
            users.retain(|_, times| times.back().is_some_and(|at| at.plus_micros(length) > now));
        }
        let times = users.entry(user).or_default();
        while times.front().is_some_and(|at| at.plus_micros(length) <= now) {
            times.pop_front();
        }
        if times.len() < self.limit {
            times.push_back(now);
            return Ok(());
        }
        let free_at = times.front().map_or(now, |at| at.plus_micros(length));
        let wait = u64::try_from(free_at.0.saturating_sub(now.0)).unwrap_or_default();
        Err(Error::Throttled { retry_after: Duration::from_micros(wait) })
    }

    /// A panic under the lock leaves counts that are accurate enough.
    fn users(&self) -> MutexGuard<'_, HashMap<UserId, VecDeque<Timestamp>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SocketPermit {
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

    const ALL: [Cost; 6] =
        [Cost::Write, Cost::Act, Cost::ReadMark, Cost::Subscription, Cost::NewRoom, Cost::Invitation];

    /// A burst of three of each.
    fn three_of_each() -> Settings {
        Settings {
            writes_per_second: 1,
            write_burst: 3,
            acts_per_minute: 1,
            act_burst: 3,
            read_marks_per_second: 1,
            read_mark_burst: 3,
            rooms_per_day: 3,
            invitations_per_hour: 3,
            ..Settings::default()
        }
    }

    fn wait(limits: &Limits, user: UserId, cost: Cost) -> Option<Duration> {
        match limits.charge(user, cost) {
            Ok(()) => None,
            Err(Error::Throttled { retry_after }) => Some(retry_after),
            Err(other) => panic!("unexpected {other}"),
        }
    }

    #[test]
    fn requests_above_the_limit_are_throttled() {
        let limits = Limits::new(&three_of_each(), Clock::fixed(Timestamp(0)));
        for cost in ALL {
            let burst = if cost == Cost::Subscription { SUBSCRIPTION_BURST } else { 3 };
            for _ in 0..burst {
                assert_eq!(wait(&limits, UserId(1), cost), None, "{cost:?} is within its limit");
            }
            let most = match cost {
                Cost::Write | Cost::ReadMark => Duration::from_secs(1),
                Cost::Subscription => Duration::from_secs(1) / SUBSCRIPTIONS_PER_SECOND,
                Cost::Act => Duration::from_mins(1),
                Cost::Invitation => HOUR,
                Cost::NewRoom => DAY,
            };
            let retry_after = wait(&limits, UserId(1), cost).expect("beyond it");
            assert!(retry_after > most / 2 && retry_after <= most, "{cost:?}: {retry_after:?}");
            assert_eq!(wait(&limits, UserId(2), cost), None, "another user has a limit of their own");
        }
    }

    #[test]
    fn sliding_window_frees_up_when_the_first_event_expires() {
        let clock = Clock::fixed(Timestamp(0));
        let limits = Limits::new(&three_of_each(), clock.clone());
        let minute = 60_000_000;
        for _ in 0..3 {
            assert_eq!(wait(&limits, UserId(1), Cost::Invitation), None);
            clock.advance(minute);
        }
        assert_eq!(wait(&limits, UserId(1), Cost::Invitation), Some(Duration::from_mins(57)));
        clock.advance(57 * minute);
        assert_eq!(wait(&limits, UserId(1), Cost::Invitation), None);
        assert_eq!(wait(&limits, UserId(1), Cost::Invitation), Some(Duration::from_mins(1)));
    }

    #[test]
    fn zero_turns_a_limit_off() {
        let off = Settings {
            writes_per_second: 0,
            acts_per_minute: 0,
            read_mark_burst: 0,
            rooms_per_day: 0,
            invitations_per_hour: 0,
            sockets_per_user: 0,
            ..three_of_each()
        };
        let limits = Limits::new(&off, Clock::fixed(Timestamp(0)));
        for cost in ALL.repeat(1_000) {
            limits.charge(UserId(1), cost).expect("no limit");
        }
        let permits: Vec<_> = (0..1_000).map(|_| limits.open_socket(UserId(1)).expect("no limit")).collect();
        assert_eq!(permits.len(), 1_000);
        assert!(!limits.counts_invitations());
    }

    #[test]
    fn closed_socket_returns_its_permit() {
        let settings = Settings { sockets_per_user: 2, ..Settings::default() };
        let limits = Limits::new(&settings, Clock::fixed(Timestamp(0)));
        let first = limits.open_socket(UserId(1)).expect("one");
        let _second = limits.open_socket(UserId(1)).expect("two");
        assert!(limits.open_socket(UserId(1)).is_err());
        drop(first);
        assert!(limits.open_socket(UserId(1)).is_ok());
    }
}
