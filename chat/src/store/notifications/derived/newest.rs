//! The newest messages of others in many rooms.
//!
//! Most rooms end with messages of others, which a short range of the index on (room, seq) has. Where one ends with the
//! user's own, however many, the place of the message before them is found by bisection: they are numbered without a
//! gap (`sender_seq`), so a message belongs to the run at the end exactly if its number is as far from its place as
//! the last one's is.

use std::{cmp::Reverse, collections::HashMap};

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::spans::{End, Span, is_marked, key};
use crate::{
    model::{MessageId, UserId},
    store::{Conn, StoreResult, dialect::padded, on},
};

/// How far down from its end a span is read at once, in messages.
const DEPTH: i64 = 1_000;

/// Spans in one statement: SQLite takes at most 500 SELECTs put together.
const CHUNK: usize = 256;

/// A message of somebody else.
#[derive(Clone, Copy, Debug, FromRow)]
struct Row {
    room_id: i64,
    created_at: i64,
    id: i64,
}

/// The newest messages in the spans that are not `user`'s own, `limit` of them at most, the newest first;
/// with `unread`, only those that are not marked as read one by one.
///
/// Where the user's own messages do not fill a thousand places in a row this takes two statements, whatever the number
/// of rooms up to 256. Each thousand places more that have to be read add two.
pub async fn newest(
    conn: &mut Conn,
    user: UserId,
    mut spans: Vec<Span>,
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<MessageId>> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    loop {
        // What can no longer be among the newest is left out before and after more is known of its end.
        keep(&mut spans, &found, limit);
        settle(conn, user, &mut spans).await?;
        keep(&mut spans, &found, limit);
        if spans.is_empty() {
            break;
        }
        let mut counts: HashMap<i64, usize> = HashMap::new();
        for chunk in spans.chunks(CHUNK) {
            for row in near(conn, user, chunk, limit, unread).await? {
                *counts.entry(row.room_id).or_default() += 1;
                found.push((row.created_at, row.id));
            }
        }
        found.sort_unstable_by_key(|&(at, id)| Reverse(key(at, id)));
        found.truncate(limit);
        for span in &mut spans {
            (span.upto, span.end) = (floor(span), End::UNKNOWN);
        }
        spans.retain(|span| {
            span.upto > span.above && counts.get(&span.room.0).copied().unwrap_or_default() < limit
        });
    }
    Ok(found.into_iter().map(|(_, id)| MessageId(id)).collect())
}

/// How far down a span is read at once: to what is above this place.
fn floor(span: &Span) -> i64 {
    span.above.max(span.upto - DEPTH)
}

/// Removes the spans in which none of the newest `limit` can be: they end before `limit` others, or before as many that
/// were found.
fn keep(spans: &mut Vec<Span>, found: &[(i64, i64)], limit: usize) {
    let last = limit.checked_sub(1).and_then(|last| found.get(last)).copied();
    spans.retain(|span| last.is_none_or(|last| span.end.key > last));
    spans.sort_unstable_by_key(|span| Reverse(span.end.key));
    let mut before = 0;
    spans.retain(|span| {
        let is_kept = before < limit;
        // Of the others it is only known that their newest is not newer than their end.
        before += usize::from(!span.end.may_be_own && !span.end.is_marked);
        is_kept
    });
}

#[derive(FromRow)]
struct EndRow {
    room_id: i64,
    seq: i64,
    created_at: i64,
    id: i64,
    is_marked: bool,
}

/// Moves the ends of the spans down to messages of others, and removes the spans that have none.
async fn settle(conn: &mut Conn, user: UserId, spans: &mut Vec<Span>) -> StoreResult<()> {
    let asked: Vec<Span> = spans.iter().filter(|span| span.end.may_be_own).copied().collect();
    let mut ends = HashMap::new();
    for chunk in asked.chunks(CHUNK) {
        ends.extend(others_ends(conn, user, chunk).await?.into_iter().map(|end| (end.room_id, end)));
    }
    spans.retain_mut(|span| {
        if !span.end.may_be_own {
            return true;
        }
        let Some(end) = ends.get(&span.room.0).filter(|end| end.seq > span.above) else { return false };
        span.upto = end.seq;
        span.end = End { key: (end.created_at, end.id), may_be_own: false, is_marked: end.is_marked };
        true
    });
    Ok(())
}

/// The last message of somebody else in each of these spans, or one before it.
async fn others_ends(conn: &mut Conn, user: UserId, spans: &[Span]) -> StoreResult<Vec<EndRow>> {
    // The casts tell MySQL what the placeholders will be.
    const SPAN: &str = "SELECT CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED)";
    const IN_RUN: &str = "m.sender_id = ? AND m.sender_seq - m.seq = p.base";
    let Some(&last) = spans.last() else { return Ok(Vec::new()) };
    let size = padded(spans.len());
    let sql = format!(
        // `high` is in the run of own messages at the end, `low` is not.
        "WITH RECURSIVE asked (room_id, above, upto) AS ({}), \
         place (room_id, low, high, base) AS (\
         SELECT q.room_id, CASE WHEN m.sender_id = ? THEN q.above ELSE q.upto END, \
         CASE WHEN m.sender_id = ? THEN q.upto ELSE q.upto + 1 END, m.sender_seq - m.seq \
         FROM asked q JOIN chat_message m ON m.room_id = q.room_id AND m.seq = q.upto \
         UNION ALL \
         SELECT p.room_id, CASE WHEN {IN_RUN} THEN p.low ELSE m.seq END, \
         CASE WHEN {IN_RUN} THEN m.seq ELSE p.high END, p.base \
         FROM place p JOIN chat_message m ON m.room_id = p.room_id AND m.seq = (p.low + p.high) >> 1 \
         WHERE p.high - p.low > 1) \
         SELECT l.room_id, l.seq, l.created_at, l.id, {} AS is_marked FROM place p \
         JOIN chat_message l ON l.room_id = p.room_id AND l.seq = p.low WHERE p.high - p.low = 1",
        vec![SPAN; size].join(" UNION ALL "),
        is_marked!()
    );
    // What fills the statement up is the last span again.
    let filler = std::iter::repeat_n(last, size - spans.len());
    let rows = on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for span in spans.iter().copied().chain(filler) {
            query = query.bind(span.room.0).bind(span.above).bind(span.upto);
        }
        query.bind(user.0).bind(user.0).bind(user.0).bind(user.0).bind(user.0).fetch_all(&mut *link).await
    })?;
    Ok(rows)
}

/// Messages of others from the spans' ends down to their [`floor`], `limit` of each at most.
async fn near(
    conn: &mut Conn,
    user: UserId,
    spans: &[Span],
    limit: usize,
    unread: bool,
) -> StoreResult<Vec<Row>> {
    const PART: &str = "SELECT * FROM (SELECT m.room_id, m.created_at, m.id FROM chat_message m \
        WHERE m.room_id = ? AND m.seq > ? AND m.seq <= ? AND m.sender_id <> ? \
        AND NOT EXISTS (SELECT 1 FROM chat_notification k WHERE ? AND k.user_id = ? \
            AND k.notification_type = 'message' AND k.message_id = m.id) \
        ORDER BY m.seq DESC LIMIT ?) part";
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
                .bind(floor(&span))
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
