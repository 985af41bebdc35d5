//! Notifications read individually while the member's read position is still below their message: rows of type
//! `message`. They are deleted when the read position has passed them.

use crate::{
    model::{MessageId, RoomId, UserId},
    store::{Conn, StoreResult, on},
};

/// Deletes the user's rows of this room up to message `upto`.
pub async fn clear(conn: &mut Conn, user: UserId, room: RoomId, upto: MessageId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification \
        WHERE user_id = ? AND notification_type = 'message' AND message_id <= ? AND room_id = ?";
    on!(conn, |db| sqlx::query(SQL)
        .bind(user.0)
        .bind(upto.0)
        .bind(room.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Deletes all such rows of the user.
pub async fn clear_all(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification WHERE user_id = ? AND notification_type = 'message'";
    on!(conn, |db| sqlx::query(SQL).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}
