//! Storing a batch of new messages inside the writer's transaction: lock the rooms,
//! read what the rules need, insert, move the rooms' counters.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::{RoomMessageRow, StoredMessage, messages};
use crate::{
    model::{MessageId, MessageType, Role, RoomId, Timestamp, UserId},
    store::{
        Conn, Inner, Pools, Store, StoreResult,
        dialect::{padded, tuples},
        json_rows, on,
        rooms::{MemberState, RoomState},
        users::{self, Account},
    },
};

mod mysql;
mod sqlite;

/// A message that passed every check and has its place.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    /// The room it goes to.
    pub room: RoomId,
    /// Its place.
    pub seq: i64,
    /// Its change number.
    pub rev: i64,
    /// Who wrote it.
    pub sender: UserId,
    /// The how-manieth of this sender in this room it is.
    pub sender_seq: i64,
    /// What kind it is.
    pub message_type: MessageType,
    /// The text.
    pub content: &'a str,
    /// Where its file is.
    pub file_url: Option<&'a str>,
    /// What its file is called.
    pub file_name: Option<&'a str>,
    /// Its file's size in bytes.
    pub file_size: Option<i64>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own id for it.
    pub client_id: Option<&'a str>,
}

/// By how much a batch moves a room's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Growth {
    /// New messages.
    pub seq: i64,
    /// Changes of every kind.
    pub rev: i64,
}

/// What a batch of messages changes beside them: rows that change by the same, together.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// The rooms, by how much they grow.
    pub rooms: HashMap<Growth, Vec<RoomId>>,
    /// The memberships of those who wrote, by how many messages each did.
    pub own: HashMap<i64, Vec<i64>>,
}

/// A room's member, by both.
pub type Pair = (RoomId, UserId);

/// What the rules need to know of a batch before all else.
pub struct Opening {
    /// The transaction, which holds the rooms' locks.
    pub tx: Conn,
    /// The rooms; those that do not exist are left out.
    pub rooms: HashMap<RoomId, RoomState>,
    /// The memberships.
    pub members: HashMap<Pair, MemberState>,
    /// The accounts; those that do not exist are left out.
    pub accounts: HashMap<UserId, Account>,
}

/// Begins a transaction, takes the locks of `rooms` until the commit, in the order of their ids so that two
/// nodes cannot wait for each other, and reads them, the memberships of `pairs` in them and the accounts of `users`.
pub async fn open(store: &Store, rooms: &[RoomId], pairs: &[Pair], users: &[UserId]) -> StoreResult<Opening> {
    if let Pools::Sqlite { write, .. } = &store.pools {
        return sqlite::open(write, rooms, pairs, users).await;
    }
    let mut tx = store.write().await?;
    let rooms = mysql::lock_rooms(&mut tx, rooms).await?;
    let members = members(&mut tx, pairs).await?;
    let accounts = users::by_ids(&mut tx, users).await?;
    let accounts = accounts.into_iter().map(|account| (account.user.id, account)).collect();
    Ok(Opening { tx, rooms, members, accounts })
}

/// Inserts the messages, in this order, moves the counters, and gives the messages' ids. The rooms'
/// locks are held, so in each room ids rise with places.
pub async fn store(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    match &mut conn.0 {
        Inner::Sqlite(loan) => sqlite::store(loan, rows, counters, now, sqlite::Then::More).await,
        Inner::MySql(_) | Inner::MySqlTx(_) => mysql::store(conn, rows, counters, now).await,
    }
}

/// The same as the last thing that the transaction does.
pub async fn store_and_commit(
    mut tx: Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    if let Inner::Sqlite(loan) = &mut tx.0 {
        return sqlite::store(loan, rows, counters, now, sqlite::Then::Commit).await;
    }
    let ids = store(&mut tx, rows, counters, now).await?;
    tx.commit().await?;
    Ok(ids)
}

/// The ids of messages that [`store`] was asked to insert; `None` when they are not there. A batch is stored as a whole
/// or not at all, and another node may have given its places to other messages.
pub async fn find(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    now: Timestamp,
) -> StoreResult<Option<Vec<MessageId>>> {
    const SQL: &str = "SELECT id FROM chat_message WHERE room_id = ? AND seq = ? \
        AND created_rev = ? AND sender_id = ? AND sender_seq = ? AND created_at = ?";
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        let found: Option<(i64,)> = on!(conn, |link| sqlx::query_as(SQL)
            .bind(row.room.0)
            .bind(row.seq)
            .bind(row.rev)
            .bind(row.sender.0)
            .bind(row.sender_seq)
            .bind(now.0)
            .fetch_optional(&mut *link)
            .await)?;
        let Some((id,)) = found else { return Ok(None) };
        ids.push(MessageId(id));
    }
    Ok(Some(ids))
}

json_rows::row! {
    struct MemberRow {
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

impl MemberRow {
    fn into_entry(self) -> (Pair, MemberState) {
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
pub async fn members(conn: &mut Conn, pairs: &[Pair]) -> StoreResult<HashMap<Pair, MemberState>> {
    let Some(&last) = pairs.last() else { return Ok(HashMap::new()) };
    let sql = format!(
        "SELECT id, room_id, user_id, role, left_at, is_muted, is_banned, last_read_seq, sent \
         FROM chat_room_member WHERE (room_id, user_id) IN {}",
        tuples(conn.backend(), 2, padded(pairs.len()))
    );
    let filler = std::iter::repeat_n(last, padded(pairs.len()) - pairs.len());
    let rows = json_rows::all!(conn, MemberRow, sql, |query| {
        let pairs = pairs.iter().copied().chain(filler);
        pairs.fold(query, |query, (room, user)| query.bind(room.0).bind(user.0))
    })?;
    Ok(rows.into_iter().map(MemberRow::into_entry).collect())
}

/// What a sender calls a message: recognises a repeat.
pub type ClientKey = (RoomId, UserId, String);

/// Keys of one query: SQLite joins at most 500 SELECTs by UNION
/// (<https://www.sqlite.org/limits.html>), and a list is filled up to a power of two.
const KEYS: usize = 256;

/// The messages that were stored under these client ids before. `rooms` names them all.
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
    // A join and not IN: for IN, SQLite uses no more of the index than the room.
    let sql = format!(
        "{}JOIN (SELECT ? AS a, ? AS b, ? AS c{}) k ON m.room_id = k.a AND m.sender_id = k.b AND m.client_id = k.c",
        messages!("").replacen("SELECT ", "SELECT m.room_id, ", 1),
        " UNION ALL SELECT ?, ?, ?".repeat(size - 1)
    );
    let filler = std::iter::repeat_n(last, size - keys.len());
    on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (room, sender, client_id) in keys.iter().chain(filler) {
            query = query.bind(room.0).bind(sender.0).bind(client_id);
        }
        Ok(query.fetch_all(&mut *link).await?)
    })
}

/// Which rooms these messages are in.
pub async fn rooms_of(conn: &mut Conn, ids: &[MessageId]) -> StoreResult<HashMap<MessageId, RoomId>> {
    let Some(&last) = ids.last() else { return Ok(HashMap::new()) };
    let marks = vec!["?"; padded(ids.len())].join(", ");
    let sql = format!("SELECT id, room_id FROM chat_message WHERE id IN ({marks})");
    let filler = std::iter::repeat_n(last, padded(ids.len()) - ids.len());
    let rows: Vec<(i64, i64)> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for id in ids.iter().copied().chain(filler) {
            query = query.bind(id.0);
        }
        query.fetch_all(&mut *link).await
    })?;
    Ok(rows.into_iter().map(|(id, room)| (MessageId(id), RoomId(room))).collect())
}
