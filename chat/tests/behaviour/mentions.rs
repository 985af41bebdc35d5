//! Whom a message mentions, and replies.

use chat::{
    model::{
        Message, MessageDraft, MessageId, Notification, NotificationReason, NotificationType, RoomId,
        RoomPatch, User,
    },
    service::notifications::NotificationQuery,
};

use crate::support::{Sockets as _, World, both, draft};

/// A room with these users, created by the first, and the users.
async fn room_with<const N: usize>(world: &World, names: [&str; N]) -> (RoomId, [User; N]) {
    let mut people = Vec::new();
    for name in names {
        people.push(world.person(name).await);
    }
    let room = world.room(&people[0]).await.id;
    for user in &people[1..] {
        world.chat.join(user, room).await.expect("joined");
    }
    (room, people.try_into().expect("as many"))
}

/// The newest notification of `user`.
async fn newest(world: &World, user: &User) -> Notification {
    let query = NotificationQuery { limit: Some(1), ..NotificationQuery::default() };
    world.chat.notifications(user, query).await.expect("readable").remove(0)
}

/// The usernames of those among `people` whose notification of this message is a mention.
async fn mentioned<'a>(world: &World, people: &'a [User], message: MessageId) -> Vec<&'a str> {
    let mut found = Vec::new();
    for user in people {
        let all = world.chat.notifications(user, NotificationQuery::default()).await.expect("readable");
        let of_message = |n: &&Notification| n.message.as_ref().is_some_and(|m| m.id == message);
        if all.iter().find(of_message).is_some_and(|n| n.notification_type == NotificationType::Mention) {
            found.push(user.username.as_str());
        }
    }
    found
}

async fn reply(world: &World, sender: &User, to: &Message, text: &str) -> Message {
    let draft = MessageDraft { reply_to: Some(to.id.0), ..draft(text) };
    world.chat.send(sender, to.room.id, draft).await.expect("stored").message
}

const REPLY: (NotificationType, Option<NotificationReason>) =
    (NotificationType::Mention, Some(NotificationReason::Reply));
const MENTION: (NotificationType, Option<NotificationReason>) = (NotificationType::Mention, None);
const MESSAGE: (NotificationType, Option<NotificationReason>) = (NotificationType::Message, None);

/// Type and reason of the newest notification of `user`.
async fn kind(world: &World, user: &User) -> (NotificationType, Option<NotificationReason>) {
    let newest = newest(world, user).await;
    (newest.notification_type, newest.reason)
}

both! {
    async fn the_longest_name_of_a_member_is_meant(world: World) {
        let (room, people) = room_with(&world, ["amy", "bob", "bob.smith", "小明", "小明明", "hiếu", "Weiß"]).await;
        let outsider = world.person("bob-2").await;
        for (text, expected) in [
            ("@bob.smith hi", vec!["bob.smith"]),
            ("@bob. @bob-2", vec!["bob"]),
            ("@小明明好", vec!["小明明"]),
            ("@小明好", vec!["小明"]),
            ("＠ＢＯＢ：@小明@bob.smith", vec!["bob", "bob.smith", "小明"]),
            ("@hiê\u{301}u @WEISS", vec!["hiếu", "Weiß"]),
            ("li@bob a_@bob `@bob` https://a.example/@bob", vec![]),
            ("```\n@bob\n```\n@小明", vec!["小明"]),
        ] {
            let message = world.say(&people[0], room, text).await;
            assert_eq!(mentioned(&world, &people, message.id).await, expected, "{text}");
        }
        world.chat.join(&outsider, room).await.expect("joined");
        let message = world.say(&people[0], room, "@bob-2 hi").await;
        assert_eq!(mentioned(&world, &people, message.id).await, Vec::<&str>::new());
        assert_eq!(kind(&world, &outsider).await, MENTION);
        world.chat.leave(&people[2], room).await.expect("left");
        let message = world.say(&people[0], room, "@bob.smith hi").await;
        assert_eq!(mentioned(&world, &people, message.id).await, ["bob"], "bob.smith is no member any more");
    }

    async fn ones_own_longer_name_is_nobody_elses(world: World) {
        let (room, people) = room_with(&world, ["bob.smith", "bob"]).await;
        let message = world.say(&people[0], room, "signed: @bob.smith").await;
        assert_eq!(mentioned(&world, &people, message.id).await, Vec::<&str>::new());
    }

    async fn the_first_fifty_in_the_text_are_notified(world: World) {
        let (room, [amy]) = room_with(&world, ["amy"]).await;
        let larger = RoomPatch { max_members: Some(100), ..RoomPatch::default() };
        world.chat.edit_room(&amy, room, larger).await.expect("changed");
        let mut people = Vec::new();
        for n in 0..52 {
            people.push(world.person(&format!("u{n:02}")).await);
            world.chat.join(&people[n], room).await.expect("joined");
        }
        let names: Vec<String> = people.iter().rev().map(|user| format!("@{}", user.username)).collect();
        let text = names.join(" ");
        let message = world.say(&amy, room, &text).await;
        let expected: Vec<&str> = people[2..].iter().map(|user| user.username.as_str()).collect();
        assert_eq!(mentioned(&world, &people, message.id).await, expected);
    }

    async fn an_edit_adds_and_removes_names(world: World) {
        let (room, people) = room_with(&world, ["amy", "bob", "bob.smith"]).await;
        let message = world.say(&people[0], room, "@bob hi").await.id;
        for (text, expected) in [
            ("@bob.smith hi", vec!["bob.smith"]),
            ("`@bob.smith` hi", vec![]),
            ("@bob and @bob.smith", vec!["bob", "bob.smith"]),
        ] {
            world.chat.edit(&people[0], message, text.into()).await.expect("edited");
            assert_eq!(mentioned(&world, &people, message).await, expected, "{text}");
            let alerts = world.chat.unread_alerts(&people[1]).await.expect("readable");
            assert_eq!(alerts.mentioned.contains(&room), expected.contains(&"bob"), "{text}");
        }
        world.chat.delete(&people[0], message).await.expect("deleted");
        assert_eq!(mentioned(&world, &people, message).await, Vec::<&str>::new());
    }

    async fn a_reply_is_a_mention_of_its_own_kind(world: World) {
        let (room, [amy, bob, eve]) = room_with(&world, ["amy", "bob", "eve"]).await;
        let first = world.say(&bob, room, "tea?").await;
        let answer = reply(&world, &amy, &first, "yes").await;
        assert_eq!(kind(&world, &bob).await, REPLY);
        assert_eq!(kind(&world, &eve).await, MESSAGE, "and to nobody else");
        assert_eq!(world.chat.unread_alerts(&bob).await.expect("readable").mentioned, [room]);

        reply(&world, &amy, &first, "yes, @bob").await;
        assert_eq!(kind(&world, &bob).await, MENTION, "a name says more");
        reply(&world, &amy, &first, "@eve too").await;
        assert_eq!((kind(&world, &bob).await, kind(&world, &eve).await), (REPLY, MENTION));

        let count = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("readable").len();
        reply(&world, &bob, &first, "to myself").await;
        let found = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("readable");
        assert_eq!(found.len(), count, "not to oneself");

        world.chat.delete(&bob, first.id).await.expect("deleted");
        world.chat.delete(&amy, answer.id).await.expect("deleted");
        let found = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("readable");
        let of_answer = found.iter().find(|n| n.message.as_ref().is_some_and(|m| m.id == answer.id));
        let of_answer = of_answer.expect("still a message");
        assert_eq!((of_answer.notification_type, of_answer.reason), MESSAGE, "it goes with the text");
    }

    async fn an_edited_reply_stays_one(world: World) {
        let (room, [amy, bob]) = room_with(&world, ["amy", "bob"]).await;
        let first = world.say(&bob, room, "tea?").await;
        let answer = reply(&world, &amy, &first, "yes").await;
        for (text, expected) in [("yes!", REPLY), ("yes @bob", MENTION), ("no", REPLY)] {
            world.chat.edit(&amy, answer.id, text.into()).await.expect("edited");
            assert_eq!(kind(&world, &bob).await, expected, "{text}");
        }
    }

    async fn who_left_gets_no_reply(world: World) {
        let (room, [amy, bob]) = room_with(&world, ["amy", "bob"]).await;
        let first = world.say(&bob, room, "tea?").await;
        world.chat.leave(&bob, room).await.expect("left");
        reply(&world, &amy, &first, "yes").await;
        world.chat.join(&bob, room).await.expect("back");
        let found = world.chat.notifications(&bob, NotificationQuery::default()).await.expect("readable");
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(world.chat.unread_alerts(&bob).await.expect("readable").mentioned, []);
    }

    async fn a_reply_is_live_as_in_the_list(world: World) {
        let (room, [amy, bob]) = room_with(&world, ["amy", "bob"]).await;
        let first = world.say(&bob, room, "tea?").await;
        let mut session = world.chat.open_notifications(&bob).await.expect("open");
        reply(&world, &amy, &first, "yes").await;
        let frame = loop {
            let wait = tokio::time::timeout(std::time::Duration::from_secs(20), session.next());
            let bytes = wait.await.expect("in time").expect("open");
            let frame: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            if frame["type"] == "notification" {
                break frame;
            }
        };
        assert_eq!(frame["notification"], serde_json::to_value(newest(&world, &bob).await).expect("JSON"));
        assert_eq!(frame["notification"]["reason"], "reply");
    }
}
