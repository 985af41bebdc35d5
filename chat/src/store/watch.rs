//! What each node polls to notice changes of other processes: the counters of rooms. Ended credentials are polled in
//! [`credentials`](super::credentials), users in [`streams`](super::streams).

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{Conn, StoreResult, dialect::padded, on};
use crate::model::RoomId;

/// The row of the whole system.
#[derive(Clone, Debug, FromRow)]
pub struct System {
    /// A random name, unique among the systems that share a Redis.
    pub name: String,
    /// The number of the newest ended credential.
    pub credential_rev: i64,
    /// A fixed text signed with the secret key of the last server that set it.
    pub key_check: Option<String>,
}

/// Reads the system's row.
pub async fn system(conn: &mut Conn) -> StoreResult<System> {
    const SQL: &str = "SELECT name, credential_rev, key_check FROM chat_system WHERE id = 1";
    Ok(on!(conn, |db| sqlx::query_as(SQL).fetch_one(&mut *db).await)?)
}

/// Reads the system's row and locks it until the commit.
pub async fn lock_system(conn: &mut Conn) -> StoreResult<System> {
    let sql = format!(
        "SELECT name, credential_rev, key_check FROM chat_system WHERE id = 1{}",
        conn.backend().for_update()
    );
    Ok(on!(conn, |db| sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *db).await)?)
}

/// Stores the key check.
pub async fn set_key_check(conn: &mut Conn, check: &str) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_system SET key_check = ? WHERE id = 1";
    on!(conn, |db| sqlx::query(SQL).bind(check).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Takes the next number of changes of names.
pub(super) async fn count_renaming(conn: &mut Conn) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_system SET names_rev = names_rev + 1 WHERE id = 1";
    on!(conn, |db| sqlx::query(SQL).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// The counters of a room.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct RoomPositionRow {
    id: i64,
    /// Its change number.
    pub rev: i64,
    /// The `seq` of its newest message.
    pub seq: i64,
    /// The number of the latest change of the room itself.
    pub info_rev: i64,
}

impl RoomPositionRow {
    /// The room.
    pub fn room(&self) -> RoomId {
        RoomId(self.id)
    }
}

/// The counters of these rooms in one query, without rooms that do not exist.
pub async fn positions(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<Vec<RoomPositionRow>> {
    let Some(&last) = rooms.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(rooms.len())].join(", ");
    let sql = format!("SELECT id, rev, seq, info_rev FROM chat_room WHERE id IN ({marks})");
    let filler = std::iter::repeat_n(last, padded(rooms.len()) - rooms.len());
    Ok(on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for room in rooms.iter().copied().chain(filler) {
            query = query.bind(room.0);
        }
        query.fetch_all(&mut *db).await
    })?)
}
