//! The two streams: each stored change of a room, and each of a user, has a number; a client that was away gets what it
//! missed; and another process notices without an event.

use std::time::Duration;

use chat::{
    Chat,
    clock::Clock,
    model::{
        MemberChange, MemberPatch, NotificationFrame, NotificationType, RoomId, RoomPatch, ServerFrame, User,
    },
    service::{NotificationSession, RoomSession, room_session::Resume},
    store::Store,
};
use tokio::time::timeout;

use crate::support::{
    Sockets as _, World, both,
    cast::{banned, role},
    draft, new_room, unhurried,
};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn next(session: &mut RoomSession) -> ServerFrame {
    let json = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame")
}

async fn next_notification(session: &mut NotificationSession) -> NotificationFrame {
    let json = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame")
}

/// A stored change in short, with its number; `None` for a volatile frame.
fn change(frame: &ServerFrame) -> Option<(i64, String)> {
    Some(match frame {
        ServerFrame::ChatMessage { message, rev, .. } => (*rev, format!("message {}", message.content)),
        ServerFrame::MessageEdited { message, rev, .. } => (*rev, format!("edited {}", message.content)),
        ServerFrame::MessageDeleted { rev, .. } => (*rev, "deleted".into()),
        ServerFrame::MemberChanged {
            user,
            change,
            role,
            is_present,
            is_muted,
            is_banned,
            member_count,
            rev,
            ..
        } => {
            let kind = serde_json::to_value(change).expect("JSON");
            let flags = [(is_present, "in"), (is_muted, "muted"), (is_banned, "banned")];
            let flags: Vec<&str> = flags.into_iter().filter(|(is, _)| **is).map(|(_, flag)| flag).collect();
            let words = [kind.as_str().unwrap_or_default(), &user.username, role.as_str(), &flags.join("+")];
            (*rev, format!("{} of {member_count}", words.join(" ")))
        }
        ServerFrame::MembersChanged { member_count, rev, .. } => (*rev, format!("members {member_count}")),
        ServerFrame::RoomChanged { room, rev, .. } => (*rev, format!("room {}", room.name)),
        ServerFrame::Resync { rev, .. } => (*rev, "resync".into()),
        _ => return None,
    })
}

/// The changes up to the message `fence`, which is left out. Their numbers must rise.
async fn changes_until(session: &mut RoomSession, fence: &str) -> Vec<String> {
    let (mut last, mut changes) = (0, Vec::new());
    loop {
        let frame = next(session).await;
        let Some((rev, words)) = change(&frame) else { continue };
        // A resync has the number of the last change.
        assert!(rev > last || words == "resync" && rev == last, "{rev} after {last}: {words}");
        last = rev;
        if words == format!("message {fence}") {
            return changes;
        }
        changes.push(words);
    }
}

fn muted(is_muted: bool) -> MemberPatch {
    MemberPatch { is_muted: Some(is_muted), ..MemberPatch::default() }
}

fn renamed(name: &str) -> RoomPatch {
    RoomPatch { name: Some(name.into()), ..RoomPatch::default() }
}

/// Changes everything about a room that has a number.
async fn change_everything(world: &World, room: RoomId, [amy, bob, cid]: [&User; 3]) {
    let chat = &world.chat;
    chat.join(bob, room).await.expect("joined");
    let first = world.say(amy, room, "one").await.id;
    chat.change_member(amy, room, bob.id, role("moderator")).await.expect("promoted");
    chat.join(cid, room).await.expect("joined");
    chat.edit_room(amy, room, renamed("Coffee")).await.expect("renamed");
    chat.edit(amy, first, "first".into()).await.expect("edited");
    chat.change_member(bob, room, cid.id, muted(true)).await.expect("muted");
    chat.leave(cid, room).await.expect("left");
    chat.join(cid, room).await.expect("joined");
    chat.change_member(bob, room, cid.id, banned(true)).await.expect("banned");
}

const EVERYTHING: [&str; 10] = [
    "joined bob member in of 2",
    "message one",
    "role bob moderator in of 2",
    "joined cat member in of 3",
    "room Coffee",
    "edited first",
    "muted cat member in+muted of 3",
    "left cat member muted of 2",
    "joined cat member in+muted of 3",
    "banned cat member in+muted+banned of 2",
];

both! {
    async fn every_stored_change_of_a_room_is_sent_in_order_with_its_number(world: World) {
        let (amy, bob, cat) =
            (world.person("amy").await, world.person("bob").await, world.person("cat").await);
        let room = world.room(&amy).await.id;
        let mut live = world.chat.open_room(&amy, room, None).await.expect("open");
        change_everything(&world, room, [&amy, &bob, &cat]).await;
        world.say(&amy, room, "fence").await;
        assert_eq!(changes_until(&mut live, "fence").await, EVERYTHING);
    }

    async fn a_returning_client_gets_the_last_state_of_what_it_missed(world: World) {
        let (amy, bob, cat) =
            (world.person("amy").await, world.person("bob").await, world.person("cat").await);
        let room = world.room(&amy).await.id;
        change_everything(&world, room, [&amy, &bob, &cat]).await;
        let mut back = world.chat.open_room(&amy, room, Some(Resume::AfterRev(0))).await.expect("open");
        world.say(&amy, room, "fence").await;
        let missed = [
            "message first",
            "state bob moderator in of 2",
            "room Coffee",
            "edited first",
            "state cat member in+muted+banned of 2",
        ];
        assert_eq!(changes_until(&mut back, "fence").await, missed);
        // All but the last.
        let known = Resume::AfterRev(i64::try_from(EVERYTHING.len()).expect("small") - 1);
        let mut near = world.chat.open_room(&amy, room, Some(known)).await.expect("open");
        assert_eq!(changes_until(&mut near, "fence").await, ["state cat member in+muted+banned of 2"]);
        let mut by_id = world.chat.open_room(&amy, room, Some(Resume::AfterId(0))).await.expect("open");
        assert_eq!(changes_until(&mut by_id, "fence").await, ["message first"]);
    }

    async fn many_members_are_summed_up_live_and_on_a_resume_except_oneself(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let mut new = new_room("public");
        new.max_members = Some(1_000);
        let room = world.chat.create_room(&amy, new).await.expect("made").id;
        let mut live = world.chat.open_room(&amy, room, None).await.expect("open");
        let mut crowd = Vec::new();
        for number in 0..210 {
            crowd.push(world.person(&format!("p{number}")).await);
        }
        let joins = crowd.iter().map(|person| world.chat.join(person, room));
        futures::future::try_join_all(joins).await.expect("joined");
        world.chat.join(&bob, room).await.expect("joined");
        let mut back = world.chat.open_room(&bob, room, Some(Resume::AfterRev(0))).await.expect("open");
        world.say(&amy, room, "fence").await;
        assert_eq!(
            changes_until(&mut back, "fence").await,
            ["members 212", "state bob member in of 212"]
        );
        let received = changes_until(&mut live, "fence").await;
        let sums: Vec<&String> = received.iter().filter(|words| words.starts_with("members")).collect();
        let singles = received.len() - sums.len();
        assert!(sums.len() < 60 && singles <= 10 * (sums.len() + 1), "{singles} and {}", sums.len());
        assert!(received.last().is_some_and(|last| last.ends_with(" 212")), "{received:?}");
    }

    async fn a_resync_has_the_members_and_the_room_before_it(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let receipts: Vec<_> =
            (0..1_001).map(|n| world.chat.submit(&amy, room, draft(&n.to_string())).expect("queued")).collect();
        for receipt in receipts {
            receipt.await.expect("stored");
        }
        world.chat.edit_room(&amy, room, renamed("Long")).await.expect("renamed");
        let mut back = world.chat.open_room(&amy, room, Some(Resume::AfterRev(0))).await.expect("open");
        world.say(&amy, room, "fence").await;
        let missed = ["state bob member in of 2", "room Long", "resync"];
        assert_eq!(changes_until(&mut back, "fence").await, missed);
    }

    async fn a_deleted_room_sends_its_last_change_and_closes(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut live = world.chat.open_room(&amy, room, None).await.expect("open");
        world.chat.delete_room(&amy, room).await.expect("deleted");
        loop {
            match timeout(TIMEOUT, live.next()).await.expect("in time") {
                Ok(json) => {
                    if let ServerFrame::RoomChanged { room, .. } = serde_json::from_slice(&json).expect("JSON") {
                        assert!(!room.is_active);
                    }
                }
                Err(error) => break assert_eq!(error.code(), chat::model::Code::NotFound),
            }
        }
    }

    async fn refused_updates_store_nothing_and_take_no_number(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut live = world.chat.open_room(&amy, room, None).await.expect("open");
        // Muting is written first, and then the role is refused, since the same patch bans.
        let patch = MemberPatch { role: Some("moderator".into()), is_muted: Some(true), is_banned: Some(true) };
        world.chat.change_member(&amy, room, bob.id, patch).await.expect_err("a role for the banned");
        let member = crate::support::cast::membership(&world, &amy, room, &bob).await;
        assert!(!member.is_muted && !member.is_banned, "{member:?}");
        world.say(&amy, room, "fence").await;
        assert_eq!(changes_until(&mut live, "fence").await, [] as [&str; 0]);
    }

    /// The command line, and a node without Redis, are other processes on the same database.
    async fn changes_of_another_process_arrive_without_an_event(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let mut live = world.chat.open_room(&amy, room, None).await.expect("open");
        let mut bobs = world.chat.open_notifications(&bob).await.expect("open");
        let store = Store::open_existing(&world.url).await.expect("opened");
        let other = Chat::start(store, unhurried(), Clock::fixed(crate::support::NOW));
        other.invite(&amy, room, "bob").await.expect("invited");
        let message = other.send(&amy, room, draft("hello @bob")).await.expect("stored").message;
        other.edit_room(&amy, room, renamed("Elsewhere")).await.expect("renamed");
        loop {
            let frame = next(&mut live).await;
            if change(&frame).is_some_and(|(_, words)| words == "room Elsewhere") {
                break;
            }
        }
        let (mut has_room, mut has_invitation, mut has_mention, mut has_name) = (false, false, false, false);
        while !(has_room && has_invitation && has_mention && has_name) {
            match next_notification(&mut bobs).await {
                NotificationFrame::RoomAdded { room: added, .. } => has_room = added.id == room,
                NotificationFrame::Notification { notification, rev } => {
                    assert!(rev.is_some());
                    match notification.notification_type {
                        NotificationType::RoomInvite => has_invitation = true,
                        NotificationType::Mention => {
                            has_mention = notification.message.is_some_and(|about| about.id == message.id);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                NotificationFrame::RoomChanged { room } => has_name = room.name == "Elsewhere",
                _ => {}
            }
            if !has_name && has_room {
                // Renamed before bob was in: his room has the name already.
                has_name = world.chat.room(&bob, room).await.expect("seen").name == "Elsewhere";
            }
        }
        other.remove_member(&amy, room, bob.id).await.expect("removed");
        while !matches!(
            next_notification(&mut bobs).await,
            NotificationFrame::RoomRemoved { room_id, rev: Some(_) } if room_id == room
        ) {}
        other.delete_room(&amy, room).await.expect("deleted");
        let closed = timeout(TIMEOUT, async {
            loop {
                if let Err(error) = live.next().await {
                    return error.code();
                }
            }
        });
        assert_eq!(closed.await.expect("in time"), chat::model::Code::NotFound);
        other.stop().await;
    }

    async fn a_returning_notification_socket_gets_its_rooms_and_what_it_missed(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (quiet, busy) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for room in [quiet, busy] {
            world.chat.join(&bob, room).await.expect("joined");
        }
        let NotificationFrame::ConnectionEstablished { rev, .. } =
            next_notification(&mut world.chat.open_notifications(&bob).await.expect("open")).await
        else {
            panic!("the first frame is another");
        };
        world.say(&amy, busy, "plain").await;
        world.say(&amy, busy, "one @bob").await;
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, hidden, "bob").await.expect("invited");
        world.say(&amy, busy, "two @bob").await;
        let socket = crate::support::token(&world.chat, &bob).await;
        let socket = world.chat.connect(socket).await.expect("connected");
        let mut back = socket.open_notifications(Some(rev)).await.expect("open");
        let NotificationFrame::ConnectionEstablished { rev: head, .. } = next_notification(&mut back).await
        else {
            panic!("the first frame is another");
        };
        let mut rooms = Vec::new();
        for _ in 0..3 {
            match next_notification(&mut back).await {
                NotificationFrame::Unread { room_id, unread_count, room_rev: Some(_), .. } => {
                    rooms.push((room_id, unread_count));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(rooms, [(quiet, 0), (busy, 3), (hidden, 0)]);
        let (mut last, mut missed) = (rev, Vec::new());
        for _ in 0..3 {
            let NotificationFrame::Notification { notification, rev: Some(rev) } =
                next_notification(&mut back).await
            else {
                panic!("no notification");
            };
            assert!(rev > last && rev <= head, "{rev}");
            last = rev;
            missed.push(notification.notification_type);
        }
        let expected = [NotificationType::Mention, NotificationType::RoomInvite, NotificationType::Mention];
        assert_eq!(missed, expected);
    }

    async fn names_and_rooms_change_live_for_those_concerned(world: World) {
        let (amy, bob, cat) =
            (world.person("amy").await, world.person("bob").await, world.person("cat").await);
        let (one, two) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for room in [one, two] {
            world.chat.join(&bob, room).await.expect("joined");
        }
        let mut bobs = world.chat.open_notifications(&bob).await.expect("open");
        let mut cats = world.chat.open_notifications(&cat).await.expect("open");
        next_notification(&mut bobs).await;
        next_notification(&mut cats).await;
        world.chat.rename(&amy, "Amélie", "").await.expect("renamed");
        world.chat.edit_room(&amy, one, renamed("Salon")).await.expect("renamed");
        let NotificationFrame::UserChanged { user } = next_notification(&mut bobs).await else {
            panic!("no new name");
        };
        assert_eq!((user.id, user.first_name.as_str()), (amy.id, "Amélie"));
        // Once, though two rooms are shared.
        let NotificationFrame::RoomChanged { room } = next_notification(&mut bobs).await else {
            panic!("no new name of the room");
        };
        assert_eq!((room.id, room.name.as_str()), (one, "Salon"));
        let fence = world.room(&cat).await.id;
        assert!(
            matches!(next_notification(&mut cats).await, NotificationFrame::RoomAdded { room, .. } if room.id == fence),
            "cat shares no room"
        );
    }

    async fn an_edit_that_adds_a_name_notifies_who_is_new_and_nobody_again(world: World) {
        let (amy, bob, cat) =
            (world.person("amy").await, world.person("bob").await, world.person("cat").await);
        let room = world.room(&amy).await.id;
        for person in [&bob, &cat] {
            world.chat.join(person, room).await.expect("joined");
        }
        let id = world.say(&amy, room, "@bob?").await.id;
        let mut bobs = world.chat.open_notifications(&bob).await.expect("open");
        let mut cats = world.chat.open_notifications(&cat).await.expect("open");
        world.chat.edit(&amy, id, "@bob, @cat?".into()).await.expect("edited");
        world.say(&amy, room, "fence").await;
        let mentions = async |session: &mut NotificationSession| {
            let mut found = 0;
            loop {
                if let NotificationFrame::Notification { notification, .. } = next_notification(session).await {
                    match notification.notification_type {
                        NotificationType::Mention => found += 1,
                        _ => return found,
                    }
                }
            }
        };
        assert_eq!((mentions(&mut bobs).await, mentions(&mut cats).await), (0, 1));
    }
}

#[test]
fn words_of_member_changes_are_those_of_the_contract() {
    let words = [
        (MemberChange::Joined, "joined"),
        (MemberChange::Left, "left"),
        (MemberChange::Removed, "removed"),
        (MemberChange::Banned, "banned"),
        (MemberChange::Unbanned, "unbanned"),
        (MemberChange::Muted, "muted"),
        (MemberChange::Unmuted, "unmuted"),
        (MemberChange::Role, "role"),
        (MemberChange::State, "state"),
    ];
    for (change, word) in words {
        assert_eq!(serde_json::to_value(change).expect("JSON"), word);
    }
}
