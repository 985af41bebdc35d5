//! Editing and deleting: permissions, what is left of the message, and that every change takes a `rev`.

use std::time::Duration;

use chat::{
    model::{
        Code, MemberPatch, Message, MessageDraft, MessageId, Role, RoomId, ServerFrame, User,
        message::DELETED_CONTENT,
    },
    service::{history::HistoryQuery, room_session::Resume},
};

use tokio::time::timeout;

use crate::support::{Sockets as _, World, both, draft, new_room};

/// Timeout for frames that must arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn stored(world: &World, viewer: &User, room: RoomId) -> Vec<Message> {
    let query = HistoryQuery { page_size: Some(100), ..HistoryQuery::default() };
    world.chat.history(viewer, room, query).await.expect("readable").messages
}

async fn edit(world: &World, user: &User, id: MessageId, text: &str) -> Result<Message, Code> {
    world.chat.edit(user, id, text.into()).await.map(|stored| stored.message).map_err(|error| error.code())
}

async fn delete(world: &World, user: &User, id: MessageId) -> Result<Message, Code> {
    world.chat.delete(user, id).await.map(|stored| stored.message).map_err(|error| error.code())
}

/// The frames of a socket that resumes, between its first one and that of a message sent then.
async fn frames(world: &World, user: &User, room: RoomId, resume: Resume) -> Vec<ServerFrame> {
    let mut session = world.chat.open_room(user, room, Some(resume)).await.expect("open");
    world.say(user, room, "fence").await;
    let mut frames = Vec::new();
    loop {
        let received = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
        match serde_json::from_slice(&received).expect("a frame") {
            ServerFrame::ConnectionEstablished { .. } => {}
            ServerFrame::ChatMessage { message, .. } if message.content == "fence" => return frames,
            frame => frames.push(frame),
        }
    }
}

both! {
    async fn edit_replaces_the_content_and_takes_a_rev(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let first = world.say(&amy, room, "frist").await;
        let second = world.say(&amy, room, "second").await;
        world.clock.advance(1_000_000);
        let edited = edit(&world, &amy, first.id, "first 聊").await.expect("edited");
        assert_eq!((edited.content.as_str(), edited.is_edited, edited.rev), ("first 聊", true, 3));
        assert_eq!(edited.created_at, first.created_at);
        assert!(edited.updated_at > first.updated_at);
        assert_eq!(stored(&world, &amy, room).await, [second, edited], "in its old place");
    }

    async fn repeated_edit_changes_nothing(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let message = world.say(&amy, room, "one").await.id;
        let once = edit(&world, &amy, message, "two").await.expect("edited");
        assert_eq!(edit(&world, &amy, message, "two").await, Ok(once));
        assert_eq!(world.say(&amy, room, "next").await.rev, 3);
    }

    async fn only_the_author_edits_and_the_new_content_is_validated(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let message = world.say(&bob, room, "bob's").await;
        assert_eq!(edit(&world, &amy, message.id, "x").await, Err(Code::PermissionDenied), "not even the admin");
        assert_eq!(edit(&world, &eve, message.id, "x").await, Err(Code::NotAMember));
        assert_eq!(edit(&world, &bob, MessageId(987_654), "x").await, Err(Code::NotFound));
        for bad in ["", " \n", "a\0b", &"a".repeat(10_001)] {
            assert_eq!(edit(&world, &bob, message.id, bad).await, Err(Code::Invalid));
        }
        let mute = MemberPatch { is_muted: Some(true), ..MemberPatch::default() };
        world.chat.change_member(&amy, room, bob.id, mute).await.expect("muted");
        assert_eq!(edit(&world, &bob, message.id, "x").await, Err(Code::Muted), "no way round the mute");
        assert_eq!(stored(&world, &amy, room).await, [message]);
    }

    async fn message_of_a_hidden_room_is_not_found_for_non_members(world: World) {
        let (amy, eve) = (world.person("amy").await, world.person("eve").await);
        let room = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        let message = world.say(&amy, room, "secret").await.id;
        assert_eq!(edit(&world, &eve, message, "x").await, Err(Code::NotFound));
        assert_eq!(delete(&world, &eve, message).await, Err(Code::NotFound));
        assert_eq!(world.chat.readers(&eve, message).await.map_err(|e| e.code()).err(), Some(Code::NotFound));
    }

    async fn deletion_keeps_the_seq_and_removes_the_content(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let draft = MessageDraft {
            message_type: Some("file".into()),
            file_url: Some("https://example.org/a.png".into()),
            file_name: Some("a.png".into()),
            file_size: Some(7),
            ..draft("look")
        };
        let sent = world.chat.send(&amy, room, draft).await.expect("stored").message;
        let deleted = delete(&world, &amy, sent.id).await.expect("deleted");
        assert_eq!((deleted.content.as_str(), deleted.is_deleted, deleted.rev), (DELETED_CONTENT, true, 2));
        assert_eq!((&deleted.file_url, &deleted.file_name, deleted.file_size), (&None, &None, None));
        assert_eq!(stored(&world, &amy, room).await, std::slice::from_ref(&deleted));
        let listed = world.chat.room(&amy, room).await.expect("readable").last_message.expect("one");
        assert_eq!(listed.content, DELETED_CONTENT);
        assert_eq!(delete(&world, &amy, sent.id).await, Ok(deleted), "again: the same");
        assert_eq!(edit(&world, &amy, sent.id, "back").await, Err(Code::NotFound));
        assert_eq!(world.say(&amy, room, "next").await.rev, 3, "neither took a number");
    }

    async fn author_moderators_and_admins_can_delete(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (mod_, eve) = (world.person("mo").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        for user in [&bob, &mod_] {
            world.chat.join(user, room).await.expect("joined");
        }
        let moderator = MemberPatch { role: Some(Role::Moderator.as_str().into()), ..MemberPatch::default() };
        world.chat.change_member(&amy, room, mod_.id, moderator).await.expect("a moderator");
        let amys = world.say(&amy, room, "amy's").await.id;
        let bobs = [world.say(&bob, room, "1").await.id, world.say(&bob, room, "2").await.id, world.say(&bob, room, "3").await.id];
        assert_eq!(delete(&world, &bob, amys).await, Err(Code::PermissionDenied));
        assert_eq!(delete(&world, &eve, amys).await, Err(Code::NotAMember));
        let mute = MemberPatch { is_muted: Some(true), ..MemberPatch::default() };
        world.chat.change_member(&amy, room, bob.id, mute).await.expect("muted");
        for (user, id) in [(&bob, bobs[0]), (&amy, bobs[1]), (&mod_, bobs[2]), (&mod_, amys)] {
            assert!(delete(&world, user, id).await.is_ok_and(|message| message.is_deleted));
        }
    }

    async fn socket_receives_every_change_in_order_of_rev(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        let id = world.say(&amy, room, "one").await.id;
        edit(&world, &amy, id, "two").await.expect("edited");
        delete(&world, &amy, id).await.expect("deleted");
        let mut received = Vec::new();
        for _ in 0..4 {
            let bytes = session.next().await.expect("a frame");
            received.push(serde_json::from_slice::<ServerFrame>(&bytes).expect("a frame"));
        }
        assert!(matches!(&received[1], ServerFrame::ChatMessage { rev: 1, .. }));
        assert!(matches!(&received[2], ServerFrame::MessageEdited { message, rev: 2, .. } if message.content == "two"));
        assert_eq!(received[3], ServerFrame::MessageDeleted { room_id: room, message_id: id, rev: 3 });
    }

    async fn resume_by_rev_sends_missed_edits_and_deletions_in_their_current_state(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut ids = Vec::new();
        for text in ["kept", "edited", "deleted"] {
            ids.push(world.say(&amy, room, text).await.id);
        }
        for text in ["draft", "edited twice"] {
            edit(&world, &amy, ids[1], text).await.expect("edited");
        }
        delete(&world, &amy, ids[2]).await.expect("deleted");
        let new = world.say(&amy, room, "new").await.id;
        edit(&world, &amy, new, "new and edited").await.expect("edited");
        let missed = frames(&world, &amy, room, Resume::AfterRev(3)).await;
        assert_eq!(missed.len(), 4, "{missed:?}");
        assert!(matches!(&missed[0], ServerFrame::MessageEdited { message, rev: 5, .. } if message.content == "edited twice"));
        assert_eq!(missed[1], ServerFrame::MessageDeleted { room_id: room, message_id: ids[2], rev: 6 });
        assert!(matches!(&missed[2], ServerFrame::ChatMessage { message, rev: 7, .. } if message.content == "new and edited"));
        assert!(matches!(&missed[3], ServerFrame::MessageEdited { message, rev: 8, .. } if message.content == "new and edited"));
    }

    async fn concurrent_sends_edits_and_deletes_leave_revs_gapless(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut session = world.chat.open_room(&amy, room, None).await.expect("open");
        let tasks: Vec<_> = (0..20)
            .map(|task| {
                let (chat, amy) = (world.chat.clone(), amy.clone());
                tokio::spawn(async move {
                    let mut revs = Vec::new();
                    for n in 0..5 {
                        let sent = chat.send(&amy, room, draft(&format!("{task}-{n}"))).await.expect("stored").message;
                        revs.push(sent.rev);
                        revs.push(chat.edit(&amy, sent.id, format!("{task}-{n}!")).await.expect("edited").message.rev);
                        if n % 2 == 0 {
                            revs.push(chat.delete(&amy, sent.id).await.expect("deleted").message.rev);
                        }
                    }
                    revs
                })
            })
            .collect();
        let mut revs = Vec::new();
        for task in tasks {
            revs.extend(task.await.expect("no panic"));
        }
        revs.sort_unstable();
        let all: Vec<i64> = (1..=260).collect();
        assert_eq!(revs, all);
        let mut received = Vec::new();
        while received.len() < all.len() {
            let bytes = session.next().await.expect("a frame");
            let frame: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            if frame["type"] != "connection_established" {
                received.push(frame["rev"].as_i64().expect("a number"));
            }
        }
        assert_eq!(received, all, "and the socket received each in order");
    }
}
