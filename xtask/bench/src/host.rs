//! A server with people, rooms and messages, as a measurement plans them.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use chat::model::{RoomId, UserId};
use tempfile::TempDir;

use crate::{
    Bench, api, beside,
    process::{self, SECRET, Server},
    seed::{Person, Seed, person},
    side::{Database, Side},
};

/// What a server is to have before the load begins.
pub(crate) struct Plan {
    pub(crate) people: usize,
    pub(crate) rooms: Vec<PlannedRoom>,
}

pub(crate) struct PlannedRoom {
    /// By their places among the people; the first one makes the room and writes its messages.
    pub(crate) members: Range<usize>,
    /// Messages, numbered from 0.
    pub(crate) messages: usize,
}

/// A room of a running server.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) members: Vec<Person>,
    /// What could be stored: see [`api::fill`].
    pub(crate) messages: usize,
}

/// A running server that has what was planned. Dropping it ends the server, unless it ran before.
pub(crate) struct Host {
    pub(crate) side: Side,
    pub(crate) server: Server,
    pub(crate) rooms: Vec<Room>,
    /// After the server: its data are removed when it has ended.
    folder: TempDir,
}

impl Plan {
    /// One room of so many people, without messages.
    pub(crate) fn one_room(members: usize) -> Self {
        Self { people: members, rooms: vec![PlannedRoom { members: 0..members, messages: 0 }] }
    }

    /// Rooms without messages, of so many people each.
    pub(crate) fn rooms_of(size: usize, people: usize) -> Self {
        let rooms = (0..people).step_by(size.max(1));
        let rooms = rooms.map(|first| PlannedRoom { members: first..people.min(first + size), messages: 0 });
        Self { people, rooms: rooms.collect() }
    }
}

impl Room {
    /// The path of its sockets.
    pub(crate) fn socket(&self) -> String {
        format!("/ws/chat/{}/", self.id)
    }

    /// The member who made it.
    pub(crate) fn creator(&self) -> Result<&Person> {
        self.members.first().context("a room without members")
    }
}

impl Host {
    /// Makes the data and starts the server; for one that runs already, makes rooms through its API.
    pub(crate) async fn start(bench: &Bench, side: Side, plan: &Plan) -> Result<Self> {
        let folder = tempfile::tempdir_in(&bench.run.folder)?;
        let (server, rooms) = match side {
            Side::Liao(database) => liao(bench, database, &folder.path().join("data"), plan).await?,
            Side::Bare => {
                let people = people(plan.people, SECRET)?;
                let rooms = (1..).zip(&plan.rooms).map(|(id, room)| Room {
                    id: RoomId(id),
                    members: people[room.members.clone()].to_vec(),
                    messages: 0,
                });
                (Server::start(&mut process::bare()?, None)?, rooms.collect())
            }
            Side::Node => {
                let node = bench.run.node.as_ref().context("Node is not part of this run")?;
                let database = node_database(&folder);
                seed_node(node, &database, plan.people)?;
                let server = Server::start(&mut process::node(node, &database), None)?;
                let rooms = api::rooms(server.address, side, &people(plan.people, SECRET)?, plan).await?;
                (server, rooms)
            }
            Side::Beside => {
                let url = bench.run.beside.as_ref().context("no server was named with --beside")?;
                let people = people(plan.people, bench.run.beside_key.as_deref().unwrap_or_default())?;
                let server = beside::server(url)?;
                let rooms = api::rooms(server.address, side, &people, plan).await?;
                (server, rooms)
            }
        };
        Ok(Self { side, server, rooms, folder })
    }

    /// Starts a server anew whose rooms were made through its API: what that took is then neither in its memory nor in
    /// its CPU time. Others have done nothing yet, or run already.
    pub(crate) fn restart(&mut self, bench: &Bench) -> Result<()> {
        if let (Side::Node, Some(node)) = (self.side, &bench.run.node) {
            self.server = Server::start(&mut process::node(node, &node_database(&self.folder)), None)?;
        }
        Ok(())
    }

    /// The only room, of [`Plan::one_room`].
    pub(crate) fn room(&self) -> Result<&Room> {
        self.rooms.first().context("a server without rooms")
    }
}

async fn liao(bench: &Bench, database: Database, data: &Path, plan: &Plan) -> Result<(Server, Vec<Room>)> {
    std::fs::create_dir_all(data)?;
    let (url, process) = bench.database(database, data)?;
    let mut seed = Seed::open(&url).await?;
    let people = seed.people(plan.people).await?;
    let mut rooms = Vec::with_capacity(plan.rooms.len());
    for planned in &plan.rooms {
        let members = people[planned.members.clone()].to_vec();
        let id = seed.room("a room", &members).await?;
        let room = Room { id, members, messages: planned.messages };
        if room.messages > 0 {
            seed.messages(id, room.creator()?, room.messages).await?;
        }
        rooms.push(room);
    }
    seed.finish().await?;
    let server = Server::start(&mut process::liao(&bench.run.server, data, &url), process)?;
    Ok((server, rooms))
}

/// The people 1 to `count` of a server whose tokens are signed with this key.
fn people(count: usize, key: &str) -> Result<Vec<Person>> {
    (1..).take(count).map(|id| person(UserId(id), key)).collect()
}

fn node_database(folder: &TempDir) -> PathBuf {
    folder.path().join("chat.db")
}

fn seed_node(node: &Path, database: &Path, people: usize) -> Result<()> {
    let mut seed = Command::new("node");
    seed.arg(node.join("seed.js")).arg(database).arg(people.to_string());
    let status = seed.status().context("cannot start node")?;
    ensure!(status.success(), "seed.js failed ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_room_may_be_smaller() {
        let plan = Plan::rooms_of(100, 250);
        let members: Vec<_> = plan.rooms.iter().map(|room| room.members.clone()).collect();
        assert_eq!(members, [0..100, 100..200, 200..250]);
    }
}
