//! Marks that single notifications of messages were read, while reading itself has not
//! come so far: rows of type `message`. They go when it does.

use crate::{
    model::{MessageId, RoomId, UserId},
    store::{Conn, StoreResult, on},
};

/// Forgets the user's marks in this room up to `message`.
pub async fn forget(conn: &mut Conn, user: UserId, room: RoomId, upto: MessageId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification \
        WHERE user_id = ? AND notification_type = 'message' AND message_id <= ? AND room_id = ?";
    on!(conn, |link| sqlx::query(SQL)
        .bind(user.0)
        .bind(upto.0)
        .bind(room.0)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// Forgets all of the user's marks.
pub async fn forget_all(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification WHERE user_id = ? AND notification_type = 'message'";
    on!(conn, |link| sqlx::query(SQL).bind(user.0).execute(&mut *link).await.map(drop))?;
    Ok(())
}
