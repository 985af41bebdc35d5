//! Seeds a database with people, rooms and messages before the server opens it, through the store's own functions.
//!
//! Registering thousands of people through the API would take an hour of password hashing. These accounts have no password
//! and cannot sign in; their tokens are minted here with the server's secret.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chat::{
    clock::Clock,
    model::{MessageType, Role, RoomId, RoomType, Timestamp, UserId},
    store::{
        Conn, Store, members,
        messages::append::{self, Counters, Growth, NewMessage},
        rooms,
        users::{self, NewUser},
    },
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::{message, process::SECRET};

/// Messages stored by one call.
const CHUNK: usize = 4_096;

/// A user.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    /// An access token.
    pub(crate) token: String,
}

/// A database that is being seeded.
pub(crate) struct Seed {
    store: Store,
    conn: Conn,
    now: Timestamp,
}

impl Seed {
    /// Creates the tables of an empty database (`sqlite:FILE`, `mysql://…`), which a server will open.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let store = Store::open(url).await?;
        let conn = store.write().await?;
        Ok(Self { store, conn, now: Clock::System.now() })
    }

    /// New people.
    pub(crate) async fn people(&mut self, count: usize) -> Result<Vec<Person>> {
        let mut people = Vec::with_capacity(count);
        for number in 0..count {
            let username = format!("person{number:05}");
            let new = NewUser {
                username: &username,
                // No password has this hash.
                password_hash: "!",
                first_name: "",
                last_name: "",
            };
            let id = users::insert(&mut self.conn, &new, self.now).await?;
            people.push(person(id, SECRET)?);
        }
        Ok(people)
    }

    /// A new public room with these members.
    pub(crate) async fn room(&mut self, name: &str, people: &[Person]) -> Result<RoomId> {
        let creator = people.first().context("a room needs somebody")?.id;
        let room =
            rooms::insert(&mut self.conn, name, "", RoomType::Public, 100_000, creator, self.now).await?;
        for person in people {
            let role = if person.id == creator { Role::Admin } else { Role::Member };
            // The room's stream begins with its first message.
            members::join(&mut self.conn, room, person.id, role, 0, 0, self.now).await?;
        }
        rooms::set_counters(&mut self.conn, room, i64::try_from(people.len())?, 0).await?;
        Ok(room)
    }

    /// Adds messages of one member to an empty room, numbered from 0.
    pub(crate) async fn messages(&mut self, room: RoomId, sender: &Person, count: usize) -> Result<()> {
        let (mut done, now) = (0, self.now);
        while done < count {
            let upto = count.min(done + CHUNK);
            let texts: Vec<String> = (done..upto).map(|n| message::text(number(n), 0)).collect();
            let rows: Vec<NewMessage<'_>> = (done..upto)
                .zip(&texts)
                .map(|(n, text)| {
                    let seq = i64::try_from(n).unwrap_or(i64::MAX - 1) + 1;
                    NewMessage {
                        room,
                        seq,
                        rev: seq,
                        sender: sender.id,
                        sender_seq: seq,
                        message_type: MessageType::Text,
                        content: text,
                        file_url: None,
                        file_name: None,
                        file_size: None,
                        reply_to: None,
                        client_id: None,
                        created_at: now,
                    }
                })
                .collect();
            let stored = i64::try_from(rows.len())?;
            let growth = Growth { seq: stored, rev: stored };
            let counters = Counters { rooms: HashMap::from([(growth, vec![room])]), own: HashMap::new() };
            append::store(&mut self.conn, &rows, &counters, self.now).await?;
            done = upto;
        }
        Ok(())
    }

    /// Commits everything and closes the database.
    pub(crate) async fn finish(self) -> Result<()> {
        self.conn.commit().await?;
        self.store.close().await;
        Ok(())
    }
}

/// A message's number as [`message`] counts.
pub(crate) fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
struct Claims {
    token_type: &'static str,
    exp: i64,
    iat: i64,
    jti: String,
    user_id: String,
}

/// The user with this id, of a server whose tokens are signed (HS256) with this key. The token is valid for a day.
pub(crate) fn person(id: UserId, key: &str) -> Result<Person> {
    let iat = Clock::System.now().unix_seconds();
    let claims = Claims {
        token_type: "access",
        exp: iat + 86_400,
        iat,
        jti: format!("bench-{id}"),
        user_id: id.to_string(),
    };
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?);
    let signed = format!("{header}.{claims}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?.chain_update(&signed).finalize();
    let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.into_bytes()));
    Ok(Person { id, token })
}
