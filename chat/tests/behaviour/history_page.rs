//! Pages of the history as the web UI reads them.

use chat::model::{
    Code, HistoryWindow, MemberPatch, MessageDraft, MessageId, MessagePermissions, RoomId, User, WindowAt,
};

use crate::support::{World, both, draft, new_room};

/// 25 messages, "1" to "25".
async fn full_room(world: &World, amy: &User) -> (RoomId, Vec<MessageId>) {
    let room = world.room(amy).await.id;
    let mut ids = Vec::new();
    for n in 1..=25 {
        ids.push(world.say(amy, room, &n.to_string()).await.id);
    }
    (room, ids)
}

async fn open(world: &World, viewer: &User, room: RoomId, at: WindowAt) -> HistoryWindow {
    world.chat.history_window(viewer, room, at, 6).await.expect("readable")
}

/// First and last text, and whether there is more before and after.
fn ends(window: &HistoryWindow) -> (&str, &str, bool, bool) {
    let [first, .., last] = &window.messages[..] else { return ("", "", false, false) };
    (&first.content, &last.content, window.has_earlier, window.has_later)
}

both! {
    async fn page_may_end_at_the_newest_message_or_be_anywhere(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        for (at, expected) in [
            (WindowAt::Newest, ("20", "25", true, false)),
            (WindowAt::Before(ids[19]), ("14", "19", true, true)),
            (WindowAt::Before(ids[2]), ("1", "2", false, true)),
            (WindowAt::After(ids[19]), ("21", "25", true, false)),
            (WindowAt::After(ids[2]), ("4", "9", true, true)),
            (WindowAt::Around(ids[9]), ("8", "13", true, true)),
            (WindowAt::Around(ids[0]), ("1", "4", false, true)),
            (WindowAt::Around(ids[24]), ("20", "25", true, false)),
            (WindowAt::Around(MessageId(1_000_000)), ("20", "25", true, false)),
        ] {
            let window = open(&world, &amy, room, at).await;
            assert_eq!(ends(&window), expected, "{at:?}");
            assert_eq!(window.rev, 25);
        }
        assert!(open(&world, &amy, room, WindowAt::Before(MessageId(i64::MIN))).await.messages.is_empty());
    }

    async fn usernames_of_mentioned_members_are_included(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("Bob").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        for text in ["@bob and @eve", "`@amy`", "mail amy@example.com"] {
            world.say(&amy, room, text).await;
        }
        assert_eq!(open(&world, &amy, room, WindowAt::Newest).await.mentioned, ["Bob"], "eve is no member");
        world.chat.join(&eve, room).await.expect("joined");
        let mut mentioned = open(&world, &amy, room, WindowAt::Newest).await.mentioned;
        mentioned.sort_unstable();
        assert_eq!(mentioned, ["Bob", "eve"]);
    }

    async fn quoted_messages_are_included_in_their_current_state(world: World) {
        let amy = world.person("amy").await;
        let (room, ids) = full_room(&world, &amy).await;
        world.chat.edit(&amy, ids[3], "字".repeat(500)).await.expect("edited");
        for id in [ids[3], ids[3], ids[23]] {
            let answer = MessageDraft { reply_to: Some(id.0), ..draft("re") };
            world.chat.send(&amy, room, answer).await.expect("stored");
        }
        let window = open(&world, &amy, room, WindowAt::Newest).await;
        let quoted: Vec<_> = window.quoted.iter().map(|message| (message.id, message.content.chars().count())).collect();
        assert_eq!(quoted, [(ids[3], 160)], "the other is among the messages");
        let one = world.chat.quoted(&amy, room, ids[3]).await.expect("readable").expect("there");
        assert!(one.is_edited);
        let other = world.room(&amy).await.id;
        assert_eq!(world.chat.quoted(&amy, other, ids[3]).await.expect("readable"), None);
    }

    async fn last_read_message_is_given_until_all_is_read(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let first = world.say(&amy, room, "1").await.id;
        world.chat.join(&bob, room).await.expect("in");
        assert_eq!(open(&world, &bob, room, WindowAt::Newest).await.last_read, None);
        let last = world.say(&amy, room, "2").await.id;
        assert_eq!(open(&world, &bob, room, WindowAt::Newest).await.last_read, Some(first));
        world.chat.mark_read(&bob, last).await.expect("read");
        assert_eq!(open(&world, &bob, room, WindowAt::Newest).await.last_read, None);
    }

    async fn page_has_the_viewers_message_permissions(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("in");
        let rights = async |user| open(&world, user, room, WindowAt::Newest).await.rights;
        assert_eq!(rights(&amy).await, MessagePermissions { write: true, delete_own: true, delete_any: true });
        assert_eq!(rights(&bob).await, MessagePermissions { write: true, delete_own: true, delete_any: false });
        let mute = MemberPatch { is_muted: Some(true), ..MemberPatch::default() };
        world.chat.change_member(&amy, room, bob.id, mute).await.expect("muted");
        assert_eq!(rights(&bob).await, MessagePermissions { write: false, delete_own: true, delete_any: false });
        world.chat.delete_room(&amy, room).await.expect("gone");
        assert_eq!(rights(&amy).await, MessagePermissions::default());

        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("a room").id;
        let refused = world.chat.history_window(&eve, hidden, WindowAt::Newest, 6).await.expect_err("hidden");
        assert_eq!(refused.code(), Code::NotFound);
        assert_eq!(world.chat.quoted(&eve, hidden, MessageId(1)).await.expect_err("hidden").code(), Code::NotFound);
    }
}
