//! A batch of new messages in the writer's transaction: lock the rooms, read what the rules need, insert, update the
//! rooms' counters.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::{RoomMessageRow, StoredMessage, found, messages};
use crate::{
    model::{MessageId, MessageType, Role, RoomId, Timestamp, UserId},
    store::{
        Conn, Inner, Pools, Store, StoreResult,
        dialect::{padded, tuples},
        json_rows, on,
        rooms::{MemberState, RoomState},
    },
};

mod mysql;
mod sqlite;

/// A message to insert, with its numbers assigned.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    /// The room.
    pub room: RoomId,
    /// Its number in the room.
    pub seq: i64,
    /// Its change number.
    pub rev: i64,
    /// The author.
    pub sender: UserId,
    /// Its ordinal among the messages of this sender in this room.
    pub sender_seq: i64,
    /// The kind of message.
    pub message_type: MessageType,
    /// The text.
    pub content: &'a str,
    /// URL of the attached file.
    pub file_url: Option<&'a str>,
    /// Name of the attached file.
    pub file_name: Option<&'a str>,
    /// Size of the attached file in bytes.
    pub file_size: Option<i64>,
    /// The message this one replies to.
    pub reply_to: Option<MessageId>,
    /// The id chosen by the sender, for idempotent retries.
    pub client_id: Option<&'a str>,
    /// When it is stored: see [`RoomState::time`].
    pub created_at: Timestamp,
}

/// By how much a batch increases a room's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Growth {
    /// Number of new messages.
    pub seq: i64,
    /// Number of changes of all kinds.
    pub rev: i64,
}

/// The counters that a batch updates, grouped by increment so that one statement serves each group.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// The rooms, by their growth.
    pub rooms: HashMap<Growth, Vec<RoomId>>,
    /// The memberships of the senders, by their new messages.
    pub own: HashMap<OwnGrowth, Vec<i64>>,
}

/// The new messages of one sender in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnGrowth {
    /// Their number.
    pub messages: i64,
    /// The room's `seq` after the batch: none of the sender's messages is above it.
    pub upto: i64,
}

/// The key of a membership.
pub type MemberKey = (RoomId, UserId);

/// What the rules need to decide on a batch.
pub struct LoadedBatch {
    /// The transaction, which holds the locks of the rooms.
    pub tx: Conn,
    /// The rooms that exist.
    pub rooms: HashMap<RoomId, RoomState>,
    /// The memberships.
    pub members: HashMap<MemberKey, MemberState>,
}

/// Begins a transaction, locks `rooms` until the commit (in the order of their ids, to prevent deadlocks between
/// nodes), and loads them and the memberships `pairs`.
pub async fn begin(store: &Store, rooms: &[RoomId], pairs: &[MemberKey]) -> StoreResult<LoadedBatch> {
    if let Pools::Sqlite { write, .. } = &store.pools {
        return sqlite::begin(write, rooms, pairs).await;
    }
    let mut tx = store.write().await?;
    let rooms = mysql::lock_rooms(&mut tx, rooms).await?;
    let members = members(&mut tx, pairs).await?;
    Ok(LoadedBatch { tx, rooms, members })
}

/// Inserts the messages in this order, updates the counters, and returns the messages' ids.
///
/// The caller holds the rooms' locks, so ids increase with `seq` in each room.
pub async fn store(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    match &mut conn.0 {
        Inner::Sqlite(pooled) => sqlite::store(pooled, rows, counters, now, sqlite::After::KeepOpen).await,
        Inner::MySql(_) | Inner::MySqlTx(_) => mysql::store(conn, rows, counters, now).await,
    }
}

/// As [`store`], and commits; on SQLite in the same call of the driver.
pub async fn store_and_commit(
    mut tx: Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    if let Inner::Sqlite(pooled) = &mut tx.0 {
        return sqlite::store(pooled, rows, counters, now, sqlite::After::Commit).await;
    }
    let ids = store(&mut tx, rows, counters, now).await?;
    tx.commit().await?;
    Ok(ids)
}

/// The ids of messages inserted by [`store`]; `None` if they are not stored.
///
/// A batch is stored completely or not at all. If it was not, another node may have used the same `seq` for other
/// messages.
pub async fn find(conn: &mut Conn, rows: &[NewMessage<'_>]) -> StoreResult<Option<Vec<MessageId>>> {
    const SQL: &str = "SELECT id FROM chat_message WHERE room_id = ? AND seq = ? \
        AND created_rev = ? AND sender_id = ? AND sender_seq = ? AND created_at = ?";
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        let found: Option<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
            .bind(row.room.0)
            .bind(row.seq)
            .bind(row.rev)
            .bind(row.sender.0)
            .bind(row.sender_seq)
            .bind(row.created_at.0)
            .fetch_optional(&mut *db)
            .await)?;
        let Some((id,)) = found else { return Ok(None) };
        ids.push(MessageId(id));
    }
    Ok(Some(ids))
}

json_rows::row! {
    struct MemberStateRow {
        id: i64,
        room_id: i64,
        user_id: i64,
        role: String,
        left_at: Option<i64>,
        #[serde(deserialize_with = "json_rows::flag")]
        is_muted: bool,
        #[serde(deserialize_with = "json_rows::flag")]
        is_banned: bool,
        last_read_seq: i64,
        sent: i64,
    }
}

impl MemberStateRow {
    fn into_entry(self) -> (MemberKey, MemberState) {
        let state = MemberState {
            id: self.id,
            role: Role::from_stored(&self.role),
            is_present: self.left_at.is_none(),
            is_muted: self.is_muted,
            is_banned: self.is_banned,
            last_read_seq: self.last_read_seq,
            sent: self.sent,
        };
        ((RoomId(self.room_id), UserId(self.user_id)), state)
    }
}

/// The memberships of these users in these rooms.
pub async fn members(conn: &mut Conn, pairs: &[MemberKey]) -> StoreResult<HashMap<MemberKey, MemberState>> {
    let Some(&last) = pairs.last() else { return Ok(HashMap::new()) };
    let sql = format!(
        "SELECT id, room_id, user_id, role, left_at, is_muted, is_banned, last_read_seq, sent \
         FROM chat_room_member WHERE (room_id, user_id) IN {}",
        tuples(conn.backend(), 2, padded(pairs.len()))
    );
    let filler = std::iter::repeat_n(last, padded(pairs.len()) - pairs.len());
    let rows = json_rows::fetch_all!(conn, MemberStateRow, sql, |query| {
        let pairs = pairs.iter().copied().chain(filler);
        pairs.fold(query, |query, (room, user)| query.bind(room.0).bind(user.0))
    })?;
    Ok(rows.into_iter().map(MemberStateRow::into_entry).collect())
}

/// The key by which a repeated message is recognised: room, sender, `client_id`.
pub type ClientKey = (RoomId, UserId, String);

/// Maximum number of keys in one query: SQLite allows 500 terms in a compound SELECT
/// (<https://www.sqlite.org/limits.html>), and lists are padded to a power of two.
const KEYS: usize = 256;

/// The stored messages with these client ids. `rooms` contains all their rooms.
pub async fn by_client_id(
    conn: &mut Conn,
    keys: &[ClientKey],
    rooms: &HashMap<RoomId, RoomState>,
) -> StoreResult<HashMap<ClientKey, StoredMessage>> {
    let mut found = HashMap::new();
    for keys in keys.chunks(KEYS) {
        for row in rows_by_client_id(conn, keys).await? {
            let room = RoomId(row.room_id);
            if let (Some(state), Some(client_id)) = (rooms.get(&room), row.message.client_id.clone()) {
                let key = (room, UserId(row.message.sender_id), client_id);
                found.insert(key, row.message.into_stored(state.to_ref()));
            }
        }
    }
    Ok(found)
}

async fn rows_by_client_id(conn: &mut Conn, keys: &[ClientKey]) -> StoreResult<Vec<RoomMessageRow>> {
    let Some(last) = keys.last() else { return Ok(Vec::new()) };
    let size = padded(keys.len());
    // A join and not IN: for IN, SQLite would use only the room column of the index.
    let sql = format!(
        "{}JOIN (SELECT ? AS a, ? AS b, ? AS c{}) k ON m.room_id = k.a AND m.sender_id = k.b AND m.client_id = k.c",
        messages!("").replacen("SELECT ", "SELECT m.room_id, ", 1),
        " UNION ALL SELECT ?, ?, ?".repeat(size - 1)
    );
    let filler = std::iter::repeat_n(last, size - keys.len());
    on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (room, sender, client_id) in keys.iter().chain(filler) {
            query = query.bind(room.0).bind(sender.0).bind(client_id);
        }
        Ok(query.fetch_all(&mut *db).await?)
    })
}

/// The rooms and authors of these messages.
pub async fn rooms_and_authors(
    conn: &mut Conn,
    ids: &[MessageId],
) -> StoreResult<HashMap<MessageId, MemberKey>> {
    let Some(&last) = ids.last() else { return Ok(HashMap::new()) };
    let marks = vec!["?"; padded(ids.len())].join(", ");
    let sql = format!("{}({marks})", found!("m.id, m.room_id, m.sender_id", "m.id IN "));
    let filler = std::iter::repeat_n(last, padded(ids.len()) - ids.len());
    let rows: Vec<(i64, i64, i64)> = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for id in ids.iter().copied().chain(filler) {
            query = query.bind(id.0);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(|(id, room, sender)| (MessageId(id), (RoomId(room), UserId(sender)))).collect())
}
