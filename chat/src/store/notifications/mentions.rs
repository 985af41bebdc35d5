//! Who a message mentions. A row says only that: title and words are those of the
//! message as it is when the notification is shown, so that a deleted one leaves none behind.

use sqlx::{AssertSqlSafe, QueryBuilder};

use crate::{
    model::{MessageId, RoomId, Timestamp, UserId},
    store::{Conn, StoreResult, condition::active_member, dialect::padded, on},
};

/// Pairs of one query, and rows of one INSERT: SQLite allows 32,766 placeholders.
const CHUNK: usize = 512;

/// Somebody's name stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Whose.
    pub user: UserId,
    /// The message's room.
    pub room: RoomId,
    /// The message.
    pub message: MessageId,
    /// When the message was stored.
    pub created_at: Timestamp,
}

/// Whose names (username keys) these are.
pub async fn people(conn: &mut Conn, names: &[String]) -> StoreResult<Vec<(String, UserId)>> {
    let mut found = Vec::new();
    for chunk in names.chunks(CHUNK) {
        let Some(last) = chunk.last() else { continue };
        let marks = vec!["?"; padded(chunk.len())].join(", ");
        let sql = format!("SELECT username_key, id FROM user WHERE username_key IN ({marks})");
        let filler = std::iter::repeat_n(last, padded(chunk.len()) - chunk.len());
        let rows: Vec<(String, i64)> = on!(conn, |link| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for name in chunk.iter().chain(filler) {
                query = query.bind(name);
            }
            query.fetch_all(&mut *link).await
        })?;
        found.extend(rows.into_iter().map(|(name, user)| (name, UserId(user))));
    }
    Ok(found)
}

/// The rooms that `user` is in and in which a mention of them is unread.
pub async fn unread_in(conn: &mut Conn, user: UserId) -> StoreResult<Vec<RoomId>> {
    const SQL: &str = concat!(
        "SELECT DISTINCT n.room_id FROM chat_notification n \
         JOIN chat_room_member b ON b.room_id = n.room_id AND b.user_id = n.user_id \
         JOIN chat_room r ON r.id = n.room_id \
         JOIN chat_message m ON m.id = n.message_id \
         WHERE n.user_id = ? AND n.notification_type = 'mention' AND m.seq > b.last_read_seq \
         AND NOT EXISTS (SELECT 1 FROM chat_notification k WHERE k.user_id = n.user_id \
             AND k.notification_type = 'message' AND k.message_id = n.message_id) AND ",
        active_member!("b", "r")
    );
    let rows: Vec<(i64,)> = on!(conn, |link| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(|(room,)| RoomId(room)).collect())
}

/// Notes the mentions. None of them may be there already.
pub async fn insert(conn: &mut Conn, mentions: &[Mention]) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO chat_notification \
        (user_id, notification_type, room_id, message_id, title, content, created_at) ";
    for chunk in mentions.chunks(CHUNK) {
        on!(conn, |link| {
            let mut builder = QueryBuilder::new(SQL);
            builder.push_values(chunk, |mut values, mention| {
                values
                    .push_bind(mention.user.0)
                    .push_bind("mention")
                    .push_bind(mention.room.0)
                    .push_bind(mention.message.0)
                    .push_bind("")
                    .push_bind("")
                    .push_bind(mention.created_at.0);
            });
            builder.build().execute(&mut *link).await.map(drop)
        })?;
    }
    Ok(())
}

/// Forgets whom this message mentioned.
pub async fn forget(conn: &mut Conn, message: MessageId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM chat_notification WHERE message_id = ? AND notification_type = 'mention'";
    on!(conn, |link| sqlx::query(SQL).bind(message.0).execute(&mut *link).await.map(drop))?;
    Ok(())
}
