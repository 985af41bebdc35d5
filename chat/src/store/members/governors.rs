//! Who governs a room: its admins whose accounts may chat.
//!
//! `group`: the group that the server requires, if any.

use super::MemberRow;
use crate::{
    model::{Member, RoomId, RoomRef},
    store::{
        Conn, StoreResult,
        condition::{may_chat, present_member},
        on,
    },
};

/// Whether the room has an admin who may chat.
pub async fn has_admin(conn: &mut Conn, room: RoomId, group: Option<&str>) -> StoreResult<bool> {
    // No membership has this id.
    has_other_admin(conn, room, 0, group).await
}

/// Whether the room has an admin who may chat, other than this member.
pub async fn has_other_admin(
    conn: &mut Conn,
    room: RoomId,
    member_id: i64,
    group: Option<&str>,
) -> StoreResult<bool> {
    const SQL: &str = concat!(
        "SELECT m.id FROM chat_room_member m JOIN user u ON u.id = m.user_id \
         WHERE m.room_id = ? AND m.role = 'admin' AND m.id <> ? AND ",
        present_member!("m"),
        " AND ",
        may_chat!("u"),
        " LIMIT 1"
    );
    let row: Option<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.0)
        .bind(member_id)
        .bind(group)
        .bind(group)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(row.is_some())
}

/// The member to promote in a room without an admin: the moderator who joined first, else the member who joined
/// first; never one who is banned or may not chat.
pub async fn successor(conn: &mut Conn, room: RoomRef, group: Option<&str>) -> StoreResult<Option<Member>> {
    const SQL: &str = members!(
        "WHERE m.room_id = ? AND ",
        present_member!("m"),
        " AND ",
        may_chat!("u"),
        " ORDER BY CASE m.role WHEN 'moderator' THEN 0 ELSE 1 END, m.joined_at, m.id LIMIT 1"
    );
    let row: Option<MemberRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.id.0)
        .bind(group)
        .bind(group)
        .fetch_optional(&mut *db)
        .await)?;
    Ok(row.map(|row| row.into_member(room)))
}
