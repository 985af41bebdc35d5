//! Names in any spelling: found by folded text, and not to be mistaken for others.

use chat::{
    model::{FieldError, NewRoom, Problem, RoomPatch, User},
    service::{accounts::DEVELOPER, rooms::RoomFilter, roster::RosterQuery},
};

use crate::support::{World, both, new_room};

const PASSWORD: &str = "correct horse 9";

/// Names, and other spellings of a part of each.
const SPELLINGS: [(&str, [&str; 3]); 5] = [
    ("Ünal", ["ünal", "U\u{308}NAL", "ÜN"]),
    ("École", ["ÉCOLE", "école", "e\u{301}co"]),
    ("Привет", ["привет", "ПРИВЕТ", "ИВЕ"]),
    ("Tea茶", ["ｔｅａ", "TEA茶", "ａ茶"]),
    ("Straße", ["STRASSE", "strasse", "SS"]),
];

/// The problem with the username of a new account, if it has one.
async fn problem(world: &World, username: &str) -> Option<Problem> {
    match world.chat.register(username, PASSWORD, "", "").await {
        Ok(_) => None,
        Err(error) => match &error.failure().fields[..] {
            [FieldError { field, problem }] if field == "username" => Some(*problem),
            fields => panic!("{fields:?}"),
        },
    }
}

fn usernames(people: Vec<User>) -> Vec<String> {
    people.into_iter().map(|user| user.username).collect()
}

both! {
    async fn rooms_are_found_in_any_case_and_compatibility_form(world: World) {
        let amy = world.person("amy").await;
        let found = async |text: &str| {
            let filter = RoomFilter { search: Some(text.into()), limit: 10, ..RoomFilter::default() };
            let rooms = world.chat.rooms(&amy, &filter).await.expect("listed").to_rooms();
            rooms.into_iter().map(|room| room.name).collect::<Vec<_>>()
        };
        for (name, _) in SPELLINGS {
            let new = NewRoom { name: name.into(), ..new_room("public") };
            world.chat.create_room(&amy, new).await.expect("made");
        }
        for (name, spellings) in SPELLINGS {
            for spelling in spellings {
                assert_eq!(found(spelling).await, [name], "{spelling}");
            }
        }
        let room = world.room(&amy).await.id;
        let patch = RoomPatch { name: Some("ＮＥＷ名".into()), ..RoomPatch::default() };
        assert_eq!(world.chat.edit_room(&amy, room, patch).await.expect("renamed").name, "ＮＥＷ名");
        assert_eq!(found("new名").await, ["ＮＥＷ名"], "by the new name");
        let patch = RoomPatch { description: Some("d".into()), ..RoomPatch::default() };
        world.chat.edit_room(&amy, room, patch).await.expect("edited");
        assert_eq!(found("new名").await, ["ＮＥＷ名"], "and after other changes");
    }

    async fn people_are_found_in_any_case_and_compatibility_form(world: World) {
        let amy = world.person("amy").await;
        let (room, other) = (world.room(&amy).await.id, world.room(&amy).await.id);
        for (index, (name, _)) in SPELLINGS.into_iter().enumerate() {
            let user = world.chat.create_user(&format!("u{index}"), PASSWORD, name, "x").await.expect("made");
            world.chat.join(&user, room).await.expect("joined");
        }
        for (index, (_, spellings)) in SPELLINGS.into_iter().enumerate() {
            let expected = [format!("u{index}")];
            for spelling in spellings {
                let query = RosterQuery { search: Some(spelling.into()), limit: 9, ..RosterQuery::default() };
                let page = world.chat.roster(&amy, room, &query).await.expect("read");
                let members = page.entries.into_iter().map(|entry| entry.member.user).collect();
                assert_eq!(usernames(members), expected, "{spelling}");
                let candidates = world.chat.candidates(&amy, other, spelling).await.expect("read");
                assert_eq!(usernames(candidates), expected, "{spelling}");
                let contacts = world.chat.contacts(&amy, spelling).await.expect("read");
                assert_eq!(usernames(contacts.into_iter().map(|contact| contact.user).collect()), expected, "{spelling}");
            }
        }
        let user = world.chat.create_user("Ünal", PASSWORD, "", "").await.expect("made");
        world.chat.join(&user, room).await.expect("joined");
        world.chat.rename(&user, "ＭＥＩ", "Чэнь").await.expect("renamed");
        for spelling in ["mei", "ЧЭНЬ", "чэньmei", "mei чэнь", "ÜNAL"] {
            let contacts = world.chat.contacts(&amy, spelling).await.expect("read");
            let found = usernames(contacts.into_iter().map(|contact| contact.user).collect());
            assert!(found.contains(&"Ünal".to_owned()), "{spelling}: {found:?}");
        }
    }

    async fn case_folded_spellings_are_one_account(world: World) {
        let weiss = world.person("Weiß").await;
        assert_eq!(weiss.username, "Weiß", "as it was typed");
        for spelling in ["WEISS", "weiß", "WEIẞ"] {
            assert_eq!(world.chat.sign_in(spelling, PASSWORD).await.expect("signed in").user, weiss);
            assert_eq!(problem(&world, spelling).await, Some(Problem::UsernameTaken), "{spelling}");
        }
        let amy = world.person("amy").await;
        let room = world.room(&amy).await.id;
        assert_eq!(world.chat.invite(&amy, room, "WEISS").await.expect("invited").member.user, weiss);
        assert_eq!(world.chat.set_active("weiss", false).await.expect("deactivated"), weiss);
        // 150 characters that become 300.
        let long = "ß".repeat(150);
        assert_eq!(problem(&world, &long).await, None);
        assert_eq!(problem(&world, &"ẞ".repeat(150)).await, Some(Problem::UsernameTaken));
    }

    async fn look_alikes_of_a_username_are_refused(world: World) {
        let confusable = Some(Problem::ConfusableUsername);
        assert_eq!(problem(&world, "cop").await, None);
        assert_eq!(problem(&world, "сор").await, confusable, "Cyrillic letters");
        assert_eq!(problem(&world, "СОР").await, confusable);
        assert_eq!(problem(&world, "ехо").await, None);
        assert_eq!(problem(&world, "exo").await, confusable, "in the other order too");
        assert_eq!(problem(&world, "ЕХО").await, Some(Problem::UsernameTaken));
        for plain in ["l1", "1l", "rn", "m", "小明", "小朋"] {
            assert_eq!(problem(&world, plain).await, None, "{plain}");
        }
        for mixed in ["pаypal", "小明боб"] {
            assert_eq!(problem(&world, mixed).await, Some(Problem::MixedScripts), "{mixed}");
        }
        for usual in ["小明bob", "ひらがなカタカナ漢字abc", "สมชาย_dev"] {
            assert_eq!(problem(&world, usual).await, None, "{usual}");
        }
        let operators = world.chat.create_user("соp", PASSWORD, "", "").await;
        assert_eq!(operators.expect_err("refused").failure().fields[0].problem, Problem::MixedScripts);
    }

    async fn the_developers_account_is_not_one_of_two(world: World) {
        // Armenian, Cyrillic and others have no 'developer' of their own, so one is stored as an import could.
        let insert = "INSERT INTO user (username, username_key, username_skeleton, password_hash, created_at) \
            VALUES ('děveloper', 'děveloper', 'developer', '', 0)";
        world.run(insert, insert).await;
        let made = world.chat.create_developer_group("correct horse 9").await;
        let failure = made.expect_err("refused").failure();
        assert_eq!(failure.fields, [FieldError::new("username", Problem::ConfusableUsername)]);
        assert!(world.chat.sign_in(DEVELOPER, PASSWORD).await.is_err());
    }
}
