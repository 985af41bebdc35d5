//! Messages: rows of `chat_message`, found by their place (`seq`) or change (`rev`).
//!
//! History is range arithmetic on the index `(room_id, seq)`; nothing is counted and
//! nothing skipped over, so a deep page costs what page 1 costs.

use sqlx_macros::FromRow;

use super::{Conn, StoreError, StoreResult, bundle, dialect::padded, on};
use crate::model::{Message, MessageId, MessageType, RoomId, RoomRef, Timestamp, User, UserId};

pub mod append;
pub mod change;

/// A message as it is stored.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Its place in the room.
    pub seq: i64,
    /// The change number it arrived with; `message.rev` is that of its latest change.
    pub created_rev: i64,
    /// What people see of it.
    pub message: Message,
}

bundle::row! {
    /// Where a message is, and how much of it there is to send.
    #[derive(Clone, Copy, Debug)]
    pub struct Extent {
        /// Its place in the room.
        pub seq: i64,
        /// The number of its latest change.
        pub rev: i64,
        /// The number it arrived with.
        pub created_rev: i64,
        /// Bytes of its text as it is stored.
        pub bytes: i64,
    }
}

bundle::row! {
    pub(super) struct MessageRow {
        id: i64,
        seq: i64,
        rev: i64,
        created_rev: i64,
        message_type: String,
        content: String,
        file_url: Option<String>,
        file_name: Option<String>,
        file_size: Option<i64>,
        reply_to: Option<i64>,
        #[serde(deserialize_with = "bundle::flag")]
        is_edited: bool,
        #[serde(deserialize_with = "bundle::flag")]
        is_deleted: bool,
        client_id: Option<String>,
        created_at: i64,
        updated_at: i64,
        sender_id: i64,
        username: String,
        first_name: String,
        last_name: String,
    }
}

impl MessageRow {
    pub(super) fn into_stored(self, room: RoomRef) -> StoredMessage {
        StoredMessage {
            seq: self.seq,
            created_rev: self.created_rev,
            message: Message {
                id: MessageId(self.id),
                room,
                sender: User {
                    id: UserId(self.sender_id),
                    username: self.username,
                    first_name: self.first_name,
                    last_name: self.last_name,
                },
                message_type: MessageType::from_word(&self.message_type),
                content: self.content,
                file_url: self.file_url,
                file_name: self.file_name,
                file_size: self.file_size,
                is_edited: self.is_edited,
                is_deleted: self.is_deleted,
                reply_to: self.reply_to.map(MessageId),
                created_at: Timestamp(self.created_at),
                updated_at: Timestamp(self.updated_at),
                client_id: self.client_id,
                rev: self.rev,
            },
        }
    }
}

/// With the room, where a query finds messages of several.
#[derive(FromRow)]
struct RoomMessageRow {
    room_id: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.seq, m.rev, m.created_rev, m.message_type, m.content, m.file_url, m.file_name, \
             m.file_size, m.reply_to, m.is_edited, m.is_deleted, m.client_id, m.created_at, m.updated_at, \
             u.id AS sender_id, u.username, u.first_name, u.last_name \
             FROM chat_message m JOIN user u ON u.id = m.sender_id ",
            $rest
        )
    };
}
use messages;

/// The messages of a room without so many of the newest: the room, how many are left out and how many are wanted in
/// all, the room, how many are left out, the room.
pub(super) const NEWEST: &str = messages!(
    "WHERE m.room_id = ? AND m.seq > (SELECT r.seq - ? FROM chat_room r WHERE r.id = ?) \
     AND m.seq <= (SELECT r.seq - ? FROM chat_room r WHERE r.id = ?) ORDER BY m.seq"
);

/// The messages with `after < seq <= upto`, oldest first.
pub async fn range(
    conn: &mut Conn,
    room: &RoomRef,
    after: i64,
    upto: i64,
) -> StoreResult<Vec<StoredMessage>> {
    const SQL: &str = messages!("WHERE m.room_id = ? AND m.seq > ? AND m.seq <= ? ORDER BY m.seq");
    let rows = bundle::all!(conn, MessageRow, SQL, |query| query.bind(room.id.0).bind(after).bind(upto))?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

/// The messages that arrived or changed after change `rev`, in the order of their
/// latest change; `limit` of them at most.
pub async fn changed_since(
    conn: &mut Conn,
    room: &RoomRef,
    rev: i64,
    limit: i64,
) -> StoreResult<Vec<StoredMessage>> {
    const SQL: &str = messages!("WHERE m.room_id = ? AND m.rev > ? ORDER BY m.rev LIMIT ?");
    let rows = bundle::all!(conn, MessageRow, SQL, |query| query.bind(room.id.0).bind(rev).bind(limit))?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

/// Those of them that changed after they arrived, with `after < rev <= upto`, in the order of their latest change.
pub async fn changed_between(
    conn: &mut Conn,
    room: &RoomRef,
    after: i64,
    upto: i64,
) -> StoreResult<Vec<StoredMessage>> {
    const SQL: &str = messages!(
        "WHERE m.room_id = ? AND m.rev > ? AND m.rev <= ? AND m.rev <> m.created_rev ORDER BY m.rev"
    );
    let rows = bundle::all!(conn, MessageRow, SQL, |query| query.bind(room.id.0).bind(after).bind(upto))?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

macro_rules! extents {
    ($rest:literal) => {
        concat!(
            "SELECT m.seq, m.rev, m.created_rev, CAST(OCTET_LENGTH(m.content) AS SIGNED) AS bytes \
             FROM chat_message m WHERE m.room_id = ? ",
            $rest
        )
    };
}

/// The extents of what [`range`] gives.
pub async fn extents(conn: &mut Conn, room: RoomId, after: i64, upto: i64) -> StoreResult<Vec<Extent>> {
    const SQL: &str = extents!("AND m.seq > ? AND m.seq <= ? ORDER BY m.seq");
    bundle::all!(conn, Extent, SQL, |query| query.bind(room.0).bind(after).bind(upto))
}

/// The extents of what [`changed_since`] gives.
pub async fn extents_since(conn: &mut Conn, room: RoomId, rev: i64, limit: i64) -> StoreResult<Vec<Extent>> {
    const SQL: &str = extents!("AND m.rev > ? ORDER BY m.rev LIMIT ?");
    bundle::all!(conn, Extent, SQL, |query| query.bind(room.0).bind(rev).bind(limit))
}

/// The extents of what [`changed_between`] gives; `limit` of them at most.
pub async fn extents_changed(
    conn: &mut Conn,
    room: RoomId,
    after: i64,
    upto: i64,
    limit: i64,
) -> StoreResult<Vec<Extent>> {
    const SQL: &str =
        extents!("AND m.rev > ? AND m.rev <= ? AND m.rev <> m.created_rev ORDER BY m.rev LIMIT ?");
    bundle::all!(conn, Extent, SQL, |query| query.bind(room.0).bind(after).bind(upto).bind(limit))
}

/// Those of the named messages that are in the room.
pub async fn by_ids(conn: &mut Conn, room: &RoomRef, ids: &[MessageId]) -> StoreResult<Vec<StoredMessage>> {
    let Some(&last) = ids.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(ids.len())].join(", ");
    let sql = format!("{}({marks})", messages!("WHERE m.room_id = ? AND m.id IN "));
    let filler = std::iter::repeat_n(last, padded(ids.len()) - ids.len());
    let rows = bundle::all!(conn, MessageRow, sql, |query| {
        ids.iter().copied().chain(filler).fold(query.bind(room.id.0), |query, id| query.bind(id.0))
    })?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

/// The id at place `seq`; `None` where the room has none there.
pub async fn id_at(conn: &mut Conn, room: RoomId, seq: i64) -> StoreResult<Option<MessageId>> {
    const SQL: &str = "SELECT id FROM chat_message WHERE room_id = ? AND seq = ?";
    let row: Option<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.0).bind(seq).fetch_optional(&mut *link).await)?;
    Ok(row.map(|(id,)| MessageId(id)))
}

/// The ids at places `first..=last`, rising.
async fn ids_between(conn: &mut Conn, room: RoomId, first: i64, last: i64) -> StoreResult<Vec<MessageId>> {
    const SQL: &str = "SELECT id FROM chat_message WHERE room_id = ? AND seq BETWEEN ? AND ? ORDER BY seq";
    let rows: Vec<(i64,)> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(room.0)
        .bind(first)
        .bind(last)
        .fetch_all(&mut *link)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| MessageId(id)).collect())
}

/// The place of message `id` if it is in `room`.
pub async fn seq_of(conn: &mut Conn, room: RoomId, id: MessageId) -> StoreResult<Option<i64>> {
    const SQL: &str = "SELECT seq FROM chat_message WHERE id = ? AND room_id = ?";
    let row: Option<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(id.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(|(seq,)| seq))
}

/// Where message `id` is: its room and its place.
pub async fn place(conn: &mut Conn, id: MessageId) -> StoreResult<Option<(RoomId, i64)>> {
    const SQL: &str = "SELECT room_id, seq FROM chat_message WHERE id = ?";
    let row: Option<(i64, i64)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(id.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(|(room, seq)| (RoomId(room), seq)))
}

/// How many of the room's messages have an id up to `id`: the place of the newest of
/// them, 0 when all are later. `newest` is the room's `seq`.
pub async fn seq_upto(conn: &mut Conn, room: RoomId, id: MessageId, newest: i64) -> StoreResult<i64> {
    // A cursor names a message of the room nearly always: one look-up.
    match seq_of(conn, room, id).await? {
        Some(seq) => Ok(seq),
        None => seq_among(conn, room, id, newest).await,
    }
}

/// One statement: the place in the middle is looked up until the two ends meet. What is bisected by rises with places.
macro_rules! bisected {
    ($column:literal) => {
        concat!(
            "WITH RECURSIVE span (below, above) AS (SELECT CAST(0 AS SIGNED), CAST(? AS SIGNED) \
             UNION ALL SELECT CASE WHEN m.",
            $column,
            " <= ? THEN m.seq ELSE span.below END, CASE WHEN m.",
            $column,
            " <= ? THEN span.above ELSE m.seq END \
             FROM span JOIN chat_message m ON m.room_id = ? AND m.seq = (span.below + span.above) >> 1 \
             WHERE span.above - span.below > 1) \
             SELECT below FROM span WHERE above - below <= 1"
        )
    };
}

/// The same for an id that no message of the room has. Found by bisection, since ids rise
/// with places; that saves an index on every insert.
pub async fn seq_among(conn: &mut Conn, room: RoomId, id: MessageId, newest: i64) -> StoreResult<i64> {
    bisect(conn, bisected!("id"), room, id.0, newest).await
}

/// How many of the room's messages arrived with a change number up to `rev`. `newest` is the room's `seq`.
pub async fn seq_at_rev(conn: &mut Conn, room: RoomId, rev: i64, newest: i64) -> StoreResult<i64> {
    bisect(conn, bisected!("created_rev"), room, rev, newest).await
}

async fn bisect(
    conn: &mut Conn,
    sql: &'static str,
    room: RoomId,
    value: i64,
    newest: i64,
) -> StoreResult<i64> {
    let row: Option<(i64,)> = on!(conn, |link| sqlx::query_as(sql)
        .bind(newest + 1)
        .bind(value)
        .bind(value)
        .bind(room.0)
        .fetch_optional(&mut *link)
        .await)?;
    row.map(|(seq,)| seq).ok_or(StoreError::Corrupt("a hole in a room's places"))
}
