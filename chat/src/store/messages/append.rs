//! Storing a batch of new messages inside the writer's transaction: lock the rooms,
//! read what the rules need, insert, move the rooms' counters.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, FromRow, QueryBuilder};

use super::{RoomMessageRow, StoredMessage, messages};
use crate::{
    model::{MessageId, MessageType, Role, RoomId, Timestamp, UserId},
    store::{
        Backend, Conn, Link, StoreError, StoreResult,
        dialect::{padded, tuples},
        on,
        rooms::{MemberState, RoomState, StateRow},
    },
};

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

/// Rows of one INSERT: more make the statement longer, not faster (17 columns each;
/// SQLite allows 32,766 placeholders).
const ROWS: usize = 64;

/// Takes the locks of `rooms` until the commit, in the order of their ids so that two
/// nodes cannot wait for each other, and reads them. Rooms that do not exist are left out.
pub async fn lock_rooms(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, RoomState>> {
    let Some(&last) = rooms.last() else { return Ok(HashMap::new()) };
    let marks = vec!["?"; padded(rooms.len())].join(", ");
    let sql = format!(
        "SELECT id, name, room_type, is_active, max_members, member_count, seq, rev \
         FROM chat_room WHERE id IN ({marks}) ORDER BY id{}",
        conn.backend().for_update()
    );
    let filler = std::iter::repeat_n(last, padded(rooms.len()) - rooms.len());
    let rows: Vec<StateRow> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for room in rooms.iter().copied().chain(filler) {
            query = query.bind(room.0);
        }
        query.fetch_all(&mut *link).await
    })?;
    Ok(rows.into_iter().map(RoomState::from).map(|state| (state.id, state)).collect())
}

#[derive(FromRow)]
struct MemberRow {
    id: i64,
    room_id: i64,
    user_id: i64,
    role: String,
    left_at: Option<i64>,
    is_muted: bool,
    is_banned: bool,
    last_read_seq: i64,
    sent: i64,
}

/// The memberships of these users in these rooms.
pub async fn members(
    conn: &mut Conn,
    pairs: &[(RoomId, UserId)],
) -> StoreResult<HashMap<(RoomId, UserId), MemberState>> {
    let Some(&last) = pairs.last() else { return Ok(HashMap::new()) };
    let sql = format!(
        "SELECT id, room_id, user_id, role, left_at, is_muted, is_banned, last_read_seq, sent \
         FROM chat_room_member WHERE (room_id, user_id) IN {}",
        tuples(conn.backend(), 2, padded(pairs.len()))
    );
    let filler = std::iter::repeat_n(last, padded(pairs.len()) - pairs.len());
    let rows: Vec<MemberRow> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (room, user) in pairs.iter().copied().chain(filler) {
            query = query.bind(room.0).bind(user.0);
        }
        query.fetch_all(&mut *link).await
    })?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let state = MemberState {
                id: row.id,
                role: Role::from_word(&row.role),
                is_present: row.left_at.is_none(),
                is_muted: row.is_muted,
                is_banned: row.is_banned,
                last_read_seq: row.last_read_seq,
                sent: row.sent,
            };
            ((RoomId(row.room_id), UserId(row.user_id)), state)
        })
        .collect())
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

/// What a batch of messages changes beside them: rows that change by the same, together.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// The rooms, by how much they grow.
    pub rooms: HashMap<Growth, Vec<RoomId>>,
    /// The memberships of those who wrote, by how many messages each did.
    pub own: HashMap<i64, Vec<i64>>,
}

impl Counters {
    /// The one group of rooms and the one of members, where there are no more: so it is in a small batch.
    fn only(&self) -> Option<Only<'_>> {
        let ((by, rooms), (count, members)) = (self.rooms.iter().next()?, self.own.iter().next()?);
        let is_only = self.rooms.len() == 1 && self.own.len() == 1;
        is_only.then_some(Only { by: *by, rooms, count: *count, members })
    }
}

#[derive(Clone, Copy)]
struct Only<'a> {
    by: Growth,
    rooms: &'a [RoomId],
    count: i64,
    members: &'a [i64],
}

/// Inserts the messages, in this order, moves the counters, and gives the messages' ids. The rooms'
/// locks are held, so in each room ids rise with places.
pub async fn store(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
) -> StoreResult<Vec<MessageId>> {
    // On SQLite a statement costs two changes of threads, whatever it does: a small batch is one
    // text of three statements. MySQL prepares only one at a time.
    let only = counters.only().filter(|_| conn.backend() == Backend::Sqlite);
    let mut ids = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while !rest.is_empty() {
        // Powers of two, so that a few prepared statements serve batches of every size.
        let take = (1 << rest.len().ilog2()).min(ROWS);
        let (chunk, tail) = rest.split_at(take);
        insert_chunk(conn, chunk, only.filter(|_| tail.is_empty()), now, &mut ids).await?;
        rest = tail;
    }
    if only.is_none() {
        for (by, rooms) in &counters.rooms {
            grow_rooms(conn, rooms, *by, now).await?;
        }
        for (count, members) in &counters.own {
            add_own(conn, members, *count).await?;
        }
    }
    Ok(ids)
}

/// The statement that moves the counters of `rooms`.
macro_rules! push_growth {
    ($builder:ident, $rooms:expr, $by:expr, $now:expr) => {{
        $builder.push("UPDATE chat_room SET seq = seq + ").push_bind($by.seq);
        $builder.push(", rev = rev + ").push_bind($by.rev);
        $builder.push(", active_at = ").push_bind($now.0).push(" WHERE id IN (");
        let mut list = $builder.separated(", ");
        for room in filled($rooms) {
            list.push_bind(room.0);
        }
        $builder.push(")");
    }};
}
/// The statement that notes what `members` wrote.
macro_rules! push_own {
    ($builder:ident, $members:expr, $count:expr) => {{
        $builder.push("UPDATE chat_room_member SET own_after_read = own_after_read + ").push_bind($count);
        $builder.push(", sent = sent + ").push_bind($count);
        $builder.push(" WHERE id IN (");
        let mut list = $builder.separated(", ");
        for member in filled($members) {
            list.push_bind(member);
        }
        $builder.push(")");
    }};
}
async fn insert_chunk(
    conn: &mut Conn,
    rows: &[NewMessage<'_>],
    then: Option<Only<'_>>,
    now: Timestamp,
    ids: &mut Vec<MessageId>,
) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, sender_seq, message_type, content, \
        file_url, file_name, file_size, reply_to, client_id, created_at, updated_at) ";
    macro_rules! run {
        ($link:ident) => {{
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
                    .push_bind(now.0)
                    .push_bind(now.0);
            });
            if let Some(Only { by, rooms, count, members }) = then {
                builder.push("; ");
                push_growth!(builder, rooms, by, now);
                builder.push("; ");
                push_own!(builder, members, count);
            }
            builder.build().execute(&mut *$link).await?
        }};
    }
    match conn.link() {
        Link::Sqlite(link) => {
            // Nobody else inserts meanwhile, so the statement's ids follow each other.
            let last = run!(link).last_insert_rowid();
            let count = i64::try_from(rows.len()).unwrap_or_default();
            ids.extend((last - count + 1..=last).map(MessageId));
            return Ok(());
        }
        Link::MySql(link) => run!(link),
    };
    // Other nodes insert into other rooms meanwhile, and a cluster counts in steps:
    // the ids are asked for, one query for each run of places in a room.
    for run in rows.chunk_by(|a, b| a.room == b.room && a.seq + 1 == b.seq) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        let found = super::ids_between(conn, first.room, first.seq, last.seq).await?;
        if found.len() != run.len() {
            return Err(StoreError::Corrupt("a message is missing right after its insert"));
        }
        ids.extend(found);
    }
    Ok(())
}

/// By how much a batch moves a room's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Growth {
    /// New messages.
    pub seq: i64,
    /// Changes of every kind.
    pub rev: i64,
}

/// A list for a statement, filled up as [`padded`] says.
fn filled<T: Copy>(list: &[T]) -> impl Iterator<Item = T> {
    let filler = list.last().map(|&last| std::iter::repeat_n(last, padded(list.len()) - list.len()));
    list.iter().copied().chain(filler.into_iter().flatten())
}

/// Moves the counters of rooms whose locks are held, all by the same.
async fn grow_rooms(conn: &mut Conn, rooms: &[RoomId], by: Growth, now: Timestamp) -> StoreResult<()> {
    on!(conn, |link| {
        let mut builder = QueryBuilder::new("");
        push_growth!(builder, rooms, by, now);
        builder.build().execute(&mut *link).await.map(drop)
    })?;
    Ok(())
}

/// Notes that each of these members wrote `count` messages that are not unread to themselves.
async fn add_own(conn: &mut Conn, members: &[i64], count: i64) -> StoreResult<()> {
    on!(conn, |link| {
        let mut builder = QueryBuilder::new("");
        push_own!(builder, members, count);
        builder.build().execute(&mut *link).await.map(drop)
    })?;
    Ok(())
}
