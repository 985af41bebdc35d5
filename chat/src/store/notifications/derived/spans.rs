//! Which messages of each room may be notifications, and how many of them are somebody else's.

use std::collections::HashMap;

use sqlx::FromRow;

use crate::{
    model::{MessageId, RoomId, Timestamp, UserId},
    store::{Conn, StoreResult, bundle, condition::active_member, notifications::Key, on},
};

/// The messages of one room with `above < seq <= upto`, and what is known of them without reading them.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub(super) room: RoomId,
    pub(super) above: i64,
    pub(super) upto: i64,
    /// How many of them others sent.
    pub(super) others: i64,
    /// How many of those the user marked as read one by one. Counted only where unread ones are looked for.
    pub(super) marked: i64,
    /// When the message at `upto` was stored, and its id: no message of the span has a higher key.
    pub(super) last: (i64, i64),
    /// The message at `upto` is the user's own.
    pub(super) ends_with_own: bool,
}

impl Span {
    /// How many messages of the span are notifications.
    pub(super) fn notifications(&self) -> i64 {
        self.others - self.marked
    }
}

/// The messages of `room` with `above < seq <= upto`, of which nothing else is known: at most all of them are others'.
pub fn span(room: RoomId, above: i64, upto: i64) -> Span {
    let last = (i64::MAX, i64::MAX);
    Span { room, above, upto, others: upto - above, marked: 0, last, ends_with_own: false }
}

/// How many messages of the user's own a room has up to a place: the `sender_seq` of the last of them, one look at an
/// index. `$room` and `$seq` are expressions; the user is the only placeholder.
macro_rules! own_upto {
    ($room:literal, $seq:literal) => {
        concat!(
            "COALESCE((SELECT o.sender_seq FROM chat_message o WHERE o.sender_id = ? AND o.room_id = ",
            $room,
            " AND o.seq <= ",
            $seq,
            " ORDER BY o.seq DESC LIMIT 1), 0)"
        )
    };
}
pub(super) use own_upto;

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

bundle::row! {
    struct SpanRow {
        room_id: i64,
        above: i64,
        upto: i64,
        own_above: i64,
        sent: i64,
        last_at: i64,
        last_id: i64,
        last_sender: i64,
    }
}

bundle::row! {
    struct MarkRow {
        room_id: i64,
        seq: i64,
    }
}

/// The end of a span at a cursor: the last message before it.
#[derive(FromRow)]
struct EndRow {
    room_id: i64,
    below: i64,
    own: i64,
    last_at: Option<i64>,
    last_id: Option<i64>,
    last_sender: Option<i64>,
}

/// The rooms that `user` is in with what may be notifications there: what was sent since they joined, or, with
/// `unread`, what they have not read; only before `cursor`. Rooms without any are left out. The number of statements
/// does not depend on the number of rooms.
pub async fn spans(
    conn: &mut Conn,
    user: UserId,
    unread: bool,
    cursor: Option<Key>,
) -> StoreResult<Vec<Span>> {
    // A member has always read what was there before them: last_read_seq >= joined_seq.
    const SQL: &str = concat!(
        "SELECT m.room_id, CASE WHEN ? THEN m.last_read_seq ELSE m.joined_seq END AS above, r.seq AS upto, \
         CASE WHEN ? THEN m.sent - m.own_after_read ELSE ",
        own_upto!("m.room_id", "m.joined_seq"),
        " END AS own_above, m.sent, l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender ",
        of_user!("JOIN chat_message l ON l.room_id = r.id AND l.seq = r.seq")
    );
    let rows =
        bundle::all!(conn, SpanRow, SQL, |query| query.bind(unread).bind(unread).bind(user.0).bind(user.0))?;
    let mut ends = match cursor {
        Some(cursor) => ends(conn, user, unread, cursor).await?,
        None => HashMap::new(),
    };
    let mut spans = Vec::new();
    for row in rows {
        let mut span = Span {
            room: RoomId(row.room_id),
            above: row.above,
            upto: row.upto,
            others: row.upto - row.above - (row.sent - row.own_above),
            marked: 0,
            last: (row.last_at, row.last_id),
            ends_with_own: row.last_sender == user.0,
        };
        if let Some(cursor) = cursor {
            match ends.remove(&row.room_id) {
                Some(EndRow { below, own, last_at: Some(at), last_id: Some(id), last_sender, .. }) => {
                    span.upto = below;
                    span.others = below - row.above - (own - row.own_above);
                    span.last = (at, id);
                    span.ends_with_own = last_sender == Some(user.0);
                }
                // Nothing was sent since the cursor's moment: all of the room is before it.
                None if Timestamp(row.last_at) < cursor.0 => {}
                Some(EndRow { .. }) | None => continue,
            }
        }
        spans.push(span);
    }
    if unread {
        count_marks(conn, user, &mut spans).await?;
    }
    spans.retain(|span| span.upto > span.above && span.notifications() > 0);
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
         SELECT span.room_id, span.below, ",
        own_upto!("span.room_id", "span.below"),
        " AS own, l.created_at AS last_at, l.id AS last_id, l.sender_id AS last_sender \
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

/// Counts in each span what the user marked as read one by one.
async fn count_marks(conn: &mut Conn, user: UserId, spans: &mut [Span]) -> StoreResult<()> {
    const SQL: &str = "SELECT m.room_id, m.seq FROM chat_notification k JOIN chat_message m ON m.id = k.message_id \
        WHERE k.user_id = ? AND k.notification_type = 'message'";
    let marks = bundle::all!(conn, MarkRow, SQL, |query| query.bind(user.0))?;
    let mut of_room: HashMap<i64, Vec<i64>> = HashMap::new();
    for mark in marks {
        of_room.entry(mark.room_id).or_default().push(mark.seq);
    }
    for span in spans {
        let marked = of_room.get(&span.room.0).into_iter().flatten();
        let marked = marked.filter(|seq| (span.above + 1..=span.upto).contains(*seq)).count();
        span.marked = i64::try_from(marked).unwrap_or(i64::MAX);
    }
    Ok(())
}

/// The key of a message that was stored then.
pub(super) fn key(created_at: i64, message: i64) -> Key {
    (Timestamp(created_at), crate::model::Notice::Message(MessageId(message)).into())
}
