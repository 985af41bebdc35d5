//! Notifications of messages: found by the places of one's rooms, not stored.
//!
//! In a room, times and ids rise with places, so a cursor is found by bisection, in all
//! rooms at once, and the newest messages are short ranges of the index on (room, seq).

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, FromRow};

use super::{Found, Key};
use crate::{
    model::{
        MessageId, MessageType, Notice, NotificationType, NotifiedMessage, RoomId, Timestamp, UserId,
        notification::message_title,
    },
    store::{Conn, StoreResult, condition::active_member, dialect::padded, on},
};

/// Newest messages of one room that are looked at. Among more of one's own than these,
/// an older one of somebody else's is not found.
const DEPTH: i64 = 1_000;

/// Which messages of a room are of concern: `above < seq <= upto`.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Span {
    room_id: i64,
    above: i64,
    upto: i64,
    /// When the newest of them was stored, or later.
    at: i64,
}

/// The rooms that `user` is in, with what was sent since they came, or what they have not read.
pub async fn spans(conn: &mut Conn, user: UserId, unread: bool) -> StoreResult<Vec<Span>> {
    // A member has always read what was there before them: last_read_seq >= joined_seq.
    const SQL: &str = concat!(
        "SELECT r.id AS room_id, CASE WHEN ? THEN m.last_read_seq ELSE m.joined_seq END AS above, \
         r.seq AS upto, r.active_at AS at FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
         WHERE m.user_id = ? AND ",
        active_member!("m", "r")
    );
    let spans: Vec<Span> =
        on!(conn, |link| sqlx::query_as(SQL).bind(unread).bind(user.0).fetch_all(&mut *link).await)?;
    Ok(spans.into_iter().filter(|span| span.upto > span.above).collect())
}

/// The messages of `room` with `above < seq <= upto`.
pub fn span(room: RoomId, above: i64, upto: i64) -> Span {
    Span { room_id: room.0, above, upto, at: i64::MAX }
}

/// Ends the spans of [`spans`] before `cursor`, in one statement for any number of rooms.
pub async fn before(
    conn: &mut Conn,
    user: UserId,
    unread: bool,
    spans: Vec<Span>,
    cursor: Key,
) -> StoreResult<Vec<Span>> {
    // Bisection: what is below is before the cursor, what is above is not. A room that was
    // silent since then is before it as a whole.
    const BISECT: &str = concat!(
        "WITH RECURSIVE span (room_id, below, above) AS (\
         SELECT r.id, CASE WHEN ? THEN m.last_read_seq ELSE m.joined_seq END, r.seq + 1 \
         FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE m.user_id = ? AND ",
        active_member!("m", "r"),
        " AND r.active_at >= ? \
         UNION ALL \
         SELECT span.room_id, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN m.seq ELSE span.below END, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN span.above ELSE m.seq END \
         FROM span JOIN chat_message m ON m.room_id = span.room_id AND m.seq = (span.below + span.above) >> 1 \
         WHERE span.above - span.below > 1) \
         SELECT room_id, below FROM span WHERE above - below <= 1"
    );
    let (at, id) = (cursor.0.0, cursor.1.0);
    let ends: Vec<(i64, i64)> = on!(conn, |link| sqlx::query_as(BISECT)
        .bind(unread)
        .bind(user.0)
        .bind(at)
        .bind(at)
        .bind(at)
        .bind(id)
        .bind(at)
        .bind(at)
        .bind(id)
        .fetch_all(&mut *link)
        .await)?;
    let ends: HashMap<i64, i64> = ends.into_iter().collect();
    let ended = spans.into_iter().filter_map(|span| match ends.get(&span.room_id) {
        Some(&below) => Some(Span { upto: below, at, ..span }),
        None => (span.at < at).then_some(span),
    });
    Ok(ended.filter(|span| span.upto > span.above).collect())
}

fn key(created_at: i64, message: i64) -> Key {
    (Timestamp(created_at), Notice::Message(MessageId(message)).into())
}

/// The newest messages in the spans that are not `user`'s own, `limit` of them at most;
/// with `unread`, only those that are not marked as read one by one.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    mut spans: Vec<Span>,
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<MessageId>> {
    // Each of the rooms that were written in last has a message that is newer than all of the next.
    spans.sort_by_key(|span| (std::cmp::Reverse(span.at), span.room_id));
    spans.truncate(limit);
    let Some(&last) = spans.last() else { return Ok(Vec::new()) };
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let unmarked = " AND NOT EXISTS (SELECT 1 FROM chat_notification k WHERE ? AND k.user_id = ? \
        AND k.notification_type = 'message' AND k.message_id = m.id)";
    let part = format!(
        "SELECT * FROM (SELECT m.created_at, m.id FROM chat_message m WHERE m.room_id = ? AND m.seq > ? \
         AND m.seq <= ? AND m.sender_id <> ?{unmarked} ORDER BY m.seq DESC LIMIT ?) part"
    );
    let size = padded(spans.len());
    let sql = vec![part.as_str(); size].join(" UNION ALL ");
    // What fills the statement up is an empty span.
    let filler = std::iter::repeat_n(Span { above: last.upto, ..last }, size - spans.len());
    let rows: Vec<(i64, i64)> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for span in spans.iter().copied().chain(filler) {
            query = query
                .bind(span.room_id)
                .bind(span.above.max(span.upto - DEPTH))
                .bind(span.upto)
                .bind(user.0)
                .bind(unread)
                .bind(user.0)
                .bind(count);
        }
        query.fetch_all(&mut *link).await
    })?;
    let mut keys: Vec<Key> = rows.into_iter().map(|(at, id)| key(at, id)).collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.truncate(limit);
    Ok(keys
        .into_iter()
        .filter_map(|(_, id)| match id.notice() {
            Some(Notice::Message(id)) => Some(id),
            Some(Notice::Row(_)) | None => None,
        })
        .collect())
}

#[derive(FromRow)]
struct FoundRow {
    id: i64,
    room_id: i64,
    content: String,
    message_type: String,
    created_at: i64,
    username: String,
    mention: Option<i64>,
    is_read: bool,
}

/// The notifications that `user` has of these messages; none of their own, of what was sent
/// before they came, or of rooms they are not in.
pub async fn about(conn: &mut Conn, user: UserId, messages: &[MessageId]) -> StoreResult<Vec<Found>> {
    let Some(&last) = messages.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(messages.len())].join(", ");
    let sql = format!(
        "SELECT m.id, m.room_id, m.content, m.message_type, m.created_at, u.username, n.id AS mention, \
         (b.last_read_seq >= m.seq OR k.id IS NOT NULL) AS is_read \
         FROM chat_message m JOIN user u ON u.id = m.sender_id JOIN chat_room r ON r.id = m.room_id \
         JOIN chat_room_member b ON b.room_id = m.room_id AND b.user_id = ? \
         LEFT JOIN chat_notification n ON n.user_id = b.user_id AND n.notification_type = 'mention' \
            AND n.message_id = m.id \
         LEFT JOIN chat_notification k ON k.user_id = b.user_id AND k.notification_type = 'message' \
            AND k.message_id = m.id \
         WHERE m.id IN ({marks}) AND m.sender_id <> b.user_id AND m.seq > b.joined_seq AND {}",
        active_member!("b", "r")
    );
    let filler = std::iter::repeat_n(last, padded(messages.len()) - messages.len());
    let rows: Vec<FoundRow> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(user.0);
        for id in messages.iter().copied().chain(filler) {
            query = query.bind(id.0);
        }
        query.fetch_all(&mut *link).await
    })?;
    Ok(rows.into_iter().map(Found::from).collect())
}

impl From<FoundRow> for Found {
    fn from(row: FoundRow) -> Self {
        let (id, created_at) = (MessageId(row.id), Timestamp(row.created_at));
        Self {
            key: key(row.created_at, row.id),
            kind: if row.mention.is_some() { NotificationType::Mention } else { NotificationType::Message },
            room: RoomId(row.room_id),
            title: message_title(&row.username),
            content: row.content.clone(),
            message: Some(NotifiedMessage {
                id,
                content: row.content,
                message_type: MessageType::from_word(&row.message_type),
                created_at,
            }),
            is_read: row.is_read,
        }
    }
}

/// How many messages `user` has not read, one's own and those marked one by one left out.
pub async fn unread_count(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    const UNREAD: &str = concat!(
        "SELECT r.seq - m.last_read_seq - m.own_after_read \
         FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE m.user_id = ? AND ",
        active_member!("m", "r")
    );
    const MARKED: &str = concat!(
        "SELECT COUNT(*) FROM chat_notification k JOIN chat_message m ON m.id = k.message_id \
         JOIN chat_room_member b ON b.room_id = m.room_id AND b.user_id = k.user_id \
         JOIN chat_room r ON r.id = m.room_id \
         WHERE k.user_id = ? AND k.notification_type = 'message' AND m.seq > b.last_read_seq AND ",
        active_member!("b", "r")
    );
    let unread: Vec<(i64,)> =
        on!(conn, |link| sqlx::query_as(UNREAD).bind(user.0).fetch_all(&mut *link).await)?;
    let (marked,): (i64,) =
        on!(conn, |link| sqlx::query_as(MARKED).bind(user.0).fetch_one(&mut *link).await)?;
    let unread: i64 = unread.into_iter().map(|(count,)| count.max(0)).sum();
    Ok((unread - marked).max(0))
}
