//! The unread counter of one room in a notification session: arithmetic on `seq`, and the rate at which the client is
//! notified. It uses neither hub nor database.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    model::Role,
    store::reads::{ReadPosition, unread},
};

/// Minimum time between two counts of one room. The first is sent at once, and the last always.
pub(super) const NOTIFY_INTERVAL: Duration = Duration::from_millis(250);

/// The unread counter of a room, and what the client was notified of.
#[derive(Debug)]
pub(super) struct UnreadCounter {
    role: Role,
    /// The newest message counted.
    seq: i64,
    /// The oldest message of the history.
    first_seq: i64,
    read: i64,
    own: i64,
    /// The newest message that the client was notified of, or that existed when the session opened.
    notified_seq: i64,
    has_gap: bool,
    notified: Option<i64>,
    notified_at: Option<Instant>,
}

/// The result of counting a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It was counted before, or existed when the session opened.
    Already,
    /// It is the next one.
    Next {
        /// Whether it is by another user and unread.
        is_unread: bool,
    },
    /// A message before it was missed.
    Gap,
}

/// When to notify the client of the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notify {
    /// Not at all: the client has it.
    Nothing,
    /// Now, with this count.
    Now(i64),
    /// At this time, with the count as of then.
    At(Instant),
}

impl UnreadCounter {
    /// A room that the client does not have yet.
    pub(super) fn new(reading: &ReadPosition) -> Self {
        Self {
            role: reading.role,
            seq: reading.seq,
            first_seq: reading.first_seq,
            read: reading.read,
            own: reading.own,
            notified_seq: reading.seq,
            has_gap: false,
            notified: None,
            notified_at: None,
        }
    }

    /// A room that the client has and assumes to be read.
    pub(super) fn assumed_read(reading: &ReadPosition) -> Self {
        Self { notified: Some(0), ..Self::new(reading) }
    }

    /// The number of unread messages of other users.
    pub(super) fn unread(&self) -> i64 {
        unread(self.seq, self.first_seq, self.read, self.own)
    }

    /// The `seq` up to which the user has read.
    pub(super) fn read(&self) -> i64 {
        self.read
    }

    /// Counts the current number as notified, and returns it.
    pub(super) fn set_notified(&mut self) -> i64 {
        self.notified = Some(self.unread());
        self.unread()
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Counts the message with this `seq`, unless it was counted before.
    pub(super) fn count(&mut self, seq: i64, is_own: bool) -> Counted {
        if seq <= self.notified_seq {
            return Counted::Already;
        }
        if seq > self.notified_seq + 1 {
            return Counted::Gap;
        }
        self.notified_seq = seq;
        if seq > self.seq {
            self.seq = seq;
            self.own += i64::from(is_own);
        }
        Counted::Next { is_unread: !is_own && seq > self.read }
    }

    /// Takes over the state read from the database. Messages included in it are not counted again.
    pub(super) fn update(&mut self, reading: &ReadPosition) {
        self.role = reading.role;
        self.seq = reading.seq;
        self.first_seq = reading.first_seq;
        self.read = reading.read;
        self.own = reading.own;
    }

    /// Messages were missed.
    pub(super) fn mark_gap(&mut self) {
        self.has_gap = true;
    }

    /// The messages missed by the time of `reading`: `above < seq <= upto`.
    pub(super) fn gap(&self, reading: &ReadPosition) -> Option<(i64, i64)> {
        (self.has_gap && reading.seq > self.notified_seq).then_some((self.notified_seq, reading.seq))
    }

    /// Like [`Self::update`]; the client was notified of the messages in [`Self::gap`].
    pub(super) fn close_gap(&mut self, reading: &ReadPosition) {
        if self.has_gap {
            self.notified_seq = self.notified_seq.max(reading.seq);
            self.has_gap = false;
        }
        self.update(reading);
    }

    /// Whether to notify the client now; [`Notify::Now`] counts as notified.
    pub(super) fn notify(&mut self, now: Instant) -> Notify {
        let unread = self.unread();
        if self.notified == Some(unread) {
            return Notify::Nothing;
        }
        match self.notified_at.map(|at| at + NOTIFY_INTERVAL) {
            Some(at) if now < at => Notify::At(at),
            Some(_) | None => {
                self.notified = Some(unread);
                self.notified_at = Some(now);
                Notify::Now(unread)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    fn reading(seq: i64, read: i64, own: i64) -> ReadPosition {
        ReadPosition {
            room: RoomId(1),
            role: Role::Member,
            seq,
            first_seq: 1,
            read,
            own,
            rev: seq,
            info_rev: 0,
            user_rev: 0,
        }
    }

    #[test]
    fn only_messages_of_others_are_counted() {
        let mut counter = UnreadCounter::new(&reading(3, 3, 0));
        assert_eq!(counter.count(4, false), Counted::Next { is_unread: true });
        assert_eq!(counter.count(5, true), Counted::Next { is_unread: false });
        assert_eq!(counter.unread(), 1);
    }

    #[test]
    fn event_after_its_database_read_is_not_counted_again() {
        let mut counter = UnreadCounter::new(&reading(3, 0, 0));
        counter.close_gap(&reading(5, 4, 0));
        assert_eq!(counter.count(4, false), Counted::Next { is_unread: false }, "notified once, but read");
        assert_eq!(counter.count(5, false), Counted::Next { is_unread: true }, "notified once, and not read");
        assert_eq!(counter.count(5, false), Counted::Already);
        assert_eq!(counter.unread(), 1);
    }

    #[test]
    fn missed_message_is_detected_with_the_next() {
        let mut counter = UnreadCounter::new(&reading(3, 3, 0));
        assert_eq!(counter.count(5, false), Counted::Gap);
        counter.mark_gap();
        assert_eq!(counter.gap(&reading(6, 3, 1)), Some((3, 6)));
        counter.close_gap(&reading(6, 3, 1));
        assert_eq!((counter.unread(), counter.count(6, false)), (2, Counted::Already));
        assert_eq!(counter.gap(&reading(7, 3, 1)), None);
    }

    #[test]
    fn first_count_is_sent_at_once_the_next_after_the_interval_and_an_equal_one_never() {
        let mut counter = UnreadCounter::assumed_read(&reading(3, 3, 0));
        let start = Instant::now();
        assert_eq!(counter.notify(start), Notify::Nothing);
        counter.count(4, false);
        assert_eq!(counter.notify(start), Notify::Now(1));
        counter.count(5, false);
        assert_eq!(counter.notify(start), Notify::At(start + NOTIFY_INTERVAL));
        counter.count(6, false);
        assert_eq!(counter.notify(start + NOTIFY_INTERVAL), Notify::Now(3));
        assert_eq!(counter.notify(start + NOTIFY_INTERVAL), Notify::Nothing);
        counter.count(7, false);
        counter.update(&reading(7, 4, 0));
        assert_eq!(counter.notify(start + NOTIFY_INTERVAL), Notify::Nothing, "as many unread as before");
    }
}
