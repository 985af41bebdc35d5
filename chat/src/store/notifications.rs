//! Notifications: stored ones (`chat_notification`) and derived ones.
//!
//! Notifications of new messages are derived from memberships and read positions ([`derived`]). Rows are stored for
//! the rest: invitations and system notices, mentions, and messages whose notification was read individually while
//! the read position is still below them (rows of type `message`).

use super::{Conn, StoreResult, on};
use crate::model::{
    MessageId, NotificationId, NotificationReason, NotificationType, NotifiedMessage, RoomId, Timestamp,
    UserId,
};

pub mod changed;
pub mod derived;
pub mod individually_read;
pub mod mentions;
pub mod stored;

/// The sort key of notifications; the newest has the largest.
pub type SortKey = (Timestamp, NotificationId);

/// A notification whose room is not loaded yet.
#[derive(Clone, Debug)]
pub struct NotificationRecord {
    /// When it was created, and its id.
    pub key: SortKey,
    /// The kind of notification.
    pub kind: NotificationType,
    /// Why, where the kind does not say it.
    pub reason: Option<NotificationReason>,
    /// The room.
    pub room: RoomId,
    /// One line.
    pub title: String,
    /// The message's text, or the text of the notice.
    pub content: String,
    /// The message it is about.
    pub message: Option<NotifiedMessage>,
    /// Whether it was read.
    pub is_read: bool,
    /// Its number in the user's stream; 0 for a plain message.
    pub rev: i64,
}

/// Stores an unread notification of `user`, unless they already have one of this kind about this message.
#[allow(clippy::too_many_arguments, reason = "one for each column, all needed")]
pub async fn insert(
    conn: &mut Conn,
    user: UserId,
    kind: NotificationType,
    room: RoomId,
    message: Option<MessageId>,
    title: &str,
    content: &str,
    now: Timestamp,
) -> StoreResult<()> {
    let sql = format!(
        "{} INTO chat_notification (user_id, notification_type, room_id, message_id, title, content, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        conn.backend().insert_ignore()
    );
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(user.0)
        .bind(kind.as_str())
        .bind(room.0)
        .bind(message.map(|id| id.0))
        .bind(title)
        .bind(content)
        .bind(now.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}
