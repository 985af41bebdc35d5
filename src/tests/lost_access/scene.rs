//! A room, and a user who lost access to it.

use reqwest::Method;
use serde_json::{Value, json};

use super::entry_points::Function;
use crate::{
    pages,
    support::{Client, PASSWORD, Person, Server, Socket},
};

/// How a user loses access to a room, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// They never were a member.
    Never,
    Left,
    Removed,
    Banned,
    BannedAndLeft,
    BannedAndRemoved,
    LeftAndBanned,
    Muted,
    Deactivated,
    /// The room is deleted.
    Deleted,
}

pub const LOSSES: [Loss; 10] = [
    Loss::Never,
    Loss::Left,
    Loss::Removed,
    Loss::Banned,
    Loss::BannedAndLeft,
    Loss::BannedAndRemoved,
    Loss::LeftAndBanned,
    Loss::Muted,
    Loss::Deactivated,
    Loss::Deleted,
];

impl Loss {
    pub fn is_ban(self) -> bool {
        matches!(self, Self::Banned | Self::BannedAndLeft | Self::BannedAndRemoved | Self::LeftAndBanned)
    }
}

/// Amy's room, with cat and bob as members until bob loses access.
pub struct Scene<'s> {
    pub server: &'s Server,
    pub loss: Loss,
    pub is_hidden: bool,
    pub amy: Person,
    pub cat: Person,
    pub bob: Person,
    pub room: i64,
    /// Another room of amy's that bob is a member of.
    pub shared: i64,
    /// A text in all messages of the room and in the name of a hidden room, and nowhere else.
    pub marker: String,
    /// A message of bob's.
    pub own: i64,
    /// A message of amy's, written after the loss if that is possible.
    pub others: std::sync::OnceLock<i64>,
    cookie: String,
}

impl<'s> Scene<'s> {
    pub async fn of(server: &'s Server, amy: &Person, cat: &Person, loss: Loss, kind: &str) -> Self {
        let bob = server.person("bob").await;
        let is_hidden = kind != "public";
        let marker = format!("marker{}", bob.id);
        let name = if is_hidden { format!("Den {marker}") } else { "Den".to_owned() };
        let new = json!({"name": name, "room_type": kind});
        let made = amy.client.post("/api/chat/rooms/", &new).await.expect(201);
        let room = made["id"].as_i64().expect("an id");
        let shared = amy.makes_room("public").await;
        bob.joins(shared).await;
        let mut guests = vec![cat];
        if loss != Loss::Never {
            guests.push(&bob);
        }
        for guest in guests {
            let invitation = json!({"username": guest.username});
            amy.client.post(&format!("/api/chat/rooms/{room}/members/"), &invitation).await.expect(201);
        }
        // A non-member has no messages there.
        let writer = if loss == Loss::Never { cat } else { &bob };
        let own = writer.says(room, &format!("own {marker}")).await["id"].as_i64().expect("an id");
        let fields = [("username", bob.username.as_str()), ("password", PASSWORD)];
        let (_, headers) = pages::form(server, "/ui/sign_in", "", &fields).await;
        let (cookie, _) = pages::session(&headers).expect("a session");
        let others = std::sync::OnceLock::new();
        let (amy, cat) = (amy.clone(), cat.clone());
        Self { server, loss, is_hidden, amy, cat, bob, room, shared, marker, own, others, cookie }
    }

    /// Can bob neither read nor write?
    pub fn has_no_access(&self) -> bool {
        !matches!(self.loss, Loss::Muted | Loss::Deleted)
    }

    pub async fn open_before_the_loss(&self) -> Option<Socket> {
        if self.loss == Loss::Never { None } else { Some(self.server.socket(&self.bob, self.room).await) }
    }

    pub async fn lose(&self) {
        match self.loss {
            Loss::Never => {}
            Loss::Left => self.leave().await,
            Loss::Removed => self.remove().await,
            Loss::Banned => self.patch(json!({"is_banned": true})).await,
            Loss::BannedAndLeft => {
                self.patch(json!({"is_banned": true})).await;
                // A banned user may not know of a hidden room, so they cannot leave it either.
                if self.is_hidden { self.remove().await } else { self.leave().await }
            }
            Loss::BannedAndRemoved => {
                self.patch(json!({"is_banned": true})).await;
                self.remove().await;
            }
            Loss::LeftAndBanned => {
                self.leave().await;
                self.patch(json!({"is_banned": true})).await;
            }
            Loss::Muted => self.patch(json!({"is_muted": true})).await,
            Loss::Deactivated => {
                let done = self.server.command(&["users", "deactivate", &self.bob.username], "");
                assert!(done.status.success(), "{done:?}");
            }
            Loss::Deleted => {
                let path = format!("/api/chat/rooms/{}/", self.room);
                Client::send(self.amy.client.request(Method::DELETE, &path)).await.expect(204);
            }
        }
    }

    async fn leave(&self) {
        let path = format!("/api/chat/rooms/{}/leave/", self.room);
        self.bob.client.post(&path, &json!({})).await.expect(200);
    }

    fn membership(&self, method: Method) -> reqwest::RequestBuilder {
        self.amy.client.request(method, &format!("/api/chat/rooms/{}/members/{}/", self.room, self.bob.id))
    }

    async fn remove(&self) {
        Client::send(self.membership(Method::DELETE)).await.expect(204);
    }

    async fn patch(&self, changes: Value) {
        Client::send(self.membership(Method::PATCH).json(&changes)).await.expect(200);
    }

    /// Amy writes a message that mentions bob, after the loss.
    pub async fn write_after_the_loss(&self) {
        let written = if self.loss == Loss::Deleted {
            self.own
        } else {
            let text = format!("behind @{}'s back {}", self.bob.username, self.marker);
            self.amy.says(self.room, &text).await["id"].as_i64().expect("an id")
        };
        self.others.set(written).expect("once");
    }

    pub fn others(&self) -> i64 {
        *self.others.get().expect("written")
    }

    /// Everything that bob could have changed, as amy sees it.
    pub async fn state(&self) -> Value {
        let of_room = |rest: &str| format!("/api/chat/rooms/{}/{rest}", self.room);
        let mut all = Vec::new();
        for path in [
            of_room("messages/?page_size=100"),
            of_room("members/"),
            of_room(""),
            format!("/api/chat/messages/{}/reads/", self.others()),
        ] {
            all.push(self.amy.client.get(&path).await.expect(200));
        }
        Value::from(all)
    }

    /// Asserts that nothing written in the room is in a response to bob.
    #[track_caller]
    pub fn assert_silent_about_the_room(&self, shown: &str, what: &str) {
        if self.has_no_access() {
            assert!(!shown.contains(&self.marker), "{what}: {shown}");
        }
    }

    /// Bob's notification socket, after its first frame, if he may open one.
    pub async fn notification_socket(&self) -> Option<Socket> {
        if self.loss == Loss::Deactivated {
            return None;
        }
        let path = format!("/ws/notifications/?token={}", self.bob.access);
        let mut socket = Socket::open(self.server.upgrade(&path)).await.expect("open");
        assert_eq!(socket.next().await["type"], "connection_established");
        Some(socket)
    }

    /// The HTML of a page for bob.
    pub async fn page(&self, path: &str) -> String {
        pages::get(self.server, path, &self.cookie).await.2
    }

    /// The response of a server function to bob.
    pub async fn function(&self, function: &Function) -> String {
        let request = self.server.anyone().request(function.method.clone(), &function.path);
        let request = request.header("origin", &self.server.base).header("cookie", &self.cookie);
        let request = if function.method == Method::GET {
            request.query(&function.fields)
        } else {
            request.form(&function.fields)
        };
        let response = request.send().await.expect("an answer");
        let headers = format!("{:?}", response.headers());
        headers + &response.text().await.expect("text")
    }
}
