//! The users' own streams: each has a change number, the row of `user_stream`.
//!
//! Every transaction takes its numbers after all its other locks, for users in ascending order, so that no two of them
//! wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;

use super::{Backend, Conn, StoreResult, dialect::padded, on};
use crate::model::UserId;

/// Maximum number of users in one statement.
const CHUNK: usize = 512;

/// Takes the next number of each user's stream. Call it after everything else that locks.
pub async fn advance(conn: &mut Conn, users: &BTreeSet<UserId>) -> StoreResult<BTreeMap<UserId, i64>> {
    let users: Vec<UserId> = users.iter().copied().collect();
    for chunk in users.chunks(CHUNK) {
        let values = vec!["(?, 1)"; chunk.len()].join(", ");
        let conflict = match conn.backend() {
            Backend::Sqlite => "ON CONFLICT (user_id) DO UPDATE SET rev = rev + 1",
            Backend::MySql => "ON DUPLICATE KEY UPDATE rev = rev + 1",
        };
        let sql = format!("INSERT INTO user_stream (user_id, rev) VALUES {values} {conflict}");
        on!(conn, |db| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for user in chunk {
                query = query.bind(user.0);
            }
            query.execute(&mut *db).await.map(drop)
        })?;
    }
    Ok(revs(conn, &users).await?.into_iter().collect())
}

/// The numbers of these users' streams, without those that are still at 0.
pub async fn revs(conn: &mut Conn, users: &[UserId]) -> StoreResult<Vec<(UserId, i64)>> {
    let mut found = Vec::with_capacity(users.len());
    for chunk in users.chunks(CHUNK) {
        let Some(&last) = chunk.last() else { continue };
        let marks = vec!["?"; padded(chunk.len())].join(", ");
        let sql = format!("SELECT user_id, rev FROM user_stream WHERE user_id IN ({marks})");
        let filler = std::iter::repeat_n(last, padded(chunk.len()) - chunk.len());
        let rows: Vec<(i64, i64)> = on!(conn, |db| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for user in chunk.iter().copied().chain(filler) {
                query = query.bind(user.0);
            }
            query.fetch_all(&mut *db).await
        })?;
        found.extend(rows.into_iter().map(|(user, rev)| (UserId(user), rev)));
    }
    Ok(found)
}

/// The number of the user's stream.
pub async fn rev(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    Ok(revs(conn, &[user]).await?.pop().map_or(0, |(_, rev)| rev))
}
