//! Groups of users, and who is in them.

use super::{Conn, StoreResult, on};
use crate::model::UserId;

/// The group called `name`, made if there is none; and whether it was made.
pub async fn ensure(conn: &mut Conn, name: &str) -> StoreResult<(i64, bool)> {
    const FIND: &str = "SELECT id FROM user_group WHERE name = ?";
    let insert = format!("{} INTO user_group (name) VALUES (?)", conn.backend().insert_ignore());
    let made = on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(name)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected() > 0))?;
    let (id,): (i64,) = on!(conn, |link| sqlx::query_as(FIND).bind(name).fetch_one(&mut *link).await)?;
    Ok((id, made))
}

/// Puts `user` into the group; false when they were in it.
pub async fn enter(conn: &mut Conn, group: i64, user: UserId) -> StoreResult<bool> {
    let sql = format!(
        "{} INTO user_group_member (group_id, user_id) VALUES (?, ?)",
        conn.backend().insert_ignore()
    );
    let entered = on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(group)
        .bind(user.0)
        .execute(&mut *link)
        .await
        .map(|done| done.rows_affected() > 0))?;
    Ok(entered)
}

/// Is `user` in the group called `name`?
pub async fn has_member(conn: &mut Conn, name: &str, user: UserId) -> StoreResult<bool> {
    const SQL: &str = "SELECT g.id FROM user_group g JOIN user_group_member m ON m.group_id = g.id \
        WHERE g.name = ? AND m.user_id = ?";
    let row: Option<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(name).bind(user.0).fetch_optional(&mut *link).await)?;
    Ok(row.is_some())
}
