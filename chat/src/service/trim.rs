//! Removes the oldest messages of a room: its history then begins at a later message, its *floor*.
//!
//! The floor is moved in one change of the room, after which nobody sees the messages below it. What follows is a job:
//! it moves the read positions that are below the floor, and deletes the rows.

use super::{
    Chat,
    jobs::{self, Job, Leased, Part},
};
use crate::{
    error::Result,
    event::{UserChange, UserEvent},
    model::{RoomId, Timestamp, UserId},
    store::{
        messages,
        reads::{Position, floor},
        rooms, streams,
    },
    writer::{RoomTransaction, RoomUpdate},
};

/// Number of read positions moved in one transaction. On MySQL, messages of the room wait for it.
const LIFTED: i64 = 128;

/// The actor of what the operator does: no account has this id.
const OPERATOR: UserId = UserId(0);

/// Which messages of a room stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// This many, the newest.
    Newest(i64),
    /// Those stored at this time or later.
    Since(Timestamp),
}

/// The result of [`Chat::trim_room`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// Number of messages that were removed.
    pub removed: i64,
    /// Number of messages that are left.
    pub left: i64,
}

impl Chat {
    /// Removes the other messages of the room, for the operator. They are gone for everybody at once; their rows are
    /// deleted when this returns, or by a server if it is interrupted.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn trim_room(&self, room: RoomId, kept: Kept) -> Result<Trimmed> {
        let trim = Trim { kept, now: self.clock().now() };
        let (trimmed, job) = self.writer().update(room, OPERATOR, trim).await?;
        if let Some(job) = job {
            self.finish_job(job).await?;
        }
        Ok(trimmed)
    }
}

struct Trim {
    kept: Kept,
    now: Timestamp,
}

impl RoomUpdate for Trim {
    type Output = (Trimmed, Option<Leased>);

    async fn apply(&self, tx: &mut RoomTransaction) -> Result<Self::Output> {
        let room = tx.room()?.clone();
        let floor = match self.kept {
            Kept::Newest(count) => room.seq.saturating_sub(count),
            Kept::Since(time) => messages::seq_at_time(tx.conn(), &room, time.plus_micros(-1)).await?,
        };
        let floor = floor.min(room.seq);
        if floor <= room.floor() {
            return Ok((Trimmed { removed: 0, left: room.total() }, None));
        }
        let update = rooms::RoomUpdate { first_seq: Some(floor + 1), ..rooms::RoomUpdate::default() };
        tx.update_room(&update).await?;
        let job = jobs::add(tx.conn(), Job::TrimRoom(room.id), self.now).await?;
        Ok((Trimmed { removed: floor - room.floor(), left: room.seq - floor }, Some(job)))
    }
}

/// Does what follows from a moved floor, in parts: moves some read positions or deletes some messages.
pub(super) async fn run_part(chat: &Chat, id: RoomId) -> Result<Part> {
    let mut tx = chat.store().write().await?;
    // Against messages of the members, which they would have to count.
    rooms::lock(&mut tx, id).await?;
    let Some(room) = rooms::state(&mut tx, id).await? else { return Ok(Part::last(tx)) };
    let below = floor::below(&mut tx, id, room.floor(), LIFTED).await?;
    if below.is_empty() {
        let has_more = messages::prune(&mut tx, id, room.first_seq).await?;
        return Ok(if has_more { Part::until(tx, 0) } else { Part::last(tx) });
    }
    floor::lift(&mut tx, id, &below, room.floor()).await?;
    let users: Vec<UserId> = below.iter().map(Position::user).collect();
    let revs = streams::advance(&mut tx, &users).await?;
    let change = UserChange::Read(id);
    let events = users.into_iter().zip(revs).map(|(user, rev)| (user, UserEvent { rev: Some(rev), change }));
    Ok(Part { events: events.collect(), ..Part::until(tx, 0) })
}
