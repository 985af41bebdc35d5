//! Sessions of the web UI: rows of `session`. Their content is opaque here.

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult, on,
    users::{Account, AccountRow},
};
use crate::{
    credential::SessionId,
    model::{Timestamp, UserId},
};

/// A stored session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id: the hash of the secret in the cookie.
    pub id: SessionId,
    /// Opaque JSON.
    pub data: String,
    /// The signed-in user.
    pub user: Option<UserId>,
    /// When it expires.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct HolderRow {
    #[sqlx(flatten)]
    account: AccountRow,
    good_until: Option<i64>,
}

#[derive(FromRow)]
struct SessionRow {
    id: String,
    data: String,
    user_id: Option<i64>,
    expires_at: i64,
}

impl From<SessionRow> for SessionRecord {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId::stored(&row.id),
            data: row.data,
            user: row.user_id.map(UserId),
            expires_at: Timestamp(row.expires_at),
        }
    }
}

/// Stores a new session; false if its id exists.
pub async fn insert(conn: &mut Conn, session: &SessionRecord) -> StoreResult<bool> {
    const SQL: &str = "INSERT INTO session (id, data, user_id, expires_at) VALUES (?, ?, ?, ?)";
    let done = on!(conn, |db| sqlx::query(SQL)
        .bind(session.id.as_str())
        .bind(&session.data)
        .bind(session.user.map(|user| user.0))
        .bind(session.expires_at.0)
        .execute(&mut *db)
        .await
        .map(drop));
    match done.map_err(super::StoreError::from) {
        Err(error) if error.is_duplicate() => Ok(false),
        done => done.map(|()| true),
    }
}

/// Updates a session unless it was deleted: a concurrent request must not undo a sign-out.
pub async fn update(conn: &mut Conn, session: &SessionRecord) -> StoreResult<()> {
    const SQL: &str = "UPDATE session SET data = ?, user_id = ?, expires_at = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL)
        .bind(&session.data)
        .bind(session.user.map(|user| user.0))
        .bind(session.expires_at.0)
        .bind(session.id.as_str())
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// The session with this id unless it has expired.
pub async fn find(conn: &mut Conn, id: &SessionId, now: Timestamp) -> StoreResult<Option<SessionRecord>> {
    const SQL: &str = "SELECT id, data, user_id, expires_at FROM session WHERE id = ? AND expires_at > ?";
    let row: Option<SessionRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(id.as_str()).bind(now.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(SessionRecord::from))
}

/// The account of `user`, and when their session with this id expires: `None` if it has ended.
pub async fn account(
    conn: &mut Conn,
    id: &SessionId,
    user: UserId,
    now: Timestamp,
) -> StoreResult<Option<(Account, Option<Timestamp>)>> {
    const SQL: &str = "SELECT u.id, u.username, u.first_name, u.last_name, u.is_active, u.tokens_from, \
        s.expires_at AS good_until FROM user u \
        LEFT JOIN session s ON s.id = ? AND s.user_id = u.id AND s.expires_at > ? WHERE u.id = ?";
    let row: Option<HolderRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(id.as_str())
        .bind(now.0)
        .bind(user.0)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(row.map(|row| (row.account.into(), row.good_until.map(Timestamp))))
}

/// Deletes a session and returns its user; `None` if there was none, or nobody was signed in.
pub async fn delete(conn: &mut Conn, id: &SessionId) -> StoreResult<Option<UserId>> {
    const DELETE: &str = "DELETE FROM session WHERE id = ?";
    let find = format!("SELECT user_id FROM session WHERE id = ?{}", conn.backend().for_update());
    let found: Option<(Option<i64>,)> = on!(conn, |db| {
        let found = sqlx::query_as(AssertSqlSafe(find)).bind(id.as_str()).fetch_optional(&mut *db).await?;
        sqlx::query(DELETE).bind(id.as_str()).execute(&mut *db).await.map(|_| found)
    })?;
    Ok(found.and_then(|(user,)| user).map(UserId))
}

/// The sessions of `user` that have not expired.
pub async fn list_of(conn: &mut Conn, user: UserId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
    const SQL: &str = "SELECT id, data, user_id, expires_at FROM session \
        WHERE user_id = ? AND expires_at > ? ORDER BY expires_at DESC, id";
    let rows: Vec<SessionRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(now.0).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(SessionRecord::from).collect())
}

/// Deletes all sessions of `user` except the one with the id `keep`.
pub async fn delete_of(conn: &mut Conn, user: UserId, keep: Option<&SessionId>) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM session WHERE user_id = ? AND id <> ?";
    // No session has an empty id.
    let keep = keep.map_or("", SessionId::as_str);
    on!(conn, |db| sqlx::query(SQL).bind(user.0).bind(keep).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Deletes expired sessions and returns their number.
pub async fn prune(conn: &mut Conn, now: Timestamp) -> StoreResult<u64> {
    const SQL: &str = "DELETE FROM session WHERE expires_at <= ?";
    let done = on!(conn, |db| sqlx::query(SQL)
        .bind(now.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done)
}
