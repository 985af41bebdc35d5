//! Batches on SQLite: one call of the driver before the rules are applied and one after. Each call costs two thread
//! switches, which is most of the cost of a small batch.
//!
//! Lists of keys are passed as one JSON text, so one prepared statement serves batches of every size.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, Row as _};

use super::{Counters, Growth, LoadedBatch, MemberKey, MemberStateRow, NewMessage, OwnGrowth};
use crate::{
    model::{MessageId, RoomId, Timestamp},
    store::{
        Conn, Inner, StoreError, StoreResult,
        dialect::padded,
        json_rows,
        rooms::{RoomState, RoomStateRow},
        sqlite::{Pool, PooledConn},
    },
};

/// Maximum number of rows of one INSERT; more make the statement longer, not faster (SQLite allows 32,766
/// placeholders).
const ROWS: usize = 64;
/// Number of columns of [`INSERT`].
const COLUMNS: usize = 15;
const MARKS: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT: &str = "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, sender_seq, message_type, \
    content, file_url, file_name, file_size, reply_to, client_id, created_at, updated_at) SELECT * FROM ";
/// Updates the counters. Placeholders: the time, the rooms with their growth, the memberships with theirs.
const COUNT: &str = "; UPDATE chat_room SET seq = seq + (j.value ->> 1), rev = rev + (j.value ->> 2), active_at = MAX(active_at, ?) \
    FROM json_each(?) j WHERE chat_room.id = j.value ->> 0; \
    UPDATE chat_room_member SET own_after_read = own_after_read + (j.value ->> 1), sent = sent + (j.value ->> 1), \
    sent_upto = j.value ->> 2 FROM json_each(?) j WHERE chat_room_member.id = j.value ->> 0";

/// Begins the transaction, and reads the rooms and the memberships.
static BEGIN: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "BEGIN IMMEDIATE; SELECT \
         (SELECT {} FROM chat_room r WHERE r.id IN (SELECT j.value FROM json_each(?) j)), \
         (SELECT {} FROM json_each(?) j CROSS JOIN chat_room_member m \
          ON m.room_id = j.value ->> 0 AND m.user_id = j.value ->> 1)",
        json_rows::json_columns::<RoomStateRow>("r"),
        json_rows::json_columns::<MemberStateRow>("m")
    )
    .into()
});

/// What happens to the transaction after the INSERT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    KeepOpen,
    Commit,
}

/// Implements [`super::begin`].
pub(super) async fn begin(write: &Pool, rooms: &[RoomId], pairs: &[MemberKey]) -> StoreResult<LoadedBatch> {
    let rooms: Vec<i64> = rooms.iter().map(|room| room.0).collect();
    let pairs: Vec<(i64, i64)> = pairs.iter().map(|(room, user)| (room.0, user.0)).collect();
    let mut pooled = write.acquire_to_begin().await?;
    let found = sqlx::query(AssertSqlSafe(Arc::clone(&BEGIN))).bind(json(&rooms)?).bind(json(&pairs)?);
    let found = found.fetch_one(pooled.connection()).await?;
    let rooms: Vec<RoomStateRow> = json_rows::parse(found.try_get(0)?)?;
    let members: Vec<MemberStateRow> = json_rows::parse(found.try_get(1)?)?;
    let rooms = rooms.into_iter().map(RoomState::from).map(|state| (state.id, state));
    Ok(LoadedBatch {
        tx: Conn(Inner::Sqlite(pooled)),
        rooms: rooms.collect(),
        members: members.into_iter().map(MemberStateRow::into_entry).collect(),
    })
}

/// Implements [`super::store`] and [`super::store_and_commit`].
pub(super) async fn store(
    pooled: &mut PooledConn,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
    after: After,
) -> StoreResult<Vec<MessageId>> {
    let mut ids = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(ROWS) {
        let is_last = ids.len() + chunk.len() == rows.len();
        // Padded to powers of two, so that a few prepared statements serve chunks of every size. Padding rows have
        // NULL as their room and are filtered out.
        let size = padded(chunk.len());
        let mut sql =
            format!("{INSERT}(VALUES {}) WHERE column1 IS NOT NULL", [MARKS; ROWS][..size].join(", "));
        if is_last {
            sql.push_str(COUNT);
        }
        if is_last && after == After::Commit {
            sql.push_str("; COMMIT");
        }
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in chunk {
            query = query.bind(row.room.0).bind(row.seq).bind(row.rev).bind(row.rev).bind(row.sender.0);
            query = query.bind(row.sender_seq).bind(row.message_type.as_str()).bind(row.content);
            query = query.bind(row.file_url).bind(row.file_name).bind(row.file_size);
            query = query.bind(row.reply_to.map(|id| id.0)).bind(row.client_id);
            query = query.bind(row.created_at.0).bind(row.created_at.0);
        }
        for _ in 0..(size - chunk.len()) * COLUMNS {
            query = query.bind(None::<i64>);
        }
        if is_last {
            query = query.bind(now.0).bind(growth(counters)?).bind(own(counters)?);
        }
        let done = query.execute(pooled.connection()).await;
        let done = match after {
            After::Commit if is_last => done.map_err(StoreError::of_commit)?,
            After::Commit | After::KeepOpen => done?,
        };
        // There is one writer, so the ids of one INSERT are consecutive.
        let last = done.last_insert_rowid();
        let count = i64::try_from(chunk.len()).unwrap_or_default();
        ids.extend((last - count + 1..=last).map(MessageId));
    }
    match after {
        After::Commit if rows.is_empty() => pooled.commit().await.map_err(StoreError::of_commit)?,
        After::Commit => pooled.has_committed(),
        After::KeepOpen => {}
    }
    Ok(ids)
}

fn growth(counters: &Counters) -> StoreResult<String> {
    let each = |(by, rooms): (&Growth, &Vec<RoomId>)| -> Vec<_> {
        rooms.iter().map(|room| (room.0, by.seq, by.rev)).collect()
    };
    json(&counters.rooms.iter().flat_map(each).collect::<Vec<_>>())
}

fn own(counters: &Counters) -> StoreResult<String> {
    let each = |(by, members): (&OwnGrowth, &Vec<i64>)| -> Vec<_> {
        members.iter().map(|member| (*member, by.messages, by.upto)).collect()
    };
    json(&counters.own.iter().flat_map(each).collect::<Vec<_>>())
}

fn json(list: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(list).map_err(|_| StoreError::Corrupt("a list that is no JSON"))
}
