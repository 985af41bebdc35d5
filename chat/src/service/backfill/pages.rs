//! Cuts what was missed into pages.

use std::collections::VecDeque;

/// Limits of a page in changes and bytes of text. A larger message has a page of its own.
const PAGE_CHANGES: usize = 32;
const PAGE_BYTES: i64 = 64 * 1024;
/// Approximate size of a change without text, in bytes.
const CHANGE_BYTES: i64 = 256;

/// A missed change that is not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// A new message.
    New { rev: i64, seq: i64, bytes: i64 },
    /// An edited or deleted message.
    Changed { rev: i64, bytes: i64 },
    /// A membership.
    Member { rev: i64 },
    /// Many memberships, summed up.
    Members { rev: i64 },
    /// The room itself.
    Room { rev: i64 },
    /// More messages were missed than are sent.
    Resync { rev: i64 },
}

impl Position {
    /// The change's number in the room's stream.
    pub(super) fn number(&self) -> i64 {
        match self {
            Self::New { rev, .. }
            | Self::Changed { rev, .. }
            | Self::Member { rev }
            | Self::Members { rev }
            | Self::Room { rev }
            | Self::Resync { rev } => *rev,
        }
    }

    fn bytes(&self) -> i64 {
        match self {
            Self::New { bytes, .. } | Self::Changed { bytes, .. } => *bytes,
            Self::Member { .. } | Self::Members { .. } | Self::Room { .. } | Self::Resync { .. } => {
                CHANGE_BYTES
            }
        }
    }
}

/// A range of numbers: `after < number <= upto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) after: i64,
    pub(super) upto: i64,
}

impl Span {
    fn add(&mut self, number: i64) {
        if self.upto == 0 {
            self.after = number - 1;
        }
        self.upto = number;
    }

    /// The range; `None` if it is empty.
    pub(super) fn range(self) -> Option<Self> {
        (self.upto > 0).then_some(self)
    }
}

/// What one page contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// New messages, by `seq`.
    pub(super) new: Span,
    /// Changed messages, by `rev`.
    pub(super) changed: Span,
    /// Memberships, by `rev`.
    pub(super) members: Span,
    /// The number of the frame that sums up memberships.
    pub(super) member_sum: Option<i64>,
    /// The room itself.
    pub(super) has_room: bool,
    /// The number of the frame that tells that more messages were missed than are sent.
    pub(super) resync: Option<i64>,
}

impl Page {
    fn add(&mut self, position: Position) {
        match position {
            Position::New { seq, .. } => self.new.add(seq),
            Position::Changed { rev, .. } => self.changed.add(rev),
            Position::Member { rev } => self.members.add(rev),
            Position::Members { rev } => self.member_sum = Some(rev),
            Position::Room { .. } => self.has_room = true,
            Position::Resync { rev } => self.resync = Some(rev),
        }
    }
}

/// Cuts the positions, ordered by number, into pages.
pub(super) fn pages(positions: &[Position]) -> VecDeque<Page> {
    let (mut pages, mut page) = (VecDeque::new(), Page::default());
    let (mut changes, mut bytes) = (0, 0);
    for position in positions {
        if changes == PAGE_CHANGES || (changes > 0 && bytes + position.bytes() > PAGE_BYTES) {
            pages.push_back(std::mem::take(&mut page));
            (changes, bytes) = (0, 0);
        }
        changes += 1;
        bytes += position.bytes();
        page.add(*position);
    }
    if changes > 0 {
        pages.push_back(page);
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded_and_contain_each_number_once() {
        let new = (1..=100).map(|seq| Position::New { rev: 10 + 2 * seq, seq, bytes: 10 });
        let changed = (1..=25).map(|n| Position::Changed { rev: 11 + 8 * n, bytes: 10 });
        let members = (1..=25).map(|n| Position::Member { rev: 13 + 8 * n });
        let mut positions: Vec<Position> = new.chain(changed).chain(members).collect();
        positions.sort_by_key(Position::number);
        let pages = pages(&positions);
        assert_eq!(pages.len(), 5, "150 changes, 32 each");
        let (mut seq, mut rev, mut member) = (0, 0, 0);
        for page in &pages {
            for (span, last) in [(page.new, &mut seq), (page.changed, &mut rev), (page.members, &mut member)]
            {
                if let Some(Span { after, upto }) = span.range() {
                    assert!(after >= *last && upto > after, "{pages:?}");
                    *last = upto;
                }
            }
        }
        assert_eq!((seq, rev, member), (100, 211, 213));
    }

    #[test]
    fn large_message_has_its_own_page() {
        let sizes = [10, PAGE_BYTES * 2, 10, 10, PAGE_BYTES - 10, PAGE_BYTES - 20];
        let new: Vec<Position> =
            (1..).zip(sizes).map(|(seq, bytes)| Position::New { rev: seq, seq, bytes }).collect();
        let spans: Vec<(i64, i64)> = pages(&new).iter().map(|page| (page.new.after, page.new.upto)).collect();
        assert_eq!(spans, [(0, 1), (1, 2), (2, 4), (4, 5), (5, 6)]);
        assert!(pages(&[]).is_empty());
    }
}
