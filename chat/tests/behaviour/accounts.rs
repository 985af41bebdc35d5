//! Accounts: creation, sign-in, deactivation; sessions and blacklisted tokens.

use std::time::Duration;

use chat::{
    Settings,
    credential::{SessionId, TokenClaims},
    model::{Code, FieldError, Problem, Timestamp, UserId},
    service::accounts::{DEVELOPER, DEVELOPER_PASSWORD, SessionRecord},
    store::{Store, users},
};

use crate::support::{NOW, Sockets as _, World, both, refresh_token};

const PASSWORD: &str = "correct horse 9";

/// Made by Django 5.2's `make_password("correct horse 9")`, with a thousandth of the rounds.
const DJANGO: &str = "pbkdf2_sha256$1000$Xq0fZ2mW8sTzKpLdRbYvNc$JKzo1Dymvz+jAVUy2kUMhFkIm0eULQiMW2kjxBL/4GE=";

/// The same for the demo's password.
const DJANGO_DEMO: &str =
    "pbkdf2_sha256$1000$Xq0fZ2mW8sTzKpLdRbYvNc$8BpaeEGRZ+MIF1I05X+kOGxlGtt16Rzp5eenOaNY4dY=";

/// The `tokens_from` of an account whose credentials never ended.
const NEW: Timestamp = Timestamp(0);

fn session(secret: &str, user: Option<UserId>) -> SessionRecord {
    SessionRecord {
        id: SessionId::of_secret(secret),
        data: "{}".into(),
        user,
        expires_at: NOW.plus_micros(1_000),
    }
}

async fn stored_hash(world: &World, key: &str) -> String {
    let store = Store::open_existing(&world.url).await.expect("the store opens");
    let mut conn = store.read().await.expect("a connection");
    users::credentials(&mut conn, key).await.expect("read").expect("there").password_hash
}

async fn sign_in_error(world: &World, username: &str, password: &str) -> Code {
    world.chat.sign_in(username, password).await.expect_err("refused").code()
}

both! {
    async fn registered_user_can_sign_in(world: World) {
        let made = world.chat.register("王小明", PASSWORD, " 小明 ", "王").await.expect("made");
        assert_eq!((made.username.as_str(), made.first_name.as_str(), made.last_name.as_str()), ("王小明", "小明", "王"));
        assert_eq!(world.chat.sign_in("王小明", PASSWORD).await.expect("signed in").user, made);
        assert_eq!(world.chat.authenticate(made.id).await.expect("known"), made);
        assert!(stored_hash(&world, "王小明").await.starts_with("$argon2id$"));
    }

    async fn spellings_of_a_username_are_one_account(world: World) {
        let bob = world.person("Bob").await;
        assert_eq!(world.chat.sign_in(" bob ", PASSWORD).await.expect("signed in").user, bob);
        for spaced in [" bob", "bob\u{3000}", "Tim "] {
            let failure = world.chat.register(spaced, PASSWORD, "", "").await.expect_err("refused").failure();
            assert_eq!(failure.fields[0], FieldError::new("username", Problem::OuterSpace), "{spaced:?}");
        }
        for spelling in ["Bob", "bob", "BOB", "ｂｏｂ"] {
            assert_eq!(world.chat.sign_in(spelling, PASSWORD).await.expect("signed in").user, bob);
            let failure = world.chat.register(spelling, PASSWORD, "", "").await.expect_err("taken").failure();
            assert_eq!(failure.fields, [FieldError::new("username", Problem::UsernameTaken)]);
        }
        assert_eq!(world.chat.user_count().await.expect("counted"), 1);
    }

    async fn concurrent_registrations_of_a_username_create_one_account(world: World) {
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let chat = world.chat.clone();
                tokio::spawn(async move { chat.register("amy", PASSWORD, "", "").await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.failure().fields[0].problem, Problem::UsernameTaken),
            }
        }
        assert_eq!(made, 1);
    }

    async fn registration_reports_every_problem_at_once(world: World) {
        let long = "王".repeat(151);
        let failure = world.chat.register("two words", "short", &long, "a\0b").await.expect_err("refused").failure();
        assert_eq!(failure.code, Code::Invalid);
        assert_eq!(failure.fields, [
            FieldError::new("username", Problem::BadUsername),
            FieldError::new("password", Problem::TooShort { min: 8 }),
            FieldError::new("first_name", Problem::TooLong { max: 150 }),
            FieldError::new("last_name", Problem::BadCharacter),
        ]);
        let failure = world.chat.register("somebody", "Somebody1", "", "").await.expect_err("refused").failure();
        assert_eq!(failure.fields, [FieldError::new("password", Problem::WeakPassword)]);
        assert_eq!(world.chat.user_count().await.expect("counted"), 0);
    }

    async fn longest_names_are_stored(world: World) {
        let name = "王".repeat(150);
        let made = world.chat.register(&name, PASSWORD, &name, &name).await.expect("made");
        assert_eq!(world.chat.authenticate(made.id).await.expect("known").last_name, name);
    }

    async fn closed_sign_up_applies_to_registration_not_to_the_operator(world: World) {
        let world = world.restarted(Settings { sign_up: false, ..Settings::default() }).await;
        let error = world.chat.register("amy", PASSWORD, "", "").await.expect_err("refused");
        assert_eq!(error.code(), Code::SignUpClosed);
        world.chat.create_user("amy", PASSWORD, "", "").await.expect("made");
    }

    async fn wrong_password_unknown_user_and_deactivated_user_give_the_same_error(world: World) {
        world.person("amy").await;
        world.person("eve").await;
        world.chat.set_active("Eve", false).await.expect("deactivated");
        assert_eq!(sign_in_error(&world, "amy", "wrong horse 9").await, Code::NoActiveAccount);
        assert_eq!(sign_in_error(&world, "nobody", PASSWORD).await, Code::NoActiveAccount);
        assert_eq!(sign_in_error(&world, "eve", PASSWORD).await, Code::NoActiveAccount);
        assert_eq!(sign_in_error(&world, "amy' OR '1'='1", PASSWORD).await, Code::NoActiveAccount);
    }

    async fn impossible_usernames_and_passwords_are_invalid_input(world: World) {
        let failure = world.chat.sign_in(" ", "").await.expect_err("refused").failure();
        assert_eq!(failure.fields, [
            FieldError::new("username", Problem::Blank),
            FieldError::new("password", Problem::Blank),
        ]);
        let failure =
            world.chat.sign_in("nul\0", &"x".repeat(1_025)).await.expect_err("refused").failure();
        assert_eq!(failure.fields, [
            FieldError::new("username", Problem::BadCharacter),
            FieldError::new("password", Problem::TooLong { max: 1_024 }),
        ]);
        assert_eq!(sign_in_error(&world, &"王".repeat(151), PASSWORD).await, Code::Invalid);
    }

    async fn django_password_hash_is_accepted_and_replaced(world: World) {
        let amy = world.person("amy").await;
        let store = Store::open_existing(&world.url).await.expect("the store opens");
        let mut conn = store.write().await.expect("a connection");
        users::set_password_hash(&mut conn, amy.id, DJANGO).await.expect("written");
        conn.commit().await.expect("committed");
        assert_eq!(sign_in_error(&world, "amy", "wrong horse 9").await, Code::NoActiveAccount);
        assert_eq!(stored_hash(&world, "amy").await, DJANGO, "a wrong password changes nothing");
        world.chat.sign_in("amy", PASSWORD).await.expect("signed in");
        assert!(stored_hash(&world, "amy").await.starts_with("$argon2id$"));
        world.chat.sign_in("amy", PASSWORD).await.expect("signed in again");
    }

    async fn a_new_password_replaces_the_old_one_and_ends_the_sessions(world: World) {
        let amy = world.person("amy").await;
        let bob = world.person("bob").await;
        for (id, user) in [("hers", amy.id), ("his", bob.id)] {
            assert!(world.chat.create_session(&session(id, Some(user)), NEW).await.expect("stored"));
        }
        let failure = world.chat.set_password("amy", "12345678").await.expect_err("refused").failure();
        assert_eq!(failure.fields, [FieldError::new("password", Problem::WeakPassword)]);
        assert_eq!(world.chat.set_password("AMY", "another horse 7").await.expect("changed"), amy);
        assert_eq!(sign_in_error(&world, "amy", PASSWORD).await, Code::NoActiveAccount);
        world.chat.sign_in("amy", "another horse 7").await.expect("signed in");
        assert_eq!(world.chat.load_session(&SessionId::of_secret("hers")).await.expect("read"), None);
        assert!(world.chat.load_session(&SessionId::of_secret("his")).await.expect("read").is_some());
        let error = world.chat.set_password("nobody", PASSWORD).await.expect_err("refused");
        assert_eq!(error.code(), Code::UserNotFound);
    }

    async fn deactivation_applies_at_once_and_can_be_undone(world: World) {
        let amy = world.person("amy").await;
        let hers = session("hers", Some(amy.id));
        assert!(world.chat.create_session(&hers, NEW).await.expect("stored"));
        world.chat.set_active("amy", false).await.expect("deactivated");
        assert_eq!(world.chat.authenticate(amy.id).await.expect_err("out").code(), Code::UserInactive);
        assert_eq!(world.chat.authorize(amy.id).await.expect_err("out").code(), Code::UserInactive);
        assert_eq!(world.chat.load_session(&SessionId::of_secret("hers")).await.expect("read"), None);
        world.chat.set_active("amy", true).await.expect("activated");
        assert_eq!(world.chat.authenticate(amy.id).await.expect("in again"), amy);
        assert_eq!(world.chat.authenticate(UserId(99)).await.expect_err("unknown").code(), Code::UserNotFound);
        let error = world.chat.set_active("nobody", false).await.expect_err("unknown");
        assert_eq!(error.code(), Code::UserNotFound);
    }

    async fn deactivation_closes_open_sockets(world: World) {
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        let mut socket = world.chat.open_room(&amy, room, None).await.expect("open");
        socket.next().await.expect("connection_established");
        world.chat.set_active("amy", false).await.expect("deactivated");
        assert_eq!(socket.next().await.expect_err("closed").code(), Code::UserInactive);
    }

    async fn only_the_required_group_may_chat(world: World) {
        let amy = world.person("amy").await;
        let group = Settings { required_group: Some("staff".into()), ..Settings::default() };
        let world = world.restarted(group).await;
        assert_eq!(world.chat.authorize(amy.id).await.expect_err("not in it").code(), Code::NotInGroup);
        assert_eq!(world.chat.authenticate(amy.id).await.expect("still herself"), amy);
        world.chat.add_to_group("amy", "Staff").await.expect("added");
        assert_eq!(world.chat.authorize(amy.id).await.expect_err("another group").code(), Code::NotInGroup);
        for _ in 0..2 {
            world.chat.add_to_group("amy", "staff").await.expect("added");
        }
        assert_eq!(world.chat.authorize(amy.id).await.expect("in it"), amy);
        assert_eq!(world.chat.add_to_group("amy", " ").await.expect_err("no name").code(), Code::Invalid);
    }

    async fn developer_group_is_created_once(world: World) {
        let first = world.chat.create_developer_group(PASSWORD).await.expect("made");
        assert_eq!((first.made_group, first.made_account, first.joined), (true, true, true));
        let again = world.chat.create_developer_group("another horse 9").await.expect("made");
        assert_eq!((again.made_group, again.made_account, again.joined), (false, false, false));
        assert_eq!(again.user, first.user);
        world.chat.sign_in(DEVELOPER, PASSWORD).await.expect("the first password is kept");
        assert!(!world.chat.has_demo_password().await.expect("compared"));
    }

    async fn existing_developer_account_joins_the_group_and_keeps_its_password(world: World) {
        world.chat.create_user("Developer", PASSWORD, "", "").await.expect("made");
        let made = world.chat.create_developer_group("another horse 9").await.expect("made");
        assert_eq!((made.made_group, made.made_account, made.joined), (true, false, true));
        world.chat.sign_in(DEVELOPER, PASSWORD).await.expect("signed in");
    }

    async fn demo_password_cannot_be_chosen(world: World) {
        let weak = [FieldError::new("password", Problem::WeakPassword)];
        for password in [DEVELOPER_PASSWORD, "Developer123"] {
            let refused = [
                world.chat.register("amy", password, "", "").await.map(drop),
                world.chat.create_user("amy", password, "", "").await.map(drop),
                world.chat.create_developer_group(password).await.map(drop),
            ];
            for refused in refused {
                assert_eq!(refused.expect_err("refused").failure().fields, weak, "{password}");
            }
        }
        world.person("amy").await;
        let refused = world.chat.set_password("amy", DEVELOPER_PASSWORD).await;
        assert_eq!(refused.expect_err("refused").failure().fields, weak);
    }

    async fn demo_password_is_detected_for_any_hash_while_the_account_is_active(world: World) {
        let has = async || world.chat.has_demo_password().await.expect("compared");
        assert!(!has().await, "nobody is there");
        world.chat.ensure_demo_account().await.expect("made").expect("there was nobody");
        assert!(has().await);
        let developer = world.chat.sign_in(DEVELOPER, DEVELOPER_PASSWORD).await.expect("signed in").user.id;
        world.chat.set_active(DEVELOPER, false).await.expect("closed");
        assert!(!has().await, "a closed account lets nobody in");
        world.chat.set_active(DEVELOPER, true).await.expect("opened");
        let store = Store::open_existing(&world.url).await.expect("the store opens");
        let mut conn = store.write().await.expect("a connection");
        users::set_password_hash(&mut conn, developer, DJANGO_DEMO).await.expect("written");
        conn.commit().await.expect("committed");
        assert!(has().await, "as the Django project's script made it");
        world.chat.set_password(DEVELOPER, PASSWORD).await.expect("changed");
        assert!(!has().await);
    }

    async fn demo_account_is_created_only_in_an_empty_database(world: World) {
        let demo = world.chat.ensure_demo_account().await.expect("made").expect("there was nobody");
        assert_eq!(demo.username, DEVELOPER);
        assert_eq!(world.chat.ensure_demo_account().await.expect("asked"), None);
    }

    async fn no_demo_account_is_created_if_an_account_exists(world: World) {
        world.person("amy").await;
        assert_eq!(world.chat.ensure_demo_account().await.expect("asked"), None);
        assert_eq!(world.chat.user_count().await.expect("counted"), 1);
    }

    async fn a_session_lives_until_it_expires(world: World) {
        let amy = world.person("amy").await;
        let mut kept = session("one", None);
        assert!(world.chat.create_session(&kept, NEW).await.expect("stored"));
        assert!(!world.chat.create_session(&kept, NEW).await.expect("asked"), "the id is taken");
        kept.user = Some(amy.id);
        kept.data = r#"{"user_id":1,"名":"艾米"}"#.into();
        kept.expires_at = NOW.plus_micros(2_000);
        world.chat.save_session(&kept).await.expect("saved");
        world.clock.advance(1_999);
        assert_eq!(world.chat.load_session(&SessionId::of_secret("one")).await.expect("read"), Some(kept));
        assert_eq!(world.chat.load_session(&SessionId::of_secret("two")).await.expect("read"), None);
        world.clock.advance(1);
        assert_eq!(world.chat.load_session(&SessionId::of_secret("one")).await.expect("read"), None);
    }

    async fn saving_an_ended_session_does_not_restore_it(world: World) {
        let record = session("one", None);
        assert!(world.chat.create_session(&record, NEW).await.expect("stored"));
        world.chat.delete_session(&SessionId::of_secret("one")).await.expect("ended");
        world.chat.save_session(&record).await.expect("ignored");
        assert_eq!(world.chat.load_session(&SessionId::of_secret("one")).await.expect("read"), None);
    }

    async fn blacklisting_a_token_succeeds_once(world: World) {
        let amy = world.person("amy").await;
        let token = refresh_token(&amy, "a");
        assert!(!world.chat.is_blacklisted(&token).await.expect("asked"));
        assert!(world.chat.blacklist_token(&token).await.expect("killed"));
        assert!(!world.chat.blacklist_token(&token).await.expect("asked"));
        assert!(world.chat.is_blacklisted(&token).await.expect("asked"));
        let other = refresh_token(&amy, "A");
        assert!(!world.chat.is_blacklisted(&other).await.expect("asked"), "ids are compared to the letter");
    }

    async fn a_token_that_ended_with_all_others_cannot_be_blacklisted(world: World) {
        let amy = world.person("amy").await;
        let token = refresh_token(&amy, "a");
        world.chat.set_password("amy", "another horse 7").await.expect("changed");
        assert!(world.chat.is_blacklisted(&token).await.expect("asked"));
        assert!(!world.chat.blacklist_token(&token).await.expect("asked"));
    }

    async fn expired_rows_are_deleted(world: World) {
        let amy = world.person("amy").await;
        let lasting = |jti: &str, micros| TokenClaims { expires_at: NOW.plus_micros(micros), ..refresh_token(&amy, jti) };
        assert!(world.chat.create_session(&session("old", None), NEW).await.expect("stored"));
        assert!(world.chat.blacklist_token(&lasting("old", 1_000)).await.expect("killed"));
        let long = SessionRecord { expires_at: NOW.plus_micros(9_000), ..session("new", None) };
        assert!(world.chat.create_session(&long, NEW).await.expect("stored"));
        assert!(world.chat.blacklist_token(&lasting("new", 9_000)).await.expect("killed"));
        let longest = Duration::from_millis(2);
        assert_eq!(world.chat.forget_expired(longest).await.expect("asked"), 0);
        world.clock.advance(1_000);
        assert_eq!(world.chat.forget_expired(longest).await.expect("asked"), 2);
        assert!(world.chat.load_session(&SessionId::of_secret("new")).await.expect("read").is_some());
        assert!(world.chat.is_blacklisted(&lasting("new", 9_000)).await.expect("asked"));
        world.clock.advance(1_001);
        assert_eq!(world.chat.forget_expired(longest).await.expect("asked"), 2, "the ends of two sign-ins");
        assert!(world.chat.is_blacklisted(&lasting("new", 9_000)).await.expect("asked"), "by its own id");
    }
}
