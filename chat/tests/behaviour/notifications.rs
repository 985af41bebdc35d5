//! Notifications: derived from messages and read marks, and the stored ones.

use std::collections::BTreeSet;

use chat::{
    model::{
        Code, MemberPatch, Message, MessageId, Notification, NotificationId, NotificationRef,
        NotificationType, RoomId, User, message::DELETED_CONTENT,
    },
    service::notifications::NotificationQuery,
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::support::{World, both, draft, new_room};

async fn list(world: &World, user: &User, query: NotificationQuery) -> Vec<Notification> {
    world.chat.notifications(user, query).await.expect("readable")
}

async fn all(world: &World, user: &User) -> Vec<Notification> {
    list(world, user, NotificationQuery::default()).await
}

fn contents(notifications: &[Notification]) -> Vec<&str> {
    notifications.iter().map(|notification| notification.content.as_str()).collect()
}

async fn unread(world: &World, user: &User) -> i64 {
    world.chat.unread_notifications(user).await.expect("readable")
}

/// A public room with all of them as members, created by the first.
async fn shared(world: &World, people: &[&User]) -> RoomId {
    let room = world.room(people[0]).await.id;
    for user in &people[1..] {
        world.chat.join(user, room).await.expect("joined");
    }
    room
}

both! {
    async fn unread_alerts_are_mentions_and_system_notifications(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (first, second) = (shared(&world, &[&amy, &bob]).await, shared(&world, &[&amy, &bob]).await);
        world.say(&amy, first, "plain").await;
        world.say(&amy, second, "@bob one").await;
        let last = world.say(&amy, second, "@bob two").await;
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, hidden, "bob").await.expect("brought in");
        let waiting = world.chat.unread_alerts(&bob).await.expect("readable");
        assert_eq!((waiting.mentioned, waiting.notices), (vec![second], 1));
        world.chat.mark_read(&bob, last.id).await.expect("read");
        let waiting = world.chat.unread_alerts(&bob).await.expect("readable");
        assert_eq!((waiting.mentioned, waiting.notices), (Vec::new(), 1));
        assert_eq!(world.chat.unread_alerts(&amy).await.expect("readable").notices, 0);
    }

    async fn each_message_of_others_since_joining_is_one_notification(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.say(&amy, room, "before bob").await;
        world.chat.join(&bob, room).await.expect("joined");
        let first = world.say(&amy, room, "one").await;
        world.say(&bob, room, "bob's own").await;
        world.say(&amy, room, "two").await;
        let found = all(&world, &bob).await;
        assert_eq!(contents(&found), ["two", "one"], "newest first");
        assert_eq!(unread(&world, &bob).await, 2);
        let one = &found[1];
        assert_eq!(one.title, "新消息来自 amy");
        assert_eq!((one.notification_type, one.is_read), (NotificationType::Message, false));
        assert_eq!(one.message.as_ref().map(|m| (m.id, m.created_at)), Some((first.id, first.created_at)));
        assert_eq!((one.room.id, one.room.unread_count), (room, 2));
        assert_eq!(contents(&all(&world, &amy).await), ["bob's own"]);
        assert_eq!(all(&world, &bob).await, found, "and the ids stay the same");
    }

    async fn reading_a_message_reads_its_notification_and_earlier_ones(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = shared(&world, &[&amy, &bob]).await;
        world.say(&amy, room, "one").await;
        let two = world.say(&amy, room, "two").await.id;
        world.say(&amy, room, "three").await;
        world.chat.mark_read(&bob, two).await.expect("read");
        let read: Vec<bool> = all(&world, &bob).await.iter().map(|notification| notification.is_read).collect();
        assert_eq!(read, [false, true, true]);
        assert_eq!(unread(&world, &bob).await, 1);
        let only = NotificationQuery { unread: true, ..NotificationQuery::default() };
        assert_eq!(contents(&list(&world, &bob, only).await), ["three"]);
    }

    async fn marking_one_notification_leaves_the_others_unread(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = shared(&world, &[&amy, &bob]).await;
        for text in ["one", "two", "three"] {
            world.say(&amy, room, text).await;
        }
        let two = all(&world, &bob).await[1].clone();
        for _ in 0..2 {
            world.chat.mark_notification_read(&bob, two.id).await.expect("marked");
        }
        let found = all(&world, &bob).await;
        assert_eq!(found.iter().map(|n| n.is_read).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(unread(&world, &bob).await, 2);
        let only = NotificationQuery { unread: true, ..NotificationQuery::default() };
        assert_eq!(contents(&list(&world, &bob, only).await), ["three", "one"]);
        assert_eq!(found[0].room.unread_count, 3, "the messages themselves are as unread as before");
        world.chat.mark_read(&bob, two.message.expect("a message").id).await.expect("read");
        assert_eq!(unread(&world, &bob).await, 1);
        let refused = |error: chat::Error| error.code();
        for other in [found[0].id, NotificationId(999_998), NotificationId(999_999)] {
            let answer = world.chat.mark_notification_read(&amy, other).await;
            assert_eq!(answer.map_err(refused), Err(Code::NotFound), "{other}");
        }
    }

    async fn mark_all_reads_everything(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for _ in 0..3 {
            let room = shared(&world, &[&amy, &bob]).await;
            world.say(&amy, room, "hi @bob").await;
            world.say(&bob, room, "bob's own").await;
        }
        assert_eq!(unread(&world, &bob).await, 3);
        world.chat.mark_all_notifications_read(&bob).await.expect("marked");
        assert_eq!(unread(&world, &bob).await, 0);
        assert!(all(&world, &bob).await.iter().all(|n| n.is_read && n.room.unread_count == 0));
        assert_eq!(unread(&world, &amy).await, 3, "and nobody else's");
    }

    async fn mention_replaces_the_message_notification(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("Bob").await);
        let (bobby, eve) = (world.person("bobby").await, world.person("eve").await);
        let room = shared(&world, &[&amy, &bob, &bobby]).await;
        for text in ["@bob你好", "@bobby", "bob", "(@BOB)", "@eve @amy @bob_1"] {
            world.say(&amy, room, text).await;
        }
        let kinds = |notifications: Vec<Notification>| -> Vec<bool> {
            notifications.iter().rev().map(|n| n.notification_type == NotificationType::Mention).collect()
        };
        assert_eq!(kinds(all(&world, &bob).await), [true, false, false, true, false]);
        assert_eq!(kinds(all(&world, &bobby).await), [false, true, false, false, false]);
        assert!(all(&world, &amy).await.is_empty(), "own messages are not notified");
        assert!(all(&world, &eve).await.is_empty(), "nor who is not in the room");
        assert_eq!(unread(&world, &bob).await, 5, "each message counts once");
    }

    async fn edit_changes_the_mentions_and_deletion_removes_the_content(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = shared(&world, &[&amy, &bob]).await;
        let message = world.say(&amy, room, "hello").await.id;
        let plain = all(&world, &bob).await.remove(0);
        world.chat.edit(&amy, message, "hello @bob".into()).await.expect("edited");
        let mention = all(&world, &bob).await.remove(0);
        assert_eq!((mention.notification_type, mention.content.as_str()), (NotificationType::Mention, "hello @bob"));
        assert_eq!(mention.id, plain.id, "it is the same notification");
        world.chat.edit(&amy, message, "hello @bob!".into()).await.expect("edited");
        world.chat.delete(&amy, message).await.expect("deleted");
        let found = all(&world, &bob).await;
        assert_eq!(contents(&found), [DELETED_CONTENT]);
        assert_eq!(found[0].notification_type, NotificationType::Message);
        assert_eq!(found[0].message.as_ref().map(|m| m.content.as_str()), Some(DELETED_CONTENT));
    }

    async fn pages_by_before_id_have_each_notification_once(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let mut rooms = Vec::new();
        for _ in 0..5 {
            rooms.push(shared(&world, &[&amy, &bob]).await);
        }
        for n in 0..60_usize {
            let sender = if n % 7 == 3 { &bob } else { &amy };
            world.say(sender, rooms[n * n % 5], &n.to_string()).await;
            // Some have equal times.
            world.clock.advance(i64::from(n % 3 == 0));
        }
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, hidden, "bob").await.expect("invited");
        let mut seen = Vec::new();
        let mut before_id = None;
        loop {
            let query = NotificationQuery { limit: Some(7), before_id, ..NotificationQuery::default() };
            let page = list(&world, &bob, query).await;
            let Some(last) = page.last() else { break };
            before_id = Some(last.id.0);
            seen.extend(page);
        }
        let whole = list(&world, &bob, NotificationQuery { limit: Some(200), ..NotificationQuery::default() }).await;
        assert_eq!(seen, whole);
        assert_eq!(seen.iter().map(|n| n.id).collect::<BTreeSet<_>>().len(), seen.len());
        assert!(seen.is_sorted_by(|a, b| (a.created_at, a.id) > (b.created_at, b.id)));
        let expected = (0..60).filter(|n| n % 7 != 3).count() + 1;
        assert_eq!((seen.len(), unread(&world, &bob).await), (expected, i64::try_from(expected).expect("few")));
    }

    /// Random histories in which bob writes most messages, compared with a list kept by the test.
    async fn own_messages_hide_no_notifications(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let mut dice = Dice(7);
        let mut rooms = Vec::new();
        for n in 0..24 {
            let room = shared(&world, &[&amy, &bob]).await;
            // In every third room bob is the only author.
            rooms.push((room, n % 3 == 0));
        }
        let mut model = Model::default();
        for n in 0..400 {
            let (room, is_bobs) = rooms[dice.roll(rooms.len())];
            let is_own = is_bobs || dice.roll(4) > 0;
            let message = world.say(if is_own { &bob } else { &amy }, room, &n.to_string()).await;
            if !is_own {
                model.sent.push(message.clone());
            }
            world.clock.advance(i64::from(dice.roll(3) == 0));
            match dice.roll(40) {
                0 => {
                    world.chat.mark_read(&bob, message.id).await.expect("read");
                    model.read(&message);
                }
                1 if !model.sent.is_empty() => {
                    let marked = &model.sent[dice.roll(model.sent.len())];
                    let id = NotificationId::from(NotificationRef::Message(marked.id));
                    world.chat.mark_notification_read(&bob, id).await.expect("marked");
                    model.marked.insert(marked.id);
                }
                _ => {}
            }
            if n % 50 == 49 {
                model.compare(&world, &bob, &mut dice).await;
            }
        }
        // The last messages of each room are bob's.
        for (room, _) in &rooms {
            world.say(&bob, *room, "bob's own").await;
        }
        model.compare(&world, &bob, &mut dice).await;
    }

    async fn messages_of_others_are_found_behind_a_thousand_own_ones(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = shared(&world, &[&amy, &bob]).await;
        let mut model = Model::default();
        for n in 0..4 {
            model.sent.push(world.say(&amy, room, &format!("amy {n}")).await);
            let own: Vec<_> = (0..700)
                .map(|n| world.chat.submit(&bob, room, draft(&format!("bob {n}"))).expect("queued"))
                .collect();
            for receipt in own {
                receipt.await.expect("stored");
            }
        }
        let marked = model.sent[2].id;
        world.chat.mark_notification_read(&bob, NotificationRef::Message(marked).into()).await.expect("marked");
        model.marked.insert(marked);
        let mut dice = Dice(1);
        model.compare(&world, &bob, &mut dice).await;
        // As many more rooms as the limit of the list.
        for _ in 0..41 {
            let room = world.room(&bob).await.id;
            world.say(&bob, room, "welcome").await;
        }
        model.compare(&world, &bob, &mut dice).await;
    }

    async fn unread_invitation_is_not_repeated(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, hidden, "bob").await.expect("invited");
        let found = all(&world, &bob).await;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].notification_type, &found[0].message), (NotificationType::RoomInvite, &None));
        assert_eq!((found[0].room.id, unread(&world, &bob).await), (hidden, 1));
        world.chat.mark_notification_read(&bob, found[0].id).await.expect("marked");
        assert_eq!(unread(&world, &bob).await, 0);
        assert!(all(&world, &bob).await[0].is_read);
        world.chat.leave(&bob, hidden).await.expect("left");
        assert!(all(&world, &bob).await.is_empty(), "a room one is not in does not exist");
    }

    async fn former_member_gets_no_notifications(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = shared(&world, &[&amy, &bob]).await;
        let ban = |is_banned| MemberPatch { is_banned: Some(is_banned), ..MemberPatch::default() };
        world.say(&amy, room, "one @bob").await;
        world.chat.change_member(&amy, room, bob.id, ban(true)).await.expect("banned");
        world.say(&amy, room, "two @bob").await;
        assert_eq!((all(&world, &bob).await.len(), unread(&world, &bob).await), (0, 0));
        world.chat.delete_room(&amy, room).await.expect("deleted");
        assert_eq!((all(&world, &amy).await.len(), unread(&world, &amy).await), (0, 0));
    }

    async fn invalid_queries_are_rejected(world: World) {
        let amy = world.person("amy").await;
        let code = async |query| world.chat.notifications(&amy, query).await.map_err(|e| e.code()).err();
        let none = NotificationQuery::default();
        assert_eq!(code(NotificationQuery { limit: Some(0), ..none }).await, Some(Code::Invalid));
        assert_eq!(code(NotificationQuery { limit: Some(5_000), ..none }).await, None);
        for (id, expected) in [(-1, Code::Invalid), (1 << 53, Code::Invalid), (77, Code::NotFound)] {
            let query = NotificationQuery { before_id: Some(id), ..none };
            assert_eq!(code(query).await, Some(expected), "{id}");
        }
    }
}

/// A pseudo-random sequence that is the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

/// The expected notifications of a user: everything sent to them.
#[derive(Default)]
struct Model {
    /// In stored order.
    sent: Vec<Message>,
    marked: BTreeSet<MessageId>,
    /// Read by the rules of read marks.
    read: BTreeSet<MessageId>,
}

impl Model {
    fn read(&mut self, last: &Message) {
        let read = self.sent.iter().filter(|sent| sent.room.id == last.room.id && sent.id <= last.id);
        self.read.extend(read.map(|sent| sent.id));
    }

    /// All or only the unread ones, newest first.
    fn expected(&self, only_unread: bool) -> Vec<MessageId> {
        let is_read = |id: &MessageId| self.read.contains(id) || self.marked.contains(id);
        let mut listed: Vec<&Message> =
            self.sent.iter().filter(|sent| !(only_unread && is_read(&sent.id))).collect();
        listed.sort_by_key(|sent| std::cmp::Reverse((sent.created_at, sent.id)));
        listed.into_iter().map(|sent| sent.id).collect()
    }

    /// Compares lists of every length, following the cursor.
    async fn compare(&self, world: &World, user: &User, dice: &mut Dice) {
        for only_unread in [false, true] {
            let expected = self.expected(only_unread);
            if only_unread {
                assert_eq!(unread(world, user).await, i64::try_from(expected.len()).expect("few"));
            }
            for limit in [1, 2, 7, 24, 41, 200] {
                let listed = async |skipped: usize| -> Vec<MessageId> {
                    let before_id = skipped
                        .checked_sub(1)
                        .map(|last| NotificationId::from(NotificationRef::Message(expected[last])).0);
                    let query = NotificationQuery { limit: Some(limit), before_id, unread: only_unread };
                    let listed = list(world, user, query).await;
                    listed.iter().map(|n| n.message.as_ref().expect("of a message").id).collect()
                };
                for skipped in [0, dice.roll(expected.len() + 1)] {
                    let rest = &expected[skipped..];
                    let rest = &rest[..rest.len().min(usize::try_from(limit).expect("small"))];
                    let case = format!("unread: {only_unread}, limit {limit}, after {skipped}");
                    assert_eq!(listed(skipped).await, rest, "{case}");
                }
            }
        }
    }
}

/// The number of rows in all tables that a message could write to.
async fn rows(world: &World) -> i64 {
    let path = world.url.strip_prefix("sqlite:").expect("SQLite");
    let options = SqliteConnectOptions::new().filename(path);
    let mut conn = SqliteConnection::connect_with(&options).await.expect("connected");
    sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM chat_message) + (SELECT COUNT(*) FROM chat_notification) \
         + (SELECT COUNT(*) FROM chat_message_read) + (SELECT COUNT(*) FROM chat_room_member)",
    )
    .fetch_one(&mut conn)
    .await
    .expect("counted")
}

#[tokio::test]
async fn message_to_many_writes_as_many_rows_as_to_two() {
    let world = World::sqlite().await;
    let amy = world.person("amy").await;
    let (small, large) = (world.room(&amy).await.id, world.room(&amy).await.id);
    for n in 0..12 {
        let user = world.person(&format!("user{n}")).await;
        world.chat.join(&user, large).await.expect("joined");
        if n == 0 {
            world.chat.join(&user, small).await.expect("joined");
        }
    }
    for (text, added) in [("hello", 1), ("hello @user0 and @nobody", 2)] {
        for room in [small, large] {
            let before = rows(&world).await;
            world.say(&amy, room, text).await;
            assert_eq!(rows(&world).await - before, added, "{text}");
        }
    }
}
