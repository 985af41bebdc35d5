//! The timeline's promises, one a test.

use chat::model::{Code, RoomRef};

use super::*;

const NOON: i64 = 1_769_342_400_000_000; // 2026-01-25T12:00:00Z
const MINUTE: i64 = 60 * 1_000_000;

fn user(id: i64, name: &str) -> User {
    User { id: UserId(id), username: name.into(), first_name: String::new(), last_name: String::new() }
}

fn me() -> User {
    user(1, "ann")
}

fn message(id: i64, sender: &User, minute: i64) -> Message {
    Message {
        id: MessageId(id),
        room: RoomRef { id: chat::model::RoomId(9), name: "room".into() },
        sender: sender.clone(),
        message_type: MessageType::Text,
        content: format!("m{id}"),
        file_url: None,
        file_name: None,
        file_size: None,
        is_edited: false,
        is_deleted: false,
        reply_to: None,
        created_at: Timestamp(NOON + minute * MINUTE),
        updated_at: Timestamp(NOON + minute * MINUTE),
        client_id: None,
        rev: id,
    }
}

fn echo(id: i64, client_id: &str) -> RoomMessage {
    let mut echo = RoomMessage::from(&message(id, &me(), 10));
    echo.client_id = Some(client_id.into());
    echo
}

fn texts(timeline: &Timeline) -> Vec<String> {
    let rows = timeline.keys().into_iter().filter_map(|key| timeline.row(key, Zone::UTC));
    rows.map(|row| row.message.content.clone()).collect()
}

fn page(ids: impl DoubleEndedIterator<Item = i64>) -> Vec<Message> {
    ids.rev().map(|id| message(id, &user(2, "bob"), id)).collect()
}

#[test]
fn a_page_is_shown_from_its_oldest() {
    let timeline = Timeline::new(me(), &page(4..=6), true);
    assert_eq!(texts(&timeline), ["m4", "m5", "m6"]);
    assert_eq!((timeline.first_id(), timeline.last_id()), (Some(MessageId(4)), Some(MessageId(6))));
}

#[test]
fn an_older_page_goes_above_and_its_overlap_is_dropped() {
    let mut timeline = Timeline::new(me(), &page(4..=6), true);
    timeline.prepend(&page(2..=4), false);
    assert_eq!(texts(&timeline), ["m2", "m3", "m4", "m5", "m6"]);
    assert!(!timeline.has_earlier());
}

#[test]
fn a_message_heard_twice_is_shown_once_and_a_late_one_in_its_place() {
    let mut timeline = Timeline::new(me(), &page(1..=2), false);
    let bob = user(2, "bob");
    assert!(timeline.receive((&message(5, &bob, 5)).into()));
    assert!(timeline.receive((&message(4, &bob, 4)).into()));
    assert!(!timeline.receive((&message(5, &bob, 5)).into()));
    assert_eq!(texts(&timeline), ["m1", "m2", "m4", "m5"]);
}

#[test]
fn what_one_writes_is_there_at_once_and_its_echo_confirms_it_under_the_same_key() {
    let mut timeline = Timeline::new(me(), &page(1..=1), false);
    let draft = timeline.write("hello".into(), "c1".into(), Timestamp(NOON));
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
    let mut timeline = Timeline::new(me(), &[], false);
    timeline.write("mine".into(), "c1".into(), Timestamp(NOON));
    let mut theirs = RoomMessage::from(&message(3, &user(2, "bob"), 1));
    theirs.client_id = Some("c1".into());
    timeline.receive(theirs);
    assert_eq!(texts(&timeline), ["m3", "mine"]);
    assert_eq!(timeline.unconfirmed().len(), 1);
}

#[test]
fn what_was_refused_is_not_sent_again_by_itself() {
    let mut timeline = Timeline::new(me(), &[], false);
    timeline.write("a".into(), "c1".into(), Timestamp(NOON));
    timeline.write("b".into(), "c2".into(), Timestamp(NOON));
    timeline.refuse("c1", Failure::new(Code::Muted));
    let waiting: Vec<_> = timeline.unconfirmed().into_iter().filter_map(|draft| draft.client_id).collect();
    assert_eq!(waiting, ["c2"]);
    assert_eq!(timeline.retry("c1").expect("known").content, "a");
    assert_eq!(timeline.unconfirmed().len(), 2);
    assert_eq!(timeline.retry("c9"), None);
}

#[test]
fn a_deleted_message_keeps_its_place_and_loses_its_words() {
    let mut timeline = Timeline::new(me(), &page(1..=2), false);
    timeline.delete(MessageId(1));
    timeline.delete(MessageId(99));
    let row = timeline.row(1, Zone::UTC).expect("shown");
    assert!(row.message.is_deleted);
    assert_eq!(row.message.content, "");
}

#[test]
fn a_new_page_keeps_what_is_not_confirmed() {
    let mut timeline = Timeline::new(me(), &page(1..=2), false);
    timeline.write("mine".into(), "c1".into(), Timestamp(NOON));
    timeline.replace(&page(40..=41), true);
    assert_eq!(texts(&timeline), ["m40", "m41", "mine"]);
    assert!(timeline.has_earlier());
}

#[test]
fn messages_of_one_person_close_together_are_one_group_and_a_new_day_draws_a_line() {
    let (ann, bob) = (me(), user(2, "bob"));
    let day = 24 * 60;
    let newest_first: Vec<Message> = [
        message(1, &bob, 0),
        message(2, &bob, 4),
        message(3, &bob, 9),
        message(4, &ann, 10),
        message(5, &ann, 10 + day),
    ]
    .into_iter()
    .rev()
    .collect();
    let timeline = Timeline::new(me(), &newest_first, false);
    let places: Vec<(bool, bool)> = (1..=5)
        .map(|key| timeline.row(key, Zone::UTC).expect("shown").place)
        .map(|place| (place.day.is_some(), place.leads))
        .collect();
    assert_eq!(places, [(true, true), (false, false), (false, true), (false, true), (true, true)]);
}
