//! Groups of users and their members.

use super::{Conn, StoreResult, on};
use crate::model::UserId;

/// Returns the id of the group `name`, and whether it was created by this call.
pub async fn get_or_create(conn: &mut Conn, name: &str) -> StoreResult<(i64, bool)> {
    const FIND: &str = "SELECT id FROM user_group WHERE name = ?";
    let insert = format!("{} INTO user_group (name) VALUES (?)", conn.backend().insert_ignore());
    let created = on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(name)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected() > 0))?;
    let (id,): (i64,) = on!(conn, |db| sqlx::query_as(FIND).bind(name).fetch_one(&mut *db).await)?;
    Ok((id, created))
}

/// Adds `user` to the group; false if already a member.
pub async fn add_member(conn: &mut Conn, group: i64, user: UserId) -> StoreResult<bool> {
    let sql = format!(
        "{} INTO user_group_member (group_id, user_id) VALUES (?, ?)",
        conn.backend().insert_ignore()
    );
    let added = on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(group)
        .bind(user.0)
        .execute(&mut *db)
        .await
        .map(|done| done.rows_affected() > 0))?;
    Ok(added)
}

/// Whether `user` is in the group `name`.
pub async fn has_member(conn: &mut Conn, name: &str, user: UserId) -> StoreResult<bool> {
    const SQL: &str = "SELECT g.id FROM user_group g JOIN user_group_member m ON m.group_id = g.id \
        WHERE g.name = ? AND m.user_id = ?";
    let row: Option<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(name).bind(user.0).fetch_optional(&mut *db).await)?;
    Ok(row.is_some())
}
