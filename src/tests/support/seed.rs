//! Seeds a database with thousands of users before a server opens it, since registering them would take minutes of
//! hashing passwords. They cannot sign in; their tokens are signed with the server's secret.

use std::{path::Path, time::Duration};

use chat::{
    clock::Clock,
    credential::SignInId,
    model::{Role, RoomType, UserId},
    store::{
        Store, members, rooms,
        users::{self, NewUser},
    },
};
use liao::auth::jwt::Tokens;

/// The secret key to start the server with.
pub const SECRET: &str = "the crowd's secret, thirty-two bytes or more";

/// A room and its members' access tokens.
pub struct SeededRoom {
    /// The room.
    pub room: i64,
    /// One per member.
    pub tokens: Vec<String>,
}

/// Creates `count` rooms with `members` distinct users each, in the data folder of a server that is not running.
pub async fn rooms(data: &Path, count: usize, members: usize) -> Vec<SeededRoom> {
    std::fs::create_dir_all(data).expect("a folder");
    let store = Store::open(&format!("sqlite:{}", data.join("liao.db").display())).await.expect("a database");
    let mut conn = store.write().await.expect("a transaction");
    let (now, hour) = (Clock::System.now(), Duration::from_hours(1));
    let tokens = Tokens::new(SECRET.as_bytes(), hour, hour);
    let mut seeded = Vec::new();
    for room in 0..count {
        let mut people = Vec::new();
        for member in 0..members {
            let name = format!("person_{room}_{member}");
            let new = NewUser { username: &name, password_hash: "!", first_name: "", last_name: "" };
            people.push(users::insert(&mut conn, &new, now).await.expect("an account"));
        }
        let room = rooms::insert(&mut conn, "a room", "", RoomType::Public, 1_000, people[0], now).await;
        let room = room.expect("a room");
        for &person in &people {
            members::join(&mut conn, room, person, Role::Member, 0, 0, now).await.expect("a member");
        }
        let count = i64::try_from(people.len()).expect("a count");
        rooms::set_counters(&mut conn, room, count, 0).await.expect("counted");
        let sign_in = SignInId::new("crowd");
        let token = |person: UserId| tokens.access(person, &sign_in, now).expect("a token");
        seeded.push(SeededRoom { room: room.0, tokens: people.into_iter().map(token).collect() });
    }
    conn.commit().await.expect("stored");
    store.close().await;
    seeded
}
