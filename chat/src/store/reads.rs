//! How far each member has read.

use super::{Conn, StoreResult, on};
use crate::model::{RoomId, Timestamp, UserId};

/// Moves the member's reading on to `seq`; `false` when they had read that far already.
///
/// Own messages above `seq` are counted anew in the same statement, so that unread
/// counts need no counting later.
pub async fn advance(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    seq: i64,
    now: Timestamp,
) -> StoreResult<bool> {
    const MOVE: &str = "UPDATE chat_room_member SET last_read_seq = ?, last_read_at = ?, own_after_read = \
        (SELECT COUNT(*) FROM chat_message m WHERE m.room_id = ? AND m.seq > ? AND m.sender_id = ?) \
        WHERE room_id = ? AND user_id = ? AND last_read_seq < ?";
    const NOTE: &str = "INSERT INTO chat_message_read (room_id, user_id, seq, read_at) VALUES (?, ?, ?, ?)";
    let moved = on!(conn, |link| sqlx::query(MOVE)
        .bind(seq)
        .bind(now.0)
        .bind(room.0)
        .bind(seq)
        .bind(user.0)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?;
    if moved == 0 {
        return Ok(false);
    }
    on!(conn, |link| sqlx::query(NOTE)
        .bind(room.0)
        .bind(user.0)
        .bind(seq)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(true)
}
