//! Edits and deletions in the writer's transaction: read the messages under their rooms' locks, store their new
//! state, update the rooms' `rev`.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::{RoomMessageRow, StoredMessage, messages};
use crate::{
    model::{Message, MessageId, RoomId},
    store::{Conn, StoreResult, dialect::padded, on, rooms::RoomState},
};

/// The messages with these ids that are in these rooms.
pub(crate) async fn by_ids(
    conn: &mut Conn,
    ids: &[MessageId],
    rooms: &HashMap<RoomId, RoomState>,
) -> StoreResult<HashMap<MessageId, StoredMessage>> {
    let Some(&last) = ids.last() else { return Ok(HashMap::new()) };
    let marks = vec!["?"; padded(ids.len())].join(", ");
    let select = messages!("WHERE m.id IN ").replacen("SELECT ", "SELECT m.room_id, ", 1);
    let sql = format!("{select}({marks})");
    let filler = std::iter::repeat_n(last, padded(ids.len()) - ids.len());
    let rows: Vec<RoomMessageRow> = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for id in ids.iter().copied().chain(filler) {
            query = query.bind(id.0);
        }
        query.fetch_all(&mut *db).await
    })?;
    let found = rows.into_iter().filter_map(|row| {
        let state = rooms.get(&RoomId(row.room_id)).filter(|state| row.message.seq > state.floor())?;
        Some((MessageId(row.message.id), row.message.into_stored(state.to_ref())))
    });
    Ok(found.collect())
}

/// Stores the message with its new change number.
pub async fn update(conn: &mut Conn, message: &StoredMessage) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_message SET rev = ?, content = ?, file_url = ?, file_name = ?, file_size = ?, \
        is_edited = ?, is_deleted = ?, updated_at = ? WHERE id = ?";
    let StoredMessage { seq, message, .. } = message;
    on!(conn, |db| sqlx::query(SQL)
        .bind(message.rev)
        .bind(&message.content)
        .bind(message.file_url.as_deref())
        .bind(message.file_name.as_deref())
        .bind(message.file_size)
        .bind(message.is_edited)
        .bind(message.is_deleted)
        .bind(message.updated_at.0)
        .bind(message.id.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    let change = format!(
        "INSERT INTO chat_message_change (room_id, rev, seq) VALUES (?, ?, ?){}",
        conn.backend().on_conflict_set("room_id, seq", &["rev"])
    );
    on!(conn, |db| sqlx::query(AssertSqlSafe(change))
        .bind(message.room.id.0)
        .bind(message.rev)
        .bind(seq)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Whether an [`update`] of this message was committed.
pub async fn is_stored(conn: &mut Conn, message: &Message) -> StoreResult<bool> {
    const SQL: &str = "SELECT id FROM chat_message WHERE id = ? AND rev = ? AND updated_at = ?";
    let row: Option<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(message.id.0)
        .bind(message.rev)
        .bind(message.updated_at.0)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(row.is_some())
}

/// Sets the `rev` of a room. The caller holds its lock. Unlike a new message this does not move the room up in room
/// lists.
pub async fn move_rev(conn: &mut Conn, room: RoomId, rev: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room SET rev = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(rev).bind(room.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}
