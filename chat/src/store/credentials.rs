//! Ends of credentials: rows of `credential_end`, by which every process learns what has ended.
//!
//! Each takes the next number of `chat_system.credential_rev` in the transaction that ends the credential. The row's
//! lock is held until the commit, so numbers become visible in their order: whoever knows a number asks for those
//! above it and misses nothing.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, on};
use crate::{
    credential::{CredentialEnd, Ended, SessionId, SignInId},
    model::{Timestamp, UserId},
};

const SESSION: &str = "session";
const SIGN_IN: &str = "sign_in";
const PERSON: &str = "person";

/// Ends read at once.
pub const PAGE: usize = 512;

#[derive(FromRow)]
struct EndRow {
    rev: i64,
    kind: String,
    #[sqlx(rename = "ref")]
    reference: String,
    user_id: i64,
}

impl From<EndRow> for (i64, CredentialEnd) {
    fn from(row: EndRow) -> Self {
        let what = match row.kind.as_str() {
            SESSION => Ended::Session(SessionId::stored(&row.reference)),
            SIGN_IN => Ended::SignIn(SignInId::new(&row.reference)),
            // Also what a newer release calls otherwise: whatever it is, the database says what is left.
            _ => Ended::Person,
        };
        (row.rev, CredentialEnd { user: UserId(row.user_id), what })
    }
}

/// Records an end with the next number. To be called last before the commit, which others who end something wait for.
pub async fn record(conn: &mut Conn, end: &CredentialEnd, at: Timestamp) -> StoreResult<()> {
    const NUMBER: &str = "UPDATE chat_system SET credential_rev = credential_rev + 1 WHERE id = 1";
    const ROW: &str = "INSERT INTO credential_end (rev, kind, ref, user_id, at) \
        SELECT credential_rev, ?, ?, ?, ? FROM chat_system WHERE id = 1";
    let (kind, reference) = match &end.what {
        Ended::Session(id) => (SESSION, id.as_str()),
        Ended::SignIn(id) => (SIGN_IN, id.as_str()),
        Ended::Person => (PERSON, ""),
    };
    on!(conn, |link| {
        sqlx::query(NUMBER).execute(&mut *link).await?;
        sqlx::query(ROW)
            .bind(kind)
            .bind(reference)
            .bind(end.user.0)
            .bind(at.0)
            .execute(&mut *link)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// The ends with a number above `known`, rising, each with its number; at most [`PAGE`] of them.
pub async fn above(conn: &mut Conn, known: i64) -> StoreResult<Vec<(i64, CredentialEnd)>> {
    const SQL: &str = "SELECT rev, kind, ref, user_id FROM credential_end WHERE rev > ? ORDER BY rev LIMIT ?";
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let rows: Vec<EndRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(known).bind(limit).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// All sign-ins that have ended, each with the time of its end.
pub async fn ended_sign_ins(conn: &mut Conn) -> StoreResult<Vec<(SignInId, Timestamp)>> {
    const SQL: &str = "SELECT ref, at FROM credential_end WHERE kind = ?";
    let rows: Vec<(String, i64)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(SIGN_IN).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(|(id, at)| (SignInId::new(&id), Timestamp(at))).collect())
}

/// Removes the ends of before `until`; how many there were.
pub async fn prune(conn: &mut Conn, until: Timestamp) -> StoreResult<u64> {
    const SQL: &str = "DELETE FROM credential_end WHERE at < ?";
    Ok(on!(conn, |link| sqlx::query(SQL)
        .bind(until.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected()))?)
}
