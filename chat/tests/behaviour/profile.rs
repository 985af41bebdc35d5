//! What the owner of an account changes of it, and what it is open with.

use chat::{
    model::{Code, Problem, Timestamp, User},
    service::accounts::{IssuedToken, SessionRecord},
};

use crate::support::{
    NOW, World, both,
    cast::{problem, refused},
};

const NEW_PASSWORD: &str = "another horse 7";

/// A session with this id, kept for as long as any test runs.
async fn sign_in(world: &World, user: &User, id: &str) {
    let session = SessionRecord {
        id: id.into(),
        data: "{}".into(),
        user: Some(user.id),
        expires_at: NOW.plus_micros(3_600_000_000),
    };
    assert!(world.chat.create_session(&session).await.expect("stored"));
}

/// A refresh token given out now, good for an hour.
async fn give_token(world: &World, user: &User, jti: &str) {
    let token = IssuedToken {
        jti: jti.into(),
        user: user.id,
        agent: "a test".into(),
        created_at: NOW,
        expires_at: NOW.plus_micros(3_600_000_000),
    };
    world.chat.note_token(&token).await.expect("stored");
}

async fn sessions(world: &World, user: &User) -> Vec<String> {
    let found = world.chat.sessions_of(user).await.expect("readable");
    found.into_iter().map(|session| session.id).collect()
}

async fn tokens(world: &World, user: &User) -> Vec<String> {
    world.chat.tokens_of(user).await.expect("readable").into_iter().map(|token| token.jti).collect()
}

both! {
    async fn names_are_what_one_says_within_limits(world: World) {
        let amy = world.person("amy").await;
        world.chat.rename(&amy, " 晓 ", "林").await.expect("renamed");
        let found = world.chat.authenticate(amy.id).await.expect("found");
        assert_eq!((found.first_name.as_str(), found.last_name.as_str()), ("晓", "林"));
        let (field, problem) = problem(world.chat.rename(&amy, &"x".repeat(200), "").await);
        assert_eq!(field, "first_name");
        assert!(matches!(problem, Problem::TooLong { .. }));
    }

    async fn a_new_password_leaves_open_what_asked_for_it_and_nothing_else(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for (user, id) in [(&amy, "this"), (&amy, "other"), (&bob, "his")] {
            sign_in(&world, user, id).await;
        }
        give_token(&world, &amy, "hers").await;
        give_token(&world, &bob, "bobs").await;
        let weak = problem(world.chat.replace_password(&amy, "12345678", Some("this")).await);
        assert_eq!(weak, ("password".to_owned(), Problem::WeakPassword));
        assert_eq!(sessions(&world, &amy).await.len(), 2, "a refused password ends nothing");

        world.chat.replace_password(&amy, NEW_PASSWORD, Some("this")).await.expect("changed");
        world.chat.sign_in("amy", NEW_PASSWORD).await.expect("signed in");
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec!["this".into()], vec![]));
        assert_eq!((sessions(&world, &bob).await, tokens(&world, &bob).await), (vec!["his".into()], vec!["bobs".into()]));
    }

    async fn tokens_of_the_time_before_are_worth_nothing_and_later_ones_are(world: World) {
        let amy = world.person("amy").await;
        let issued = Timestamp(NOW.unix_seconds() * 1_000_000);
        world.chat.authenticate_token(amy.id, issued).await.expect("good");
        world.chat.sign_out_elsewhere(&amy, "none").await.expect("ended");
        assert_eq!(refused(world.chat.authenticate_token(amy.id, issued).await), Code::TokenNotValid);
        assert_eq!(refused(world.chat.admit_token(amy.id, issued).await), Code::TokenNotValid);
        let from = world.chat.tokens_from(amy.id).await.expect("readable");
        assert!(from > NOW && from.0 - NOW.0 <= 1_000_000, "from the next second on");
        world.chat.admit_token(amy.id, from).await.expect("good");
    }

    async fn one_ends_ones_own_sessions_and_tokens_and_nobody_elses(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for id in ["one", "two"] {
            sign_in(&world, &amy, id).await;
            give_token(&world, &amy, id).await;
        }
        assert_eq!(refused(world.chat.end_session(&bob, "one").await), Code::NotFound);
        assert_eq!(refused(world.chat.end_token(&bob, "one").await), Code::NotFound);
        world.chat.end_session(&amy, "one").await.expect("ended");
        world.chat.end_token(&amy, "one").await.expect("ended");
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec!["two".into()], vec!["two".into()]));
        assert!(world.chat.is_blacklisted("one").await.expect("readable"));
        assert_eq!(refused(world.chat.end_token(&amy, "one").await), Code::NotFound, "it is ended already");
    }

    async fn what_has_expired_is_listed_no_more_and_then_removed(world: World) {
        let amy = world.person("amy").await;
        sign_in(&world, &amy, "one").await;
        give_token(&world, &amy, "one").await;
        world.clock.advance(3_600_000_000);
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec![], vec![]));
        assert_eq!(world.chat.forget_expired().await.expect("removed"), 2);
    }

    async fn who_is_signed_out_elsewhere_has_to_show_again_who_they_are(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut socket = world.chat.open_room(&amy, room, None).await.expect("open");
        socket.next().await.expect("connection_established");
        world.chat.sign_out_elsewhere(&amy, "none").await.expect("ended");
        // The reason after which clients come back, and are asked.
        assert_eq!(socket.next().await.expect_err("closed").code(), Code::TooSlow);
    }

    async fn companions_are_those_of_ones_rooms_in_the_closest_of_them(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let large = world.room(&amy).await.id;
        for user in [&bob, &eve] {
            world.chat.join(user, large).await.expect("joined");
        }
        let small = world.chat.create_room(&amy, crate::support::new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, small, "bob").await.expect("brought in");
        world.person("bobby").await;
        let found = async |viewer: &User, text: &str| {
            let found = world.chat.companions(viewer, text).await.expect("readable");
            found.into_iter().map(|c| (c.user.username, c.room.id)).collect::<Vec<_>>()
        };
        assert_eq!(found(&amy, "BOB").await, [("bob".to_owned(), small)]);
        assert_eq!(found(&eve, "bob").await, [("bob".to_owned(), large)], "not by a room that is hidden from her");
        assert_eq!(found(&amy, "amy").await, []);
        world.chat.leave(&bob, small).await.expect("left");
        world.chat.leave(&bob, large).await.expect("left");
        assert_eq!(found(&amy, "bob").await, []);
    }
}
