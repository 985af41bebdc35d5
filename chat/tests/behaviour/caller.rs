//! Calls by claim, which load the caller together with the result.

use chat::{
    Settings,
    credential::{Claim, Credential, SessionId, SignInId},
    model::{Code, RoomId, Timestamp, User, UserId},
    service::{history::HistoryQuery, rooms::RoomFilter},
};

use crate::support::{NOW, World, both, cast::refused, draft, new_room, unhurried};

fn claim(user: &User) -> Claim {
    issued(user.id, NOW)
}

/// The claim of an access token issued at this time.
fn issued(user: UserId, issued_at: Timestamp) -> Claim {
    let sign_in = SignInId::new("a sign-in");
    Claim { user, credential: Credential::Token { sign_in, issued_at, expires_at: Timestamp(i64::MAX) } }
}

fn all() -> RoomFilter {
    RoomFilter { limit: i64::MAX, ..RoomFilter::default() }
}

/// The error of each of the three calls for this claim.
async fn outcomes(world: &World, claim: Claim, room: RoomId) -> [Option<Code>; 3] {
    let listed = world.chat.rooms_as(claim.clone(), &all()).await.err();
    let read = world.chat.history_as(claim.clone(), room, HistoryQuery::default()).await.err();
    let sent = world.chat.send_as(claim, room, draft("tea")).await.err();
    [listed, read, sent].map(|error| error.map(|error| error.code()))
}

both! {
    async fn calls_by_claim_return_the_same_as_by_user(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.create_room(&amy, new_room("private")).await.expect("made");
        for n in 1..=25 {
            world.say(&amy, room, &format!("{n} 茶 \"\\ \u{1}\n🎉")).await;
        }
        let size = Some(10);
        let queries = [
            HistoryQuery::default(),
            HistoryQuery { page: Some(3), page_size: size, ..HistoryQuery::default() },
            HistoryQuery { page: Some(4), page_size: size, ..HistoryQuery::default() },
            HistoryQuery { page: Some(i64::MAX), page_size: size, ..HistoryQuery::default() },
            HistoryQuery { page_size: Some(100), ..HistoryQuery::default() },
            HistoryQuery { after_id: Some(0), page_size: size, ..HistoryQuery::default() },
            HistoryQuery { before_id: Some(4), ..HistoryQuery::default() },
        ];
        for query in queries {
            let page = world.chat.history_as(claim(&amy), room, query).await.expect("readable");
            assert_eq!(page, world.chat.history(&amy, room, query).await.expect("readable"), "{query:?}");
        }
        for who in [&amy, &bob] {
            let listed = world.chat.rooms_as(claim(who), &all()).await.expect("listed");
            assert_eq!(listed, world.chat.rooms(who, &all()).await.expect("listed"));
        }
        let sent = world.chat.send_as(claim(&amy), room, draft("@bob tea")).await.expect("stored");
        assert!(sent.is_new);
        assert_eq!((sent.message.sender, sent.message.rev), (amy.clone(), 26));
        let not_in = Some(Code::NotAMember);
        assert_eq!(outcomes(&world, claim(&bob), room).await, [None, not_in, not_in]);
        let missing = Some(Code::NotFound);
        assert_eq!(outcomes(&world, claim(&amy), RoomId(99)).await, [None, missing, missing]);
    }

    async fn user_who_may_not_chat_reads_and_stores_nothing(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let before = issued(amy.id, NOW.plus_micros(-1));
        world.chat.sign_out_elsewhere(&amy, &SessionId::of_secret("none")).await.expect("ended");
        assert_eq!(outcomes(&world, before, room).await, [Some(Code::TokenNotValid); 3]);
        world.chat.set_active("amy", false).await.expect("deactivated");
        let later = issued(amy.id, NOW.plus_micros(9_000_000));
        assert_eq!(outcomes(&world, later, room).await, [Some(Code::UserInactive); 3]);
        let nobody = issued(UserId(99), NOW);
        let [listed, read, sent] = outcomes(&world, nobody, room).await;
        assert_eq!([listed, sent], [Some(Code::UserNotFound); 2]);
        assert!(read.is_some());
        assert!(world.texts(&bob, room).await.is_empty());
    }

    async fn user_outside_the_required_group_reads_and_stores_nothing(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let group = Settings { required_group: Some("staff".into()), ..unhurried() };
        let world = world.restarted(group).await;
        assert_eq!(outcomes(&world, claim(&amy), room).await, [Some(Code::NotInGroup); 3]);
        assert!(world.texts(&amy, room).await.is_empty());
        world.chat.add_to_group("amy", "staff").await.expect("added");
        assert_eq!(outcomes(&world, claim(&amy), room).await, [None; 3]);
    }

    async fn concurrent_messages_are_each_checked_against_their_own_sender(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        world.chat.set_active("bob", false).await.expect("deactivated");
        let sending = (0..20).map(|n| {
            let who = if n % 2 == 0 { claim(&amy) } else { claim(&bob) };
            let chat = world.chat.clone();
            async move { chat.send_as(who, room, draft(&n.to_string())).await }
        });
        let sent = futures::future::join_all(sending).await;
        for (n, sent) in sent.into_iter().enumerate() {
            match sent {
                Ok(stored) => assert_eq!((n % 2, stored.message.sender), (0, amy.clone())),
                refusal => assert_eq!((n % 2, refused(refusal)), (1, Code::UserInactive)),
            }
        }
        assert_eq!(world.texts(&amy, room).await.len(), 10);
    }
}
