//! What a node looks at to notice what other processes did: how far rooms are, and who has
//! lost the right to listen.
//!
//! Each loss takes the next number of a counter, in the transaction and under the lock of the
//! room's row. So a node that knows a number asks for those above it, and has missed nobody.
//! Ends of credentials are numbered alike: see [`credentials`](super::credentials).

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{Conn, StoreResult, dialect::padded, on};
use crate::model::{RoomId, UserId};

/// The system as a whole.
#[derive(Clone, Debug, FromRow)]
pub struct System {
    /// What tells it from others on the same Redis.
    pub name: String,
    /// The number of the newest end of a credential.
    pub credential_rev: i64,
    /// What the secret key makes of a fixed text, as the last server to set it had it.
    pub key_check: Option<String>,
}

/// The system's row.
pub async fn system(conn: &mut Conn) -> StoreResult<System> {
    const SQL: &str = "SELECT name, credential_rev, key_check FROM chat_system WHERE id = 1";
    Ok(on!(conn, |link| sqlx::query_as(SQL).fetch_one(&mut *link).await)?)
}

/// The system's row, locked until the commit.
pub async fn lock_system(conn: &mut Conn) -> StoreResult<System> {
    let sql = format!(
        "SELECT name, credential_rev, key_check FROM chat_system WHERE id = 1{}",
        conn.backend().for_update()
    );
    Ok(on!(conn, |link| sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *link).await)?)
}

/// Notes what the secret key makes of a fixed text.
pub async fn set_key_check(conn: &mut Conn, check: &str) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_system SET key_check = ? WHERE id = 1";
    on!(conn, |link| sqlx::query(SQL).bind(check).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// How far a room is.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Head {
    id: i64,
    /// Its change number.
    pub rev: i64,
    /// Its newest message's place.
    pub seq: i64,
    /// How many times somebody lost the right to listen.
    pub access_rev: i64,
}

impl Head {
    /// Which room.
    pub fn room(&self) -> RoomId {
        RoomId(self.id)
    }
}

/// How far these rooms are, in one query; those that do not exist are left out.
pub async fn heads(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<Vec<Head>> {
    let Some(&last) = rooms.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(rooms.len())].join(", ");
    let sql = format!("SELECT id, rev, seq, access_rev FROM chat_room WHERE id IN ({marks})");
    let filler = std::iter::repeat_n(last, padded(rooms.len()) - rooms.len());
    Ok(on!(conn, |link| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for room in rooms.iter().copied().chain(filler) {
            query = query.bind(room.0);
        }
        query.fetch_all(&mut *link).await
    })?)
}

/// Those who lost the right to listen to `room` with a number above `known`; they may have
/// got it back.
pub async fn lost(conn: &mut Conn, room: RoomId, known: i64) -> StoreResult<Vec<UserId>> {
    const SQL: &str = "SELECT user_id FROM chat_room_member WHERE room_id = ? AND access_rev > ?";
    let rows: Vec<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.0).bind(known).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
}
