//! Refresh tokens that are dead before they expire: rows of `token_blacklist`.

use super::{Conn, StoreResult, on};
use crate::model::Timestamp;

/// Kills the token with this id; false when it was dead already. The row is kept
/// until `expires_at`, when the token is worth nothing anyway.
pub async fn kill(conn: &mut Conn, jti: &str, expires_at: Timestamp) -> StoreResult<bool> {
    let sql =
        format!("{} INTO token_blacklist (jti, expires_at) VALUES (?, ?)", conn.backend().insert_ignore());
    let killed = on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(jti)
        .bind(expires_at.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected() > 0))?;
    Ok(killed)
}

/// Is the token with this id dead?
pub async fn is_dead(conn: &mut Conn, jti: &str) -> StoreResult<bool> {
    const SQL: &str = "SELECT expires_at FROM token_blacklist WHERE jti = ?";
    let row: Option<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(jti).fetch_optional(&mut *link).await)?;
    Ok(row.is_some())
}

/// Removes what has expired; how many there were.
pub async fn prune(conn: &mut Conn, now: Timestamp) -> StoreResult<u64> {
    const SQL: &str = "DELETE FROM token_blacklist WHERE expires_at <= ?";
    let done = on!(conn, |link| sqlx::query(SQL)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done)
}
