//! Puts a room's stored changes in order.
//!
//! Changes arrive from this node's own commits, from other nodes and from the database, in any order and possibly
//! repeated. Each is released once, in order of `rev`. A change after a gap is held back. If the missing ones do not
//! arrive, they are read from the database, once for all sockets of the room (gap backfill).

use std::collections::BTreeMap;

use crate::event::StoredChange;

/// Limits for the changes held back, in number and bytes. What is dropped can be read from the database.
const HELD: usize = 512;
const HELD_BYTES: usize = 4 * 1024 * 1024;

/// The position of a room's stream on this node.
#[derive(Default)]
pub(super) struct Sequence {
    /// All changes up to this one were released; `None` until the first subscription has read the counters.
    last: Option<i64>,
    /// The latest change known to exist.
    newest: i64,
    /// Changes later than `last + 1`.
    held: BTreeMap<i64, StoredChange>,
    held_bytes: usize,
    /// A backfill was requested.
    is_backfill_requested: bool,
    /// A backfill is running. New changes are held meanwhile: the database has only the latest change of each
    /// message.
    is_backfilling: bool,
}

impl Sequence {
    /// Starts after change `rev`. Returns the changes to release.
    pub(super) fn start(&mut self, rev: i64) -> Vec<StoredChange> {
        self.last = Some(rev);
        self.newest = self.newest.max(rev);
        self.take_ready()
    }

    /// Takes in a change. Returns the changes to release.
    pub(super) fn offer(&mut self, change: StoredChange) -> Vec<StoredChange> {
        let rev = change.rev;
        self.newest = self.newest.max(rev);
        if self.last.is_some_and(|last| rev == last + 1) && self.held.is_empty() && !self.is_backfilling {
            // The common case.
            self.last = Some(rev);
            return vec![change];
        }
        if self.last.is_none_or(|last| rev > last) {
            self.hold(change);
        }
        self.take_ready()
    }

    /// The database has changes up to `rev`.
    pub(super) fn observe(&mut self, rev: i64) {
        self.newest = self.newest.max(rev);
    }

    /// Whether to request a backfill now. At most one is requested at a time.
    pub(super) fn needs_backfill(&mut self) -> bool {
        let needs_backfill = !self.is_backfill_requested && self.gap_after().is_some();
        self.is_backfill_requested |= needs_backfill;
        needs_backfill
    }

    /// Begins the requested backfill. Returns the change after which the gap begins; `None` if the gap has closed
    /// meanwhile.
    pub(super) fn begin_backfill(&mut self) -> Option<i64> {
        let missing = self.gap_after();
        self.is_backfilling = missing.is_some();
        self.is_backfill_requested = missing.is_some();
        missing
    }

    /// Takes in the changes read from the database, ordered by `rev`. Some may be absent, superseded by a later
    /// change of the same message. Returns the changes to release.
    pub(super) fn backfill(&mut self, changes: impl IntoIterator<Item = StoredChange>) -> Vec<StoredChange> {
        let mut out = Vec::new();
        for change in changes {
            if self.last.is_none_or(|last| change.rev > last) {
                self.last = Some(change.rev);
                self.newest = self.newest.max(change.rev);
                out.push(change);
            }
        }
        out
    }

    /// The backfill is complete up to `head`: the numbers up to it that were not found are superseded.
    pub(super) fn complete_backfill(&mut self, head: i64) {
        self.last = self.last.map(|last| last.max(head));
    }

    /// The backfill has ended or failed. Returns the changes to release.
    pub(super) fn end_backfill(&mut self) -> Vec<StoredChange> {
        (self.is_backfilling, self.is_backfill_requested) = (false, false);
        self.take_ready()
    }

    fn hold(&mut self, change: StoredChange) {
        self.held_bytes += change.bytes();
        if let Some(known) = self.held.insert(change.rev, change) {
            self.held_bytes -= known.bytes();
        }
        while (self.held.len() > HELD || self.held_bytes > HELD_BYTES)
            && let Some((_, last)) = self.held.pop_last()
        {
            self.held_bytes -= last.bytes();
        }
    }

    fn gap_after(&self) -> Option<i64> {
        self.last.filter(|last| self.newest > *last)
    }

    /// The held changes that are next in order.
    fn take_ready(&mut self) -> Vec<StoredChange> {
        let mut out = Vec::new();
        let Some(mut last) = self.last.filter(|_| !self.is_backfilling) else { return out };
        while let Some(first) = self.held.first_entry() {
            if *first.key() > last + 1 {
                break;
            }
            let (rev, change) = first.remove_entry();
            self.held_bytes -= change.bytes();
            if rev > last {
                last = rev;
                out.push(change);
            }
        }
        self.last = Some(last);
        out
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::ChangeKind;

    fn change(rev: i64) -> StoredChange {
        StoredChange { rev, json: Bytes::from(rev.to_string()), kind: ChangeKind::MessageChanged }
    }

    fn at(rev: i64) -> Sequence {
        let mut sequence = Sequence::default();
        assert!(sequence.start(rev).is_empty());
        sequence
    }

    fn revs(out: &[StoredChange]) -> Vec<i64> {
        out.iter().map(|change| change.rev).collect()
    }

    #[test]
    fn changes_in_order_are_released_at_once() {
        let mut sequence = at(4);
        for rev in 5..8 {
            assert_eq!(revs(&sequence.offer(change(rev))), [rev]);
            assert!(!sequence.needs_backfill());
        }
    }

    #[test]
    fn repeated_changes_are_dropped() {
        let mut sequence = at(4);
        assert_eq!(revs(&sequence.offer(change(5))), [5]);
        for rev in [3, 4, 5] {
            assert!(sequence.offer(change(rev)).is_empty());
        }
    }

    #[test]
    fn early_change_is_held_until_its_predecessor_arrives() {
        let mut sequence = at(0);
        assert!(sequence.offer(change(3)).is_empty());
        assert!(sequence.offer(change(2)).is_empty());
        assert_eq!(sequence.gap_after(), Some(0));
        assert_eq!(revs(&sequence.offer(change(1))), [1, 2, 3]);
        assert_eq!(sequence.gap_after(), None);
    }

    #[test]
    fn gap_is_requested_once_and_backfilled() {
        let mut sequence = at(10);
        sequence.offer(change(14));
        assert!(sequence.needs_backfill() && !sequence.needs_backfill());
        assert_eq!(sequence.begin_backfill(), Some(10));
        // Changes are held during a backfill, even the next in order.
        for rev in [15, 11] {
            assert!(sequence.offer(change(rev)).is_empty());
        }
        // 11 was superseded by a later change of its message, and the row of 14 is gone.
        assert_eq!(revs(&sequence.backfill([12, 13].map(change))), [12, 13]);
        sequence.complete_backfill(14);
        assert_eq!(revs(&sequence.end_backfill()), [15]);
        assert!(!sequence.needs_backfill());
        sequence.observe(16);
        assert!(sequence.needs_backfill(), "the database knows more");
    }

    #[test]
    fn gap_that_closed_by_itself_is_not_backfilled() {
        let mut sequence = at(0);
        sequence.offer(change(2));
        assert!(sequence.needs_backfill());
        assert_eq!(revs(&sequence.offer(change(1))), [1, 2]);
        assert_eq!(sequence.begin_backfill(), None);
        sequence.offer(change(4));
        assert!(sequence.needs_backfill(), "the next gap is requested too");
    }

    #[test]
    fn changes_are_held_until_the_sequence_starts() {
        let mut sequence = Sequence::default();
        assert!(sequence.offer(change(7)).is_empty());
        assert!(sequence.offer(change(8)).is_empty());
        assert!(!sequence.needs_backfill());
        assert_eq!(revs(&sequence.start(7)), [8]);
        assert_eq!(revs(&sequence.offer(change(9))), [9]);
    }

    #[test]
    fn held_changes_are_bounded_in_bytes() {
        let mut sequence = at(0);
        for rev in 2..500 {
            let json = Bytes::from(vec![b' '; 60 * 1024]);
            sequence.offer(StoredChange { rev, json, kind: ChangeKind::MessageChanged });
        }
        assert!(sequence.held_bytes <= HELD_BYTES && sequence.held.len() >= HELD_BYTES / (60 * 1024));
        let out = sequence.offer(change(1));
        assert!(revs(&out).iter().zip(1..).all(|(rev, expected)| *rev == expected), "the earliest are kept");
        assert_eq!((sequence.held_bytes, out.len()), (0, HELD_BYTES / (60 * 1024) + 1));
    }

    #[test]
    fn every_change_is_released_once_and_in_order() {
        let mut state = 0x2545_f491_u64;
        let mut random = |below: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from(state >> 33).unwrap_or_default() % below
        };
        let mut sequence = at(0);
        let mut out = Vec::new();
        for _ in 0..20_000 {
            let rev = sequence.last.unwrap_or_default() + random(9) - 2;
            out.extend(sequence.offer(change(rev.max(1))));
            match random(8) {
                0 if !sequence.is_backfilling => drop(sequence.begin_backfill()),
                1 if sequence.is_backfilling => {
                    let after = sequence.last.unwrap_or_default();
                    let upto = (after + random(4)).min(sequence.newest);
                    out.extend(sequence.backfill((after + 1..=upto).map(change)));
                    out.extend(sequence.end_backfill());
                }
                _ => {}
            }
        }
        let revs = revs(&out);
        assert!(revs.len() > 1_000);
        assert!(revs.iter().zip(1..).all(|(rev, expected)| *rev == expected), "a gap or a repeat");
    }
}
