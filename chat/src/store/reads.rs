//! Read positions of members, and read receipts.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult,
    condition::{active_member, present_member},
    on,
};
use crate::model::{MessageId, MessageReader, Role, RoomId, Timestamp, User, UserId};

/// How long the time of each read mark is kept. Of older ones, only the last of each member is.
pub const RECEIPTS_KEPT: Duration = Duration::from_hours(30 * 24);

/// Memberships pruned in one transaction.
const PRUNED: i64 = 500;

/// Deletes the receipts from before `before` of the memberships after number `position`, except the last of each, so
/// that the table does not grow with readers × messages. Returns the number of the last membership; `None` if there
/// are no more.
pub async fn prune(conn: &mut Conn, position: i64, before: Timestamp) -> StoreResult<Option<i64>> {
    const NEXT: &str = "SELECT id, room_id, user_id, last_read_seq FROM chat_room_member \
        WHERE id > ? ORDER BY id LIMIT ?";
    const DELETE: &str =
        "DELETE FROM chat_message_read WHERE room_id = ? AND user_id = ? AND seq < ? AND read_at < ?";
    let members: Vec<(i64, i64, i64, i64)> =
        on!(conn, |db| sqlx::query_as(NEXT).bind(position).bind(PRUNED).fetch_all(&mut *db).await)?;
    for (_, room, user, seq) in &members {
        on!(conn, |db| sqlx::query(DELETE)
            .bind(room)
            .bind(user)
            .bind(seq)
            .bind(before.0)
            .execute(&mut *db)
            .await
            .map(drop))?;
    }
    let is_full = i64::try_from(members.len()).unwrap_or(i64::MAX) == PRUNED;
    Ok(members.last().filter(|_| is_full).map(|(id, ..)| *id))
}

/// Whether a read receipt of the user at `seq` or later is stored.
pub async fn is_recorded(conn: &mut Conn, room: RoomId, user: UserId, seq: i64) -> StoreResult<bool> {
    const SQL: &str = "SELECT seq FROM chat_message_read WHERE room_id = ? AND user_id = ? AND seq >= ? ORDER BY seq LIMIT 1";
    let row: Option<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(row.is_some())
}

pub mod floor;
pub mod marks;

/// A membership whose read position is to be moved.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Position {
    id: i64,
    user_id: i64,
    sent: i64,
    sent_upto: i64,
}

impl Position {
    /// The member.
    pub fn user(&self) -> UserId {
        UserId(self.user_id)
    }
}

/// The number of messages of the member above `seq`: the difference of two running counts, so it needs no COUNT, and
/// nearly always 0 without a look. It looks at the messages above only, since those up to a read position may have been
/// removed.
async fn own_after(conn: &mut Conn, room: RoomId, member: &Position, seq: i64) -> StoreResult<i64> {
    const FIRST: &str = "SELECT sender_seq FROM chat_message \
        WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id = ? ORDER BY seq LIMIT 1";
    if member.sent_upto <= seq {
        return Ok(0);
    }
    let first: Option<(i64,)> = on!(conn, |db| sqlx::query_as(FIRST)
        .bind(room.0)
        .bind(seq)
        .bind(member.sent_upto)
        .bind(member.user_id)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(first.map_or(0, |(first,)| member.sent + 1 - first))
}

/// Advances the member's read position to `seq` and stores a read receipt. Returns false, and changes nothing, for a
/// non-member or if both were done before.
///
/// The number of own messages above `seq` is correct under concurrency: the INSERT locks the room against a sender's
/// batch.
pub async fn advance(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    seq: i64,
    now: Timestamp,
) -> StoreResult<bool> {
    // Nearly always there is no message of the user's own above.
    const MOVE_PAST_OWN: &str = concat!(
        "UPDATE chat_room_member SET own_after_read = 0, last_read_seq = ?, last_read_at = ? \
         WHERE room_id = ? AND user_id = ? AND last_read_seq < ? AND sent_upto <= ? AND ",
        present_member!("chat_room_member")
    );
    const MOVE: &str =
        "UPDATE chat_room_member SET own_after_read = ?, last_read_seq = ?, last_read_at = ? WHERE id = ?";
    const POSITION: &str = concat!(
        "SELECT id, user_id, sent, sent_upto FROM chat_room_member m \
         WHERE m.room_id = ? AND m.user_id = ? AND m.last_read_seq < ? AND ",
        present_member!("m")
    );
    // First, since it locks the room, as a batch does before it updates memberships. The reverse order could
    // deadlock.
    let insert = format!(
        "{} INTO chat_message_read (room_id, user_id, seq, read_at) \
         SELECT m.room_id, m.user_id, ?, ? FROM chat_room_member m \
         WHERE m.room_id = ? AND m.user_id = ? AND {}",
        conn.backend().insert_ignore(),
        present_member!("m")
    );
    let inserted = on!(conn, |db| sqlx::query(AssertSqlSafe(insert))
        .bind(seq)
        .bind(now.0)
        .bind(room.0)
        .bind(user.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    let moved = on!(conn, |db| sqlx::query(MOVE_PAST_OWN)
        .bind(seq)
        .bind(now.0)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .bind(seq)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    if moved > 0 {
        return Ok(true);
    }
    let position = format!("{POSITION}{}", conn.backend().for_update());
    let member: Option<Position> = on!(conn, |db| sqlx::query_as(AssertSqlSafe(position))
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .fetch_optional(&mut *db)
        .await)?;
    let Some(member) = member else { return Ok(inserted > 0) };
    let own_after_read = own_after(conn, room, &member, seq).await?;
    on!(conn, |db| sqlx::query(MOVE)
        .bind(own_after_read)
        .bind(seq)
        .bind(now.0)
        .bind(member.id)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(true)
}

#[derive(FromRow)]
struct ReaderRow {
    id: i64,
    username: String,
    first_name: String,
    last_name: String,
    read_at: i64,
}

/// The users with a read receipt at `seq` or later, except the author of `message`, with the time of their first one.
/// One index look-up for each past or present member of the room.
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
    let rows: Vec<ReaderRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(seq)
        .bind(room.0)
        .bind(seq)
        .bind(message.0)
        .fetch_all(&mut *db)
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

/// Advances the user's read position to the newest message in all their rooms. Returns the rooms in which it moved,
/// with that message. The number of statements does not depend on the number of rooms.
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
    // Lock the rooms first, as a batch does, so that no message is stored in them meanwhile.
    let hold = format!(
        "SELECT r.id FROM chat_room r WHERE r.id IN \
         (SELECT m.room_id FROM chat_room_member m WHERE m.user_id = ? AND {}) ORDER BY r.id{}",
        present_member!("m"),
        conn.backend().for_share()
    );
    on!(conn, |db| sqlx::query(AssertSqlSafe(hold)).bind(user.0).fetch_all(&mut *db).await.map(drop))?;
    on!(conn, |db| sqlx::query(MOVE).bind(now.0).bind(user.0).execute(&mut *db).await.map(drop))?;
    let insert = format!(
        "{} INTO chat_message_read (room_id, user_id, seq, read_at) \
         SELECT m.room_id, m.user_id, m.last_read_seq, ? FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
         WHERE m.user_id = ? AND m.last_read_at = ? AND {}",
        conn.backend().insert_ignore(),
        active_member!("m", "r")
    );
    on!(conn, |db| sqlx::query(AssertSqlSafe(insert))
        .bind(now.0)
        .bind(user.0)
        .bind(now.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    let moved: Vec<(i64, i64)> =
        on!(conn, |db| sqlx::query_as(MOVED).bind(user.0).bind(now.0).fetch_all(&mut *db).await)?;
    Ok(moved.into_iter().map(|(room, message)| (RoomId(room), MessageId(message))).collect())
}

/// The number of unread messages of others, from the counters of a room and of a member (see [`ReadPosition`]).
///
/// If messages that the member had not read were removed, it is at most the number of those left, until a job has
/// moved the read position.
pub fn unread(seq: i64, first_seq: i64, read: i64, own: i64) -> i64 {
    (seq - read - own).min(seq - first_seq + 1).max(0)
}

/// A member's read position and the room's counters: the input of unread counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    /// The room.
    pub room: RoomId,
    /// The member's role.
    pub role: Role,
    /// The `seq` of the newest message.
    pub seq: i64,
    /// The `seq` of the oldest message that was not removed.
    pub first_seq: i64,
    /// The `seq` up to which the member has read.
    pub read: i64,
    /// Number of the member's own messages above `read`.
    pub own: i64,
    /// The room's change number.
    pub rev: i64,
    /// The number of the latest change of the room itself.
    pub info_rev: i64,
    /// The number, in the user's stream, of becoming a member.
    pub user_rev: i64,
}

#[derive(FromRow)]
struct ReadPositionRow {
    room_id: i64,
    role: String,
    seq: i64,
    first_seq: i64,
    last_read_seq: i64,
    own_after_read: i64,
    rev: i64,
    info_rev: i64,
    user_rev: i64,
}

impl From<ReadPositionRow> for ReadPosition {
    fn from(row: ReadPositionRow) -> Self {
        Self {
            room: RoomId(row.room_id),
            role: Role::from_stored(&row.role),
            seq: row.seq,
            first_seq: row.first_seq,
            read: row.last_read_seq,
            own: row.own_after_read,
            rev: row.rev,
            info_rev: row.info_rev,
            user_rev: row.user_rev,
        }
    }
}

/// Rooms in which the user may read: they are a member and not banned, and the room was not deleted.
macro_rules! read_positions {
    ($rest:literal) => {
        concat!(
            "SELECT m.room_id, m.role, r.seq, r.first_seq, m.last_read_seq, m.own_after_read, r.rev, r.info_rev, m.user_rev \
             FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
             WHERE m.user_id = ? AND ",
            $crate::store::condition::active_member!("m", "r"),
            $rest
        )
    };
}

/// The user's read positions in all their rooms.
pub async fn positions(conn: &mut Conn, user: UserId) -> StoreResult<Vec<ReadPosition>> {
    const SQL: &str = read_positions!("");
    let rows: Vec<ReadPositionRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(ReadPosition::from).collect())
}

/// The user's read position in one room; `None` if not a member.
pub async fn position(conn: &mut Conn, user: UserId, room: RoomId) -> StoreResult<Option<ReadPosition>> {
    const SQL: &str = read_positions!(" AND m.room_id = ?");
    let row: Option<ReadPositionRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(ReadPosition::from))
}

#[cfg(test)]
mod tests {
    use super::unread;

    #[test]
    fn unread_messages_are_at_most_those_left() {
        assert_eq!(unread(10, 1, 4, 2), 4);
        assert_eq!(unread(10, 8, 4, 2), 3, "the read position is below the floor");
        assert_eq!(unread(10, 11, 4, 2), 0);
        assert_eq!(unread(3, 1, 5, 0), 0, "read at a later state");
    }
}
