//! Ranges of messages in each room that may be notifications.

use std::collections::HashMap;

use sqlx_macros::FromRow;

use crate::{
    model::{MessageId, NotificationRef, RoomId, Timestamp, UserId},
    store::{
        Conn, StoreResult,
        condition::{active_member, in_history},
        notifications::SortKey,
        on,
    },
};

/// The messages of one room with `above < seq <= upto`, of the user and of others.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub(super) room: RoomId,
    pub(super) above: i64,
    pub(super) upto: i64,
    pub(super) end: SpanEnd,
}

/// What is known of the last message of a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpanEnd {
    /// Upper bound of the sort keys in the span: the message's time and id.
    pub(super) key: (i64, i64),
    /// Whether it is, or may be, the user's own message.
    pub(super) may_be_own: bool,
    /// Whether the user has read it individually.
    pub(super) is_individually_read: bool,
}

impl SpanEnd {
    pub(super) const UNKNOWN: Self =
        Self { key: (i64::MAX, i64::MAX), may_be_own: true, is_individually_read: false };
}

/// Creates the span with `above < seq <= upto` in `room`.
pub fn span(room: RoomId, above: i64, upto: i64) -> Span {
    Span { room, above, upto, end: SpanEnd::UNKNOWN }
}

/// The rooms that the user is in as `m` and `r`, with further joins. The user is the only placeholder.
macro_rules! of_user {
    ($joins:literal) => {
        concat!(
            "FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id ",
            $joins,
            " WHERE m.user_id = ? AND ",
            active_member!("m", "r")
        )
    };
}

/// The `seq` above which the messages of the room `r` may be notifications of the member `m`. Whether only unread ones
/// are wanted is the only placeholder.
macro_rules! above {
    () => {
        "CASE WHEN ? AND r.first_seq <= m.last_read_seq + 1 THEN m.last_read_seq \
         WHEN r.first_seq <= m.joined_seq + 1 THEN m.joined_seq ELSE r.first_seq - 1 END"
    };
}

/// Whether the message `l` was read individually. The user is the only placeholder.
macro_rules! is_individually_read {
    () => {
        "EXISTS (SELECT 1 FROM chat_notification k WHERE k.user_id = ? AND k.notification_type = 'message' \
         AND k.message_id = l.id)"
    };
}
pub(super) use is_individually_read;

#[derive(FromRow)]
struct SpanRow {
    room_id: i64,
    above: i64,
    upto: i64,
    /// Number of own messages above `above`, if known; else 0.
    own: i64,
    last_at: i64,
    last_id: i64,
    last_sender: i64,
    is_individually_read: bool,
}

/// The last message before a cursor.
#[derive(FromRow)]
struct SpanEndRow {
    room_id: i64,
    below: i64,
    last_at: Option<i64>,
    last_id: Option<i64>,
    last_sender: Option<i64>,
    is_individually_read: bool,
}

/// The spans of the rooms that `user` is in: messages since they joined or, with `unread`, messages they have not
/// read; only those before `cursor`. The number of statements does not depend on the number of rooms.
pub async fn spans(
    conn: &mut Conn,
    user: UserId,
    unread: bool,
    cursor: Option<SortKey>,
) -> StoreResult<Vec<Span>> {
    // Messages before joining count as read: last_read_seq >= joined_seq.
    const SQL: &str = concat!(
        "SELECT m.room_id, ",
        above!(),
        " AS above, r.seq AS upto, CASE WHEN ? AND r.first_seq <= m.last_read_seq + 1 THEN m.own_after_read ELSE 0 END AS own, \
         l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender, ",
        is_individually_read!(),
        " AS is_individually_read ",
        of_user!("JOIN chat_message l ON l.room_id = r.id AND l.seq = r.seq"),
        " AND ",
        in_history!("l", "r")
    );
    let rows: Vec<SpanRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(unread)
        .bind(unread)
        .bind(user.0)
        .bind(user.0)
        .fetch_all(&mut *db)
        .await)?;
    let mut ends = match cursor {
        Some(cursor) => ends_before(conn, user, unread, cursor).await?,
        None => HashMap::new(),
    };
    let mut spans = Vec::new();
    // Skip the rooms in which all messages are the user's own.
    for row in rows.into_iter().filter(|row| row.upto - row.above > row.own) {
        let mut span = Span {
            room: RoomId(row.room_id),
            above: row.above,
            upto: row.upto,
            end: SpanEnd {
                key: (row.last_at, row.last_id),
                may_be_own: row.last_sender == user.0,
                is_individually_read: row.is_individually_read,
            },
        };
        if let Some(cursor) = cursor {
            match ends.remove(&row.room_id) {
                Some(SpanEndRow {
                    below,
                    last_at: Some(at),
                    last_id: Some(id),
                    last_sender,
                    is_individually_read,
                    ..
                }) => {
                    span.upto = below;
                    span.end = SpanEnd {
                        key: (at, id),
                        may_be_own: last_sender == Some(user.0),
                        is_individually_read,
                    };
                }
                // Nothing was sent since the cursor's time: the whole room is before it.
                None if Timestamp(row.last_at) < cursor.0 => {}
                Some(SpanEndRow { .. }) | None => continue,
            }
        }
        spans.push(span);
    }
    spans.retain(|span| span.upto > span.above);
    Ok(spans)
}

/// The last message before `cursor` in each of the user's rooms that has messages at or after it.
async fn ends_before(
    conn: &mut Conn,
    user: UserId,
    unread: bool,
    cursor: SortKey,
) -> StoreResult<HashMap<i64, SpanEndRow>> {
    // Binary search: messages up to `below` are before the cursor, those from `above` on are not.
    const SQL: &str = concat!(
        "WITH RECURSIVE span (room_id, below, above) AS (\
         SELECT r.id, ",
        above!(),
        ", r.seq + 1 ",
        of_user!(""),
        " AND r.active_at >= ? \
         UNION ALL \
         SELECT span.room_id, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN m.seq ELSE span.below END, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN span.above ELSE m.seq END \
         FROM span JOIN chat_message m ON m.room_id = span.room_id AND m.seq = (span.below + span.above) >> 1 \
         WHERE span.above - span.below > 1) \
         SELECT span.room_id, span.below, l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender, ",
        is_individually_read!(),
        " AS is_individually_read \
         FROM span LEFT JOIN chat_message l ON l.room_id = span.room_id AND l.seq = span.below \
         WHERE span.above - span.below <= 1"
    );
    let (at, id) = (cursor.0.0, cursor.1.0);
    let rows: Vec<SpanEndRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(unread)
        .bind(user.0)
        .bind(at)
        .bind(at)
        .bind(at)
        .bind(id)
        .bind(at)
        .bind(at)
        .bind(id)
        .bind(user.0)
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|row| (row.room_id, row)).collect())
}

/// The sort key of the notification of a message.
pub(super) fn key(created_at: i64, message: i64) -> SortKey {
    (Timestamp(created_at), NotificationRef::Message(MessageId(message)).into())
}
