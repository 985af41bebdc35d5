//! Loads a room together with its newest messages. On SQLite each statement costs two thread switches, several times
//! the cost of the query, so they are one statement.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, Row as _};

use super::{ACCESS, RoomAccess, RoomAccessRow, access};
use crate::{
    model::{RoomId, UserId},
    store::{
        Conn, DriverConn, StoreResult, json_rows,
        messages::{self, StoredMessage},
    },
};

/// Both as one statement of SQLite.
static SELECT: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "SELECT ({}), ({})",
        json_rows::select_json::<RoomAccessRow>(ACCESS),
        json_rows::select_json::<messages::MessageRow>(messages::NEWEST)
    )
    .into()
});

/// As [`access`], with up to `count` of the room's newest messages after skipping `skipped`, oldest first. The caller
/// checks access.
pub async fn access_and_newest(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    skipped: i64,
    count: i64,
) -> StoreResult<Option<(RoomAccess, Vec<StoredMessage>)>> {
    let upto = skipped.saturating_add(count);
    let DriverConn::Sqlite(db) = conn.driver() else {
        let Some(access) = access(conn, room, user).await? else { return Ok(None) };
        let state = &access.room;
        let after = (state.seq - upto).max(state.floor());
        let found = messages::range(conn, &state.to_ref(), after, state.seq - skipped).await?;
        return Ok(Some((access, found)));
    };
    let row = sqlx::query(AssertSqlSafe(Arc::clone(&SELECT))).bind(user.0).bind(room.0);
    let row = row.bind(room.0).bind(upto).bind(room.0).bind(skipped).bind(room.0);
    let row = row.fetch_one(db).await?;
    let loaded: Vec<RoomAccessRow> = json_rows::parse(row.try_get(0)?)?;
    let Some(access) = loaded.into_iter().next().map(RoomAccess::from) else { return Ok(None) };
    let found: Vec<messages::MessageRow> = json_rows::parse(row.try_get(1)?)?;
    let tag = access.room.to_ref();
    Ok(Some((access, found.into_iter().map(|row| row.into_stored(tag.clone())).collect())))
}
