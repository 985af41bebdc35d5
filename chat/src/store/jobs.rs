//! Background jobs: rows of `job`. A node leases a job, works on a part of it and records how far it came, so that
//! another node goes on if this one dies.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, on};
use crate::model::Timestamp;

/// A job leased by this node.
#[derive(Clone, Debug, FromRow)]
pub struct Lease {
    /// How far the job came.
    pub position: i64,
    /// Number of failures in a row.
    pub failures: i64,
}

/// Adds a job that ends, or begins it again, leased until `until` by this caller. To be called in the transaction of
/// the change that the job follows from.
pub async fn add(conn: &mut Conn, name: &str, lease: i64, until: Timestamp) -> StoreResult<()> {
    let sql = format!(
        "INSERT INTO job (name, position, failures, due_at, lease, leased_until) VALUES (?, 0, 0, 0, ?, ?){}",
        conn.backend().on_conflict_set("name", &["position", "failures", "due_at", "lease", "leased_until"])
    );
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(name)
        .bind(lease)
        .bind(until.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// The names of the jobs that are due and not leased; at most `limit`.
pub async fn due(conn: &mut Conn, now: Timestamp, limit: i64) -> StoreResult<Vec<String>> {
    const SQL: &str = "SELECT name FROM job WHERE due_at <= ? AND leased_until <= ? ORDER BY name LIMIT ?";
    let rows: Vec<(String,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(now.0).bind(now.0).bind(limit).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Creates the job, due at `due_at`, if it does not exist.
pub async fn ensure(conn: &mut Conn, name: &str, due_at: Timestamp) -> StoreResult<()> {
    let sql = format!("{} INTO job (name, due_at) VALUES (?, ?)", conn.backend().insert_ignore());
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(name)
        .bind(due_at.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Leases the job until `until` if it is due and no node has leased it. `lease` is a random number that only this
/// caller has.
pub async fn lease(
    conn: &mut Conn,
    name: &str,
    lease: i64,
    now: Timestamp,
    until: Timestamp,
) -> StoreResult<Option<Lease>> {
    const TAKE: &str =
        "UPDATE job SET lease = ?, leased_until = ? WHERE name = ? AND due_at <= ? AND leased_until <= ?";
    const READ: &str = "SELECT position, failures FROM job WHERE name = ? AND lease = ?";
    let taken = on!(conn, |db| sqlx::query(TAKE)
        .bind(lease)
        .bind(until.0)
        .bind(name)
        .bind(now.0)
        .bind(now.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    if taken == 0 {
        return Ok(None);
    }
    Ok(on!(conn, |db| sqlx::query_as(READ).bind(name).bind(lease).fetch_optional(&mut *db).await)?)
}

/// How a part of a job ended.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// How far the job came.
    pub position: i64,
    /// Number of failures in a row.
    pub failures: i64,
    /// When the next part is due.
    pub due_at: Timestamp,
}

/// Records the progress and ends the lease. False if the lease has expired and another node has taken the job.
pub async fn release(conn: &mut Conn, name: &str, lease: i64, progress: Progress) -> StoreResult<bool> {
    const SQL: &str = "UPDATE job SET position = ?, failures = ?, due_at = ?, leased_until = 0, lease = 0 \
        WHERE name = ? AND lease = ?";
    let released = on!(conn, |db| sqlx::query(SQL)
        .bind(progress.position)
        .bind(progress.failures)
        .bind(progress.due_at.0)
        .bind(name)
        .bind(lease)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(released > 0)
}

/// Records how far the job came and keeps the lease, until `until`. False if another node has taken the job.
pub async fn hold(
    conn: &mut Conn,
    name: &str,
    lease: i64,
    position: i64,
    until: Timestamp,
) -> StoreResult<bool> {
    const SQL: &str =
        "UPDATE job SET position = ?, failures = 0, leased_until = ? WHERE name = ? AND lease = ?";
    let held = on!(conn, |db| sqlx::query(SQL)
        .bind(position)
        .bind(until.0)
        .bind(name)
        .bind(lease)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(held > 0)
}

/// Removes a job that has ended. False if another node has taken it, or if it was added again.
pub async fn remove(conn: &mut Conn, name: &str, lease: i64) -> StoreResult<bool> {
    const SQL: &str = "DELETE FROM job WHERE name = ? AND lease = ?";
    let removed = on!(conn, |db| sqlx::query(SQL)
        .bind(name)
        .bind(lease)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(removed > 0)
}
