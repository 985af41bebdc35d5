//! A user who loses access, and the rooms that they lose.

use std::{sync::OnceLock, time::Duration};

use chat::{clock::Clock, credential::SignInId, model::UserId};
use liao::auth::jwt::Tokens;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    System,
    expect::{Place, secrets},
    ways::{Via, Way},
};
use crate::{
    pages,
    support::{Client, PASSWORD, Person, SEED_SECRET},
};

/// How long the token lives that expires: long enough to open all sockets before.
const BRIEF: Duration = Duration::from_secs(4);

/// Bob's rooms: their type, and whether he is an admin.
const ROOMS: [(&str, bool); 4] = [("public", false), ("public", true), ("private", false), ("group", true)];

/// A room that bob loses.
pub struct LostRoom {
    pub id: i64,
    pub kind: &'static str,
    pub is_hidden: bool,
    /// Was bob an admin before the loss?
    pub is_admin: bool,
    /// A word in its name and description, and nowhere else.
    pub name: String,
    /// A word in all its messages, and nowhere else.
    pub text: String,
    /// The username of somebody who is in hidden rooms only.
    pub only_member: String,
    /// A message of bob's.
    pub own: i64,
    before: i64,
    after: OnceLock<i64>,
}

impl LostRoom {
    /// The newest message of amy's.
    pub fn others(&self) -> i64 {
        self.after.get().copied().unwrap_or(self.before)
    }
}

/// Amy's rooms, with bob as a member until he loses access.
pub struct Scene<'s> {
    pub system: &'s System,
    pub way: Way,
    pub bob: Person,
    pub rooms: Vec<LostRoom>,
    /// Another room of amy's and bob's.
    pub shared: i64,
    /// Of bob's browser.
    pub cookie: String,
}

impl<'s> Scene<'s> {
    pub async fn new(system: &'s System, way: Way) -> Self {
        let mut bob = system.server.person("bob").await;
        let shared = system.amy.makes_room("public").await;
        bob.joins(shared).await;
        let mut rooms = Vec::new();
        for (number, (kind, is_admin)) in ROOMS.into_iter().enumerate() {
            rooms.push(room(system, way, &bob, number, kind, is_admin).await);
        }
        let cookie = browser(system, &bob).await;
        // A session is stored anew with its first page.
        pages::get(&system.server, "/rooms", &cookie).await;
        if way == Way::TokenExpired {
            bob.access = brief_token(&bob);
            bob.client = bob.client.with_token(&bob.access);
        }
        Self { system, way, bob, rooms, shared, cookie }
    }

    pub async fn lose(&self) {
        match self.way {
            Way::Never => {}
            Way::Deactivated => {
                let done = self.system.server.command(&["users", "deactivate", &self.bob.username], "");
                assert!(done.status.success(), "{done:?}");
            }
            Way::SignedOut => drop(pages::form(&self.system.server, "/ui/sign_out", &self.cookie, &[]).await),
            Way::SignInEnded => {
                let refresh = json!({"refresh": self.bob.refresh});
                self.bob.client.post("/api/token/blacklist/", &refresh).await.expect(200);
            }
            Way::PasswordChanged => {
                let other = browser(self.system, &self.bob).await;
                let fields = [("old_password", PASSWORD), ("password", "another horse 7")];
                pages::form(&self.system.server, "/ui/change_password", &other, &fields).await;
            }
            // Sockets are closed by a poll, once a second.
            Way::TokenExpired => tokio::time::sleep(BRIEF + Duration::from_millis(1_500)).await,
            _ => {
                for room in &self.rooms {
                    self.lose_room(room).await;
                }
            }
        }
    }

    async fn lose_room(&self, room: &LostRoom) {
        let amy = &self.system.amy.client;
        let of_room = |rest: &str| format!("/api/chat/rooms/{}/{rest}", room.id);
        let of_bob = of_room(&format!("members/{}/", self.bob.id));
        let patch = async |changes: Value| {
            Client::send(amy.request(Method::PATCH, &of_bob).json(&changes)).await.expect(200);
        };
        let remove = async || drop(Client::send(amy.request(Method::DELETE, &of_bob)).await.expect(204));
        let leave = async || drop(self.bob.client.post(&of_room("leave/"), &json!({})).await.expect(200));
        let ban = async || patch(json!({"is_banned": true})).await;
        match self.way {
            Way::Left => leave().await,
            Way::Removed => remove().await,
            Way::Banned => ban().await,
            // A banned user may not know of a hidden room, so they cannot leave it either.
            Way::BannedAndLeft if !room.is_hidden => {
                ban().await;
                leave().await;
            }
            Way::BannedAndLeft | Way::BannedAndRemoved => {
                ban().await;
                remove().await;
            }
            Way::LeftAndBanned => {
                leave().await;
                ban().await;
            }
            Way::Muted => patch(json!({"is_muted": true})).await,
            Way::RoomDeleted => {
                Client::send(amy.request(Method::DELETE, &of_room(""))).await.expect(204);
            }
            way => unreachable!("{way:?} is not the loss of a room"),
        }
    }

    /// Amy writes a message that mentions bob to each room, and one to the room that he keeps.
    pub async fn write_after_the_loss(&self) {
        let amy = &self.system.amy;
        for room in &self.rooms {
            if self.way != Way::RoomDeleted {
                let text = format!("behind @{}'s back {}", self.bob.username, room.text);
                room.after.set(id(&amy.says(room.id, &text).await)).expect("once");
            }
        }
        amy.says(self.shared, "for all to read").await;
    }

    /// A request of bob's.
    pub fn request(&self, via: Via, method: Method, path: &str) -> RequestBuilder {
        match via {
            Via::Token => self.bob.client.request(method, path),
            Via::Cookie => {
                let request = self.bob.client.without_token().request(method, path);
                request.header("origin", &self.system.server.base).header("cookie", &self.cookie)
            }
        }
    }

    /// Everything that bob could have changed in the room, as amy sees it.
    pub async fn state(&self, room: &LostRoom) -> Value {
        let of_room = |rest: &str| format!("/api/chat/rooms/{}/{rest}", room.id);
        let reads = format!("/api/chat/messages/{}/reads/", room.others());
        let mut all = Vec::new();
        for path in [of_room("messages/?page_size=100"), of_room("members/"), of_room(""), reads] {
            all.push(self.system.amy.client.get(&path).await.expect(200));
        }
        Value::from(all)
    }

    /// Asserts that `shown` has no word that bob must not see: in a refusal, or in an answer about this room, or in one
    /// about no room.
    #[track_caller]
    pub fn assert_silent(
        &self,
        via: Via,
        shown: &str,
        about: Option<&LostRoom>,
        is_refused: bool,
        what: &str,
    ) {
        for room in &self.rooms {
            let is_about = about.is_some_and(|about| about.id == room.id);
            let place = match (is_refused, is_about) {
                (true, _) => Place::Refusal,
                (false, true) => Place::Room,
                (false, false) => Place::List,
            };
            for secret in secrets(self.way, via, room, place) {
                assert!(
                    !shown.contains(secret),
                    "{:?}, {what} shows {secret} of a {} room: {shown}",
                    self.way,
                    room.kind
                );
            }
        }
    }
}

/// A room with bob in it, and a message of his and one of amy's.
async fn room(
    system: &System,
    way: Way,
    bob: &Person,
    number: usize,
    kind: &'static str,
    is_admin: bool,
) -> LostRoom {
    let amy = &system.amy;
    let is_hidden = kind != "public";
    let word = |of: &str| format!("{of}word{}x{number}", bob.id);
    let (name, text) = (word("name"), word("text"));
    let new = json!({"name": format!("Den {name}"), "description": name, "room_type": kind});
    let made = id(&amy.client.post("/api/chat/rooms/", &new).await.expect(201));
    let mut guests = vec![&system.cat];
    if is_hidden {
        guests.push(&system.eve);
    }
    if way != Way::Never {
        guests.push(bob);
    }
    for guest in guests {
        let invitation = json!({"username": guest.username});
        amy.client.post(&format!("/api/chat/rooms/{made}/members/"), &invitation).await.expect(201);
    }
    if is_admin && way != Way::Never {
        let path = format!("/api/chat/rooms/{made}/members/{}/", bob.id);
        let request = amy.client.request(Method::PATCH, &path).json(&json!({"role": "admin"}));
        Client::send(request).await.expect(200);
    }
    // A stranger has no messages there.
    let writer = if way == Way::Never { &system.cat } else { bob };
    let own = id(&writer.says(made, &format!("own {text}")).await);
    let before = id(&amy.says(made, &format!("to @{} {text}", bob.username)).await);
    let only_member = system.eve.username.clone();
    let after = OnceLock::new();
    LostRoom { id: made, kind, is_hidden, is_admin, name, text, only_member, own, before, after }
}

fn id(value: &Value) -> i64 {
    value["id"].as_i64().expect("an id")
}

/// The cookie of a browser in which bob signs in.
async fn browser(system: &System, bob: &Person) -> String {
    let fields = [("username", bob.username.as_str()), ("password", PASSWORD)];
    let (_, headers) = pages::form(&system.server, "/ui/sign_in", "", &fields).await;
    pages::session(&headers).expect("a session").0
}

/// An access token of bob's that expires soon.
fn brief_token(bob: &Person) -> String {
    let tokens = Tokens::new(SEED_SECRET.as_bytes(), BRIEF, BRIEF);
    let (user, sign_in) = (UserId(bob.id), SignInId::new(&format!("brief{}", bob.id)));
    tokens.access(user, &sign_in, Clock::System.now()).expect("a token")
}
