//! How far each member has read.

use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult,
    condition::{active_member, present_member},
    on,
};
use crate::model::{MessageId, MessageReader, Role, RoomId, Timestamp, User, UserId};

/// Has the user said that they read up to `seq` of the room, or further?
pub async fn is_noted(conn: &mut Conn, room: RoomId, user: UserId, seq: i64) -> StoreResult<bool> {
    const SQL: &str = "SELECT seq FROM chat_message_read WHERE room_id = ? AND user_id = ? AND seq >= ? ORDER BY seq LIMIT 1";
    let row: Option<(i64,)> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .fetch_optional(&mut *link)
        .await)?;
    Ok(row.is_some())
}

/// Moves the member's reading on to `seq`, if it has not come so far, and notes that they
/// said so. False, and nothing of it, when they are no member or have noted it before.
///
/// How many of their own messages stand above `seq` is a difference of two running numbers,
/// looked up and not counted. It holds whatever is stored meanwhile: `sent` is read under the
/// row's lock, which a sender's batch takes too, and what stands up to `seq` never changes.
pub async fn advance(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    seq: i64,
    now: Timestamp,
) -> StoreResult<bool> {
    const MOVE: &str = concat!(
        "UPDATE chat_room_member SET last_read_seq = ?, last_read_at = ?, own_after_read = sent - \
         COALESCE((SELECT m.sender_seq FROM chat_message m WHERE m.sender_id = ? AND m.room_id = ? AND m.seq <= ? \
             ORDER BY m.seq DESC LIMIT 1), 0) \
         WHERE room_id = ? AND user_id = ? AND last_read_seq < ? AND ",
        present_member!("chat_room_member")
    );
    // First, since it takes a lock on the room, as a batch does before it moves memberships:
    // the other way round each could wait for the other.
    let note = format!(
        "{} INTO chat_message_read (room_id, user_id, seq, read_at) \
         SELECT m.room_id, m.user_id, ?, ? FROM chat_room_member m \
         WHERE m.room_id = ? AND m.user_id = ? AND {}",
        conn.backend().insert_ignore(),
        present_member!("m")
    );
    let noted = on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(note))
        .bind(seq)
        .bind(now.0)
        .bind(room.0)
        .bind(user.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?;
    let moved = on!(conn, |link| sqlx::query(MOVE)
        .bind(seq)
        .bind(now.0)
        .bind(user.0)
        .bind(room.0)
        .bind(seq)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(noted + moved > 0)
}

#[derive(FromRow)]
struct ReaderRow {
    id: i64,
    username: String,
    first_name: String,
    last_name: String,
    read_at: i64,
}

/// Who has said that they read up to `seq` of the room or further, and when first; not
/// the sender of `message`, which stands there. One look at an index for each who was ever in the room.
pub async fn readers(
    conn: &mut Conn,
    room: RoomId,
    seq: i64,
    message: MessageId,
) -> StoreResult<Vec<MessageReader>> {
    const SQL: &str = "SELECT u.id, u.username, u.first_name, u.last_name, n.read_at \
        FROM chat_room_member m \
        JOIN chat_message_read n ON n.room_id = m.room_id AND n.user_id = m.user_id AND n.seq = \
            (SELECT f.seq FROM chat_message_read f \
             WHERE f.room_id = m.room_id AND f.user_id = m.user_id AND f.seq >= ? ORDER BY f.seq LIMIT 1) \
        JOIN user u ON u.id = m.user_id \
        WHERE m.room_id = ? AND m.last_read_seq >= ? AND m.user_id <> \
            (SELECT s.sender_id FROM chat_message s WHERE s.id = ?) ORDER BY n.read_at, u.id";
    let rows: Vec<ReaderRow> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(seq)
        .bind(room.0)
        .bind(seq)
        .bind(message.0)
        .fetch_all(&mut *link)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|row| MessageReader {
            user: User {
                id: UserId(row.id),
                username: row.username,
                first_name: row.first_name,
                last_name: row.last_name,
            },
            read_at: Timestamp(row.read_at),
        })
        .collect())
}

/// Moves the user's reading on to the newest message of every room they are a member of, and says
/// how far it came in those where it moved. As many statements for any number of rooms.
pub async fn advance_all(
    conn: &mut Conn,
    user: UserId,
    now: Timestamp,
) -> StoreResult<Vec<(RoomId, MessageId)>> {
    const MOVE: &str = concat!(
        "UPDATE chat_room_member SET own_after_read = 0, last_read_at = ?, last_read_seq = \
         (SELECT r.seq FROM chat_room r WHERE r.id = chat_room_member.room_id) \
         WHERE user_id = ? AND last_read_seq < \
         (SELECT r.seq FROM chat_room r WHERE r.id = chat_room_member.room_id AND ",
        active_member!("chat_room_member", "r"),
        ")"
    );
    const MOVED: &str = concat!(
        "SELECT m.room_id, l.id FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
         JOIN chat_message l ON l.room_id = m.room_id AND l.seq = m.last_read_seq \
         WHERE m.user_id = ? AND m.last_read_at = ? AND ",
        active_member!("m", "r")
    );
    // The rooms first, as a batch does: nothing is stored in them meanwhile.
    let hold = format!(
        "SELECT r.id FROM chat_room r WHERE r.id IN \
         (SELECT m.room_id FROM chat_room_member m WHERE m.user_id = ? AND {}) ORDER BY r.id{}",
        present_member!("m"),
        conn.backend().for_share()
    );
    on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(hold))
        .bind(user.0)
        .fetch_all(&mut *link)
        .await
        .map(drop))?;
    on!(conn, |link| sqlx::query(MOVE).bind(now.0).bind(user.0).execute(&mut *link).await.map(drop))?;
    let note = format!(
        "{} INTO chat_message_read (room_id, user_id, seq, read_at) \
         SELECT m.room_id, m.user_id, m.last_read_seq, ? FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
         WHERE m.user_id = ? AND m.last_read_at = ? AND {}",
        conn.backend().insert_ignore(),
        active_member!("m", "r")
    );
    on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(note))
        .bind(now.0)
        .bind(user.0)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .map(drop))?;
    let moved: Vec<(i64, i64)> =
        on!(conn, |link| sqlx::query_as(MOVED).bind(user.0).bind(now.0).fetch_all(&mut *link).await)?;
    Ok(moved.into_iter().map(|(room, message)| (RoomId(room), MessageId(message))).collect())
}

/// How far a member has come in a room: all that unread counts need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The room.
    pub room: RoomId,
    /// The member's role.
    pub role: Role,
    /// The newest message's place.
    pub seq: i64,
    /// They have read everything up to this place.
    pub read: i64,
    /// How many messages above it are their own.
    pub own: i64,
    /// The room's change number.
    pub rev: i64,
    /// How many times somebody lost the right to listen.
    pub access_rev: i64,
}

#[derive(FromRow)]
struct ReadingRow {
    room_id: i64,
    role: String,
    seq: i64,
    last_read_seq: i64,
    own_after_read: i64,
    rev: i64,
    access_rev: i64,
}

impl From<ReadingRow> for Reading {
    fn from(row: ReadingRow) -> Self {
        Self {
            room: RoomId(row.room_id),
            role: Role::from_word(&row.role),
            seq: row.seq,
            read: row.last_read_seq,
            own: row.own_after_read,
            rev: row.rev,
            access_rev: row.access_rev,
        }
    }
}

/// Where the user may read and be told: not where they left or are shut out, nor what is deleted.
macro_rules! readings {
    ($rest:literal) => {
        concat!(
            "SELECT m.room_id, m.role, r.seq, m.last_read_seq, m.own_after_read, r.rev, r.access_rev \
             FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
             WHERE m.user_id = ? AND ",
            $crate::store::condition::active_member!("m", "r"),
            $rest
        )
    };
}

/// How far the user has come in each of their rooms.
pub async fn readings(conn: &mut Conn, user: UserId) -> StoreResult<Vec<Reading>> {
    const SQL: &str = readings!("");
    let rows: Vec<ReadingRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(Reading::from).collect())
}

/// The same of one room; `None` where they are not.
pub async fn reading(conn: &mut Conn, user: UserId, room: RoomId) -> StoreResult<Option<Reading>> {
    const SQL: &str = readings!(" AND m.room_id = ?");
    let row: Option<ReadingRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Reading::from))
}
