//! The notifications that are meant for one user alone.

use chat::model::{Code, MessageDraft, Notification, NotificationId, NotificationType};

use crate::support::{both, draft, new_room};

both! {
    async fn personal_notifications_are_mentions_replies_and_what_is_stored(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let (room, left) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for id in [room, left] {
            world.chat.join(&bob, id).await.expect("joined");
        }
        let own = world.say(&bob, room, "mine").await;
        let answer = MessageDraft { reply_to: Some(own.id.0), ..draft("an answer") };
        world.chat.send(&amy, room, answer).await.expect("sent");
        world.say(&amy, room, "plain").await;
        let hidden = world.chat.create_room(&amy, new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, hidden, "bob").await.expect("brought in");
        world.say(&amy, left, "@bob of a room that is left").await;
        let gone = world.say(&amy, room, "@bob taken back").await;
        let last = world.say(&amy, room, "@bob last").await;
        world.chat.leave(&bob, left).await.expect("left");
        world.chat.delete(&amy, gone.id).await.expect("deleted");
        let page = async |before: Option<NotificationId>, limit: i64| {
            let before = before.map(|id| id.0);
            world.chat.personal_notifications(&bob, before, limit).await.expect("readable")
        };
        let found = page(None, 10).await;
        let of = |found: &[Notification]| {
            let kinds = found.iter().map(|found| (found.notification_type, found.message.as_ref().map(|m| m.id)));
            kinds.collect::<Vec<_>>()
        };
        let (mention, invite) = (NotificationType::Mention, NotificationType::RoomInvite);
        let kinds = of(&found);
        assert_eq!((kinds[0], kinds[1]), ((mention, Some(last.id)), (invite, None)), "{kinds:?}");
        assert_eq!((kinds.len(), kinds[2].0), (3, mention), "the answer");
        assert_eq!(found[2].content, "an answer");
        // By pages, each after the last of the one before.
        let mut paged = page(None, 1).await;
        while let Some(next) = page(paged.last().map(|last| last.id), 1).await.pop() {
            paged.push(next);
        }
        assert_eq!(paged, found);
        let refused = world.chat.personal_notifications(&bob, None, 0).await;
        assert_eq!(refused.expect_err("no page").code(), Code::Invalid);
    }
}
