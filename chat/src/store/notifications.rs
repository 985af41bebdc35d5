//! Notifications: what is stored of them (`chat_notification`), and what is derived.
//!
//! That somebody wrote is derived from the rooms one is in and what one has read
//! ([`derived`]). Rows are kept of what cannot be: invitations and system notices,
//! who a message mentions, and that a single notification was read while reading
//! itself has not come so far (a row of type `message`).

use super::{Conn, StoreResult, dialect};
use crate::model::{MessageId, NotificationId, NotificationType, NotifiedMessage, RoomId, Timestamp, UserId};

pub mod derived;
pub mod individually_read;
pub mod mentions;
pub mod stored;

/// What notifications are sorted by, the newest the largest.
pub type Key = (Timestamp, NotificationId);

/// A notification, its room not looked up yet.
#[derive(Clone, Debug)]
pub struct Found {
    /// When it came, and its id.
    pub key: Key,
    /// What it is about.
    pub kind: NotificationType,
    /// Its room.
    pub room: RoomId,
    /// One line.
    pub title: String,
    /// The message's text, or the server's words.
    pub content: String,
    /// The message it is about.
    pub message: Option<NotifiedMessage>,
    /// Was it read?
    pub is_read: bool,
}

/// Stores a notification of `user`, unread, and gives its number. Nothing, and none, when
/// they have one of this type about this message already.
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
) -> StoreResult<Option<i64>> {
    let sql = format!(
        "{} INTO chat_notification (user_id, notification_type, room_id, message_id, title, content, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        conn.backend().insert_ignore()
    );
    let mut rows = 0;
    let id = dialect::inserted_id!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(user.0)
        .bind(kind.as_str())
        .bind(room.0)
        .bind(message.map(|id| id.0))
        .bind(title)
        .bind(content)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .inspect(|done| rows = done.rows_affected()));
    Ok((rows > 0).then_some(id))
}
