//! Notifications read individually while the member's read position is still below their message: rows of type
//! `message`. They are deleted when the read position has passed them.

use std::collections::HashSet;

use crate::{
    model::{MessageId, RoomId, UserId},
    store::{Conn, StoreResult, dialect::padded, on},
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

/// Those of these users who have such rows.
pub async fn among(conn: &mut Conn, users: &[UserId]) -> StoreResult<HashSet<UserId>> {
    let Some(&last) = users.last() else { return Ok(HashSet::new()) };
    let marks = vec!["?"; padded(users.len())].join(", ");
    let sql = format!(
        "SELECT DISTINCT user_id FROM chat_notification WHERE notification_type = 'message' AND user_id IN ({marks})"
    );
    let filler = std::iter::repeat_n(last, padded(users.len()) - users.len());
    let rows: Vec<(i64,)> = on!(conn, |db| {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        for user in users.iter().copied().chain(filler) {
            query = query.bind(user.0);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(|(user,)| UserId(user)).collect())
}

/// Deletes all such rows of the user.
pub async fn clear_all(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification WHERE user_id = ? AND notification_type = 'message'";
    on!(conn, |db| sqlx::query(SQL).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}
