//! Batches on MySQL, which runs one statement at a time and may insert for other nodes concurrently.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Counters, Growth, NewMessage, OwnGrowth};
use crate::{
    model::{MessageId, RoomId, Timestamp},
    store::{
        Conn, StoreError, StoreResult,
        dialect::padded,
        on,
        rooms::{RoomState, RoomStateRow, state_columns},
    },
};

/// Maximum number of rows of one INSERT; more make the statement longer, not faster.
const ROWS: usize = 64;

/// Locks and reads the rooms, for [`super::begin`].
pub(super) async fn lock_rooms(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, RoomState>> {
    if rooms.is_empty() {
        return Ok(HashMap::new());
    }
    let marks = vec!["?"; padded(rooms.len())].join(", ");
    let lock = conn.backend().for_update();
    let select = concat!("SELECT ", state_columns!("r"), " FROM chat_room r WHERE r.id IN ");
    let sql = format!("{select}({marks}) ORDER BY r.id{lock}");
    let rows: Vec<RoomStateRow> = on!(conn, |db| {
        let query = sqlx::query_as(AssertSqlSafe(sql));
        filled(rooms).fold(query, |query, room| query.bind(room.0)).fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(RoomState::from).map(|state| (state.id, state)).collect())
}

/// Implements [`super::store`].
pub(super) async fn store(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    let mut ids = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while !rest.is_empty() {
        // Powers of two, so that a few prepared statements serve batches of every size.
        let (chunk, tail) = rest.split_at((1 << rest.len().ilog2()).min(ROWS));
        insert_chunk(conn, chunk, &mut ids).await?;
        rest = tail;
    }
    for (by, rooms) in &counters.rooms {
        grow_rooms(conn, rooms, *by, now).await?;
    }
    for (by, members) in &counters.own {
        add_own(conn, members, *by).await?;
    }
    Ok(ids)
}

async fn insert_chunk(conn: &mut Conn, rows: &[NewMessage<'_>], ids: &mut Vec<MessageId>) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, sender_seq, message_type, content, \
        file_url, file_name, file_size, reply_to, client_id, created_at, updated_at) ";
    on!(conn, |db| {
        let mut builder = QueryBuilder::new(SQL);
        builder.push_values(rows, |mut values, row| {
            values
                .push_bind(row.room.0)
                .push_bind(row.seq)
                .push_bind(row.rev)
                .push_bind(row.rev)
                .push_bind(row.sender.0)
                .push_bind(row.sender_seq)
                .push_bind(row.message_type.as_str())
                .push_bind(row.content)
                .push_bind(row.file_url)
                .push_bind(row.file_name)
                .push_bind(row.file_size)
                .push_bind(row.reply_to.map(|id| id.0))
                .push_bind(row.client_id)
                .push_bind(row.created_at.0)
                .push_bind(row.created_at.0);
        });
        builder.build().execute(&mut *db).await.map(drop)
    })?;
    // Other nodes may insert into other rooms concurrently, and in a cluster ids increase in steps: read the ids
    // back, one query for each run of consecutive `seq` in a room.
    for run in rows.chunk_by(|a, b| a.room == b.room && a.seq + 1 == b.seq) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        let found = crate::store::messages::ids_between(conn, first.room, first.seq, last.seq).await?;
        if found.len() != run.len() {
            return Err(StoreError::Corrupt("a message is missing right after its insert"));
        }
        ids.extend(found);
    }
    Ok(())
}

/// A list padded to the length given by [`padded`].
fn filled<T: Copy>(list: &[T]) -> impl Iterator<Item = T> {
    let filler = list.last().map(|&last| std::iter::repeat_n(last, padded(list.len()) - list.len()));
    list.iter().copied().chain(filler.into_iter().flatten())
}

/// Updates the counters of locked rooms, all by the same increment.
async fn grow_rooms(conn: &mut Conn, rooms: &[RoomId], by: Growth, now: Timestamp) -> StoreResult<()> {
    on!(conn, |db| {
        let mut builder = QueryBuilder::new("UPDATE chat_room SET seq = seq + ");
        builder.push_bind(by.seq).push(", rev = rev + ").push_bind(by.rev);
        builder.push(", active_at = GREATEST(active_at, ").push_bind(now.0).push(") WHERE id IN (");
        let mut list = builder.separated(", ");
        for room in filled(rooms) {
            list.push_bind(room.0);
        }
        builder.push(")");
        builder.build().execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}

/// Adds to the sent messages of each of these members; their own messages are not unread to them.
async fn add_own(conn: &mut Conn, members: &[i64], by: OwnGrowth) -> StoreResult<()> {
    on!(conn, |db| {
        let mut builder = QueryBuilder::new("UPDATE chat_room_member SET own_after_read = own_after_read + ");
        builder.push_bind(by.messages).push(", sent = sent + ").push_bind(by.messages);
        builder.push(", sent_upto = ").push_bind(by.upto).push(" WHERE id IN (");
        let mut list = builder.separated(", ");
        for member in filled(members) {
            list.push_bind(member);
        }
        builder.push(")");
        builder.build().execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}
