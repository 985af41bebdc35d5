//! Stored notifications: invitations and system notices.

use sqlx_macros::FromRow;

use super::{NotificationRecord, SortKey};
use crate::{
    model::{
        MessageId, MessageType, NotificationId, NotificationRef, NotificationType, NotifiedMessage, RoomId,
        Timestamp, UserId, id::MAX_ID,
    },
    store::{Conn, StoreResult, condition::active_member, on},
};

#[derive(FromRow)]
struct StoredRow {
    id: i64,
    rev: i64,
    notification_type: String,
    room_id: i64,
    title: String,
    content: String,
    is_read: bool,
    created_at: i64,
    message_id: Option<i64>,
    message_content: Option<String>,
    message_type: Option<String>,
    message_at: Option<i64>,
}

/// Like those of messages, stored notifications are visible to members of their room only.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT n.id, n.rev, n.notification_type, n.room_id, n.title, n.content, n.is_read, n.created_at, \
             m.id AS message_id, m.content AS message_content, m.message_type, m.created_at AS message_at \
             FROM chat_notification n JOIN chat_room r ON r.id = n.room_id \
             JOIN chat_room_member b ON b.room_id = n.room_id AND b.user_id = n.user_id \
             LEFT JOIN chat_message m ON m.id = n.message_id \
             WHERE n.user_id = ? AND n.notification_type IN ('room_invite', 'system') AND ",
            active_member!("b", "r"),
            " ",
            $rest
        )
    };
}

/// The newest of `user` before `cursor`; at most `limit`.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    cursor: Option<SortKey>,
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<NotificationRecord>> {
    const SQL: &str = select!(
        "AND (n.created_at < ? OR (n.created_at = ? AND n.id * 2 + 1 < ?)) AND (? = FALSE OR n.is_read = FALSE) \
         ORDER BY n.created_at DESC, n.id DESC LIMIT ?"
    );
    let (at, id) = cursor.unwrap_or((Timestamp(i64::MAX), NotificationId(MAX_ID)));
    let rows: Vec<StoredRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(user.0)
        .bind(at.0)
        .bind(at.0)
        .bind(id.0)
        .bind(unread)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(NotificationRecord::from).collect())
}

/// The notification with this row id, if it is of `user`.
pub async fn find(conn: &mut Conn, user: UserId, id: i64) -> StoreResult<Option<NotificationRecord>> {
    const SQL: &str = select!("AND n.id = ?");
    let row: Option<StoredRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(id).fetch_optional(&mut *db).await)?;
    Ok(row.map(NotificationRecord::from))
}

/// Stores an unread invitation of `user` to `room`. It replaces an unread one, so that repeated removal and invitation leave
/// only one.
pub async fn invite(
    conn: &mut Conn,
    user: UserId,
    room: RoomId,
    content: &str,
    now: Timestamp,
) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_notification SET content = ?, created_at = ? WHERE user_id = ? AND room_id = ? \
        AND notification_type = 'room_invite' AND is_read = FALSE";
    let replaced = on!(conn, |db| sqlx::query(SQL)
        .bind(content)
        .bind(now.0)
        .bind(user.0)
        .bind(room.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    if replaced == 0 {
        let kind = NotificationType::RoomInvite;
        super::insert(conn, user, kind, room, None, "房间邀请", content, now).await?;
    }
    Ok(())
}

/// The row ids of the unread ones of `user` in `room`, oldest first.
pub async fn unread_in(conn: &mut Conn, user: UserId, room: RoomId) -> StoreResult<Vec<i64>> {
    const SQL: &str = "SELECT id FROM chat_notification WHERE user_id = ? AND room_id = ? \
        AND notification_type IN ('room_invite', 'system') AND is_read = FALSE ORDER BY created_at, id";
    let rows: Vec<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(room.0).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Records the number of the notification's latest change in the user's stream.
pub async fn set_rev(conn: &mut Conn, id: i64, rev: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_notification SET rev = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(rev).bind(id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Number of unread ones of `user`.
pub async fn unread_count(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    const SQL: &str = concat!(
        "SELECT COUNT(*) FROM chat_notification n JOIN chat_room r ON r.id = n.room_id \
         JOIN chat_room_member b ON b.room_id = n.room_id AND b.user_id = n.user_id \
         WHERE n.user_id = ? AND n.notification_type IN ('room_invite', 'system') AND n.is_read = FALSE AND ",
        active_member!("b", "r")
    );
    let (count,): (i64,) = on!(conn, |db| sqlx::query_as(SQL).bind(user.0).fetch_one(&mut *db).await)?;
    Ok(count)
}

/// Marks one of `user` as read.
pub async fn mark_read(conn: &mut Conn, user: UserId, id: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_notification SET is_read = TRUE WHERE id = ? AND user_id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(id).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Marks all of `user` as read.
pub async fn mark_all_read(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_notification SET is_read = TRUE WHERE user_id = ? AND is_read = FALSE \
        AND notification_type IN ('room_invite', 'system')";
    on!(conn, |db| sqlx::query(SQL).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

impl From<StoredRow> for NotificationRecord {
    fn from(row: StoredRow) -> Self {
        let message = match (row.message_id, row.message_content, row.message_type, row.message_at) {
            (Some(id), Some(content), Some(kind), Some(at)) => Some(NotifiedMessage {
                id: MessageId(id),
                content,
                message_type: MessageType::from_stored(&kind),
                created_at: Timestamp(at),
            }),
            _ => None,
        };
        Self {
            key: (Timestamp(row.created_at), NotificationRef::Row(row.id).into()),
            kind: NotificationType::from_stored(&row.notification_type),
            reason: None,
            room: RoomId(row.room_id),
            title: row.title,
            content: row.content,
            message,
            is_read: row.is_read,
            rev: row.rev,
        }
    }
}
