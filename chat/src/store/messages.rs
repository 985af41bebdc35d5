//! Messages: rows of `chat_message`, found by their `seq` or by the `rev` of a change.
//!
//! Pagination is range arithmetic on the index `(room_id, seq)`: no COUNT and no OFFSET, so a deep page costs as much
//! as the first.

use sqlx_macros::FromRow;

use super::{
    Conn, StoreError, StoreResult, condition::in_history, dialect::padded, json_rows, on, rooms::RoomState,
};
use crate::model::{Message, MessageId, MessageType, RoomId, RoomRef, Timestamp, User, UserId};

pub mod append;
pub mod change;

/// A message with its position in the room's history.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Its number in the room.
    pub seq: i64,
    /// The change number it was created with; `message.rev` is that of its latest change.
    pub created_rev: i64,
    /// The message as clients see it.
    pub message: Message,
}

json_rows::row! {
    /// The position and size of a message.
    #[derive(Clone, Copy, Debug)]
    pub struct Extent {
        /// Its number in the room.
        pub seq: i64,
        /// The change number of its latest change.
        pub rev: i64,
        /// The change number it was created with.
        pub created_rev: i64,
        /// Size of its stored text in bytes.
        pub bytes: i64,
    }
}

json_rows::row! {
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
        #[serde(deserialize_with = "json_rows::flag")]
        is_edited: bool,
        #[serde(deserialize_with = "json_rows::flag")]
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
                message_type: MessageType::from_stored(&self.message_type),
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

/// A message with its room, for statements on several rooms.
#[derive(FromRow)]
struct RoomMessageRow {
    room_id: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

macro_rules! messages {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "SELECT m.id, m.seq, m.rev, m.created_rev, m.message_type, m.content, m.file_url, m.file_name, \
             m.file_size, m.reply_to, m.is_edited, m.is_deleted, m.client_id, m.created_at, m.updated_at, \
             u.id AS sender_id, u.username, u.first_name, u.last_name \
             FROM chat_message m JOIN user u ON u.id = m.sender_id ",
            $($rest),+
        )
    };
}
use messages;

/// The rest of [`messages`] and [`extents`] for the latest changes `c` with `after < rev <= upto` of messages that were
/// not removed. Placeholders: the room, `after`, `upto`.
macro_rules! changes {
    () => {
        concat!(
            "JOIN chat_message_change c ON c.room_id = m.room_id AND c.seq = m.seq \
             JOIN chat_room r ON r.id = m.room_id WHERE c.room_id = ? AND c.rev > ? AND c.rev <= ? AND ",
            $crate::store::condition::in_history!("m", "r")
        )
    };
}

/// The newest messages of a room after skipping some, on SQLite.
///
/// Placeholders: room, number of skipped messages plus number of messages wanted, room, number of skipped messages,
/// room.
pub(super) const NEWEST: &str = messages!(
    "WHERE m.room_id = ? AND m.seq > (SELECT MAX(r.seq - ?, r.first_seq - 1) FROM chat_room r WHERE r.id = ?) \
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
    let rows =
        json_rows::fetch_all!(conn, MessageRow, SQL, |query| query.bind(room.id.0).bind(after).bind(upto))?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

/// The messages edited or deleted with `after < rev <= upto`, ordered by their latest change.
pub async fn changed_between(
    conn: &mut Conn,
    room: &RoomRef,
    after: i64,
    upto: i64,
) -> StoreResult<Vec<StoredMessage>> {
    const SQL: &str = messages!(changes!(), " ORDER BY c.rev");
    let rows =
        json_rows::fetch_all!(conn, MessageRow, SQL, |query| query.bind(room.id.0).bind(after).bind(upto))?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

macro_rules! extents {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "SELECT m.seq, m.rev, m.created_rev, CAST(OCTET_LENGTH(m.content) AS SIGNED) AS bytes \
             FROM chat_message m ",
            $($rest),+
        )
    };
}

/// The extents of the messages of [`range`].
pub async fn extents(conn: &mut Conn, room: RoomId, after: i64, upto: i64) -> StoreResult<Vec<Extent>> {
    const SQL: &str = extents!(
        "JOIN chat_room r ON r.id = m.room_id WHERE m.room_id = ? AND ",
        in_history!("m", "r"),
        " AND m.seq > ? AND m.seq <= ? ORDER BY m.seq",
    );
    json_rows::fetch_all!(conn, Extent, SQL, |query| query.bind(room.0).bind(after).bind(upto))
}

/// The extents of the messages of [`changed_between`]; at most `limit`.
pub async fn extents_changed(
    conn: &mut Conn,
    room: RoomId,
    after: i64,
    upto: i64,
    limit: i64,
) -> StoreResult<Vec<Extent>> {
    const SQL: &str = extents!(changes!(), " ORDER BY c.rev LIMIT ?");
    json_rows::fetch_all!(conn, Extent, SQL, |query| query.bind(room.0).bind(after).bind(upto).bind(limit))
}

/// The messages with these ids that are in the room.
pub async fn by_ids(conn: &mut Conn, room: &RoomRef, ids: &[MessageId]) -> StoreResult<Vec<StoredMessage>> {
    let Some(&last) = ids.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(ids.len())].join(", ");
    let sql = format!(
        "{}({marks})",
        messages!(
            "JOIN chat_room r ON r.id = m.room_id WHERE m.room_id = ? AND ",
            in_history!("m", "r"),
            " AND m.id IN "
        )
    );
    let filler = std::iter::repeat_n(last, padded(ids.len()) - ids.len());
    let rows = json_rows::fetch_all!(conn, MessageRow, sql, |query| {
        ids.iter().copied().chain(filler).fold(query.bind(room.id.0), |query, id| query.bind(id.0))
    })?;
    Ok(rows.into_iter().map(|row| row.into_stored(room.clone())).collect())
}

/// The messages `m` of rooms `r`, without removed ones.
macro_rules! found {
    ($columns:literal, $where:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM chat_message m JOIN chat_room r ON r.id = m.room_id WHERE ",
            $crate::store::condition::in_history!("m", "r"),
            " AND ",
            $where
        )
    };
}
use found;

/// The id of the message number `seq`; `None` if there is none.
pub async fn id_at(conn: &mut Conn, room: RoomId, seq: i64) -> StoreResult<Option<MessageId>> {
    const SQL: &str = found!("m.id", "m.room_id = ? AND m.seq = ?");
    let row: Option<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).bind(seq).fetch_optional(&mut *db).await)?;
    Ok(row.map(|(id,)| MessageId(id)))
}

/// The ids of the messages `first..=last` (`seq`), ascending.
async fn ids_between(conn: &mut Conn, room: RoomId, first: i64, last: i64) -> StoreResult<Vec<MessageId>> {
    const SQL: &str = "SELECT id FROM chat_message WHERE room_id = ? AND seq BETWEEN ? AND ? ORDER BY seq";
    let rows: Vec<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).bind(first).bind(last).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(id,)| MessageId(id)).collect())
}

/// The `seq` of message `id` if it is in `room`.
pub async fn seq_of(conn: &mut Conn, room: RoomId, id: MessageId) -> StoreResult<Option<i64>> {
    const SQL: &str = found!("m.seq", "m.id = ? AND m.room_id = ?");
    let row: Option<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(id.0).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|(seq,)| seq))
}

/// The room and the `seq` of message `id`.
pub async fn locate(conn: &mut Conn, id: MessageId) -> StoreResult<Option<(RoomId, i64)>> {
    const SQL: &str = found!("m.room_id, m.seq", "m.id = ?");
    let row: Option<(i64, i64)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(id.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|(room, seq)| (RoomId(room), seq)))
}

/// The `seq` of the newest message of the room with an id up to `id`; that below the oldest message if there is none.
pub async fn seq_upto(conn: &mut Conn, room: &RoomState, id: MessageId) -> StoreResult<i64> {
    // A cursor is nearly always a message of the room: one look-up.
    match seq_of(conn, room.id, id).await? {
        Some(seq) => Ok(seq),
        None => seq_among(conn, room, id).await,
    }
}

/// Binary search in one statement over `seq`, for a column that increases with `seq`. Of the range it begins with, the
/// beginning may have been removed meanwhile: a message that is not there is below the value.
macro_rules! bisected {
    ($column:literal) => {
        concat!(
            // MySQL shifts to an unsigned number.
            "WITH RECURSIVE span (below, above) AS (SELECT CAST(? AS SIGNED), CAST(? AS SIGNED) \
             UNION ALL SELECT CASE WHEN m.",
            $column,
            " > ? THEN span.below ELSE CAST((span.below + span.above) >> 1 AS SIGNED) END, CASE WHEN m.",
            $column,
            " > ? THEN m.seq ELSE span.above END \
             FROM span LEFT JOIN chat_message m ON m.room_id = ? AND m.seq = (span.below + span.above) >> 1 \
             WHERE span.above - span.below > 1) \
             SELECT below FROM span WHERE above - below <= 1"
        )
    };
}

/// As [`seq_upto`] for an id that is not in the room. Uses a binary search, since ids increase with `seq`; this saves
/// an index on every insert.
pub async fn seq_among(conn: &mut Conn, room: &RoomState, id: MessageId) -> StoreResult<i64> {
    bisect(conn, bisected!("id"), room, id.0).await
}

/// The `seq` of the newest message created with a change number up to `rev`; that below the oldest message if there is
/// none.
pub async fn seq_at_rev(conn: &mut Conn, room: &RoomState, rev: i64) -> StoreResult<i64> {
    bisect(conn, bisected!("created_rev"), room, rev).await
}

/// The `seq` of the newest message stored by this time; that below the oldest message if there is none.
pub async fn seq_at_time(conn: &mut Conn, room: &RoomState, time: Timestamp) -> StoreResult<i64> {
    bisect(conn, bisected!("created_at"), room, time.0).await
}

async fn bisect(conn: &mut Conn, sql: &'static str, room: &RoomState, value: i64) -> StoreResult<i64> {
    let row: Option<(i64,)> = on!(conn, |db| sqlx::query_as(sql)
        .bind(room.floor())
        .bind(room.seq + 1)
        .bind(value)
        .bind(value)
        .bind(room.id.0)
        .fetch_optional(&mut *db)
        .await)?;
    row.map(|(seq,)| seq).ok_or(StoreError::Corrupt("a binary search without an end"))
}

/// Maximum number of messages that [`prune`] deletes in one transaction. On SQLite, messages wait for it.
const PRUNED: i64 = 500;

/// Deletes the oldest of the messages before `first_seq`, in the order of their `seq`. Returns whether more are left.
pub async fn prune(conn: &mut Conn, room: RoomId, first_seq: i64) -> StoreResult<bool> {
    const OLDEST: &str = "SELECT seq FROM chat_message WHERE room_id = ? ORDER BY seq LIMIT 1";
    const DELETE: &str = "DELETE FROM chat_message WHERE room_id = ? AND seq < ?";
    const DELETE_CHANGES: &str = "DELETE FROM chat_message_change WHERE room_id = ? AND seq < ?";
    let oldest: Option<(i64,)> =
        on!(conn, |db| sqlx::query_as(OLDEST).bind(room.0).fetch_optional(&mut *db).await)?;
    let Some((oldest,)) = oldest.filter(|(oldest,)| *oldest < first_seq) else { return Ok(false) };
    let upto = (oldest + PRUNED).min(first_seq);
    for delete in [DELETE_CHANGES, DELETE] {
        on!(conn, |db| sqlx::query(delete).bind(room.0).bind(upto).execute(&mut *db).await.map(drop))?;
    }
    Ok(upto < first_seq)
}
