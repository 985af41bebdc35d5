//! What a room's socket is told: first, live, and after it was away.

use std::time::Duration;

use chat::{
    model::{Code, MemberChange, RoomId, ServerFrame, User},
    service::{RoomSession, sockets::Resume},
};

use crate::support::{Sockets as _, World, both};

/// The next frame. Events are local, so a second is for a busy machine, not for the code.
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

async fn open(world: &World, user: &User, room: RoomId, resume: Option<Resume>) -> RoomSession {
    let mut session = world.chat.open_room(user, room, resume).await.expect("open");
    assert!(matches!(next(&mut session).await, ServerFrame::ConnectionEstablished { .. }), "always first");
    session
}

both! {
    async fn the_first_frame_says_where_and_who_and_how_far(world: World) {
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
        };
        assert_eq!(next(&mut session).await, expected);
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
            let mut heard = Vec::new();
            while heard.len() < said.len() {
                match next(socket).await {
                    ServerFrame::ChatMessage { message, .. } => heard.push(message.content),
                    ServerFrame::UserJoin { user } => assert_eq!((index, user.id), (0, bob.id)),
                    other => panic!("unexpected {other:?}"),
                }
            }
            assert_eq!(heard, said);
        }
    }

    async fn a_returning_client_gets_what_it_missed_and_then_the_rest(world: World) {
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
            // The second way has one message more to catch up with.
            if resume == Resume::AfterId(known.id.0) {
                let mut again = open(&world, &amy, room, Some(Resume::AfterRev(live.rev))).await;
                world.say(&amy, room, "after").await;
                assert_eq!(next_text(&mut again).await, "after");
                break;
            }
        }
    }

    async fn resuming_while_others_write_misses_and_repeats_nothing(world: World) {
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
        let (mut heard, mut rev) = (Vec::new(), 0);
        while heard.len() < 200 {
            // Hears a few, is cut off, and comes back from where it was.
            let mut session = open(&world, &amy, room, Some(Resume::AfterRev(rev))).await;
            for _ in 0..7 {
                if heard.len() == 200 {
                    break;
                }
                match next(&mut session).await {
                    ServerFrame::ChatMessage { message, rev: at } => {
                        heard.push(message.content);
                        rev = at;
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        writer.await.expect("no panic");
        assert_eq!(heard, (0..200).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    async fn too_much_missed_is_said_and_live_goes_on(world: World) {
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
            assert!(matches!(next(&mut session).await, ServerFrame::Resync { rev } if rev >= 1_001));
            world.say(&amy, room, "live").await;
            assert_eq!(next_text(&mut session).await, "live");
        }
        let mut one_less = open(&world, &amy, room, Some(Resume::AfterRev(3))).await;
        assert_eq!(next_text(&mut one_less).await, "3");
    }

    async fn only_members_may_open_one_and_leaving_closes_it(world: World) {
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
        let heard = next(&mut stays).await;
        assert!(matches!(heard, ServerFrame::MemberChanged { change: MemberChange::Left, .. }), "{heard:?}");
        world.say(&amy, room, "still here").await;
        assert_eq!(next_text(&mut stays).await, "still here");
    }
}
