//! Ending credentials: for each way to end one, which sockets it closes and which stay open, on the node that ended
//! it and in every other process.

use chat::{
    Chat,
    credential::{Claim, Credential, SessionId, TokenClaims},
    model::{Code, MessageDraft, Timestamp, User},
    service::accounts::{IssuedToken, SessionRecord},
    store::Store,
};
use futures::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;

use crate::support::{
    NOW, World, both,
    cast::refused,
    draft,
    nodes::{TIMEOUT, until},
    refresh_token, token, unhurried,
};

mod ways;

use ways::{DEVICES, HOUR, NEW_PASSWORD, PASSWORD, Stage, WAYS, Way, session, sign_in};

/// Why it closes; fails if it stays open.
async fn closes(next: impl AsyncFnMut() -> chat::Result<bytes::Bytes>) -> Code {
    let mut next = next;
    let closing = async {
        loop {
            if let Err(error) = next().await {
                return error.code();
            }
        }
    };
    timeout(TIMEOUT, closing).await.expect("closed in time")
}

/// Ends the credentials of `stage` in this way through `by`, and checks the sockets on `world.chat`.
async fn check(world: &World, by: &Chat, way: &Way, stage: &Stage, is_at_once: bool) {
    let mut sockets = Vec::new();
    for device in DEVICES {
        sockets.push((device, stage.open(&world.chat, device).await));
    }
    (way.end)(world, by, stage).await;
    let mut spared = Vec::new();
    for (device, (mut room, mut notifications)) in sockets {
        let what = format!("{} and {device:?}", way.name);
        if !way.ends.contains(&device) {
            spared.push((what, room));
            continue;
        }
        if is_at_once && !way.is_by_time {
            let next =
                room.next().now_or_never().unwrap_or_else(|| panic!("{what}: the room's socket is open"));
            assert_eq!(next.expect_err("closed").code(), way.code, "{what}");
        }
        assert_eq!(closes(async || room.next().await).await, way.code, "{what}");
        assert_eq!(closes(async || notifications.next().await).await, way.code, "{what}");
        let sent = room.submit(draft("after the end")).map(drop);
        assert_eq!(refused(sent), way.code, "{what}: a message");
        // An expired token is rejected when it is decoded.
        if !way.is_by_time {
            let again = world.chat.connect(stage.claim(&world.chat, device)).await;
            assert_eq!(again.err().map(|error| error.code()), Some(way.code), "{what}: again");
        }
    }
    for (what, mut room) in spared {
        room.submit(draft(&what)).expect("taken").await.expect("stored");
        let mut received = String::new();
        while !received.contains(&what) {
            let json = timeout(TIMEOUT, room.next()).await.expect("in time");
            let json = json.unwrap_or_else(|error| panic!("{what} was closed: {error}"));
            received = String::from_utf8_lossy(&json).into_owned();
        }
    }
    let texts = world.texts(&stage.amy, stage.room).await;
    assert!(!texts.iter().any(|text| text == "after the end"), "{}: {texts:?}", way.name);
}

both! {
    async fn ending_a_credential_closes_its_sockets_on_this_node_at_once(world: World) {
        for (n, way) in WAYS.iter().enumerate() {
            let stage = Stage::new(&world, &format!("amy_{n}")).await;
            check(&world, &world.chat, way, &stage, true).await;
        }
    }

    /// Another node without Redis; on SQLite, the command line.
    async fn ending_a_credential_in_another_process_closes_its_sockets(world: World) {
        let store = Store::open_existing(&world.url).await.expect("the store opens");
        let other = Chat::start(store, unhurried(), world.clock.clone());
        for (n, way) in WAYS.iter().enumerate() {
            let stage = Stage::new(&world, &format!("amy_{n}")).await;
            check(&world, &other, way, &stage, false).await;
        }
        other.stop().await;
    }

    async fn sign_in_fails_if_all_credentials_end_meanwhile(world: World) {
        let ends: [for<'a> fn(&'a Chat, &'a User) -> BoxFuture<'a, ()>; 3] = [
            |chat, amy| async move { drop(chat.set_password(&amy.username, NEW_PASSWORD).await.expect("changed")) }.boxed(),
            |chat, amy| async move { chat.replace_password(amy, NEW_PASSWORD, None).await.expect("changed") }.boxed(),
            |chat, amy| async move {
                for is_active in [false, true] {
                    chat.set_active(&amy.username, is_active).await.expect("changed");
                }
            }
            .boxed(),
        ];
        for (n, end) in ends.into_iter().enumerate() {
            let amy = world.person(&format!("amy_{n}")).await;
            let proved = world.chat.sign_in(&amy.username, PASSWORD).await.expect("the right password");
            end(&world.chat, &amy).await;
            let make = |_: Timestamp| -> chat::Result<(IssuedToken, ())> { panic!("nothing may be made") };
            assert_eq!(refused(world.chat.issue_token(&proved, make).await), Code::NoActiveAccount);
            let record = SessionRecord {
                id: SessionId::of_secret("late"),
                data: "{}".into(),
                user: Some(amy.id),
                expires_at: NOW.plus_micros(HOUR),
            };
            let created = world.chat.create_session(&record, proved.tokens_from).await;
            assert_eq!(refused(created), Code::NoActiveAccount);
            assert_eq!(refused(world.chat.confirm_sign_in(&proved).await), Code::NoActiveAccount);
            assert_eq!(world.chat.load_session(&record.id).await.expect("read"), None);
            assert!(world.chat.tokens_of(&amy).await.expect("listed").is_empty());
        }
    }

    async fn rotated_token_is_valid_for_ten_seconds_and_ends_alone(world: World) {
        let amy = world.person("amy").await;
        let chat = &world.chat;
        let first = sign_in(chat, &amy, "first").await;
        let rotate = async |token: &TokenClaims, jti: &str| {
            let make = |issued_at| {
                let next = TokenClaims { jti: jti.into(), issued_at, ..token.clone() };
                let TokenClaims { jti, sign_in, user, expires_at, .. } = next.clone();
                let agent = "a test".into();
                Ok((IssuedToken { jti, sign_in, user, agent, created_at: issued_at, expires_at }, next))
            };
            chat.rotate_token(token, make).await
        };
        let second = rotate(&first, "second").await.expect("rotated");
        world.clock.advance(9_999_999);
        let third = rotate(&first, "third").await.expect("another tab");
        world.clock.advance(1);
        assert_eq!(refused(rotate(&first, "late").await), Code::TokenNotValid);
        assert!(!chat.blacklist_token(&first).await.expect("asked"), "it has ended");

        let fourth = rotate(&second, "fourth").await.expect("rotated");
        assert!(chat.blacklist_token(&second).await.expect("asked"), "within its ten seconds");
        assert_eq!(refused(rotate(&second, "late").await), Code::TokenNotValid);
        let access = Claim::from(fourth.clone());
        chat.authorize_claim(&access).await.expect("it ended alone");

        assert!(chat.blacklist_token(&fourth).await.expect("ended"));
        for token in [&third, &fourth] {
            assert_eq!(refused(rotate(token, "late").await), Code::TokenNotValid, "the whole sign-in has ended");
            assert_eq!(refused(chat.check_refresh_token(token).await), Code::TokenNotValid);
        }
        assert!(!chat.blacklist_token(&third).await.expect("asked"));
        assert!(chat.tokens_of(&amy).await.expect("listed").is_empty());
        assert_eq!(refused(chat.authorize_claim(&access).await), Code::TokenNotValid);
        chat.authorize_claim(&token(chat, &amy).await).await.expect("another sign-in");
    }

    async fn access_tokens_of_an_ended_sign_in_are_rejected_on_every_node_and_after_a_restart(world: World) {
        let amy = world.person("amy").await;
        let store = Store::open_existing(&world.url).await.expect("the store opens");
        let other = Chat::start(store, unhurried(), world.clock.clone());
        let refresh = sign_in(&world.chat, &amy, "first").await;
        let access = Claim::from(refresh.clone());
        other.authorize_claim(&access).await.expect("good");
        assert!(world.chat.blacklist_token(&refresh).await.expect("ended"));
        assert_eq!(refused(world.chat.authorize_claim(&access).await), Code::TokenNotValid);
        until("refused", async || other.authorize_claim(&access).await.is_err()).await;
        other.stop().await;
        let world = world.restarted(unhurried()).await;
        assert_eq!(refused(world.chat.authorize_claim(&access).await), Code::TokenNotValid);
    }

    async fn open_socket_can_switch_to_a_new_credential_of_the_same_user(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        let chat = &world.chat;
        let (old, new) = (sign_in(chat, &amy, "old").await, sign_in(chat, &amy, "new").await);
        let mut socket = chat.connect(old.clone().into()).await.expect("connected").open_room(room, None).await.expect("open");
        socket.next().await.expect("connection_established");
        assert_eq!(refused(socket.renew(token(chat, &bob).await).await), Code::TokenNotValid, "another person's");
        let ended = sign_in(chat, &amy, "ended").await;
        assert!(chat.blacklist_token(&ended).await.expect("ended"));
        assert_eq!(refused(socket.renew(ended.into()).await), Code::TokenNotValid);
        socket.submit(draft("one")).expect("taken").await.expect("stored");

        socket.renew(new.clone().into()).await.expect("renewed");
        assert!(chat.blacklist_token(&old).await.expect("ended"));
        socket.submit(MessageDraft { client_id: Some("two".into()), ..draft("two") }).expect("taken").await.expect("stored");
        for text in ["one", "two"] {
            let json = timeout(TIMEOUT, socket.next()).await.expect("in time").expect("open");
            assert!(String::from_utf8_lossy(&json).contains(text));
        }
        assert!(chat.blacklist_token(&new).await.expect("ended"));
        assert_eq!(closes(async || socket.next().await).await, Code::TokenNotValid);
    }

    async fn extending_a_session_keeps_its_sockets_open(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let id = session(&world.chat, &amy, "hers", HOUR).await;
        let claim = Claim { user: amy.id, credential: Credential::Session(id.clone()) };
        let mut socket = world.chat.connect(claim).await.expect("connected").open_room(room, None).await.expect("open");
        let mut stored = world.chat.load_session(&id).await.expect("read").expect("there");
        stored.expires_at = stored.expires_at.plus_micros(HOUR);
        world.chat.save_session(&stored).await.expect("prolonged");
        world.clock.advance(HOUR);
        // A token that expires at the same moment. Its socket is closed after the session has been checked.
        let Claim { credential, .. } = token(&world.chat, &amy).await;
        let Credential::Token { sign_in, issued_at, .. } = credential else { panic!("a token") };
        let expires_at = world.clock.now().plus_micros(1);
        let brief = Claim { user: amy.id, credential: Credential::Token { sign_in, issued_at, expires_at } };
        let mut fence = world.chat.connect(brief).await.expect("connected").open_notifications(None).await.expect("open");
        world.clock.advance(1);
        assert_eq!(closes(async || fence.next().await).await, Code::TokenNotValid);
        socket.submit(draft("still here")).expect("taken").await.expect("stored");
        world.clock.advance(HOUR);
        assert_eq!(closes(async || socket.next().await).await, Code::TokenNotValid);
    }

    async fn socket_opened_while_its_session_ends_is_rejected_or_closed(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        for n in 0..30 {
            let id = session(&world.chat, &amy, &n.to_string(), HOUR).await;
            let claim = Claim { user: amy.id, credential: Credential::Session(id.clone()) };
            let opening = async { world.chat.connect(claim).await?.open_room(room, None).await };
            let (opened, ended) = tokio::join!(opening, world.chat.delete_session(&id));
            ended.expect("ended");
            match opened {
                Ok(mut socket) => assert_eq!(closes(async || socket.next().await).await, Code::TokenNotValid),
                Err(error) => assert_eq!(error.code(), Code::TokenNotValid),
            }
        }
    }

    async fn ended_credentials_open_no_socket(world: World) {
        let amy = world.person("amy").await;
        let id = session(&world.chat, &amy, "hers", HOUR).await;
        let claim = Claim { user: amy.id, credential: Credential::Session(id.clone()) };
        world.chat.authorize_claim(&claim).await.expect("good");
        let bob = world.person("bob").await;
        let stolen = Claim { user: bob.id, ..claim.clone() };
        assert_eq!(refused(world.chat.authorize_claim(&stolen).await), Code::TokenNotValid, "it is not his");
        world.chat.delete_session(&id).await.expect("ended");
        assert_eq!(refused(world.chat.authorize_claim(&claim).await), Code::TokenNotValid);
        let refresh = refresh_token(&amy, "one");
        assert!(world.chat.blacklist_token(&refresh).await.expect("ended"));
        let opened = world.chat.connect(refresh.into()).await;
        assert_eq!(opened.err().map(|error| error.code()), Some(Code::TokenNotValid));
    }
}
