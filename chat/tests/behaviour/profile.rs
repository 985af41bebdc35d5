//! Changes by the owner of an account, and its sessions and tokens.

use std::time::Duration;

use chat::{
    credential::{Claim, SessionId, SignInId},
    model::{Code, Problem, User},
    service::accounts::{IssuedToken, SessionRecord},
};

use crate::support::{
    NOW, World, both,
    cast::{problem, refused},
    proved, refresh_token, token,
};

const NEW_PASSWORD: &str = "another horse 7";

/// A session with this secret, valid longer than any test runs.
async fn sign_in(world: &World, user: &User, secret: &str) {
    let session = SessionRecord {
        id: SessionId::of_secret(secret),
        data: "{}".into(),
        user: Some(user.id),
        expires_at: NOW.plus_micros(3_600_000_000),
    };
    let tokens_from = proved(&world.chat, user).await.tokens_from;
    assert!(world.chat.create_session(&session, tokens_from).await.expect("stored"));
}

/// Issues a refresh token, valid for an hour.
async fn give_token(world: &World, user: &User, jti: &str) {
    let make = |created_at| {
        let (jti, agent, sign_in) = (jti.to_owned(), "a test".into(), SignInId::new(jti));
        let expires_at = NOW.plus_micros(3_600_000_000);
        Ok((IssuedToken { jti, sign_in, user: user.id, agent, created_at, expires_at }, ()))
    };
    world.chat.issue_token(&proved(&world.chat, user).await, make).await.expect("stored");
}

async fn sessions(world: &World, user: &User) -> Vec<SessionId> {
    let found = world.chat.sessions_of(user).await.expect("readable");
    found.into_iter().map(|session| session.id).collect()
}

async fn tokens(world: &World, user: &User) -> Vec<String> {
    world.chat.tokens_of(user).await.expect("readable").into_iter().map(|token| token.jti).collect()
}

both! {
    async fn names_can_be_changed_within_limits(world: World) {
        let amy = world.person("amy").await;
        world.chat.rename(&amy, " 晓 ", "林").await.expect("renamed");
        let found = world.chat.authenticate(amy.id).await.expect("found");
        assert_eq!((found.first_name.as_str(), found.last_name.as_str()), ("晓", "林"));
        let (field, problem) = problem(world.chat.rename(&amy, &"x".repeat(200), "").await);
        assert_eq!(field, "first_name");
        assert!(matches!(problem, Problem::TooLong { .. }));
    }

    async fn new_password_ends_all_credentials_except_the_current_session(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for (user, id) in [(&amy, "this"), (&amy, "other"), (&bob, "his")] {
            sign_in(&world, user, id).await;
        }
        give_token(&world, &amy, "hers").await;
        give_token(&world, &bob, "bobs").await;
        let weak = problem(world.chat.replace_password(&amy, "12345678", Some(&SessionId::of_secret("this"))).await);
        assert_eq!(weak, ("password".to_owned(), Problem::WeakPassword));
        assert_eq!(sessions(&world, &amy).await.len(), 2, "a refused password ends nothing");

        world.chat.replace_password(&amy, NEW_PASSWORD, Some(&SessionId::of_secret("this"))).await.expect("changed");
        world.chat.sign_in("amy", NEW_PASSWORD).await.expect("signed in");
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec![SessionId::of_secret("this")], vec![]));
        assert_eq!((sessions(&world, &bob).await, tokens(&world, &bob).await), (vec![SessionId::of_secret("his")], vec!["bobs".into()]));
    }

    async fn tokens_issued_before_the_end_are_rejected_and_later_ones_accepted(world: World) {
        let amy = world.person("amy").await;
        let before = token(&world.chat, &amy).await;
        world.chat.authenticate_claim(&before).await.expect("good");
        world.chat.sign_out_elsewhere(&amy, &SessionId::of_secret("none")).await.expect("ended");
        assert_eq!(refused(world.chat.authenticate_claim(&before).await), Code::TokenNotValid);
        assert_eq!(refused(world.chat.authorize_claim(&before).await), Code::TokenNotValid);
        let from = world.chat.tokens_from(amy.id).await.expect("readable");
        assert!(from > NOW && from.0 - NOW.0 <= 1_000_000, "from the next second on");
        world.chat.authorize_claim(&token(&world.chat, &amy).await).await.expect("good");
    }

    async fn repeated_ends_within_a_second_each_end_newly_issued_tokens(world: World) {
        let amy = world.person("amy").await;
        let mut given: Vec<Claim> = Vec::new();
        for _ in 0..3 {
            // The clock is fixed: everything happens within one second.
            given.push(token(&world.chat, &amy).await);
            world.chat.sign_out_elsewhere(&amy, &SessionId::of_secret("none")).await.expect("ended");
            for claim in &given {
                assert_eq!(refused(world.chat.authorize_claim(claim).await), Code::TokenNotValid, "{claim:?}");
            }
        }
        world.chat.authorize_claim(&token(&world.chat, &amy).await).await.expect("good");
    }

    async fn users_end_only_their_own_sessions_and_tokens(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for id in ["one", "two"] {
            sign_in(&world, &amy, id).await;
            give_token(&world, &amy, id).await;
        }
        let (one, two) = (SessionId::of_secret("one"), SessionId::of_secret("two"));
        assert_eq!(refused(world.chat.end_session(&bob, &one).await), Code::NotFound);
        assert_eq!(refused(world.chat.end_token(&bob, "one").await), Code::NotFound);
        world.chat.end_session(&amy, &one).await.expect("ended");
        world.chat.end_token(&amy, "one").await.expect("ended");
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec![two], vec!["two".into()]));
        assert!(world.chat.is_blacklisted(&refresh_token(&amy, "one")).await.expect("readable"));
        assert_eq!(refused(world.chat.end_token(&amy, "one").await), Code::NotFound, "it is ended already");
    }

    async fn expired_sessions_and_tokens_are_not_listed_and_then_deleted(world: World) {
        let amy = world.person("amy").await;
        sign_in(&world, &amy, "one").await;
        give_token(&world, &amy, "one").await;
        world.clock.advance(3_600_000_000);
        assert_eq!((sessions(&world, &amy).await, tokens(&world, &amy).await), (vec![], vec![]));
        assert_eq!(world.chat.forget_expired(Duration::from_hours(2)).await.expect("removed"), 2);
    }

    async fn contacts_are_found_with_the_smallest_shared_room(world: World) {
        let (amy, bob, eve) = (world.person("amy").await, world.person("bob").await, world.person("eve").await);
        let large = world.room(&amy).await.id;
        for user in [&bob, &eve] {
            world.chat.join(user, large).await.expect("joined");
        }
        let small = world.chat.create_room(&amy, crate::support::new_room("private")).await.expect("made").id;
        world.chat.invite(&amy, small, "bob").await.expect("brought in");
        world.person("bobby").await;
        let found = async |viewer: &User, text: &str| {
            let found = world.chat.contacts(viewer, text).await.expect("readable");
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
