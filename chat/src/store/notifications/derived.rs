//! Notifications of messages, derived from the rooms' `seq` and not stored.
//!
//! In a room, times and ids increase with `seq`. So a cursor is found by binary search in all rooms at once
//! ([`spans`]), and the newest messages are short ranges of the index on (room, seq) ([`newest`]).

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::NotificationRecord;
use crate::{
    model::{
        MessageId, MessageType, NotificationReason, NotificationType, NotifiedMessage, RoomId, Timestamp,
        UserId, notification::message_title,
    },
    store::{
        Conn, StoreResult,
        condition::{active_member, in_history},
        dialect::padded,
        on,
        reads::unread,
    },
};

mod newest;
mod spans;

pub use newest::newest;
use spans::key;
pub use spans::{Span, span, spans};

#[derive(FromRow)]
struct DerivedRow {
    id: i64,
    room_id: i64,
    content: String,
    message_type: String,
    created_at: i64,
    username: String,
    /// The number of the mention in the user's stream.
    mention: Option<i64>,
    reason: Option<String>,
    is_read: bool,
}

/// The notifications that `user` has for these messages; none for their own messages, for messages before they
/// joined, and for rooms they are not in.
pub async fn about(
    conn: &mut Conn,
    user: UserId,
    messages: &[MessageId],
) -> StoreResult<Vec<NotificationRecord>> {
    let Some(&last) = messages.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(messages.len())].join(", ");
    let sql = format!(
        "SELECT m.id, m.room_id, m.content, m.message_type, m.created_at, u.username, n.rev AS mention, n.reason, \
         (b.last_read_seq >= m.seq OR k.id IS NOT NULL) AS is_read \
         FROM chat_message m JOIN user u ON u.id = m.sender_id JOIN chat_room r ON r.id = m.room_id \
         JOIN chat_room_member b ON b.room_id = m.room_id AND b.user_id = ? \
         LEFT JOIN chat_notification n ON n.user_id = b.user_id AND n.notification_type = 'mention' \
            AND n.message_id = m.id \
         LEFT JOIN chat_notification k ON k.user_id = b.user_id AND k.notification_type = 'message' \
            AND k.message_id = m.id \
         WHERE m.id IN ({marks}) AND m.sender_id <> b.user_id AND m.seq > b.joined_seq AND {} AND {}",
        in_history!("m", "r"),
        active_member!("b", "r")
    );
    let filler = std::iter::repeat_n(last, padded(messages.len()) - messages.len());
    let rows: Vec<DerivedRow> = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(user.0);
        for id in messages.iter().copied().chain(filler) {
            query = query.bind(id.0);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(NotificationRecord::from).collect())
}

impl From<DerivedRow> for NotificationRecord {
    fn from(row: DerivedRow) -> Self {
        let (id, created_at) = (MessageId(row.id), Timestamp(row.created_at));
        Self {
            key: key(row.created_at, row.id),
            kind: if row.mention.is_some() { NotificationType::Mention } else { NotificationType::Message },
            reason: row.reason.as_deref().map(NotificationReason::from_stored),
            room: RoomId(row.room_id),
            title: message_title(&row.username),
            content: row.content.clone(),
            message: Some(NotifiedMessage {
                id,
                content: row.content,
                message_type: MessageType::from_stored(&row.message_type),
                created_at,
            }),
            is_read: row.is_read,
            rev: row.mention.unwrap_or_default(),
        }
    }
}

/// How many messages `user` has not read, except their own and those read individually.
pub async fn unread_count(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    const UNREAD: &str = concat!(
        "SELECT r.seq, r.first_seq, m.last_read_seq, m.own_after_read \
         FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE m.user_id = ? AND ",
        active_member!("m", "r")
    );
    const MARKED: &str = concat!(
        "SELECT COUNT(*) FROM chat_notification k JOIN chat_message m ON m.id = k.message_id \
         JOIN chat_room_member b ON b.room_id = m.room_id AND b.user_id = k.user_id \
         JOIN chat_room r ON r.id = m.room_id \
         WHERE k.user_id = ? AND k.notification_type = 'message' AND m.seq > b.last_read_seq AND ",
        in_history!("m", "r"),
        " AND ",
        active_member!("b", "r")
    );
    let counters: Vec<(i64, i64, i64, i64)> =
        on!(conn, |db| sqlx::query_as(UNREAD).bind(user.0).fetch_all(&mut *db).await)?;
    let (marked,): (i64,) = on!(conn, |db| sqlx::query_as(MARKED).bind(user.0).fetch_one(&mut *db).await)?;
    let unread = counters.into_iter().map(|(seq, first_seq, read, own)| unread(seq, first_seq, read, own));
    let unread: i64 = unread.sum();
    Ok((unread - marked).max(0))
}
