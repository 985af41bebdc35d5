//! Refresh tokens: issued ones (`refresh_token`), and ones revoked before they expire (`token_blacklist`), possibly
//! of another issuer.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, on};
use crate::{
    credential::SignInId,
    model::{Timestamp, UserId},
};

/// An issued refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its id.
    pub jti: String,
    /// The sign-in it belongs to.
    pub sign_in: SignInId,
    /// The user.
    pub user: UserId,
    /// The client's user agent.
    pub agent: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct IssuedRow {
    jti: String,
    sign_in: String,
    user_id: i64,
    agent: String,
    created_at: i64,
    expires_at: i64,
}

/// Stores an issued token.
pub async fn insert(conn: &mut Conn, token: &IssuedToken) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO refresh_token (jti, sign_in, user_id, agent, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)";
    on!(conn, |db| sqlx::query(SQL)
        .bind(&token.jti)
        .bind(token.sign_in.as_str())
        .bind(token.user.0)
        .bind(&token.agent)
        .bind(token.created_at.0)
        .bind(token.expires_at.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// The valid tokens of `user`, newest first.
pub async fn list_of(conn: &mut Conn, user: UserId, now: Timestamp) -> StoreResult<Vec<IssuedToken>> {
    const SQL: &str = "SELECT t.jti, t.sign_in, t.user_id, t.agent, t.created_at, t.expires_at FROM refresh_token t \
        WHERE t.user_id = ? AND t.expires_at > ? \
        AND NOT EXISTS (SELECT 1 FROM token_blacklist b WHERE b.jti = t.jti) ORDER BY t.created_at DESC, t.jti";
    let rows: Vec<IssuedRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(now.0).fetch_all(&mut *db).await)?;
    let issued = rows.into_iter().map(|row| IssuedToken {
        jti: row.jti,
        sign_in: SignInId::new(&row.sign_in),
        user: UserId(row.user_id),
        agent: row.agent,
        created_at: Timestamp(row.created_at),
        expires_at: Timestamp(row.expires_at),
    });
    Ok(issued.collect())
}

/// Deletes all issued tokens of `user`.
pub async fn delete_of(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM refresh_token WHERE user_id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Deletes the issued tokens of a sign-in.
pub async fn delete_of_sign_in(conn: &mut Conn, sign_in: &SignInId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM refresh_token WHERE sign_in = ?";
    on!(conn, |db| sqlx::query(SQL).bind(sign_in.as_str()).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Blacklists a token: it is invalid from `grace_until` on. Returns false, and changes nothing, if it is already
/// blacklisted. The row is kept until `expires_at`, when the token is invalid anyway.
pub async fn blacklist(
    conn: &mut Conn,
    jti: &str,
    expires_at: Timestamp,
    grace_until: Timestamp,
) -> StoreResult<bool> {
    let sql = format!(
        "{} INTO token_blacklist (jti, expires_at, grace_until) VALUES (?, ?, ?)",
        conn.backend().insert_ignore()
    );
    let added = on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(jti)
        .bind(expires_at.0)
        .bind(grace_until.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected() > 0))?;
    Ok(added)
}

/// Ends the grace period of a rotated token; false if it has none at `now`.
pub async fn end_grace(conn: &mut Conn, jti: &str, now: Timestamp) -> StoreResult<bool> {
    const SQL: &str = "UPDATE token_blacklist SET grace_until = 0 WHERE jti = ? AND grace_until > ?";
    Ok(on!(conn, |db| sqlx::query(SQL)
        .bind(jti)
        .bind(now.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected() > 0))?)
}

/// Whether the token is invalid at `now`: blacklisted, or its sign-in has ended.
pub async fn is_revoked(conn: &mut Conn, jti: &str, sign_in: &SignInId, now: Timestamp) -> StoreResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM token_blacklist b WHERE b.jti = ? AND b.grace_until <= ?) \
        OR EXISTS (SELECT 1 FROM credential_end e WHERE e.kind = 'sign_in' AND e.ref = ?)";
    let (is_revoked,): (i64,) = on!(conn, |db| sqlx::query_as(SQL)
        .bind(jti)
        .bind(now.0)
        .bind(sign_in.as_str())
        .fetch_one(&mut *db)
        .await)?;
    Ok(is_revoked != 0)
}

/// Deletes expired rows and returns their number.
pub async fn prune(conn: &mut Conn, now: Timestamp) -> StoreResult<u64> {
    const BOTH: [&str; 2] = [
        "DELETE FROM token_blacklist WHERE expires_at <= ?",
        "DELETE FROM refresh_token WHERE expires_at <= ?",
    ];
    let mut removed = 0;
    for sql in BOTH {
        removed += on!(conn, |db| sqlx::query(sql)
            .bind(now.0)
            .execute(&mut *db)
            .await
            .map(|done| done.rows_affected()))?;
    }
    Ok(removed)
}
