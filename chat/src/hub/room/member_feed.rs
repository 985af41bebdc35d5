//! Limits how many membership changes of a room its sockets receive.
//!
//! In a second, the first few are sent one by one. Those after them are summed up in one `members_changed` frame, which
//! is sent before the next change of another kind, so that numbers rise, or when the second is over. The user concerned
//! always receives their own change.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    event::{Audience, ChangeKind, Event, MemberNotice, StoredChange},
    model::{RoomId, ServerFrame},
};

/// Membership changes sent one by one in each [`WINDOW`].
const SINGLE_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// The membership changes of a room that were not sent one by one, and the rate at which they come.
pub(super) struct MemberFeed {
    room: RoomId,
    window_start: Option<Instant>,
    sent: u32,
    /// The last change that was not sent to everyone: its number, and the number of members after it.
    summed: Option<(i64, i64)>,
}

impl MemberFeed {
    pub(super) fn new(room: RoomId) -> Self {
        Self { room, window_start: None, sent: 0, summed: None }
    }

    /// Takes in the next change of the room. Returns the events to send, in order.
    pub(super) fn pass(&mut self, change: StoredChange, now: Instant) -> Vec<Event> {
        let ChangeKind::Member(member) = change.kind else {
            let mut events: Vec<Event> = self.flush().into_iter().collect();
            let closes = match change.kind {
                ChangeKind::Room { closes } => closes,
                _ => None,
            };
            let rev = change.rev;
            events.push(Event::Frame(change.into_frame(Audience::Everyone)));
            events.extend(closes.map(|code| Event::Close { user: None, code, rev }));
            return events;
        };
        let mut events = Vec::new();
        if self.window_start.is_none_or(|start| now.duration_since(start) >= WINDOW) {
            events.extend(self.flush());
            (self.window_start, self.sent) = (Some(now), 0);
        }
        let audience = if self.sent < SINGLE_MAX {
            self.sent += 1;
            Audience::Everyone
        } else {
            self.summed = Some((change.rev, member.member_count));
            Audience::Only(member.user)
        };
        let rev = change.rev;
        events.push(Event::Frame(change.into_frame(audience)));
        let MemberNotice { user, closes, .. } = member;
        events.extend(closes.map(|code| Event::Close { user: Some(user), code, rev }));
        events
    }

    /// Whether a sum waits to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        self.summed.is_some()
    }

    /// The sum, if the second is over.
    pub(super) fn due(&mut self, now: Instant) -> Option<Event> {
        let is_over = self.window_start.is_none_or(|start| now.duration_since(start) >= WINDOW);
        if is_over { self.flush() } else { None }
    }

    fn flush(&mut self) -> Option<Event> {
        let (rev, member_count) = self.summed.take()?;
        let frame = ServerFrame::MembersChanged { room_id: self.room, member_count, rev };
        // The kind has no further meaning here.
        let change = StoredChange::new(&frame, rev, ChangeKind::MessageChanged)?;
        Some(Event::Frame(change.into_frame(Audience::Everyone)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::{Code, UserId};

    fn joined(rev: i64) -> StoredChange {
        let notice = MemberNotice { user: UserId(rev), member_count: rev, closes: None };
        StoredChange { rev, json: Bytes::from_static(b"joined"), kind: ChangeKind::Member(notice) }
    }

    fn message(rev: i64) -> StoredChange {
        StoredChange { rev, json: Bytes::from_static(b"message"), kind: ChangeKind::MessageChanged }
    }

    /// The numbers of the frames for a user whom none of the changes concern.
    fn seen(events: &[Event]) -> Vec<i64> {
        let frames = events.iter().filter_map(|event| match event {
            Event::Frame(frame) if frame.audience.includes(UserId(0)) => frame.rev,
            Event::Frame(_) | Event::Close { .. } => None,
        });
        frames.collect()
    }

    #[test]
    fn many_changes_in_a_second_are_summed_up() {
        let (mut feed, now) = (MemberFeed::new(RoomId(1)), Instant::now());
        let mut events: Vec<Event> = (1..=100).flat_map(|rev| feed.pass(joined(rev), now)).collect();
        assert_eq!(seen(&events), (1..=10).collect::<Vec<_>>());
        let own = events.iter().filter(
            |event| matches!(event, Event::Frame(frame) if frame.audience == Audience::Only(UserId(50))),
        );
        assert_eq!(own.count(), 1, "the user concerned receives the change");
        assert!(feed.is_waiting() && feed.due(now).is_none());
        events = feed.due(now + WINDOW).into_iter().collect();
        assert_eq!(seen(&events), [100]);
        assert!(!feed.is_waiting());
        assert_eq!(seen(&feed.pass(joined(101), now + WINDOW)), [101]);
    }

    #[test]
    fn a_sum_is_sent_before_a_change_of_another_kind() {
        let (mut feed, now) = (MemberFeed::new(RoomId(1)), Instant::now());
        (1..=20).for_each(|rev| drop(feed.pass(joined(rev), now)));
        assert_eq!(seen(&feed.pass(message(21), now)), [20, 21]);
        assert!(feed.pass(joined(22), now).len() == 1 && feed.is_waiting(), "still the same second");
    }

    #[test]
    fn a_lost_membership_closes_the_sockets_right_after_its_frame() {
        let (mut feed, now) = (MemberFeed::new(RoomId(1)), Instant::now());
        for rev in 1..=30 {
            let notice = MemberNotice { user: UserId(7), member_count: 1, closes: Some(Code::Banned) };
            let change = StoredChange { rev, json: Bytes::new(), kind: ChangeKind::Member(notice) };
            let events = feed.pass(change, now);
            assert!(matches!(
                events[..],
                [Event::Frame(_), Event::Close { user: Some(UserId(7)), code: Code::Banned, .. }]
            ));
        }
        let deleted = ChangeKind::Room { closes: Some(Code::NotFound) };
        let events = feed.pass(StoredChange { rev: 31, json: Bytes::new(), kind: deleted }, now);
        assert!(matches!(events.last(), Some(Event::Close { user: None, code: Code::NotFound, .. })));
        assert_eq!(seen(&events), [30, 31]);
    }
}
