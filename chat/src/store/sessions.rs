//! Sessions of the bundled UI: rows of `session`. What is in one is the door's business.

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

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id; the secret of which it is the hash is in the cookie alone.
    pub id: SessionId,
    /// JSON, opaque here.
    pub data: String,
    /// Who is signed in with it.
    pub user: Option<UserId>,
    /// From then on it counts as gone.
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

/// Stores a new session; false when its id is taken.
pub async fn insert(conn: &mut Conn, session: &SessionRecord) -> StoreResult<bool> {
    const SQL: &str = "INSERT INTO session (id, data, user_id, expires_at) VALUES (?, ?, ?, ?)";
    let done = on!(conn, |link| sqlx::query(SQL)
        .bind(session.id.as_str())
        .bind(&session.data)
        .bind(session.user.map(|user| user.0))
        .bind(session.expires_at.0)
        .execute(&mut *link)
        .await
        .map(drop));
    match done.map_err(super::StoreError::from) {
        Err(error) if error.is_duplicate() => Ok(false),
        done => done.map(|()| true),
    }
}

/// Changes a session that is there. One that was deleted meanwhile stays deleted:
/// a sign-out is not undone by a request that was still under way.
pub async fn update(conn: &mut Conn, session: &SessionRecord) -> StoreResult<()> {
    const SQL: &str = "UPDATE session SET data = ?, user_id = ?, expires_at = ? WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL)
        .bind(&session.data)
        .bind(session.user.map(|user| user.0))
        .bind(session.expires_at.0)
        .bind(session.id.as_str())
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// The session with this id, if it has not expired.
pub async fn find(conn: &mut Conn, id: &SessionId, now: Timestamp) -> StoreResult<Option<SessionRecord>> {
    const SQL: &str = "SELECT id, data, user_id, expires_at FROM session WHERE id = ? AND expires_at > ?";
    let row: Option<SessionRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(id.as_str()).bind(now.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(SessionRecord::from))
}

/// The account of `user`, and until when their session with this id is good: `None` where it has ended.
pub async fn account(
    conn: &mut Conn,
    id: &SessionId,
    user: UserId,
    now: Timestamp,
) -> StoreResult<Option<(Account, Option<Timestamp>)>> {
    const SQL: &str = "SELECT u.id, u.username, u.first_name, u.last_name, u.is_active, u.tokens_from, \
        s.expires_at AS good_until FROM user u \
        LEFT JOIN session s ON s.id = ? AND s.user_id = u.id AND s.expires_at > ? WHERE u.id = ?";
    let row: Option<HolderRow> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(id.as_str())
        .bind(now.0)
        .bind(user.0)
        .fetch_optional(&mut *link)
        .await)?;
    Ok(row.map(|row| (row.account.into(), row.good_until.map(Timestamp))))
}

/// Ends a session. Whose it was: `None` where there is none, or nobody was signed in with it.
pub async fn delete(conn: &mut Conn, id: &SessionId) -> StoreResult<Option<UserId>> {
    const DELETE: &str = "DELETE FROM session WHERE id = ?";
    let find = format!("SELECT user_id FROM session WHERE id = ?{}", conn.backend().for_update());
    let found: Option<(Option<i64>,)> = on!(conn, |link| {
        let found = sqlx::query_as(AssertSqlSafe(find)).bind(id.as_str()).fetch_optional(&mut *link).await?;
        sqlx::query(DELETE).bind(id.as_str()).execute(&mut *link).await.map(|_| found)
    })?;
    Ok(found.and_then(|(user,)| user).map(UserId))
}

/// The sessions of `user` that have not expired.
pub async fn list_of(conn: &mut Conn, user: UserId, now: Timestamp) -> StoreResult<Vec<SessionRecord>> {
    const SQL: &str = "SELECT id, data, user_id, expires_at FROM session \
        WHERE user_id = ? AND expires_at > ? ORDER BY expires_at DESC, id";
    let rows: Vec<SessionRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).bind(now.0).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(SessionRecord::from).collect())
}

/// Ends every session of `user` but the one with the id `keep`.
pub async fn delete_of(conn: &mut Conn, user: UserId, keep: Option<&SessionId>) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM session WHERE user_id = ? AND id <> ?";
    // No session has an empty id.
    let keep = keep.map_or("", SessionId::as_str);
    on!(conn, |link| sqlx::query(SQL).bind(user.0).bind(keep).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Removes what has expired; how many there were.
pub async fn prune(conn: &mut Conn, now: Timestamp) -> StoreResult<u64> {
    const SQL: &str = "DELETE FROM session WHERE expires_at <= ?";
    let done = on!(conn, |link| sqlx::query(SQL)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(done)
}
