//! The timeline's promises, one a test.

use std::ops::RangeInclusive;

use chat::model::{Code, MessagePermissions, MessageType, Timestamp};

use super::*;

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
    }
}

fn shown(ids: RangeInclusive<i64>) -> Timeline {
    Timeline::new(me(), window(ids, true, false))
}

fn row(timeline: &Timeline, key: Key) -> Row {
    timeline.row(key, Zone::UTC).expect("shown")
}

fn ends(timeline: &Timeline) -> (i64, i64, usize) {
    let id = |id: Option<MessageId>| id.unwrap_or_default().0;
    (id(timeline.first_id()), id(timeline.last_id()), timeline.keys().len())
}

#[test]
fn a_page_is_shown_from_its_oldest() {
    let timeline = shown(4..=6);
    assert_eq!(texts(&timeline), ["m4", "m5", "m6"]);
    assert_eq!((timeline.first_id(), timeline.last_id()), (Some(MessageId(4)), Some(MessageId(6))));
}

#[test]
fn an_older_page_goes_above_and_its_overlap_is_dropped() {
    let mut timeline = shown(4..=6);
    timeline.prepend(window(2..=4, false, true));
    assert_eq!(texts(&timeline), ["m2", "m3", "m4", "m5", "m6"]);
    assert!(!timeline.has_earlier());
}

#[test]
fn a_message_heard_twice_is_shown_once_and_a_late_one_in_its_place() {
    let mut timeline = shown(1..=2);
    assert!(timeline.receive(message(5, &bob(), 5)));
    assert!(timeline.receive(message(4, &bob(), 4)));
    assert!(!timeline.receive(message(5, &bob(), 5)));
    assert_eq!(texts(&timeline), ["m1", "m2", "m4", "m5"]);
}

#[test]
fn what_one_writes_is_there_at_once_and_its_echo_confirms_it_under_the_same_key() {
    let mut timeline = shown(1..=1);
    let draft = timeline.write("hello".into(), None, "c1".into(), Timestamp(NOON));
    assert_eq!((draft.content.as_str(), draft.client_id.as_deref()), ("hello", Some("c1")));
    let key = timeline.keys()[1];
    assert_eq!(timeline.row(key, Zone::UTC).expect("shown").delivery, Delivery::Sending);

    assert!(timeline.receive(echo(7, "c1")));
    let row = timeline.row(key, Zone::UTC).expect("still shown");
    assert_eq!((row.delivery, row.message.id), (Delivery::Sent, MessageId(7)));
    assert_eq!(timeline.keys().len(), 2);
    assert!(timeline.unconfirmed().is_empty());
}

#[test]
fn anothers_client_id_confirms_nothing_of_mine() {
    let mut timeline = shown(NONE);
    timeline.write("mine".into(), None, "c1".into(), Timestamp(NOON));
    let mut theirs = message(3, &bob(), 1);
    theirs.client_id = Some("c1".into());
    timeline.receive(theirs);
    assert_eq!(texts(&timeline), ["m3", "mine"]);
    assert_eq!(timeline.unconfirmed().len(), 1);
}

#[test]
fn what_was_refused_is_not_sent_again_by_itself() {
    let mut timeline = shown(NONE);
    timeline.write("a".into(), None, "c1".into(), Timestamp(NOON));
    timeline.write("b".into(), None, "c2".into(), Timestamp(NOON));
    timeline.refuse("c1", Failure::new(Code::Muted));
    let waiting: Vec<_> = timeline.unconfirmed().into_iter().filter_map(|draft| draft.client_id).collect();
    assert_eq!(waiting, ["c2"]);
    assert_eq!(timeline.retry("c1").expect("known").content, "a");
    assert_eq!(timeline.unconfirmed().len(), 2);
    assert_eq!(timeline.retry("c9"), None);
}

#[test]
fn a_deleted_message_keeps_its_place_and_loses_its_words() {
    let mut timeline = shown(1..=2);
    timeline.delete(MessageId(1));
    timeline.delete(MessageId(99));
    let row = timeline.row(1, Zone::UTC).expect("shown");
    assert!(row.message.is_deleted);
    assert_eq!(row.message.content, "");
}

#[test]
fn a_new_page_keeps_what_is_not_confirmed() {
    let mut timeline = shown(1..=2);
    timeline.write("mine".into(), None, "c1".into(), Timestamp(NOON));
    timeline.replace(window(40..=41, true, false));
    assert_eq!(texts(&timeline), ["m40", "m41", "mine"]);
    assert!(timeline.has_earlier());
}

#[test]
fn messages_of_one_person_close_together_are_one_group_and_a_new_day_draws_a_line() {
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
    let places: Vec<(bool, bool)> = (1..=5)
        .map(|key| timeline.row(key, Zone::UTC).expect("shown").place)
        .map(|place| (place.day.is_some(), place.leads))
        .collect();
    assert_eq!(places, [(true, true), (false, false), (false, true), (false, true), (true, true)]);
}

#[test]
fn going_back_the_newest_go_and_come_again_on_the_way_down() {
    let mut timeline = shown(901..=1_000);
    timeline.follow(false);
    for start in (401..=801).rev().step_by(100) {
        timeline.prepend(window(start..=start + 99, true, true));
    }
    assert_eq!(ends(&timeline), (401, 700, KEPT));
    assert!(timeline.has_later());
    // What comes in below the hole is counted, once, and not shown.
    assert!(timeline.receive(message(1_001, &bob(), 1)));
    assert!(!timeline.receive(message(1_001, &bob(), 1)));
    assert_eq!(ends(&timeline), (401, 700, KEPT));
    for start in [701, 801, 901] {
        timeline.append(window(start..=start + 99, true, start < 901));
    }
    assert_eq!(ends(&timeline), (701, 1_000, KEPT));
    assert!(timeline.has_later(), "1,001 came in meanwhile");
    timeline.append(window(1_001..=1_001, true, false));
    assert_eq!(ends(&timeline), (702, 1_001, KEPT));
    assert!(!timeline.has_later() && timeline.has_earlier());
}

#[test]
fn an_hour_of_listening_keeps_a_window() {
    let mut timeline = shown(1..=50);
    let mut most = 0;
    for id in 51..=10_000 {
        assert!(timeline.receive(message(id, &bob(), id)));
        most = most.max(timeline.keys().len());
    }
    assert!(most <= KEPT + SLACK);
    assert_eq!(timeline.last_id(), Some(MessageId(10_000)));
    assert!(timeline.has_earlier() && !timeline.has_later());
}

#[test]
fn what_one_reads_above_stays_however_much_comes_in() {
    let mut timeline = shown(1..=50);
    timeline.follow(false);
    for id in 51..=2_000 {
        assert!(timeline.receive(message(id, &bob(), id)));
    }
    assert_eq!(ends(&timeline), (1, 400, KEPT + SLACK));
    assert!(timeline.has_later());
    timeline.replace(window(1_951..=2_000, true, false));
    assert_eq!(ends(&timeline), (1_951, 2_000, 50));
    assert!(!timeline.has_later());
}

#[test]
fn an_answer_quotes_what_it_answers_in_its_last_state() {
    let mut timeline = shown(5..=6);
    let answer = |id, to| RoomMessage { reply_to: Some(MessageId(to)), ..message(id, &bob(), id) };
    for (id, to) in [(7, 5), (8, 2), (9, 1)] {
        timeline.receive(answer(id, to));
    }
    timeline.quote(vec![message(2, &bob(), 1)]);
    let quoted = |timeline: &Timeline, key| match row(timeline, key).quote {
        Some(Quote::Known(message)) => message.content.clone(),
        Some(Quote::Away(id)) => format!("away {id}"),
        None => String::new(),
    };
    assert_eq!([6, 7, 8, 9].map(|key| quoted(&timeline, key)), ["", "m5", "m2", "away 1"]);
    timeline.edit(RoomMessage { content: "new".into(), ..message(2, &bob(), 1) });
    timeline.delete(MessageId(5));
    assert_eq!([7, 8].map(|key| quoted(&timeline, key)), ["", "new"]);
}

#[test]
fn a_line_stands_before_the_first_message_of_others_that_was_not_read() {
    let mut stretch = window(4..=9, true, false);
    stretch.last_read = Some(MessageId(5));
    stretch.messages[2].sender = me();
    let timeline = Timeline::new(me(), stretch.clone());
    let lines = |timeline: &Timeline| {
        timeline.keys().into_iter().filter(|key| row(timeline, *key).begins_new).collect::<Vec<_>>()
    };
    assert_eq!(lines(&timeline), [7]);
    stretch.last_read = Some(MessageId(2));
    assert!(lines(&Timeline::new(me(), stretch.clone())).is_empty(), "it is further up");
    stretch.has_earlier = false;
    assert_eq!(lines(&Timeline::new(me(), stretch)), [4]);
}

#[test]
fn who_has_read_is_told_of_ones_own_newest_message() {
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
fn rows_have_neighbours() {
    let mut timeline = shown(1..=2);
    timeline.write("mine".into(), Some(MessageId(1)), "c1".into(), Timestamp(NOON));
    assert_eq!(timeline.neighbour(2, false), Some(1));
    assert_eq!(timeline.neighbour(2, true), timeline.last_key());
    assert_eq!(timeline.neighbour(1, false), None);
    assert_eq!(timeline.last_key().and_then(|key| timeline.neighbour(key, true)), None);
    assert_eq!(timeline.unconfirmed()[0].reply_to, Some(1));
}
