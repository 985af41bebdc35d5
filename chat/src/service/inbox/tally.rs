//! One room's count in a socket for notifications: arithmetic on places, and the pace at
//! which a client is told. It knows neither hub nor database.

use std::time::Duration;

use tokio::time::Instant;

use crate::{model::Role, store::reads::ReadPosition};

/// Between two counts of one room. The first is told at once and the last always; of those
/// between, four a second are enough for a person.
pub(super) const PACE: Duration = Duration::from_millis(250);

/// How much of a room is unread, and what of it the client was told.
#[derive(Debug)]
pub(super) struct Tally {
    role: Role,
    /// The newest message that is counted.
    seq: i64,
    read: i64,
    own: i64,
    /// The newest message that the client was told of, or that was there before it.
    noticed: i64,
    has_hole: bool,
    told: Option<i64>,
    told_at: Option<Instant>,
}

/// What a message that was heard of is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was told before, or was there before the client.
    Before,
    /// The next one.
    Next {
        /// Is it somebody else's, and not read?
        is_unread: bool,
    },
    /// One before it was not heard of.
    Hole,
}

/// When to tell the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    /// It knows.
    Nothing,
    /// This count, now.
    Now(i64),
    /// Whatever the count is then.
    At(Instant),
}

impl Tally {
    /// A room that the client does not know of.
    pub(super) fn new(reading: &ReadPosition) -> Self {
        Self {
            role: reading.role,
            seq: reading.seq,
            read: reading.read,
            own: reading.own,
            noticed: reading.seq,
            has_hole: false,
            told: None,
            told_at: None,
        }
    }

    /// A room that the client knows of, and takes for read.
    pub(super) fn known(reading: &ReadPosition) -> Self {
        Self { told: Some(0), ..Self::new(reading) }
    }

    /// Messages of others that were not read.
    pub(super) fn unread(&self) -> i64 {
        (self.seq - self.read - self.own).max(0)
    }

    /// The user's role.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Counts the message at place `seq`, unless it was counted.
    pub(super) fn hear(&mut self, seq: i64, is_own: bool) -> Heard {
        if seq <= self.noticed {
            return Heard::Before;
        }
        if seq > self.noticed + 1 {
            return Heard::Hole;
        }
        self.noticed = seq;
        if seq > self.seq {
            self.seq = seq;
            self.own += i64::from(is_own);
        }
        Heard::Next { is_unread: !is_own && seq > self.read }
    }

    /// Takes over where the user is; what is heard of later and counted in it is not
    /// counted again.
    pub(super) fn update(&mut self, reading: &ReadPosition) {
        self.role = reading.role;
        self.seq = reading.seq;
        self.read = reading.read;
        self.own = reading.own;
    }

    /// Something was not heard.
    pub(super) fn miss(&mut self) {
        self.has_hole = true;
    }

    /// What was not heard by the time of `reading`: `above < seq <= upto`.
    pub(super) fn missed(&self, reading: &ReadPosition) -> Option<(i64, i64)> {
        (self.has_hole && reading.seq > self.noticed).then_some((self.noticed, reading.seq))
    }

    /// As [`Self::update`], and what was [`Self::missed`] by then has been told.
    pub(super) fn fill(&mut self, reading: &ReadPosition) {
        if self.has_hole {
            self.noticed = self.noticed.max(reading.seq);
            self.has_hole = false;
        }
        self.update(reading);
    }

    /// Whether the client is to be told now; with [`Tell::Now`] it counts as told.
    pub(super) fn tell(&mut self, now: Instant) -> Tell {
        let unread = self.unread();
        if self.told == Some(unread) {
            return Tell::Nothing;
        }
        match self.told_at.map(|at| at + PACE) {
            Some(moment) if now < moment => Tell::At(moment),
            Some(_) | None => {
                self.told = Some(unread);
                self.told_at = Some(now);
                Tell::Now(unread)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    fn reading(seq: i64, read: i64, own: i64) -> ReadPosition {
        ReadPosition { room: RoomId(1), role: Role::Member, seq, read, own, rev: seq, access_rev: 0 }
    }

    #[test]
    fn messages_of_others_count_and_ones_own_do_not() {
        let mut tally = Tally::new(&reading(3, 3, 0));
        assert_eq!(tally.hear(4, false), Heard::Next { is_unread: true });
        assert_eq!(tally.hear(5, true), Heard::Next { is_unread: false });
        assert_eq!(tally.unread(), 1);
    }

    #[test]
    fn what_is_heard_after_it_was_read_from_the_database_is_not_counted_again() {
        let mut tally = Tally::new(&reading(3, 0, 0));
        tally.fill(&reading(5, 4, 0));
        assert_eq!(tally.hear(4, false), Heard::Next { is_unread: false }, "told once, but read");
        assert_eq!(tally.hear(5, false), Heard::Next { is_unread: true }, "told once, and not read");
        assert_eq!(tally.hear(5, false), Heard::Before);
        assert_eq!(tally.unread(), 1);
    }

    #[test]
    fn a_message_that_was_not_heard_shows_with_the_next() {
        let mut tally = Tally::new(&reading(3, 3, 0));
        assert_eq!(tally.hear(5, false), Heard::Hole);
        tally.miss();
        assert_eq!(tally.missed(&reading(6, 3, 1)), Some((3, 6)));
        tally.fill(&reading(6, 3, 1));
        assert_eq!((tally.unread(), tally.hear(6, false)), (2, Heard::Before));
        assert_eq!(tally.missed(&reading(7, 3, 1)), None);
    }

    #[test]
    fn the_first_count_is_told_at_once_the_next_in_its_time_and_the_same_never() {
        let mut tally = Tally::known(&reading(3, 3, 0));
        let start = Instant::now();
        assert_eq!(tally.tell(start), Tell::Nothing);
        tally.hear(4, false);
        assert_eq!(tally.tell(start), Tell::Now(1));
        tally.hear(5, false);
        assert_eq!(tally.tell(start), Tell::At(start + PACE));
        tally.hear(6, false);
        assert_eq!(tally.tell(start + PACE), Tell::Now(3));
        assert_eq!(tally.tell(start + PACE), Tell::Nothing);
        tally.hear(7, false);
        tally.update(&reading(7, 4, 0));
        assert_eq!(tally.tell(start + PACE), Tell::Nothing, "as many unread as before");
    }
}
