//! Makes rooms and messages through the API, on a server whose database is not Liao's.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use chat::model::RoomId;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    host::{Plan, Room},
    http::{self, Connection},
    seed::{Person, number},
    sender::{self, Sender},
    side::Side,
};

/// Joins under way at once.
const AT_ONCE: usize = 16;
/// Unacknowledged messages while a room is filled.
const WINDOW: u64 = 256;
/// How long a room may take to fill: a server that stores a thousand messages a second would need a quarter of an hour for
/// a million.
const FILLING: Duration = Duration::from_mins(2);

/// The planned rooms. Everybody but its creator joins a room.
pub(crate) async fn rooms(
    address: SocketAddr,
    side: Side,
    people: &[Person],
    plan: &Plan,
) -> Result<Vec<Room>> {
    let mut connection = Connection::open(address).await?;
    let mut rooms = Vec::with_capacity(plan.rooms.len());
    for planned in &plan.rooms {
        let members = people[planned.members.clone()].to_vec();
        let creator = members.first().context("a room without members")?;
        let id = create(address, &mut connection, creator, members.len()).await?;
        join(address, id, &members[1..]).await?;
        let mut room = Room { id, members, messages: 0 };
        if planned.messages > 0 {
            room.messages = fill(address, side, &room, planned.messages).await?;
        }
        rooms.push(room);
    }
    Ok(rooms)
}

async fn create(
    address: SocketAddr,
    connection: &mut Connection,
    creator: &Person,
    members: usize,
) -> Result<RoomId> {
    let new = json!({"name": "a room", "room_type": "public", "max_members": members.max(2)});
    let request = http::post(address, "/api/chat/rooms/", &creator.token, &new.to_string());
    let (status, body) = connection.call(&request).await?;
    ensure!(status == 201, "no room: {status}: {}", String::from_utf8_lossy(body));
    let room: Value = serde_json::from_slice(body)?;
    Ok(RoomId(room["id"].as_i64().context("a room without an id")?))
}

async fn join(address: SocketAddr, room: RoomId, people: &[Person]) -> Result<()> {
    let path = format!("/api/chat/rooms/{room}/join/");
    let parts = people.chunks(people.len().div_ceil(AT_ONCE).max(1));
    stream::iter(parts)
        .map(Ok)
        .try_for_each_concurrent(None, |part| {
            let path = &path;
            async move {
                let mut connection = Connection::open(address).await?;
                for person in part {
                    let request = http::post(address, path, &person.token, "{}");
                    let (status, body) = connection.call(&request).await?;
                    let is_in = (200..300).contains(&status);
                    ensure!(is_in, "no member: {status}: {}", String::from_utf8_lossy(body));
                }
                Ok(())
            }
        })
        .await
}

/// Fills an empty room through its creator's socket. Returns how many of `count` messages were stored within [`FILLING`].
async fn fill(address: SocketAddr, side: Side, room: &Room, count: usize) -> Result<usize> {
    let until = Instant::now() + FILLING;
    let sender = Sender { address, side, path: room.socket(), person: room.creator()?.clone() };
    let stored = sender::send(&sender, WINDOW, |sent| sent < number(count) && Instant::now() < until).await?;
    Ok(usize::try_from(stored)?)
}
