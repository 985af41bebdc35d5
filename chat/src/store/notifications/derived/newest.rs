//! The newest messages of others in many rooms.
//!
//! Most rooms end with a few messages of others, which a short range of the index on (room, seq) has. Where the user's
//! own messages stand in the way, others' are found by their ordinal instead: the number of own messages up to a place
//! is known without counting ([`own_upto`]), so the place of the n-th message of somebody else is found by bisection.

use std::{cmp::Reverse, collections::HashMap};

use sqlx::AssertSqlSafe;

use super::spans::{Span, key, own_upto};
use crate::{
    model::{MessageId, UserId},
    store::{Conn, StoreResult, dialect::padded, on},
};

/// How far down from its end a span is read, in messages. What is deeper is found by bisection.
const DEPTH: i64 = 1_000;

/// Spans in one statement: SQLite takes at most 500 SELECTs put together.
const CHUNK: usize = 256;

/// Not marked as read one by one, where `?` says that it matters. The second placeholder is the user.
macro_rules! unmarked {
    () => {
        "NOT EXISTS (SELECT 1 FROM chat_notification k WHERE ? AND k.user_id = ? \
         AND k.notification_type = 'message' AND k.message_id = m.id)"
    };
}

/// A message of somebody else: its room, when it was stored, its id.
type Row = (i64, i64, i64);

/// The newest messages in the spans that are not `user`'s own, `limit` of them at most, the newest first;
/// with `unread`, only those that are not marked as read one by one.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    spans: Vec<Span>,
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<MessageId>> {
    let spans = latest(conn, user, spans, limit).await?;
    let mut rows = Vec::new();
    for chunk in spans.chunks(CHUNK) {
        rows.extend(near(conn, user, chunk, limit, unread).await?);
    }
    let mut found: HashMap<i64, usize> = HashMap::new();
    for (room, ..) in &rows {
        *found.entry(*room).or_default() += 1;
    }
    // Behind more of the user's own messages than are read, or of those that were marked, are more of the others'.
    let deep: Vec<(Span, usize)> = spans
        .iter()
        .filter(|span| span.upto - span.above > DEPTH)
        .filter_map(|span| {
            let wanted = limit.min(usize::try_from(span.notifications()).unwrap_or_default());
            let marked = usize::try_from(span.marked).unwrap_or_default();
            let is_short = found.get(&span.room.0).copied().unwrap_or_default() < wanted;
            is_short.then_some((*span, wanted + marked))
        })
        .collect();
    if !deep.is_empty() {
        rows.retain(|(room, ..)| deep.iter().all(|(span, _)| span.room.0 != *room));
        for chunk in deep.chunks(CHUNK) {
            rows.extend(by_ordinal(conn, user, chunk, unread).await?.into_iter().map(|(row, _)| row));
        }
    }
    let mut keys: Vec<(i64, i64)> = rows.into_iter().map(|(_, at, id)| (at, id)).collect();
    keys.sort_unstable_by_key(|&(at, id)| Reverse(key(at, id)));
    keys.truncate(limit);
    Ok(keys.into_iter().map(|(_, id)| MessageId(id)).collect())
}

/// The spans that the newest `limit` can be in, each ended by a message of somebody else.
async fn latest(conn: &mut Conn, user: UserId, mut spans: Vec<Span>, limit: usize) -> StoreResult<Vec<Span>> {
    // The last message of these is one of the newest; of the others that is only how new they can be at most.
    let is_exact = |span: &Span| !span.ends_with_own && span.marked == 0;
    keep(&mut spans, limit, is_exact);
    let asked: Vec<(Span, usize)> =
        spans.iter().filter(|span| span.ends_with_own).map(|span| (*span, 1)).collect();
    let mut ends = HashMap::new();
    for chunk in asked.chunks(CHUNK) {
        let found = by_ordinal(conn, user, chunk, false).await?;
        ends.extend(found.into_iter().map(|((room, at, id), seq)| (room, (seq, at, id))));
    }
    spans.retain_mut(|span| {
        if !span.ends_with_own {
            return true;
        }
        let Some(&(seq, at, id)) = ends.get(&span.room.0) else { return false };
        (span.upto, span.last, span.ends_with_own) = (seq, (at, id), false);
        true
    });
    keep(&mut spans, limit, is_exact);
    Ok(spans)
}

/// Removes the spans that end before `limit` others do of which it is known that they end with one of the newest.
fn keep(spans: &mut Vec<Span>, limit: usize, is_exact: impl Fn(&Span) -> bool) {
    spans.sort_unstable_by_key(|span| Reverse(span.last));
    let mut before = 0;
    spans.retain(|span| {
        let is_kept = before < limit;
        before += usize::from(is_exact(span));
        is_kept
    });
}

/// Messages of others within [`DEPTH`] of the spans' ends, `limit` of each at most.
async fn near(
    conn: &mut Conn,
    user: UserId,
    spans: &[Span],
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<Row>> {
    const PART: &str = concat!(
        "SELECT * FROM (SELECT m.room_id, m.created_at, m.id FROM chat_message m WHERE m.room_id = ? AND m.seq > ? \
         AND m.seq <= ? AND m.sender_id <> ? AND ",
        unmarked!(),
        " ORDER BY m.seq DESC LIMIT ?) part"
    );
    let Some(&last) = spans.last() else { return Ok(Vec::new()) };
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let size = padded(spans.len());
    let sql = vec![PART; size].join(" UNION ALL ");
    // What fills the statement up is an empty span.
    let filler = std::iter::repeat_n(Span { above: last.upto, ..last }, size - spans.len());
    let rows = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for span in spans.iter().copied().chain(filler) {
            query = query
                .bind(span.room.0)
                .bind(span.above.max(span.upto - DEPTH))
                .bind(span.upto)
                .bind(user.0)
                .bind(unread)
                .bind(user.0)
                .bind(count);
        }
        query.fetch_all(&mut *link).await
    })?;
    Ok(rows)
}

/// The newest messages of others in each span, as many as are asked for, and their places. About twenty looks at an
/// index for each in a room of a million, however many of the messages are the user's own.
async fn by_ordinal(
    conn: &mut Conn,
    user: UserId,
    asked: &[(Span, usize)],
    unread: bool,
) -> StoreResult<Vec<(Row, i64)>> {
    // The message of others with the ordinal `wanted` (the first one of the room has 1) is at a place above `low` and
    // not above `high`: the first place up to which so many are not the user's own.
    const AT_HALF: &str = concat!(
        "((p.low + p.high) >> 1) - ",
        own_upto!("p.room_id", "((p.low + p.high) >> 1)"),
        " >= p.wanted"
    );
    // Of a span: how many messages of others the room has up to its beginning, and up to its end. The casts tell
    // MySQL what the placeholders will be.
    const SPAN: &str = concat!(
        "SELECT CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED) - ",
        own_upto!("?", "?"),
        ", CAST(? AS SIGNED) - ",
        own_upto!("?", "?"),
        ", CAST(? AS SIGNED)"
    );
    let Some(&(last, _)) = asked.last() else { return Ok(Vec::new()) };
    let size = padded(asked.len());
    let sql = format!(
        "WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT n.i * 2 + j.side FROM numbers n \
         JOIN (SELECT 1 AS side UNION ALL SELECT 2) j ON n.i * 2 + j.side < ?), \
         asked (room_id, above, upto, others_above, others_upto, wanted) AS ({}), \
         place (room_id, low, high, wanted) AS (\
         SELECT q.room_id, q.above, q.upto, q.others_upto - n.i FROM asked q \
         JOIN numbers n ON n.i < q.wanted AND q.others_upto - n.i > q.others_above \
         UNION ALL \
         SELECT p.room_id, CASE WHEN {AT_HALF} THEN p.low ELSE (p.low + p.high) >> 1 END, \
         CASE WHEN {AT_HALF} THEN (p.low + p.high) >> 1 ELSE p.high END, p.wanted \
         FROM place p WHERE p.high - p.low > 1) \
         SELECT m.room_id, m.created_at, m.id, m.seq FROM place p \
         JOIN chat_message m ON m.room_id = p.room_id AND m.seq = p.high \
         WHERE p.high - p.low = 1 AND m.sender_id <> ? AND {}",
        vec![SPAN; size].join(" UNION ALL "),
        unmarked!()
    );
    let most = asked.iter().map(|(_, wanted)| *wanted).max().unwrap_or_default();
    let filler = std::iter::repeat_n((last, 0), size - asked.len());
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let rows: Vec<(i64, i64, i64, i64)> = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(number(most));
        for (span, wanted) in asked.iter().copied().chain(filler) {
            query = query.bind(span.room.0).bind(span.above).bind(span.upto);
            for place in [span.above, span.upto] {
                query = query.bind(place).bind(user.0).bind(span.room.0).bind(place);
            }
            query = query.bind(number(wanted));
        }
        query = query.bind(user.0).bind(user.0);
        query.bind(user.0).bind(unread).bind(user.0).fetch_all(&mut *link).await
    })?;
    Ok(rows.into_iter().map(|(room, at, id, seq)| ((room, at, id), seq)).collect())
}
