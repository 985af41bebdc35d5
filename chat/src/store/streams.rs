//! The users' own streams: each has a change number, the row of `user_stream`.
//!
//! Every transaction takes its numbers after all its other locks, for users in ascending order, so that no two of them
//! wait for each other.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::{Backend, Conn, StoreError, StoreResult, dialect::padded, on};
use crate::model::UserId;

/// Maximum number of users in one statement.
const CHUNK: usize = 512;

/// Takes the next number of a user's stream for each of these changes, given by whom each concerns. Returns the numbers in
/// the same order; those of one user rise. Call it after everything else that locks.
pub async fn advance(conn: &mut Conn, changes: &[UserId]) -> StoreResult<Vec<i64>> {
    let mut counts = BTreeMap::<UserId, i64>::new();
    for user in changes {
        *counts.entry(*user).or_default() += 1;
    }
    let users: Vec<UserId> = counts.keys().copied().collect();
    for chunk in users.chunks(CHUNK) {
        let values = vec!["(?, ?)"; chunk.len()].join(", ");
        let conflict = match conn.backend() {
            Backend::Sqlite => "ON CONFLICT (user_id) DO UPDATE SET rev = rev + excluded.rev",
            Backend::MySql => "ON DUPLICATE KEY UPDATE rev = rev + VALUES(rev)",
        };
        let sql = format!("INSERT INTO user_stream (user_id, rev) VALUES {values} {conflict}");
        on!(conn, |db| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for user in chunk {
                query = query.bind(user.0).bind(counts[user]);
            }
            query.execute(&mut *db).await.map(drop)
        })?;
    }
    // The number before the next one of each user.
    let mut taken: BTreeMap<UserId, i64> =
        revs(conn, &users).await?.into_iter().map(|(user, rev)| (user, rev - counts[&user])).collect();
    let next = |user| {
        let rev = taken.get_mut(user).ok_or(StoreError::Corrupt("a user's stream has no number"))?;
        *rev += 1;
        Ok(*rev)
    };
    changes.iter().map(next).collect()
}

/// Takes the next number of the user's stream, like [`advance`].
pub async fn advance_one(conn: &mut Conn, user: UserId) -> StoreResult<i64> {
    Ok(advance(conn, &[user]).await?.into_iter().sum())
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
