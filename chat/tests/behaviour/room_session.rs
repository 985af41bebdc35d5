//! Frames of a room socket: first, live, and after a resume.

use std::time::Duration;

use chat::{
    model::{Code, MemberChange, RoomId, ServerFrame, User, UserId},
    service::{RoomSession, room_session::Resume},
};

use crate::support::{
    Sockets as _, World, both,
    cast::{banned, cast, muted},
};

/// The next frame. Events are local; the second is for a busy machine.
async fn next(session: &mut RoomSession) -> ServerFrame {
    let bytes = tokio::time::timeout(Duration::from_secs(20), session.next())
        .await
        .expect("a frame in time")
        .expect("no close");
    serde_json::from_slice(&bytes).expect("a frame of the contract")
}

/// The text of the next frame, which must be a new message.
async fn next_text(session: &mut RoomSession) -> String {
    match next(session).await {
        ServerFrame::ChatMessage { message, .. } => message.content,
        other => panic!("not a message: {other:?}"),
    }
}

/// The user who started or stopped typing next; skips other frames.
async fn next_typing(session: &mut RoomSession) -> (UserId, bool) {
    loop {
        if let ServerFrame::Typing { user, is_typing, .. } = next(session).await {
            return (user.id, is_typing);
        }
    }
}

async fn open(world: &World, user: &User, room: RoomId, resume: Option<Resume>) -> RoomSession {
    let mut session = world.chat.open_room(user, room, resume).await.expect("open");
    assert!(matches!(next(&mut session).await, ServerFrame::ConnectionEstablished { .. }), "always first");
    session
}

both! {
    async fn first_frame_has_room_user_and_position(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let last = world.say(&amy, room, "one").await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        let expected = ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: room,
            user: amy,
            last_message_id: Some(last),
            rev: 1,
            build: world.chat.settings().build.clone(),
        };
        assert_eq!(next(&mut session).await, expected);
    }

    async fn an_open_socket_sends_under_the_new_names(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut session = open(&world, &amy, room, None).await;
        world.chat.rename(&amy, "Amelia", "").await.expect("renamed");
        session.submit(crate::support::draft("hi")).expect("queued").await.expect("stored");
        let json = session.next().await.expect("a frame");
        let frame: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(frame["message"]["sender"]["first_name"], "Amelia");
    }

    async fn every_socket_gets_every_message_once_and_in_order(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut sockets = [
            open(&world, &amy, room, None).await,
            open(&world, &bob, room, None).await,
            open(&world, &bob, room, None).await,
        ];
        let said: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        for (n, text) in said.iter().enumerate() {
            world.say(if n % 2 == 0 { &amy } else { &bob }, room, text).await;
        }
        for (index, socket) in sockets.iter_mut().enumerate() {
            let mut received = Vec::new();
            while received.len() < said.len() {
                match next(socket).await {
                    ServerFrame::ChatMessage { message, .. } => received.push(message.content),
                    ServerFrame::UserJoin { user, .. } => assert_eq!((index, user.id), (0, bob.id)),
                    other => panic!("unexpected {other:?}"),
                }
            }
            assert_eq!(received, said);
        }
    }

    async fn resuming_client_gets_missed_and_then_live_messages(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let known = world.say(&amy, room, "known").await;
        world.say(&amy, room, "missed 1").await;
        world.say(&amy, room, "missed 2").await;
        for resume in [Resume::AfterId(known.id.0), Resume::AfterRev(known.rev)] {
            let mut session = open(&world, &amy, room, Some(resume)).await;
            assert_eq!(next_text(&mut session).await, "missed 1");
            assert_eq!(next_text(&mut session).await, "missed 2");
            let live = world.say(&amy, room, "live").await;
            assert_eq!(next_text(&mut session).await, "live", "{resume:?}");
            drop(session);
            // With the second kind of resume one more message was missed.
            if resume == Resume::AfterId(known.id.0) {
                let mut again = open(&world, &amy, room, Some(Resume::AfterRev(live.rev))).await;
                world.say(&amy, room, "after").await;
                assert_eq!(next_text(&mut again).await, "after");
                break;
            }
        }
    }

    async fn resume_under_concurrent_writes_misses_and_repeats_nothing(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let writer = {
            let (chat, amy) = (world.chat.clone(), amy.clone());
            tokio::spawn(async move {
                for n in 0..200 {
                    chat.send(&amy, room, crate::support::draft(&n.to_string())).await.expect("stored");
                }
            })
        };
        let (mut received, mut rev) = (Vec::new(), 0);
        while received.len() < 200 {
            // Receives a few, disconnects, and resumes from its position.
            let mut session = open(&world, &amy, room, Some(Resume::AfterRev(rev))).await;
            for _ in 0..7 {
                if received.len() == 200 {
                    break;
                }
                match next(&mut session).await {
                    ServerFrame::ChatMessage { message, rev: at, .. } => {
                        received.push(message.content);
                        rev = at;
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        writer.await.expect("no panic");
        assert_eq!(received, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    async fn missing_too_much_sends_resync_and_live_events_continue(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let receipts: Vec<_> = (0..1_001)
            .map(|n| world.chat.submit(&amy, room, crate::support::draft(&n.to_string())).expect("queued"))
            .collect();
        for receipt in receipts {
            receipt.await.expect("stored");
        }
        for resume in [Resume::AfterId(0), Resume::AfterRev(0)] {
            let mut session = open(&world, &amy, room, Some(resume)).await;
            assert!(matches!(next(&mut session).await, ServerFrame::Resync { rev, .. } if rev >= 1_001));
            world.say(&amy, room, "live").await;
            assert_eq!(next_text(&mut session).await, "live");
        }
        let mut one_less = open(&world, &amy, room, Some(Resume::AfterRev(3))).await;
        assert_eq!(next_text(&mut one_less).await, "3");
    }

    async fn backfill_keeps_one_page_in_memory(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        // Just below the limit of a backfill in bytes: each of these characters takes three.
        let mut texts: Vec<String> = (0..34).map(|n| format!("{n} {}", "聊".repeat(9_990))).collect();
        for text in &texts {
            world.say(&amy, room, text).await;
        }
        for resume in [Resume::AfterId(0), Resume::AfterRev(0)] {
            let mut session = open(&world, &amy, room, Some(resume)).await;
            for text in &texts {
                assert_eq!(next_text(&mut session).await, *text);
                // A page of 64 KiB of text, or one larger message, plus the overhead of frames.
                assert!(session.queued_bytes() < 80 * 1024, "{} bytes wait", session.queued_bytes());
            }
            world.say(&amy, room, "live").await;
            assert_eq!(next_text(&mut session).await, "live", "{resume:?}");
            texts.push("live".into());
        }
        // As in an attack, with many sockets that read nothing.
        world.say(&amy, room, &"聊".repeat(10_000)).await;
        for resume in [Resume::AfterId(0), Resume::AfterRev(0)] {
            let mut session = world.chat.open_room(&amy, room, Some(resume)).await.expect("open");
            assert!(session.queued_bytes() < 1_024, "nothing was read yet");
            next(&mut session).await;
            assert!(matches!(next(&mut session).await, ServerFrame::Resync { .. }), "{resume:?}");
            assert_eq!(session.queued_bytes(), 0);
        }
    }

    async fn new_and_changed_message_is_sent_at_its_creation_and_again_at_its_change(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let known = world.say(&amy, room, "known").await;
        let new = world.say(&amy, room, "new").await;
        let gone = world.say(&amy, room, "gone").await;
        world.chat.edit(&amy, new.id, "new and changed".into()).await.expect("edited");
        world.say(&amy, room, "last").await;
        world.chat.delete(&amy, gone.id).await.expect("deleted");
        world.chat.edit(&amy, known.id, "known and changed".into()).await.expect("edited");
        let mut session = open(&world, &amy, room, Some(Resume::AfterRev(known.rev))).await;
        let mut received = Vec::new();
        while received.last().is_none_or(|(rev, _)| *rev < 7) {
            received.push(match next(&mut session).await {
                ServerFrame::ChatMessage { message, rev, .. } => (rev, message.content),
                ServerFrame::MessageEdited { message, rev, .. } => (rev, format!("edited: {}", message.content)),
                ServerFrame::MessageDeleted { message_id, rev, .. } => (rev, format!("deleted {}", message_id.0)),
                other => panic!("unexpected {other:?}"),
            });
        }
        let deleted = format!("deleted {}", gone.id.0);
        let expected = [
            (2, "new and changed"),
            (3, chat::model::message::DELETED_CONTENT),
            (4, "edited: new and changed"),
            (5, "last"),
            (6, &deleted),
            (7, "edited: known and changed"),
        ];
        assert_eq!(received.iter().map(|(rev, text)| (*rev, &**text)).collect::<Vec<_>>(), expected);
        // A resume by message does not include earlier changes.
        let mut session = open(&world, &amy, room, Some(Resume::AfterId(known.id.0))).await;
        for text in ["new and changed", chat::model::message::DELETED_CONTENT, "last"] {
            assert_eq!(next_text(&mut session).await, text);
        }
        world.say(&amy, room, "live").await;
        assert_eq!(next_text(&mut session).await, "live");
    }

    async fn changes_during_a_backfill_arrive_once_and_in_order(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut sent = Vec::new();
        for number in 0..150 {
            sent.push(world.say(&amy, room, &number.to_string()).await);
        }
        world.chat.edit(&amy, sent[140].id, "140 edited early".into()).await.expect("edited");
        let mut session = open(&world, &amy, room, Some(Resume::AfterRev(sent[9].rev))).await;
        let (mut texts, mut changes, mut last) = (Vec::new(), Vec::new(), 0);
        let mut take = |frame| {
            let (rev, is_last) = match frame {
                ServerFrame::ChatMessage { message, rev, .. } => {
                    let is_last = message.content == "end";
                    texts.push(message.content);
                    (rev, is_last)
                }
                ServerFrame::MessageEdited { message, rev, .. } => {
                    changes.push(message.content);
                    (rev, false)
                }
                ServerFrame::MessageDeleted { rev, .. } => {
                    changes.push("deleted".into());
                    (rev, false)
                }
                other => panic!("unexpected {other:?}"),
            };
            assert!(rev > last, "change {rev} after {last}");
            last = rev;
            is_last
        };
        take(next(&mut session).await);
        // The first page was read; this happens before the others are.
        world.chat.edit(&amy, sent[12].id, "12 edited".into()).await.expect("edited");
        world.chat.edit(&amy, sent[130].id, "130 edited".into()).await.expect("edited");
        world.chat.edit(&amy, sent[140].id, "140 edited late".into()).await.expect("edited");
        world.chat.delete(&amy, sent[145].id).await.expect("deleted");
        world.say(&amy, room, "end").await;
        while !take(next(&mut session).await) {}
        let expected = (10..150).map(|number| match number {
            130 => "130 edited".to_owned(),
            140 => "140 edited late".to_owned(),
            145 => chat::model::message::DELETED_CONTENT.to_owned(),
            _ => number.to_string(),
        });
        assert_eq!(texts, expected.chain(["end".to_owned()]).collect::<Vec<_>>());
        assert_eq!(changes, ["12 edited", "130 edited", "140 edited late", "deleted"]);
    }

    async fn removal_during_a_backfill_ends_it(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        for number in 0..150 {
            world.say(&amy, room, &number.to_string()).await;
        }
        let mut session = open(&world, &bob, room, Some(Resume::AfterId(0))).await;
        assert_eq!(next_text(&mut session).await, "0");
        world.chat.change_member(&amy, room, bob.id, banned(true)).await.expect("banned");
        let mut received = 1;
        let code = loop {
            match session.next().await {
                Ok(_) => received += 1,
                Err(error) => break error.code(),
            }
        };
        assert_eq!(code, Code::Banned);
        assert!(received <= 32, "{received} of a page of 32");
    }

    async fn muted_member_sends_no_signals(world: World) {
        let people = cast(&world, "public").await;
        let room = people.room;
        let mut watcher = open(&world, &people.admin, room, None).await;
        let mut sockets = vec![
            open(&world, &people.member, room, None).await,
            open(&world, &people.member, room, None).await,
        ];
        let mut moderators = open(&world, &people.moderator, room, None).await;
        let patch = muted(true);
        world.chat.change_member(&people.admin, room, people.member.id, patch).await.expect("muted");
        for socket in &mut sockets {
            socket.announce_typing(true).await;
        }
        // The second of these waits its turn, so it comes after whatever the member's sockets were allowed to send.
        for is_typing in [true, false] {
            moderators.announce_typing(is_typing).await;
        }
        loop {
            let (user, is_typing) = next_typing(&mut watcher).await;
            assert_eq!(user, people.moderator.id);
            if !is_typing {
                break;
            }
        }
        let patch = muted(false);
        world.chat.change_member(&people.admin, room, people.member.id, patch).await.expect("unmuted");
        for socket in &mut sockets {
            socket.announce_typing(true).await;
        }
        assert_eq!(next_typing(&mut watcher).await, (people.member.id, true));
        world.chat.change_member(&people.admin, room, people.member.id, muted(true)).await.expect("muted");
        for socket in &mut sockets {
            socket.set_present(false).await;
        }
        drop(sockets);
        // The leave is announced all the same, and once.
        while !matches!(next(&mut watcher).await, ServerFrame::UserLeave { .. }) {}
    }

    async fn only_members_open_a_socket_and_leaving_closes_it(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let refused = world.chat.open_room(&bob, room, None).await.err().map(|error| error.code());
        assert_eq!(refused, Some(Code::NotAMember));
        let refused = world.chat.open_room(&bob, RoomId(424_242), None).await.err().map(|error| error.code());
        assert_eq!(refused, Some(Code::NotFound));
        world.chat.join(&bob, room).await.expect("joined");
        let mut session = open(&world, &bob, room, None).await;
        let mut stays = open(&world, &amy, room, None).await;
        world.chat.leave(&bob, room).await.expect("left");
        let closed = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                if let Err(error) = session.next().await {
                    return error.code();
                }
            }
        });
        assert_eq!(closed.await.expect("closed in time"), Code::NotAMember);
        let received = next(&mut stays).await;
        assert!(matches!(received, ServerFrame::MemberChanged { change: MemberChange::Left, .. }), "{received:?}");
        world.say(&amy, room, "still here").await;
        assert_eq!(next_text(&mut stays).await, "still here");
    }
}
