//! Mentions: which users a message mentions or replies to. A row has no text of its own; title and text are those of the message
//! when the notification is shown.

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::SortKey;
use crate::{
    model::{MessageId, NotificationId, NotificationReason, RoomId, Timestamp, UserId, id::MAX_ID},
    store::{
        Conn, StoreResult,
        condition::{active_member, in_history},
        dialect::padded,
        on,
    },
};

/// Maximum number of names in one query, and of rows in one INSERT: SQLite allows 32,766 placeholders.
const CHUNK: usize = 512;

/// A user mentioned in a message, or to whose message it replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The user.
    pub user: UserId,
    /// The room of the message.
    pub room: RoomId,
    /// The message.
    pub message: MessageId,
    /// When the message was stored.
    pub created_at: Timestamp,
    /// The number of the mention in the user's stream.
    pub rev: i64,
    /// Why, if their name is not in the text.
    pub reason: Option<NotificationReason>,
}

/// The users with these names (username keys).
pub async fn users_by_name(conn: &mut Conn, names: &[String]) -> StoreResult<Vec<(String, UserId)>> {
    let mut found = Vec::new();
    for chunk in names.chunks(CHUNK) {
        let Some(last) = chunk.last() else { continue };
        let marks = vec!["?"; padded(chunk.len())].join(", ");
        let sql = format!("SELECT username_key, id FROM user WHERE username_key IN ({marks})");
        let filler = std::iter::repeat_n(last, padded(chunk.len()) - chunk.len());
        let rows: Vec<(String, i64)> = on!(conn, |db| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for name in chunk.iter().chain(filler) {
                query = query.bind(name);
            }
            query.fetch_all(&mut *db).await
        })?;
        found.extend(rows.into_iter().map(|(name, user)| (name, UserId(user))));
    }
    Ok(found)
}

/// The rooms of `user` with an unread mention of them.
pub async fn unread_in(conn: &mut Conn, user: UserId) -> StoreResult<Vec<RoomId>> {
    const SQL: &str = concat!(
        "SELECT DISTINCT n.room_id FROM chat_notification n \
         JOIN chat_room_member b ON b.room_id = n.room_id AND b.user_id = n.user_id \
         JOIN chat_room r ON r.id = n.room_id \
         JOIN chat_message m ON m.id = n.message_id \
         WHERE n.user_id = ? AND n.notification_type = 'mention' AND m.seq > b.last_read_seq AND ",
        in_history!("m", "r"),
        " \
         AND NOT EXISTS (SELECT 1 FROM chat_notification k WHERE k.user_id = n.user_id \
             AND k.notification_type = 'message' AND k.message_id = n.message_id) AND ",
        active_member!("b", "r")
    );
    let rows: Vec<(i64,)> = on!(conn, |db| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(room,)| RoomId(room)).collect())
}

/// The newest messages before `cursor` that mention `user` or reply to them; at most `limit`.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    cursor: Option<SortKey>,
    limit: usize,
) -> StoreResult<Vec<MessageId>> {
    const SQL: &str = concat!(
        "SELECT m.id FROM chat_notification n JOIN chat_message m ON m.id = n.message_id \
         JOIN chat_room r ON r.id = m.room_id \
         JOIN chat_room_member b ON b.room_id = m.room_id AND b.user_id = n.user_id \
         WHERE n.user_id = ? AND n.notification_type = 'mention' \
         AND (m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?)) AND m.seq > b.joined_seq AND ",
        in_history!("m", "r"),
        " AND ",
        active_member!("b", "r"),
        " ORDER BY m.created_at DESC, m.id DESC LIMIT ?"
    );
    let (at, id) = cursor.unwrap_or((Timestamp(i64::MAX), NotificationId(MAX_ID)));
    let rows: Vec<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(user.0)
        .bind(at.0)
        .bind(at.0)
        .bind(id.0)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| MessageId(id)).collect())
}

/// Stores the mentions, none of which may exist yet.
pub async fn insert(conn: &mut Conn, mentions: &[Mention]) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO chat_notification \
        (user_id, notification_type, room_id, message_id, title, content, created_at, rev, reason) ";
    for chunk in mentions.chunks(CHUNK) {
        on!(conn, |db| {
            let mut builder = QueryBuilder::new(SQL);
            builder.push_values(chunk, |mut values, mention| {
                values
                    .push_bind(mention.user.0)
                    .push_bind("mention")
                    .push_bind(mention.room.0)
                    .push_bind(mention.message.0)
                    .push_bind("")
                    .push_bind("")
                    .push_bind(mention.created_at.0)
                    .push_bind(mention.rev)
                    .push_bind(mention.reason.map(NotificationReason::as_str));
            });
            builder.build().execute(&mut *db).await.map(drop)
        })?;
    }
    Ok(())
}

/// Deletes the mentions in this message, and that of a reply. Returns them, each with its number in the user's stream.
pub async fn take(conn: &mut Conn, message: MessageId) -> StoreResult<Vec<((MessageId, UserId), i64)>> {
    const FIND: &str = "SELECT user_id, rev FROM chat_notification \
        WHERE message_id = ? AND notification_type = 'mention'";
    const DELETE: &str =
        "DELETE FROM chat_notification WHERE message_id = ? AND notification_type = 'mention'";
    let rows: Vec<(i64, i64)> =
        on!(conn, |db| sqlx::query_as(FIND).bind(message.0).fetch_all(&mut *db).await)?;
    if !rows.is_empty() {
        on!(conn, |db| sqlx::query(DELETE).bind(message.0).execute(&mut *db).await.map(drop))?;
    }
    Ok(rows.into_iter().map(|(user, rev)| ((message, UserId(user)), rev)).collect())
}
