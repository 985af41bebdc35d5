//! Read marks of many members at once, in a number of statements that does not depend on theirs.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Position, advance, own_after};
use crate::{
    model::{MessageId, RoomId, Timestamp, UserId},
    store::{
        Backend, Conn, StoreResult,
        condition::present_member,
        dialect::{padded, tuples},
        json_rows,
        notifications::individually_read,
        on,
    },
};

/// A member has read a message and all before it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// The room.
    pub room: RoomId,
    /// The member.
    pub user: UserId,
    /// The message's `seq`.
    pub seq: i64,
    /// The message.
    pub message: MessageId,
}

json_rows::row! {
    struct PositionRow {
        id: i64,
        room_id: i64,
        user_id: i64,
        last_read_seq: i64,
        sent: i64,
        sent_upto: i64,
    }
}

impl PositionRow {
    fn member(&self) -> Position {
        let Self { id, user_id, sent, sent_upto, .. } = *self;
        Position { id, user_id, sent, sent_upto }
    }
}

/// Stores the marks, at most one of each member and ordered by room and user, as [`advance`] does. Returns the
/// positions in `marks` of those that were new.
pub async fn advance_all(conn: &mut Conn, marks: &[Mark], now: Timestamp) -> StoreResult<BTreeSet<usize>> {
    if let [mark] = marks {
        // Fewer statements.
        if !advance(conn, mark.room, mark.user, mark.seq, now).await? {
            return Ok(BTreeSet::new());
        }
        individually_read::clear(conn, mark.user, mark.room, mark.message).await?;
        return Ok(BTreeSet::from([0]));
    }
    lock_rooms(conn, marks).await?;
    let known: BTreeMap<(i64, i64), PositionRow> = positions(conn, marks).await?;
    let mut moved = BTreeSet::new();
    let mut ahead = Vec::new();
    for (position, mark) in marks.iter().enumerate() {
        match known.get(&(mark.room.0, mark.user.0)) {
            Some(row) if row.last_read_seq < mark.seq => {
                ahead.push((row.member(), *mark));
                moved.insert(position);
            }
            // A new member has read the earlier messages, but may not have marked this one.
            Some(_) if advance(conn, mark.room, mark.user, mark.seq, now).await? => {
                moved.insert(position);
            }
            // No member, or repeated.
            Some(_) | None => {}
        }
    }
    record(conn, &ahead, now).await?;
    move_to(conn, &ahead, now).await?;
    clear(conn, moved.iter().map(|position| &marks[*position])).await?;
    Ok(moved)
}

/// Locks the rooms against batches of messages, which lock them before the memberships too.
async fn lock_rooms(conn: &mut Conn, marks: &[Mark]) -> StoreResult<()> {
    let rooms: BTreeSet<i64> = marks.iter().map(|mark| mark.room.0).collect();
    let Some(&last) = rooms.last().filter(|_| conn.backend() == Backend::MySql) else { return Ok(()) };
    let placeholders = vec!["?"; padded(rooms.len())].join(", ");
    let share = conn.backend().for_share();
    let sql = format!("SELECT id FROM chat_room WHERE id IN ({placeholders}) ORDER BY id{share}");
    let filler = std::iter::repeat_n(last, padded(rooms.len()) - rooms.len());
    on!(conn, |db| {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for room in rooms.iter().copied().chain(filler) {
            query = query.bind(room);
        }
        query.fetch_all(&mut *db).await.map(drop)
    })?;
    Ok(())
}

/// The read positions of those who are members, locked.
async fn positions(conn: &mut Conn, marks: &[Mark]) -> StoreResult<BTreeMap<(i64, i64), PositionRow>> {
    let Some(last) = marks.last() else { return Ok(BTreeMap::new()) };
    let sql = format!(
        "SELECT m.id, m.room_id, m.user_id, m.last_read_seq, m.sent, m.sent_upto FROM chat_room_member m \
         WHERE (m.room_id, m.user_id) IN {} AND {}{}",
        tuples(conn.backend(), 2, padded(marks.len())),
        present_member!("m"),
        conn.backend().for_update()
    );
    let filler = std::iter::repeat_n(last, padded(marks.len()) - marks.len());
    let rows = json_rows::fetch_all!(conn, PositionRow, sql, |query| {
        marks.iter().chain(filler).fold(query, |query, mark| query.bind(mark.room.0).bind(mark.user.0))
    })?;
    Ok(rows.into_iter().map(|row| ((row.room_id, row.user_id), row)).collect())
}

/// Stores the read receipts.
async fn record(conn: &mut Conn, marks: &[(Position, Mark)], now: Timestamp) -> StoreResult<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let insert = format!(
        "{} INTO chat_message_read (room_id, user_id, seq, read_at) ",
        conn.backend().insert_ignore()
    );
    on!(conn, |db| {
        let mut builder = QueryBuilder::new(insert);
        builder.push_values(marks, |mut values, (_, mark)| {
            values.push_bind(mark.room.0).push_bind(mark.user.0).push_bind(mark.seq).push_bind(now.0);
        });
        builder.build().execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}

/// Moves the read positions of these memberships.
async fn move_to(conn: &mut Conn, marks: &[(Position, Mark)], now: Timestamp) -> StoreResult<()> {
    const OWN: &str = "UPDATE chat_room_member SET own_after_read = ? WHERE id = ?";
    let Some(&last) = marks.last() else { return Ok(()) };
    let size = padded(marks.len());
    let filler = std::iter::repeat_n(last, size - marks.len());
    let rows: Vec<(Position, Mark)> = marks.iter().copied().chain(filler).collect();
    let placeholders = vec!["?"; size].join(", ");
    let update = format!(
        "UPDATE chat_room_member SET last_read_at = ?, own_after_read = 0, \
         last_read_seq = CASE id{} END WHERE id IN ({placeholders})",
        " WHEN ? THEN ?".repeat(size)
    );
    on!(conn, |db| {
        let mut query = sqlx::query(AssertSqlSafe(update)).bind(now.0);
        for (member, mark) in &rows {
            query = query.bind(member.id).bind(mark.seq);
        }
        for (member, _) in &rows {
            query = query.bind(member.id);
        }
        query.execute(&mut *db).await.map(drop)
    })?;
    // Few mark below a message of their own.
    for (member, mark) in marks {
        let own = own_after(conn, mark.room, member, mark.seq).await?;
        if own > 0 {
            on!(conn, |db| sqlx::query(OWN).bind(own).bind(member.id).execute(&mut *db).await.map(drop))?;
        }
    }
    Ok(())
}

/// Deletes what the marks have passed of the notifications read individually. Most members have none.
async fn clear<'a>(conn: &mut Conn, marks: impl Iterator<Item = &'a Mark> + Clone) -> StoreResult<()> {
    let users: Vec<UserId> = marks.clone().map(|mark| mark.user).collect();
    let having = individually_read::among(conn, &users).await?;
    for mark in marks.filter(|mark| having.contains(&mark.user)) {
        individually_read::clear(conn, mark.user, mark.room, mark.message).await?;
    }
    Ok(())
}
