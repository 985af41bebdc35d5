//! The nodes that a run of histories uses, and the people of each history.

use chat::{
    Chat, Settings,
    clock::Clock,
    model::{RoomId, User},
    store::Store,
};

use crate::{
    redis::Redis,
    support::{
        NOW, World, draft,
        nodes::{until, with_redis},
        unhurried,
    },
};

/// People of a history who act; the first created the room and stays in it.
pub const PEOPLE: usize = 4;

/// One server process. Its clock is its own, so that the clocks of two nodes can differ.
pub struct Node {
    pub chat: Chat,
    pub clock: Clock,
}

/// All server processes on one database.
pub struct System {
    pub nodes: Vec<Node>,
    /// Whether new names of people reach the sockets of every node. They have no number, so without Redis they stay on
    /// their node.
    pub tells_names: bool,
    /// Stopped when the run ends.
    _redis: Option<Redis>,
    /// Holds the folder of the database.
    _world: World,
}

impl System {
    /// One node.
    pub fn one(world: World) -> Self {
        let nodes = vec![Node { chat: world.chat.clone(), clock: world.clock.clone() }];
        Self { nodes, tells_names: true, _redis: None, _world: world }
    }

    /// Two nodes that share only the database.
    pub async fn two() -> Self {
        Self::two_with(unhurried(), None).await
    }

    /// Two nodes connected by Redis.
    pub async fn two_with_redis() -> Self {
        let redis = Redis::start();
        Self::two_with(with_redis(&redis.url()), Some(redis)).await
    }

    async fn two_with(settings: Settings, redis: Option<Redis>) -> Self {
        let world = World::mariadb_with(settings.clone()).await;
        let (store, clock) = (Store::open(&world.url).await.expect("the store opens"), Clock::fixed(NOW));
        let other = Node { chat: Chat::start(store, settings, clock.clone()), clock };
        let tells_names = redis.is_some();
        let mut system = Self { tells_names, _redis: redis, ..Self::one(world) };
        system.nodes.push(other);
        for node in &system.nodes {
            until("ready", async || node.chat.ready().await.is_ok()).await;
        }
        system
    }

    /// The node with this number, counted round.
    pub fn node(&self, number: usize) -> &Node {
        &self.nodes[number % self.nodes.len()]
    }

    /// New people for the histories that are played one after another under this number.
    pub async fn cast(&self, number: usize) -> Cast {
        let chat = &self.nodes[0].chat;
        let person = async |name: String| {
            chat.create_user(&name, "correct horse 9", "", "").await.expect("a new user")
        };
        let usher = person(format!("usher{number}")).await;
        let hall = chat.create_room(&usher, crate::support::new_room("public")).await.expect("made").id;
        let mut people = Vec::new();
        for who in 0..PEOPLE {
            let member = person(format!("person{number}.{who}")).await;
            chat.join(&member, hall).await.expect("joined");
            people.push(member);
        }
        Cast { people, usher, hall }
    }

    /// Stops every node.
    pub async fn stop(&self) {
        for node in &self.nodes {
            node.chat.stop().await;
        }
    }
}

/// The people of a history, who meet again in the next one.
pub struct Cast {
    pub people: Vec<User>,
    /// Sends the fences, so that they concern everybody who acts.
    pub usher: User,
    /// A room that all of them are always in. Its fences reach also those who were removed from the history's room.
    pub hall: RoomId,
}

impl Cast {
    /// A message that notifies everybody in the room except the usher.
    pub fn fence(&self) -> chat::model::MessageDraft {
        let names = self.people.iter().map(|person| format!("@{}", person.username));
        draft(&names.collect::<Vec<_>>().join(" "))
    }
}
