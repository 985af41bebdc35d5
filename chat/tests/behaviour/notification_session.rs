//! Frames of a notification socket: first, live, and when the user's membership changes.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chat::{
    Chat,
    model::{
        Code, MessageDraft, NotificationFrame, NotificationType, RoomId, User, message::DELETED_CONTENT,
    },
    service::{NotificationSession, notifications::NotificationQuery},
};

use crate::support::{
    Listed as _, Sockets as _, World, both,
    cast::{banned, role},
    draft, new_room,
};

type Frames = Vec<NotificationFrame>;

async fn next(session: &mut NotificationSession) -> NotificationFrame {
    let bytes = tokio::time::timeout(Duration::from_secs(20), session.next())
        .await
        .expect("a frame in time")
        .expect("no close");
    without_number(serde_json::from_slice(&bytes).expect("a frame of the contract"))
}

/// The frame without the number of the user's stream; `streams.rs` tests those.
fn without_number(mut frame: NotificationFrame) -> NotificationFrame {
    match &mut frame {
        NotificationFrame::Unread { rev, .. }
        | NotificationFrame::Notification { rev, .. }
        | NotificationFrame::RoomRemoved { rev, .. } => *rev = None,
        NotificationFrame::ConnectionEstablished { rev, .. } | NotificationFrame::RoomAdded { rev, .. } => {
            *rev = 0;
        }
        _ => {}
    }
    frame
}

/// A session past its first frame.
async fn open(world: &World, user: &User) -> NotificationSession {
    let mut session = world.chat.open_notifications(user).await.expect("open");
    let first = NotificationFrame::ConnectionEstablished {
        message: "连接成功".into(),
        user: user.clone(),
        rev: 0,
        build: world.chat.settings().build.clone(),
    };
    assert_eq!(next(&mut session).await, first);
    session
}

/// All frames of `user`'s session up to now, of which the first `count` must arrive by themselves.
async fn received(chat: &Chat, user: &User, session: &mut NotificationSession, count: usize) -> Frames {
    let mut received = Vec::new();
    for _ in 0..count {
        received.push(next(session).await);
    }
    received.extend(until_fence(chat, user, session).await);
    received
}

/// The frames before a fence, without those of the fence. It is a room in which somebody writes two messages: the second
/// count is delayed as long as any, so it comes after every count that is due by now.
async fn until_fence(chat: &Chat, user: &User, session: &mut NotificationSession) -> Frames {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("stranger{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let stranger = chat.create_user(&name, "correct horse 9", "", "").await.expect("a new user");
    let fence = chat.create_room(&stranger, new_room("public")).await.expect("a new room").id;
    chat.join(user, fence).await.expect("joined");
    let mut received = Vec::new();
    loop {
        match next(session).await {
            NotificationFrame::RoomAdded { room, .. } if room.id == fence => {
                for text in ["one", "two"] {
                    chat.send(&stranger, fence, draft(text)).await.expect("stored");
                }
            }
            NotificationFrame::Unread { room_id, unread_count, .. } if room_id == fence => {
                if unread_count == 2 {
                    chat.leave(user, fence).await.expect("left");
                }
            }
            NotificationFrame::RoomRemoved { room_id, .. } if room_id == fence => return received,
            NotificationFrame::Notification { notification, .. } if notification.room.id == fence => {}
            frame => received.push(frame),
        }
    }
}

fn unread(room_id: RoomId, unread_count: i64) -> NotificationFrame {
    NotificationFrame::Unread { room_id, unread_count, rev: None, room_rev: None }
}

/// The ids of the notified messages, in order of arrival.
fn notified(frames: &Frames) -> Vec<i64> {
    let ids = frames.iter().filter_map(|frame| match frame {
        NotificationFrame::Notification { notification, .. } => Some(notification.id.0 / 2),
        _ => None,
    });
    ids.collect()
}

/// The last count of each room.
fn counts(frames: &Frames) -> HashMap<RoomId, i64> {
    let counts = frames.iter().filter_map(|frame| match frame {
        NotificationFrame::Unread { room_id, unread_count, .. } => Some((*room_id, *unread_count)),
        _ => None,
    });
    counts.collect()
}

both! {
    async fn first_frames_have_the_user_and_the_unread_counts(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (one, two) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for room in [one, two] {
            world.chat.join(&bob, room).await.expect("joined");
        }
        world.say(&amy, one, "one").await;
        world.say(&amy, one, "two").await;
        world.say(&bob, two, "my own").await;
        let mut bobs = open(&world, &bob).await;
        assert_eq!(received(&world.chat, &bob, &mut bobs, 1).await, [unread(one, 2)]);
    }

    async fn new_message_is_notified_like_in_the_list_and_counted(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        world.chat.change_member(&amy, room, bob.id, role("moderator")).await.expect("promoted");
        let (mut amys, mut bobs) = (open(&world, &amy).await, open(&world, &bob).await);
        for text in ["hello", "and you, @bob?"] {
            world.say(&amy, room, text).await;
            let frame = next(&mut bobs).await;
            let listed = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("listed");
            assert_eq!(frame, NotificationFrame::Notification { notification: Box::new(listed[0].clone()), rev: None });
            let kind = if text.contains('@') { NotificationType::Mention } else { NotificationType::Message };
            assert_eq!((listed[0].notification_type, &listed[0].content), (kind, &text.to_owned()));
            let count = next(&mut bobs).await;
            assert_eq!(count, unread(room, listed[0].room.unread_count));
        }
        assert_eq!(received(&world.chat, &amy, &mut amys, 0).await, [], "not to who wrote it");
    }

    async fn each_message_is_notified_and_counts_are_rate_limited(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut bobs = open(&world, &bob).await;
        let receipts: Vec<_> =
            (0..200).map(|n| world.chat.submit(&amy, room, draft(&n.to_string())).expect("queued")).collect();
        let mut sent = Vec::new();
        for receipt in receipts {
            sent.push(receipt.await.expect("stored").message.id.0);
        }
        let frames = received(&world.chat, &bob, &mut bobs, 201).await;
        assert_eq!(notified(&frames), sent, "each once, in order");
        let count_frames = frames.len() - sent.len();
        assert!(count_frames < 50, "{count_frames} counts for 200 messages");
        assert_eq!(frames.last(), Some(&unread(room, 200)), "the last one is right");
    }

    async fn read_mark_updates_every_device(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (room, other) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for room in [room, other] {
            world.chat.join(&bob, room).await.expect("joined");
        }
        let first = world.say(&amy, room, "one").await.id;
        world.say(&amy, room, "two").await;
        world.say(&amy, other, "three").await;
        let mut devices = [open(&world, &bob).await, open(&world, &bob).await];
        for device in &mut devices {
            assert_eq!(received(&world.chat, &bob, device, 2).await, [unread(room, 2), unread(other, 1)]);
        }
        world.chat.mark_read(&bob, first).await.expect("read");
        for device in &mut devices {
            assert_eq!(received(&world.chat, &bob, device, 1).await, [unread(room, 1)]);
        }
        world.chat.mark_all_notifications_read(&bob).await.expect("read");
        for device in &mut devices {
            assert_eq!(counts(&received(&world.chat, &bob, device, 2).await), HashMap::from([(room, 0), (other, 0)]));
        }
    }

    async fn deletion_and_edit_do_not_change_the_unread_count(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let id = world.say(&amy, room, "one").await.id;
        let mut bobs = open(&world, &bob).await;
        assert_eq!(received(&world.chat, &bob, &mut bobs, 1).await, [unread(room, 1)]);
        world.chat.edit(&amy, id, "first".into()).await.expect("edited");
        world.chat.delete(&amy, id).await.expect("deleted");
        assert_eq!(counts(&received(&world.chat, &bob, &mut bobs, 1).await), HashMap::new());
        let rooms = world.chat.room(&bob, room).await.expect("seen");
        assert_eq!(rooms.unread_count, 1, "the list counts it too");
    }

    async fn change_of_the_newest_message_is_sent_and_of_older_ones_not(world: World) {
        let (amy, bob, cat) =
            (world.person("amy").await, world.person("bob").await, world.person("cat").await);
        let (room, other) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for room in [room, other] {
            world.chat.join(&bob, room).await.expect("joined");
        }
        world.chat.join(&cat, other).await.expect("joined");
        let old = world.say(&amy, room, "old").await.id;
        let newest = world.say(&amy, room, "salaries").await.id;
        world.chat.mark_read(&bob, newest).await.expect("read");
        let mut watching = [open(&world, &bob).await, open(&world, &bob).await, open(&world, &amy).await];
        let mut cats = open(&world, &cat).await;
        let listed = async || world.chat.room(&bob, room).await.expect("seen").last_message.expect("a message");
        for step in 0..2 {
            // The older message is changed first: a wrong frame for it would arrive before that of the newest.
            world.chat.edit(&amy, old, format!("older {step}")).await.expect("edited");
            let words = if step == 0 {
                world.chat.edit(&amy, newest, "nothing".into()).await.expect("edited");
                "nothing"
            } else {
                world.chat.delete(&amy, newest).await.expect("deleted");
                DELETED_CONTENT
            };
            let message = listed().await;
            assert_eq!((message.id, message.content.as_str()), (newest, words));
            let expected = NotificationFrame::LastMessage { room_id: room, message };
            for session in &mut watching {
                assert_eq!(next(session).await, expected, "step {step}");
            }
        }
        world.say(&amy, other, "fence").await;
        assert_eq!(notified(&vec![next(&mut cats).await]).len(), 1, "cat is not in the room");
    }

    async fn new_member_gets_the_room_and_an_invited_one_the_invitation(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let mut bobs = open(&world, &bob).await;
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.say(&amy, hidden, "before").await;
        world.chat.invite(&amy, hidden, "bob").await.expect("brought in");
        let listed = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("listed");
        assert_eq!(listed[0].notification_type, NotificationType::RoomInvite);
        let invited = NotificationFrame::Notification { notification: Box::new(listed[0].clone()), rev: None };
        let room = Box::new(world.chat.room_in_list(&bob, hidden).await);
        let added = NotificationFrame::RoomAdded { room, rev: 0 };
        assert_eq!(received(&world.chat, &bob, &mut bobs, 3).await, [added, unread(hidden, 0), invited]);
        world.say(&amy, hidden, "after").await;
        let frames = received(&world.chat, &bob, &mut bobs, 2).await;
        assert_eq!((notified(&frames).len(), counts(&frames)), (1, HashMap::from([(hidden, 1)])));

        let made = world.room(&bob).await.id;
        let room = Box::new(world.chat.room_in_list(&bob, made).await);
        let added = NotificationFrame::RoomAdded { room, rev: 0 };
        assert_eq!(received(&world.chat, &bob, &mut bobs, 2).await, [added, unread(made, 0)], "one's own room too");
    }

    async fn former_member_receives_nothing_of_the_room(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let mut rooms = Vec::new();
        for _ in 0..4 {
            let room = world.room(&amy).await.id;
            world.chat.join(&bob, room).await.expect("joined");
            world.say(&amy, room, "while bob is in").await;
            rooms.push(room);
        }
        let mut bobs = open(&world, &bob).await;
        assert_eq!(received(&world.chat, &bob, &mut bobs, 4).await.len(), 4);
        world.chat.leave(&bob, rooms[0]).await.expect("left");
        world.chat.remove_member(&amy, rooms[1], bob.id).await.expect("removed");
        world.chat.change_member(&amy, rooms[2], bob.id, banned(true)).await.expect("banned");
        for room in &rooms[..3] {
            world.say(&amy, *room, "bob is gone").await;
        }
        world.chat.delete_room(&amy, rooms[3]).await.expect("deleted");
        let frames = received(&world.chat, &bob, &mut bobs, 8).await;
        assert_eq!(notified(&frames), [] as [i64; 0]);
        assert_eq!(counts(&frames), rooms.iter().map(|room| (*room, 0)).collect());
        for room_id in &rooms {
            let removed = NotificationFrame::RoomRemoved { room_id: *room_id, rev: None };
            assert!(frames.contains(&removed), "{room_id}: {frames:?}");
        }
        world.chat.change_member(&amy, rooms[2], bob.id, banned(false)).await.expect("let in");
        assert_eq!(received(&world.chat, &bob, &mut bobs, 2).await.last(), Some(&unread(rooms[2], 0)));
        world.say(&amy, rooms[2], "bob is back").await;
        assert_eq!(notified(&received(&world.chat, &bob, &mut bobs, 2).await).len(), 1);
    }

    async fn a_deactivated_users_socket_is_closed(world: World) {
        let bob = world.person("bob").await;
        let mut bobs = open(&world, &bob).await;
        world.chat.set_active("bob", false).await.expect("deactivated");
        let closed = tokio::time::timeout(Duration::from_secs(20), bobs.next()).await.expect("in time");
        assert_eq!(closed.expect_err("closed").code(), Code::UserInactive);
    }

    async fn client_that_does_not_read_is_closed_as_too_slow(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut bobs = open(&world, &bob).await;
        let receipts: Vec<_> =
            (0..600).map(|n| world.chat.submit(&amy, room, draft(&n.to_string())).expect("queued")).collect();
        for receipt in receipts {
            receipt.await.expect("stored");
        }
        // The news is dispatched a moment after the commit.
        let closed = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if let Err(error) = bobs.next().await {
                    return error.code();
                }
            }
        });
        assert_eq!(closed.await.expect("closed in time"), Code::TooSlow);
        let mut again = open(&world, &bob).await;
        assert_eq!(received(&world.chat, &bob, &mut again, 1).await, [unread(room, 600)], "and comes back to the state");
    }

    /// Others write, the user writes and also reads on one device, all concurrently: the last count is right, and
    /// every message that stays unread was notified once, in order.
    async fn unread_counts_converge_under_concurrency(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let rooms = [world.room(&amy).await.id, world.room(&amy).await.id];
        for room in rooms {
            world.chat.join(&bob, room).await.expect("joined");
        }
        let mut bobs = open(&world, &bob).await;
        let (done, mut is_done) = tokio::sync::oneshot::channel::<()>();
        let listening = tokio::spawn(async move {
            let mut frames = Vec::new();
            loop {
                tokio::select! {
                    frame = next(&mut bobs) => frames.push(frame),
                    _ = &mut is_done => break,
                }
            }
            (frames, bobs)
        });
        let work = rooms.map(|room| {
            let (chat, amy, bob) = (world.chat.clone(), amy.clone(), bob.clone());
            tokio::spawn(async move {
                let mut state = u64::try_from(room.0).unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut sent = Vec::new();
                for n in 0..150 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let text = MessageDraft { content: n.to_string(), ..MessageDraft::default() };
                    match state >> 61 {
                        0 => drop(chat.send(&bob, room, text).await.expect("stored")),
                        1 => {
                            if let Some(last) = sent.last() {
                                chat.mark_read(&bob, *last).await.expect("read");
                            }
                        }
                        2 if sent.len() > 3 => {
                            let older = sent[sent.len() - 3];
                            chat.mark_read(&bob, older).await.expect("read");
                        }
                        _ => sent.push(chat.send(&amy, room, text).await.expect("stored").message.id),
                    }
                }
                sent
            })
        });
        let mut sent = Vec::new();
        for task in work {
            sent.push(task.await.expect("no panic"));
        }
        drop(done);
        let (mut frames, mut bobs) = listening.await.expect("no panic");
        frames.extend(until_fence(&world.chat, &bob, &mut bobs).await);
        let notified = notified(&frames);
        for (room, sent) in rooms.into_iter().zip(sent) {
            let seen = world.chat.room(&bob, room).await.expect("seen").unread_count;
            assert_eq!(counts(&frames).get(&room).copied().unwrap_or_default(), seen);
            let sent: Vec<i64> = sent.iter().map(|id| id.0).collect();
            let of_room: Vec<i64> = notified.iter().copied().filter(|id| sent.contains(id)).collect();
            assert!(of_room.is_sorted_by(|a, b| a < b), "each once, in order: {of_room:?}");
        }
        let unread = NotificationQuery { unread: true, limit: Some(200), ..NotificationQuery::default() };
        let unread = world.chat.notifications(&bob, unread).await.expect("listed");
        for notification in unread {
            assert!(notified.contains(&(notification.id.0 / 2)), "{notification:?} was not notified");
        }
    }
}
