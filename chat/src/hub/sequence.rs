//! Putting a room's stored changes in order, whoever tells of them.
//!
//! This node's own commits, other nodes' messages and the database itself all tell of changes,
//! in any order and more than once. Out comes each once, rising. A change whose predecessor
//! has not come is held back; if that one stays away, the database is asked, once for all
//! sockets of the room.

use std::collections::BTreeMap;

use super::Frame;

/// Changes held back at most, and their bytes. The database has what is not held.
const HELD: usize = 512;
const HELD_BYTES: usize = super::room::RING_BYTES;

/// Where a room is in its changes on this node.
#[derive(Default)]
pub(super) struct Sequence {
    /// Every change up to this one has gone out; `None` until the first listener knows.
    last: Option<i64>,
    /// The latest change that we know of.
    newest: i64,
    /// Later than `last + 1`.
    held: BTreeMap<i64, Frame>,
    held_bytes: usize,
    /// Somebody has been asked to fill the hole.
    is_asked: bool,
    /// Somebody is filling it. What comes meanwhile is held: what the database has may say of
    /// several changes only what became of them.
    is_filling: bool,
}

impl Sequence {
    /// The room was at change `rev` when its first listener came. Gives what goes out now.
    pub(super) fn start(&mut self, rev: i64) -> Vec<Frame> {
        self.last = Some(rev);
        self.newest = self.newest.max(rev);
        self.release()
    }

    /// Somebody tells of change `rev`. Gives what goes out now.
    pub(super) fn offer(&mut self, rev: i64, frame: Frame) -> Vec<Frame> {
        self.newest = self.newest.max(rev);
        if self.last.is_some_and(|last| rev == last + 1) && self.held.is_empty() && !self.is_filling {
            // Nearly always; without a detour.
            self.last = Some(rev);
            return vec![frame];
        }
        if self.last.is_none_or(|last| rev > last) {
            self.hold(rev, frame);
        }
        self.release()
    }

    /// The database is at change `rev`.
    pub(super) fn learn(&mut self, rev: i64) {
        self.newest = self.newest.max(rev);
    }

    /// Is it time to ask for a filling? At most one is under way.
    pub(super) fn must_ask(&mut self) -> bool {
        let must_ask = !self.is_asked && self.missing_after().is_some();
        self.is_asked |= must_ask;
        must_ask
    }

    /// Begins the filling that was asked for: after which change something is missing. `None`
    /// when it has come meanwhile.
    pub(super) fn begin_filling(&mut self) -> Option<i64> {
        let missing = self.missing_after();
        self.is_filling = missing.is_some();
        self.is_asked = missing.is_some();
        missing
    }

    /// The database has these changes, rising, among which others may have been overtaken by
    /// later ones of the same message. Gives what goes out now.
    pub(super) fn fill(&mut self, frames: impl IntoIterator<Item = (i64, Frame)>) -> Vec<Frame> {
        let mut out = Vec::new();
        for (rev, frame) in frames {
            if self.last.is_none_or(|last| rev > last) {
                self.last = Some(rev);
                self.newest = self.newest.max(rev);
                out.push(frame);
            }
        }
        out
    }

    /// The filling has ended, or was given up. Gives what goes out now.
    pub(super) fn end_filling(&mut self) -> Vec<Frame> {
        (self.is_filling, self.is_asked) = (false, false);
        self.release()
    }

    fn hold(&mut self, rev: i64, frame: Frame) {
        self.held_bytes += frame.bytes();
        if let Some(known) = self.held.insert(rev, frame) {
            self.held_bytes -= known.bytes();
        }
        while (self.held.len() > HELD || self.held_bytes > HELD_BYTES)
            && let Some((_, last)) = self.held.pop_last()
        {
            self.held_bytes -= last.bytes();
        }
    }

    fn missing_after(&self) -> Option<i64> {
        self.last.filter(|last| self.newest > *last)
    }

    /// What is held and follows.
    fn release(&mut self) -> Vec<Frame> {
        let mut out = Vec::new();
        let Some(mut last) = self.last.filter(|_| !self.is_filling) else { return out };
        while let Some(first) = self.held.first_entry() {
            if *first.key() > last + 1 {
                break;
            }
            let (rev, frame) = first.remove_entry();
            self.held_bytes -= frame.bytes();
            if rev > last {
                last = rev;
                out.push(frame);
            }
        }
        self.last = Some(last);
        out
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::Audience, *};

    fn frame(rev: i64) -> Frame {
        Frame::serialised(Bytes::from(rev.to_string()), Some(rev), Audience::Everyone)
    }

    fn at(rev: i64) -> Sequence {
        let mut sequence = Sequence::default();
        assert!(sequence.start(rev).is_empty());
        sequence
    }

    fn revs(out: &[Frame]) -> Vec<i64> {
        out.iter().filter_map(|frame| frame.rev).collect()
    }

    #[test]
    fn what_comes_in_order_goes_out_at_once() {
        let mut sequence = at(4);
        for rev in 5..8 {
            assert_eq!(revs(&sequence.offer(rev, frame(rev))), [rev]);
            assert!(!sequence.must_ask());
        }
    }

    #[test]
    fn what_was_told_before_is_dropped() {
        let mut sequence = at(4);
        assert_eq!(revs(&sequence.offer(5, frame(5))), [5]);
        for rev in [3, 4, 5] {
            assert!(sequence.offer(rev, frame(rev)).is_empty());
        }
    }

    #[test]
    fn what_comes_too_early_waits_for_its_predecessor() {
        let mut sequence = at(0);
        assert!(sequence.offer(3, frame(3)).is_empty());
        assert!(sequence.offer(2, frame(2)).is_empty());
        assert_eq!(sequence.missing_after(), Some(0));
        assert_eq!(revs(&sequence.offer(1, frame(1))), [1, 2, 3]);
        assert_eq!(sequence.missing_after(), None);
    }

    #[test]
    fn a_hole_is_asked_about_once_and_filled_for_all() {
        let mut sequence = at(10);
        sequence.offer(14, frame(14));
        assert!(sequence.must_ask() && !sequence.must_ask());
        assert_eq!(sequence.begin_filling(), Some(10));
        // What comes meanwhile waits, even what would fit.
        for rev in [15, 11] {
            assert!(sequence.offer(rev, frame(rev)).is_empty());
        }
        // 11 was overtaken by a later change of its message.
        assert_eq!(revs(&sequence.fill([12, 13].map(|rev| (rev, frame(rev))))), [12, 13]);
        assert_eq!(revs(&sequence.end_filling()), [14, 15]);
        assert!(!sequence.must_ask());
        sequence.learn(16);
        assert!(sequence.must_ask(), "the database knows more");
    }

    #[test]
    fn a_hole_that_closed_by_itself_is_not_filled() {
        let mut sequence = at(0);
        sequence.offer(2, frame(2));
        assert!(sequence.must_ask());
        assert_eq!(revs(&sequence.offer(1, frame(1))), [1, 2]);
        assert_eq!(sequence.begin_filling(), None);
        sequence.offer(4, frame(4));
        assert!(sequence.must_ask(), "the next hole is asked about anew");
    }

    #[test]
    fn before_the_first_listener_knows_where_the_room_is_everything_waits() {
        let mut sequence = Sequence::default();
        assert!(sequence.offer(7, frame(7)).is_empty());
        assert!(sequence.offer(8, frame(8)).is_empty());
        assert!(!sequence.must_ask());
        assert_eq!(revs(&sequence.start(7)), [8]);
        assert_eq!(revs(&sequence.offer(9, frame(9))), [9]);
    }

    #[test]
    fn what_is_held_is_bounded_in_bytes() {
        let mut sequence = at(0);
        for rev in 2..500 {
            let json = Bytes::from(vec![b' '; 60 * 1024]);
            sequence.offer(rev, Frame::serialised(json, Some(rev), Audience::Everyone));
        }
        assert!(sequence.held_bytes <= HELD_BYTES && sequence.held.len() >= HELD_BYTES / (60 * 1024));
        let out = sequence.offer(1, frame(1));
        assert!(revs(&out).iter().zip(1..).all(|(rev, expected)| *rev == expected), "the earliest are kept");
        assert_eq!((sequence.held_bytes, out.len()), (0, HELD_BYTES / (60 * 1024) + 1));
    }

    #[test]
    fn whatever_the_order_each_change_goes_out_once_and_rising() {
        let mut state = 0x2545_f491_u64;
        let mut random = |below: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from(state >> 33).unwrap_or_default() % below
        };
        let mut sequence = at(0);
        let mut out = Vec::new();
        for _ in 0..20_000 {
            let rev = sequence.last.unwrap_or_default() + random(9) - 2;
            out.extend(sequence.offer(rev.max(1), frame(rev.max(1))));
            match random(8) {
                0 if !sequence.is_filling => drop(sequence.begin_filling()),
                1 if sequence.is_filling => {
                    let after = sequence.last.unwrap_or_default();
                    let upto = (after + random(4)).min(sequence.newest);
                    out.extend(sequence.fill((after + 1..=upto).map(|rev| (rev, frame(rev)))));
                    out.extend(sequence.end_filling());
                }
                _ => {}
            }
        }
        let revs = revs(&out);
        assert!(revs.len() > 1_000);
        assert!(revs.iter().zip(1..).all(|(rev, expected)| *rev == expected), "a hole or a repeat");
    }
}
