//! The newest messages of others in many rooms.
//!
//! Most rooms end with messages of others, which are a short range of the index on (room, seq). If a room ends with a
//! run of the user's own messages, the message before the run is found by binary search: own messages are numbered
//! without gaps (`sender_seq`), so a message is in the run exactly if its `sender_seq - seq` equals that of the last
//! message.

use std::{cmp::Reverse, collections::HashMap};

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::spans::{Span, SpanEnd, is_individually_read, key};
use crate::{
    model::{MessageId, UserId},
    store::{Conn, StoreResult, dialect::padded, on},
};

/// How many messages of a span are read at once, from its end.
const DEPTH: i64 = 1_000;

/// Maximum number of spans in one statement: SQLite allows 500 terms in a compound SELECT.
const CHUNK: usize = 256;

/// A message of another user.
#[derive(Clone, Copy, Debug, FromRow)]
struct FoundMessage {
    room_id: i64,
    created_at: i64,
    id: i64,
}

/// The newest messages of others in the spans, newest first, at most `limit`; with `unread`, without those read
/// individually.
///
/// Takes two statements for up to 256 rooms, unless a thousand consecutive messages are the user's own. Each further
/// thousand messages to read take two more.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    mut spans: Vec<Span>,
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<MessageId>> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    loop {
        // Discard spans that cannot contribute, before and after their ends are known more precisely.
        discard_older(&mut spans, &found, limit);
        move_ends_to_others(conn, user, &mut spans).await?;
        discard_older(&mut spans, &found, limit);
        if spans.is_empty() {
            break;
        }
        let mut counts: HashMap<i64, usize> = HashMap::new();
        for chunk in spans.chunks(CHUNK) {
            for row in read_newest(conn, user, chunk, limit, unread).await? {
                *counts.entry(row.room_id).or_default() += 1;
                found.push((row.created_at, row.id));
            }
        }
        found.sort_unstable_by_key(|&(at, id)| Reverse(key(at, id)));
        found.truncate(limit);
        for span in &mut spans {
            (span.upto, span.end) = (read_down_to(span), SpanEnd::UNKNOWN);
        }
        spans.retain(|span| {
            span.upto > span.above && counts.get(&span.room.0).copied().unwrap_or_default() < limit
        });
    }
    Ok(found.into_iter().map(|(_, id)| MessageId(id)).collect())
}

/// The `seq` above which a span is read in one step.
fn read_down_to(span: &Span) -> i64 {
    span.above.max(span.upto - DEPTH)
}

/// Removes the spans that cannot contain any of the newest `limit` messages: `limit` other spans end later, or
/// `limit` found messages are newer.
fn discard_older(spans: &mut Vec<Span>, found: &[(i64, i64)], limit: usize) {
    let last = limit.checked_sub(1).and_then(|last| found.get(last)).copied();
    spans.retain(|span| last.is_none_or(|last| span.end.key > last));
    spans.sort_unstable_by_key(|span| Reverse(span.end.key));
    let mut before = 0;
    spans.retain(|span| {
        let is_kept = before < limit;
        // For the others it is only known that their newest message is not newer than their end.
        before += usize::from(!span.end.may_be_own && !span.end.is_individually_read);
        is_kept
    });
}

#[derive(FromRow)]
struct OthersEndRow {
    room_id: i64,
    seq: i64,
    created_at: i64,
    id: i64,
    is_individually_read: bool,
}

/// Moves the ends of the spans down to messages of others, and removes the spans without any.
async fn move_ends_to_others(conn: &mut Conn, user: UserId, spans: &mut Vec<Span>) -> StoreResult<()> {
    let unknown: Vec<Span> = spans.iter().filter(|span| span.end.may_be_own).copied().collect();
    let mut ends = HashMap::new();
    for chunk in unknown.chunks(CHUNK) {
        ends.extend(others_ends(conn, user, chunk).await?.into_iter().map(|end| (end.room_id, end)));
    }
    spans.retain_mut(|span| {
        if !span.end.may_be_own {
            return true;
        }
        let Some(end) = ends.get(&span.room.0).filter(|end| end.seq > span.above) else { return false };
        span.upto = end.seq;
        span.end = SpanEnd {
            key: (end.created_at, end.id),
            may_be_own: false,
            is_individually_read: end.is_individually_read,
        };
        true
    });
    Ok(())
}

/// The last message of another user in each of these spans, or one before the span.
async fn others_ends(conn: &mut Conn, user: UserId, spans: &[Span]) -> StoreResult<Vec<OthersEndRow>> {
    // The casts give MySQL the types of the placeholders.
    const SPAN: &str = "SELECT CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED)";
    // MySQL shifts to an unsigned number.
    const MIDDLE: &str = "CAST((p.low + p.high) >> 1 AS SIGNED)";
    const IN_RUN: &str = "m.sender_id = ? AND m.sender_seq - m.seq = p.base";
    let Some(&last) = spans.last() else { return Ok(Vec::new()) };
    let size = padded(spans.len());
    let sql = format!(
        // `high` is in the run of own messages at the end, `low` is not. A message that was removed meanwhile is not.
        "WITH RECURSIVE asked (room_id, above, upto) AS ({}), \
         place (room_id, low, high, base) AS (\
         SELECT q.room_id, CASE WHEN m.sender_id = ? THEN q.above ELSE q.upto END, \
         CASE WHEN m.sender_id = ? THEN q.upto ELSE q.upto + 1 END, m.sender_seq - m.seq \
         FROM asked q JOIN chat_message m ON m.room_id = q.room_id AND m.seq = q.upto \
         UNION ALL \
         SELECT p.room_id, CASE WHEN {IN_RUN} THEN p.low ELSE {MIDDLE} END, \
         CASE WHEN {IN_RUN} THEN {MIDDLE} ELSE p.high END, p.base \
         FROM place p LEFT JOIN chat_message m ON m.room_id = p.room_id AND m.seq = {MIDDLE} \
         WHERE p.high - p.low > 1) \
         SELECT l.room_id, l.seq, l.created_at, l.id, {} AS is_individually_read FROM place p \
         JOIN chat_message l ON l.room_id = p.room_id AND l.seq = p.low WHERE p.high - p.low = 1",
        vec![SPAN; size].join(" UNION ALL "),
        is_individually_read!()
    );
    // Padding repeats the last span.
    let filler = std::iter::repeat_n(last, size - spans.len());
    let rows = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for span in spans.iter().copied().chain(filler) {
            query = query.bind(span.room.0).bind(span.above).bind(span.upto);
        }
        query.bind(user.0).bind(user.0).bind(user.0).bind(user.0).bind(user.0).fetch_all(&mut *db).await
    })?;
    Ok(rows)
}

/// Messages of others from the spans' ends down to [`read_down_to`]; at most `limit` of each.
async fn read_newest(
    conn: &mut Conn,
    user: UserId,
    spans: &[Span],
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<FoundMessage>> {
    const PART: &str = "SELECT * FROM (SELECT m.room_id, m.created_at, m.id FROM chat_message m \
        WHERE m.room_id = ? AND m.seq > ? AND m.seq <= ? AND m.sender_id <> ? \
        AND NOT EXISTS (SELECT 1 FROM chat_notification k WHERE ? AND k.user_id = ? \
            AND k.notification_type = 'message' AND k.message_id = m.id) \
        ORDER BY m.seq DESC LIMIT ?) part";
    let Some(&last) = spans.last() else { return Ok(Vec::new()) };
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let size = padded(spans.len());
    let sql = vec![PART; size].join(" UNION ALL ");
    // Padding is an empty span.
    let filler = std::iter::repeat_n(Span { above: last.upto, ..last }, size - spans.len());
    let rows = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for span in spans.iter().copied().chain(filler) {
            query = query
                .bind(span.room.0)
                .bind(read_down_to(&span))
                .bind(span.upto)
                .bind(user.0)
                .bind(unread)
                .bind(user.0)
                .bind(count);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows)
}
