//! Refresh tokens: those that were given out (`refresh_token`), and those that are dead before they expire
//! (`token_blacklist`), which may be of another issuer.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, on};
use crate::{
    credential::SignInId,
    model::{Timestamp, UserId},
};

/// A refresh token that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its own id.
    pub jti: String,
    /// The sign-in that it belongs to.
    pub sign_in: SignInId,
    /// Whose it is.
    pub user: UserId,
    /// What the client called itself.
    pub agent: String,
    /// When it was given out.
    pub created_at: Timestamp,
    /// From then on it is worth nothing.
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

/// Notes that a token was given out.
pub async fn note(conn: &mut Conn, token: &IssuedToken) -> StoreResult<()> {
    const SQL: &str = "INSERT INTO refresh_token (jti, sign_in, user_id, agent, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)";
    on!(conn, |link| sqlx::query(SQL)
        .bind(&token.jti)
        .bind(token.sign_in.as_str())
        .bind(token.user.0)
        .bind(&token.agent)
        .bind(token.created_at.0)
        .bind(token.expires_at.0)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// The tokens of `user` that are good now, the newest first.
pub async fn list_of(conn: &mut Conn, user: UserId, now: Timestamp) -> StoreResult<Vec<IssuedToken>> {
    const SQL: &str = "SELECT t.jti, t.sign_in, t.user_id, t.agent, t.created_at, t.expires_at FROM refresh_token t \
        WHERE t.user_id = ? AND t.expires_at > ? \
        AND NOT EXISTS (SELECT 1 FROM token_blacklist b WHERE b.jti = t.jti) ORDER BY t.created_at DESC, t.jti";
    let rows: Vec<IssuedRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).bind(now.0).fetch_all(&mut *link).await)?;
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

/// Forgets all tokens that were given out to `user`.
pub async fn forget_of(conn: &mut Conn, user: UserId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM refresh_token WHERE user_id = ?";
    on!(conn, |link| sqlx::query(SQL).bind(user.0).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Forgets the tokens of a sign-in that were given out.
pub async fn forget_sign_in(conn: &mut Conn, sign_in: &SignInId) -> StoreResult<()> {
    const SQL: &str = "DELETE FROM refresh_token WHERE sign_in = ?";
    on!(conn, |link| sqlx::query(SQL).bind(sign_in.as_str()).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Takes the token with this id out of use: from `grace_until` on it is worth nothing. False when that was done before,
/// and then nothing changes. The row is kept until `expires_at`, when the token is worth nothing anyway.
pub async fn kill(
    conn: &mut Conn,
    jti: &str,
    expires_at: Timestamp,
    grace_until: Timestamp,
) -> StoreResult<bool> {
    let sql = format!(
        "{} INTO token_blacklist (jti, expires_at, grace_until) VALUES (?, ?, ?)",
        conn.backend().insert_ignore()
    );
    let killed = on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(jti)
        .bind(expires_at.0)
        .bind(grace_until.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected() > 0))?;
    Ok(killed)
}

/// Ends the grace of a token that was rotated away; false when it has none at `now`.
pub async fn end_grace(conn: &mut Conn, jti: &str, now: Timestamp) -> StoreResult<bool> {
    const SQL: &str = "UPDATE token_blacklist SET grace_until = 0 WHERE jti = ? AND grace_until > ?";
    Ok(on!(conn, |link| sqlx::query(SQL)
        .bind(jti)
        .bind(now.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected() > 0))?)
}

/// Is the token with this id, of this sign-in, out of use at `now`?
pub async fn is_dead(conn: &mut Conn, jti: &str, sign_in: &SignInId, now: Timestamp) -> StoreResult<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM token_blacklist b WHERE b.jti = ? AND b.grace_until <= ?) \
        OR EXISTS (SELECT 1 FROM credential_end e WHERE e.kind = 'sign_in' AND e.ref = ?)";
    let (is_dead,): (i64,) = on!(conn, |link| sqlx::query_as(SQL)
        .bind(jti)
        .bind(now.0)
        .bind(sign_in.as_str())
        .fetch_one(&mut *link)
        .await)?;
    Ok(is_dead != 0)
}

/// Removes what has expired; how many there were.
pub async fn prune(conn: &mut Conn, now: Timestamp) -> StoreResult<u64> {
    const BOTH: [&str; 2] = [
        "DELETE FROM token_blacklist WHERE expires_at <= ?",
        "DELETE FROM refresh_token WHERE expires_at <= ?",
    ];
    let mut removed = 0;
    for sql in BOTH {
        removed += on!(conn, |link| sqlx::query(sql)
            .bind(now.0)
            .execute(&mut *link)
            .await
            .map(|done| done.rows_affected()))?;
    }
    Ok(removed)
}
