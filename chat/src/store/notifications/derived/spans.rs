//! Which messages of each room may be notifications.

use std::collections::HashMap;

use sqlx_macros::FromRow;

use crate::{
    model::{MessageId, Notice, RoomId, Timestamp, UserId},
    store::{Conn, StoreResult, condition::active_member, notifications::Key, on},
};

/// The messages of one room with `above < seq <= upto`, its own and others'.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub(super) room: RoomId,
    pub(super) above: i64,
    pub(super) upto: i64,
    pub(super) end: End,
}

/// What is known of the message at a span's end.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// When it was stored, and its id: no message of the span has a higher key.
    pub(super) key: (i64, i64),
    /// Is it the user's own, or may it be?
    pub(super) may_be_own: bool,
    /// Did the user mark it as read by itself?
    pub(super) is_marked: bool,
}

impl End {
    /// Nothing is known.
    pub(super) const UNKNOWN: Self = Self { key: (i64::MAX, i64::MAX), may_be_own: true, is_marked: false };
}

/// The messages of `room` with `above < seq <= upto`.
pub fn span(room: RoomId, above: i64, upto: i64) -> Span {
    Span { room, above, upto, end: End::UNKNOWN }
}

/// The rooms that the user is in, as `m` and `r`, with further joins; the user is the only placeholder.
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

/// Was the message `l` marked as read by itself? The user is the only placeholder.
macro_rules! is_marked {
    () => {
        "EXISTS (SELECT 1 FROM chat_notification k WHERE k.user_id = ? AND k.notification_type = 'message' \
         AND k.message_id = l.id)"
    };
}
pub(super) use is_marked;

#[derive(FromRow)]
struct SpanRow {
    room_id: i64,
    above: i64,
    upto: i64,
    /// How many above `above` are the user's own, where that is known; else 0.
    own: i64,
    last_at: i64,
    last_id: i64,
    last_sender: i64,
    is_marked: bool,
}

/// The end of a span at a cursor: the last message before it.
#[derive(FromRow)]
struct EndRow {
    room_id: i64,
    below: i64,
    last_at: Option<i64>,
    last_id: Option<i64>,
    last_sender: Option<i64>,
    is_marked: bool,
}

/// The rooms that `user` is in with what may be notifications there: what was sent since they joined, or, with
/// `unread`, what they have not read; only before `cursor`. The number of statements does not depend on the number of
/// rooms.
pub async fn spans(
    conn: &mut Conn,
    user: UserId,
    unread: bool,
    cursor: Option<Key>,
) -> StoreResult<Vec<Span>> {
    // A member has always read what was there before them: last_read_seq >= joined_seq.
    const SQL: &str = concat!(
        "SELECT m.room_id, CASE WHEN ? THEN m.last_read_seq ELSE m.joined_seq END AS above, r.seq AS upto, \
         CASE WHEN ? THEN m.own_after_read ELSE 0 END AS own, \
         l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender, ",
        is_marked!(),
        " AS is_marked ",
        of_user!("JOIN chat_message l ON l.room_id = r.id AND l.seq = r.seq")
    );
    let rows: Vec<SpanRow> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(unread)
        .bind(unread)
        .bind(user.0)
        .bind(user.0)
        .fetch_all(&mut *link)
        .await)?;
    let mut ends = match cursor {
        Some(cursor) => ends(conn, user, unread, cursor).await?,
        None => HashMap::new(),
    };
    let mut spans = Vec::new();
    // Where all are the user's own there is nothing to look for.
    for row in rows.into_iter().filter(|row| row.upto - row.above > row.own) {
        let mut span = Span {
            room: RoomId(row.room_id),
            above: row.above,
            upto: row.upto,
            end: End {
                key: (row.last_at, row.last_id),
                may_be_own: row.last_sender == user.0,
                is_marked: row.is_marked,
            },
        };
        if let Some(cursor) = cursor {
            match ends.remove(&row.room_id) {
                Some(EndRow {
                    below, last_at: Some(at), last_id: Some(id), last_sender, is_marked, ..
                }) => {
                    span.upto = below;
                    span.end = End { key: (at, id), may_be_own: last_sender == Some(user.0), is_marked };
                }
                // Nothing was sent since the cursor's moment: all of the room is before it.
                None if Timestamp(row.last_at) < cursor.0 => {}
                Some(EndRow { .. }) | None => continue,
            }
        }
        spans.push(span);
    }
    spans.retain(|span| span.upto > span.above);
    Ok(spans)
}

/// The last message before `cursor` in each room of the user's in which something was sent since then.
async fn ends(conn: &mut Conn, user: UserId, unread: bool, cursor: Key) -> StoreResult<HashMap<i64, EndRow>> {
    // Bisection: what is at or below `below` is before the cursor, what is at or above `above` is not.
    const SQL: &str = concat!(
        "WITH RECURSIVE span (room_id, below, above) AS (\
         SELECT r.id, CASE WHEN ? THEN m.last_read_seq ELSE m.joined_seq END, r.seq + 1 ",
        of_user!(""),
        " AND r.active_at >= ? \
         UNION ALL \
         SELECT span.room_id, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN m.seq ELSE span.below END, \
             CASE WHEN m.created_at < ? OR (m.created_at = ? AND m.id * 2 < ?) THEN span.above ELSE m.seq END \
         FROM span JOIN chat_message m ON m.room_id = span.room_id AND m.seq = (span.below + span.above) >> 1 \
         WHERE span.above - span.below > 1) \
         SELECT span.room_id, span.below, l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender, ",
        is_marked!(),
        " AS is_marked \
         FROM span LEFT JOIN chat_message l ON l.room_id = span.room_id AND l.seq = span.below \
         WHERE span.above - span.below <= 1"
    );
    let (at, id) = (cursor.0.0, cursor.1.0);
    let rows: Vec<EndRow> = on!(conn, |link| sqlx::query_as(SQL)
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
        .fetch_all(&mut *link)
        .await)?;
    Ok(rows.into_iter().map(|row| (row.room_id, row)).collect())
}

/// What the notification of a message is sorted by.
pub(super) fn key(created_at: i64, message: i64) -> Key {
    (Timestamp(created_at), Notice::Message(MessageId(message)).into())
}
