//! Ended credentials: rows of `credential_end`, which every process polls.
//!
//! Each row takes the next number of `chat_system.credential_rev` in the transaction that ends the credential. The
//! counter's row stays locked until the commit, so numbers become visible in order and a reader that asks for those
//! above the last one it has seen misses none.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, on};
use crate::{
    credential::{CredentialEnd, Ended, SessionId, SignInId},
    model::{Timestamp, UserId},
};

const SESSION: &str = "session";
const SIGN_IN: &str = "sign_in";
const PERSON: &str = "person";

/// Maximum number of rows returned by [`above`].
pub const PAGE: usize = 512;

#[derive(FromRow)]
struct CredentialEndRow {
    rev: i64,
    kind: String,
    #[sqlx(rename = "ref")]
    reference: String,
    user_id: i64,
}

impl From<CredentialEndRow> for (i64, CredentialEnd) {
    fn from(row: CredentialEndRow) -> Self {
        let what = match row.kind.as_str() {
            SESSION => Ended::Session(SessionId::stored(&row.reference)),
            SIGN_IN => Ended::SignIn(SignInId::new(&row.reference)),
            // Also a kind that only a newer release knows: re-check all credentials of the user.
            _ => Ended::Person,
        };
        (row.rev, CredentialEnd { user: UserId(row.user_id), what })
    }
}

/// Records an end under the next number. Call it right before the commit: it locks the counter that other ends need.
pub async fn record(conn: &mut Conn, end: &CredentialEnd, at: Timestamp) -> StoreResult<()> {
    const NUMBER: &str = "UPDATE chat_system SET credential_rev = credential_rev + 1 WHERE id = 1";
    const ROW: &str = "INSERT INTO credential_end (rev, kind, ref, user_id, at) \
        SELECT credential_rev, ?, ?, ?, ? FROM chat_system WHERE id = 1";
    let (kind, reference) = match &end.what {
        Ended::Session(id) => (SESSION, id.as_str()),
        Ended::SignIn(id) => (SIGN_IN, id.as_str()),
        Ended::Person => (PERSON, ""),
    };
    on!(conn, |db| {
        sqlx::query(NUMBER).execute(&mut *db).await?;
        sqlx::query(ROW)
            .bind(kind)
            .bind(reference)
            .bind(end.user.0)
            .bind(at.0)
            .execute(&mut *db)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Returns the ends with a number above `known`, each with its number, in ascending order; at most [`PAGE`].
pub async fn above(conn: &mut Conn, known: i64) -> StoreResult<Vec<(i64, CredentialEnd)>> {
    const SQL: &str = "SELECT rev, kind, ref, user_id FROM credential_end WHERE rev > ? ORDER BY rev LIMIT ?";
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let rows: Vec<CredentialEndRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(known).bind(limit).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// All sign-ins that have ended, with the time of each end.
pub async fn ended_sign_ins(conn: &mut Conn) -> StoreResult<Vec<(SignInId, Timestamp)>> {
    const SQL: &str = "SELECT ref, at FROM credential_end WHERE kind = ?";
    let rows: Vec<(String, i64)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(SIGN_IN).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(id, at)| (SignInId::new(&id), Timestamp(at))).collect())
}

/// Deletes the ends before `until` and returns their number.
pub async fn prune(conn: &mut Conn, until: Timestamp) -> StoreResult<u64> {
    const SQL: &str = "DELETE FROM credential_end WHERE at < ?";
    Ok(on!(conn, |db| sqlx::query(SQL)
        .bind(until.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected()))?)
}
