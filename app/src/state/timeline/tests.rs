//! Behaviour of the timeline.

use std::ops::RangeInclusive;

use chat::model::{Code, MessagePermissions, MessageType, Timestamp};

use super::*;
use crate::state::outbox::{UnsentMessage, tests::unsent};

const NOON: i64 = 1_769_342_400_000_000; // 2026-01-25T12:00:00Z
const MINUTE: i64 = 60 * 1_000_000;
/// No message.
const NONE: RangeInclusive<i64> = RangeInclusive::new(1, 0);

fn user(id: i64, name: &str) -> User {
    User { id: UserId(id), username: name.into(), first_name: String::new(), last_name: String::new() }
}

fn me() -> User {
    user(1, "ann")
}

fn message(id: i64, sender: &User, minute: i64) -> RoomMessage {
    RoomMessage {
        id: MessageId(id),
        sender: sender.clone(),
        message_type: MessageType::Text,
        content: format!("m{id}"),
        file_url: None,
        file_name: None,
        file_size: None,
        is_edited: false,
        is_deleted: false,
        reply_to: None,
        timestamp: Timestamp(NOON + minute * MINUTE),
        created_at: Timestamp(NOON + minute * MINUTE),
        client_id: None,
    }
}

fn mine() -> UnsentMessage {
    UnsentMessage { content: "mine".into(), ..unsent("c1", 1, NOON) }
}

fn echo(id: i64, client_id: &str) -> RoomMessage {
    let mut echo = message(id, &me(), 10);
    echo.client_id = Some(client_id.into());
    echo
}

fn texts(timeline: &Timeline) -> Vec<String> {
    let rows = timeline.keys().into_iter().filter_map(|key| timeline.row(key, Zone::UTC));
    rows.map(|row| row.message.content.clone()).collect()
}

fn bob() -> User {
    user(2, "bob")
}

fn window(ids: RangeInclusive<i64>, has_earlier: bool, has_later: bool) -> HistoryWindow {
    HistoryWindow {
        messages: ids.map(|id| message(id, &bob(), id)).collect(),
        has_earlier,
        has_later,
        quoted: Vec::new(),
        last_read: None,
        rev: 0,
        rights: MessagePermissions::default(),
        mentioned: Vec::new(),
    }
}

fn shown(ids: RangeInclusive<i64>) -> Timeline {
    Timeline::new(me(), window(ids, true, false))
}

fn row(timeline: &Timeline, key: RowKey) -> Row {
    timeline.row(key, Zone::UTC).expect("shown")
}

fn ends(timeline: &Timeline) -> (i64, i64, usize) {
    let id = |id: Option<MessageId>| id.unwrap_or_default().0;
    (id(timeline.first_id()), id(timeline.last_id()), timeline.keys().len())
}

#[test]
fn rows_are_oldest_first() {
    let timeline = shown(4..=6);
    assert_eq!(texts(&timeline), ["m4", "m5", "m6"]);
    assert_eq!((timeline.first_id(), timeline.last_id()), (Some(MessageId(4)), Some(MessageId(6))));
}

#[test]
fn prepended_page_drops_its_overlap() {
    let mut timeline = shown(4..=6);
    timeline.prepend(window(2..=4, false, true));
    assert_eq!(texts(&timeline), ["m2", "m3", "m4", "m5", "m6"]);
    assert!(!timeline.has_earlier());
}

#[test]
fn duplicate_message_is_shown_once_and_a_late_one_in_order() {
    let mut timeline = shown(1..=2);
    assert!(timeline.receive(message(5, &bob(), 5)));
    assert!(timeline.receive(message(4, &bob(), 4)));
    assert!(!timeline.receive(message(5, &bob(), 5)));
    assert_eq!(texts(&timeline), ["m1", "m2", "m4", "m5"]);
}

#[test]
fn pending_message_keeps_its_key_when_confirmed() {
    let mut timeline = shown(1..=1);
    assert!(timeline.add_pending(&unsent("c1", 1, NOON)));
    assert!(!timeline.add_pending(&unsent("c1", 1, NOON)), "shown already");
    let key = timeline.keys()[1];
    assert_eq!(timeline.row(key, Zone::UTC).expect("shown").delivery, Delivery::Sending);

    assert!(timeline.receive(echo(7, "c1")));
    let row = timeline.row(key, Zone::UTC).expect("still shown");
    assert_eq!((row.delivery, row.message.id), (Delivery::Sent, MessageId(7)));
    assert_eq!(timeline.keys().len(), 2);
    assert!(!timeline.add_pending(&unsent("c1", 1, NOON)), "confirmed");
}

#[test]
fn client_id_of_another_user_confirms_nothing() {
    let mut timeline = shown(NONE);
    timeline.add_pending(&mine());
    let mut theirs = message(3, &bob(), 1);
    theirs.client_id = Some("c1".into());
    timeline.receive(theirs);
    assert_eq!(texts(&timeline), ["m3", "mine"]);
}

#[test]
fn refused_message_waits_until_it_is_sent_again_or_given_up() {
    let mut timeline = shown(NONE);
    let muted = Failure::new(Code::Muted);
    timeline.add_pending(&unsent("c1", 1, NOON));
    timeline.add_pending(&UnsentMessage { failure: Some(muted.clone()), ..unsent("c2", 1, NOON) });
    timeline.mark_failed("c1", muted.clone());
    let keys = timeline.keys();
    let delivery = |timeline: &Timeline, at: usize| timeline.row(keys[at], Zone::UTC).map(|row| row.delivery);
    let failed = Some(Delivery::Failed(muted));
    assert_eq!((delivery(&timeline, 0), delivery(&timeline, 1)), (failed.clone(), failed.clone()));
    timeline.retry("c1");
    timeline.retry("c9");
    assert_eq!((delivery(&timeline, 0), delivery(&timeline, 1)), (Some(Delivery::Sending), failed));
    timeline.discard("c2");
    assert_eq!(timeline.keys(), keys[..1]);
}

#[test]
fn another_visit_begins_after_what_was_read() {
    let mut timeline = shown(1..=4);
    timeline.mark_read(MessageId(4));
    for id in 5..=120 {
        timeline.receive(message(id, &bob(), id));
    }
    timeline.begin_visit(116);
    assert_eq!(timeline.keys(), (1..=120).collect::<Vec<_>>());
    assert!(row(&timeline, 5).begins_new);
    // Read meanwhile on another device.
    timeline.begin_visit(0);
    assert_eq!(timeline.keys(), (71..=120).collect::<Vec<_>>());
    assert!(timeline.has_earlier() && timeline.read_before_window().is_none());
    for id in 121..=400 {
        timeline.receive(message(id, &bob(), id));
    }
    timeline.begin_visit(280);
    assert_eq!((timeline.keys().len(), timeline.read_before_window()), (150, Some(MessageId(120))));
}

#[test]
fn quotes_that_are_not_here_are_named() {
    let mut timeline = shown(1..=2);
    for (id, reply_to) in [(3, 1), (4, 90), (5, 91)] {
        timeline.receive(RoomMessage { reply_to: Some(MessageId(reply_to)), ..message(id, &bob(), id) });
    }
    timeline.add_quoted(vec![message(91, &bob(), 0)]);
    assert_eq!(timeline.missing_quotes(), [MessageId(90)]);
}

#[test]
fn deleted_message_keeps_its_position() {
    let mut timeline = shown(1..=2);
    timeline.delete(MessageId(1));
    timeline.delete(MessageId(99));
    let row = timeline.row(1, Zone::UTC).expect("shown");
    assert!(row.message.is_deleted);
    assert_eq!(row.message.content, "");
}

#[test]
fn replace_keeps_unconfirmed_messages() {
    let mut timeline = shown(1..=2);
    timeline.add_pending(&mine());
    timeline.replace(window(40..=41, true, false));
    assert_eq!(texts(&timeline), ["m40", "m41", "mine"]);
    assert!(timeline.has_earlier());
}

#[test]
fn messages_are_grouped_by_sender_and_separated_by_day() {
    let (ann, bob) = (me(), bob());
    let day = 24 * 60;
    let messages = vec![
        message(1, &bob, 0),
        message(2, &bob, 4),
        message(3, &bob, 9),
        message(4, &ann, 10),
        message(5, &ann, 10 + day),
    ];
    let timeline = Timeline::new(me(), HistoryWindow { messages, ..window(NONE, false, false) });
    let positions: Vec<(bool, bool)> = (1..=5)
        .map(|key| timeline.row(key, Zone::UTC).expect("shown").placement)
        .map(|placement| (placement.day.is_some(), placement.leads))
        .collect();
    assert_eq!(positions, [(true, true), (false, false), (false, true), (false, true), (true, true)]);
}

#[test]
fn paging_back_drops_the_newest_until_paging_forward() {
    let mut timeline = shown(901..=1_000);
    timeline.set_at_end(false);
    for start in (401..=801).rev().step_by(100) {
        timeline.prepend(window(start..=start + 99, true, true));
    }
    assert_eq!(ends(&timeline), (401, 700, MAX_KEPT));
    assert!(timeline.has_later());
    // What comes in below the hole is counted, once, and not shown.
    assert!(timeline.receive(message(1_001, &bob(), 1)));
    assert!(!timeline.receive(message(1_001, &bob(), 1)));
    assert_eq!(ends(&timeline), (401, 700, MAX_KEPT));
    for start in [701, 801, 901] {
        timeline.append(window(start..=start + 99, true, start < 901));
    }
    assert_eq!(ends(&timeline), (701, 1_000, MAX_KEPT));
    assert!(timeline.has_later(), "1,001 came in meanwhile");
    timeline.append(window(1_001..=1_001, true, false));
    assert_eq!(ends(&timeline), (702, 1_001, MAX_KEPT));
    assert!(!timeline.has_later() && timeline.has_earlier());
}

#[test]
fn window_is_bounded_while_receiving() {
    let mut timeline = shown(1..=50);
    let mut most = 0;
    for id in 51..=10_000 {
        assert!(timeline.receive(message(id, &bob(), id)));
        most = most.max(timeline.keys().len());
    }
    assert!(most <= MAX_KEPT + SLACK);
    assert_eq!(timeline.last_id(), Some(MessageId(10_000)));
    assert!(timeline.has_earlier() && !timeline.has_later());
}

#[test]
fn scrolled_up_window_is_kept() {
    let mut timeline = shown(1..=50);
    timeline.set_at_end(false);
    for id in 51..=2_000 {
        assert!(timeline.receive(message(id, &bob(), id)));
    }
    assert_eq!(ends(&timeline), (1, 400, MAX_KEPT + SLACK));
    assert!(timeline.has_later());
    timeline.replace(window(1_951..=2_000, true, false));
    assert_eq!(ends(&timeline), (1_951, 2_000, 50));
    assert!(!timeline.has_later());
}

#[test]
fn reply_quotes_the_current_message() {
    let mut timeline = shown(5..=6);
    let answer = |id, to| RoomMessage { reply_to: Some(MessageId(to)), ..message(id, &bob(), id) };
    for (id, to) in [(7, 5), (8, 2), (9, 1)] {
        timeline.receive(answer(id, to));
    }
    timeline.add_quoted(vec![message(2, &bob(), 1)]);
    let quoted = |timeline: &Timeline, key| match row(timeline, key).quote {
        Some(Quote::Loaded(message)) => message.content.clone(),
        Some(Quote::Missing(id)) => format!("away {id}"),
        None => String::new(),
    };
    assert_eq!([6, 7, 8, 9].map(|key| quoted(&timeline, key)), ["", "m5", "m2", "away 1"]);
    timeline.edit(RoomMessage { content: "new".into(), ..message(2, &bob(), 1) });
    timeline.delete(MessageId(5));
    assert_eq!([7, 8].map(|key| quoted(&timeline, key)), ["", "new"]);
}

#[test]
fn separator_is_before_the_first_unread_message_of_others() {
    let mut page = window(4..=9, true, false);
    page.last_read = Some(MessageId(5));
    page.messages[2].sender = me();
    let timeline = Timeline::new(me(), page.clone());
    let lines = |timeline: &Timeline| {
        timeline.keys().into_iter().filter(|key| row(timeline, *key).begins_new).collect::<Vec<_>>()
    };
    assert_eq!(lines(&timeline), [7]);
    page.last_read = Some(MessageId(2));
    assert!(lines(&Timeline::new(me(), page.clone())).is_empty(), "it is further up");
    page.has_earlier = false;
    assert_eq!(lines(&Timeline::new(me(), page)), [4]);
}

#[test]
fn readers_are_shown_on_the_last_own_message() {
    let mut timeline = shown(1..=3);
    timeline.receive(message(4, &me(), 4));
    assert!(!timeline.read_by(MessageId(3), bob()), "not so far");
    assert!(timeline.read_by(MessageId(4), bob()));
    assert!(!timeline.read_by(MessageId(4), bob()), "known");
    assert!(!timeline.read_by(MessageId(4), me()), "one's own");
    assert_eq!(row(&timeline, 4).readers, [bob()]);
    timeline.receive(message(5, &me(), 5));
    assert!(row(&timeline, 4).readers.is_empty() && row(&timeline, 5).readers.is_empty());
    timeline.delete(MessageId(5));
    assert_eq!(row(&timeline, 4).readers, [bob()]);
}

#[test]
fn neighbour_returns_adjacent_rows() {
    let mut timeline = shown(1..=2);
    timeline.add_pending(&mine());
    assert_eq!(timeline.neighbour(2, false), Some(1));
    assert_eq!(timeline.neighbour(2, true), timeline.last_key());
    assert_eq!(timeline.neighbour(1, false), None);
    assert_eq!(timeline.last_key().and_then(|key| timeline.neighbour(key, true)), None);
}
