//! Users who share a room with the viewer.

use crate::{
    model::{RoomId, RoomRef, User, UserId},
    store::{
        Conn, StoreResult,
        condition::{active_account, active_member, present_member},
        on,
        rooms::like_pattern,
    },
};

/// Users in the rooms of `viewer` whose names contain `text`; at most `limit`.
pub async fn find_people(conn: &mut Conn, viewer: UserId, text: &str, limit: i64) -> StoreResult<Vec<User>> {
    const SQL: &str = concat!(
        "SELECT u.id, u.username, u.first_name, u.last_name FROM user u WHERE u.id <> ? AND ",
        active_account!("u"),
        " AND u.search_key LIKE ? ESCAPE '!' \
         AND EXISTS (SELECT 1 FROM chat_room_member a JOIN chat_room r ON r.id = a.room_id \
             JOIN chat_room_member b ON b.room_id = a.room_id WHERE a.user_id = ? AND b.user_id = u.id AND ",
        active_member!("a", "r"),
        " AND ",
        present_member!("b"),
        ") ORDER BY u.username_key LIMIT ?"
    );
    let rows: Vec<(i64, String, String, String)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(viewer.0)
        .bind(like_pattern(text))
        .bind(viewer.0)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    let people = rows.into_iter().map(|(id, username, first_name, last_name)| User {
        id: UserId(id),
        username,
        first_name,
        last_name,
    });
    Ok(people.collect())
}

/// The room that both users are in with the fewest members.
pub async fn smallest(conn: &mut Conn, viewer: UserId, other: UserId) -> StoreResult<Option<RoomRef>> {
    const SQL: &str = concat!(
        "SELECT r.id, r.name FROM chat_room_member a \
         JOIN chat_room_member b ON b.room_id = a.room_id AND b.user_id = ? \
         JOIN chat_room r ON r.id = a.room_id WHERE a.user_id = ? AND ",
        active_member!("a", "r"),
        " AND ",
        present_member!("b"),
        " ORDER BY r.member_count, r.active_at DESC, r.id LIMIT 1"
    );
    let row: Option<(i64, String)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(other.0).bind(viewer.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|(id, name)| RoomRef { id: RoomId(id), name }))
}
