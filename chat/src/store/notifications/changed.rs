//! Notifications by their number in the user's stream: what a returning client missed.

use crate::{
    model::{MessageId, NotificationRef, UserId},
    store::{Conn, StoreResult, condition::active_member, on},
};

/// The mentions, invitations and system notices of `user` with `after < rev <= upto`, each with its number, ordered by
/// it; at most `limit`.
pub async fn between(
    conn: &mut Conn,
    user: UserId,
    after: i64,
    upto: i64,
    limit: i64,
) -> StoreResult<Vec<(i64, NotificationRef)>> {
    const SQL: &str = concat!(
        "SELECT n.rev, n.id, CASE WHEN n.notification_type = 'mention' THEN n.message_id END \
         FROM chat_notification n JOIN chat_room r ON r.id = n.room_id \
         JOIN chat_room_member b ON b.room_id = n.room_id AND b.user_id = n.user_id \
         WHERE n.user_id = ? AND n.rev > ? AND n.rev <= ? AND n.notification_type <> 'message' AND ",
        active_member!("b", "r"),
        " ORDER BY n.rev, n.id LIMIT ?"
    );
    let rows: Vec<(i64, i64, Option<i64>)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(user.0)
        .bind(after)
        .bind(upto)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    let to_ref = |row: i64, message: Option<i64>| match message {
        Some(message) => NotificationRef::Message(MessageId(message)),
        None => NotificationRef::Row(row),
    };
    Ok(rows.into_iter().map(|(rev, row, message)| (rev, to_ref(row, message))).collect())
}
