//! Several nodes of one system, and checking the frames of each of their sockets.

use std::{future::Future, time::Duration};

use chat::{
    Chat, Settings,
    bus::Addresses,
    model::{RoomId, ServerFrame, User},
    service::RoomSession,
    store::Store,
};
use tokio::{task::JoinHandle, time::timeout};

use super::{Sockets as _, World, draft, unhurried};

/// Timeout for events that must arrive, sized for a build running beside on two cores.
pub const TIMEOUT: Duration = Duration::from_secs(40);

/// Nodes on one MariaDB database.
pub struct Nodes {
    /// The first node, with its clock and its database.
    pub world: World,
    /// All of them.
    pub all: Vec<Chat>,
    settings: Settings,
}

/// Settings for a node that uses this Redis.
pub fn with_redis(redis: &str) -> Settings {
    Settings { redis: Some(Addresses::parse(redis).expect("an address")), ..unhurried() }
}

impl Nodes {
    /// Three nodes connected by Redis.
    pub async fn three(redis: &str) -> Self {
        let nodes = Self::start(with_redis(redis)).await;
        nodes.until_ready().await;
        nodes
    }

    /// Three nodes that share only the database.
    pub async fn three_without_redis() -> Self {
        Self::start(unhurried()).await
    }

    /// Three nodes with these settings.
    pub async fn start(settings: Settings) -> Self {
        let world = World::mariadb_with(settings.clone()).await;
        let mut nodes = Self { all: vec![world.chat.clone()], world, settings };
        for _ in 0..2 {
            let node = nodes.another().await;
            nodes.all.push(node);
        }
        nodes
    }

    /// One more node.
    pub async fn another(&self) -> Chat {
        let store = Store::open(&self.world.url).await.expect("the store opens");
        Chat::start(store, self.settings.clone(), self.world.clock.clone())
    }

    /// Waits until every node is ready.
    pub async fn until_ready(&self) {
        for node in &self.all {
            until("ready", async || node.ready().await.is_ok()).await;
        }
    }

    /// A room with one member per node.
    pub async fn room(&self) -> (RoomId, Vec<User>) {
        let mut people = Vec::new();
        for name in ["amy", "bob", "cid"] {
            people.push(self.world.person(name).await);
        }
        let room = self.world.room(&people[0]).await.id;
        for other in &people[1..] {
            self.world.chat.join(other, room).await.expect("joined");
        }
        (room, people)
    }
}

/// Opens a socket of `user` on this node, past its first frame.
pub async fn open(node: &Chat, user: &User, room: RoomId) -> RoomSession {
    let mut session = node.open_room(user, room, None).await.expect("open");
    let first = next(&mut session).await;
    assert!(matches!(first, ServerFrame::ConnectionEstablished { .. }), "{first:?}");
    session
}

/// The next frame.
pub async fn next(session: &mut RoomSession) -> ServerFrame {
    let json = timeout(TIMEOUT, session.next()).await.expect("a frame in time").expect("open");
    serde_json::from_slice(&json).expect("a frame of the contract")
}

/// Waits until `condition` holds.
pub async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("not {what} in time"));
}

/// Sends `count` messages in sequence; returns their texts.
pub fn sending(node: &Chat, user: &User, room: RoomId, count: usize) -> JoinHandle<Vec<String>> {
    let (node, user) = (node.clone(), user.clone());
    tokio::spawn(async move {
        let mut sent = Vec::new();
        for n in 0..count {
            let text = format!("{} {n}", user.username);
            node.send(&user, room, draft(&text)).await.expect("stored");
            sent.push(text);
        }
        sent
    })
}

/// Receives `count` messages; returns their texts in order of arrival. Each change must arrive once and in order.
pub fn receiving(mut session: RoomSession, count: usize) -> JoinHandle<(RoomSession, Vec<String>)> {
    tokio::spawn(async move {
        let (mut received, mut last) = (Vec::new(), 0);
        while received.len() < count {
            if let ServerFrame::ChatMessage { message, rev, .. } = next(&mut session).await {
                assert!(rev > last, "change {rev} after {last}");
                last = rev;
                received.push(message.content);
            }
        }
        (session, received)
    })
}
