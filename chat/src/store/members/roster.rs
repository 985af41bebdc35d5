//! Keyset pagination of a room's members: admins first, then moderators, then others, each by time of joining.

use super::{MemberFilter, MemberRow};
use crate::{
    model::{Member, Role, RoomRef},
    store::{
        Conn, StoreResult,
        condition::{is_in, present_member},
        on,
        rooms::like_pattern,
    },
};

const ROLES: [Role; 3] = [Role::Admin, Role::Moderator, Role::Member];

/// The members after `after`, or the first ones; only those whose names contain `search`.
pub async fn page(
    conn: &mut Conn,
    room: &RoomRef,
    filter: MemberFilter,
    search: Option<&str>,
    after: Option<&Member>,
    limit: usize,
) -> StoreResult<Vec<Member>> {
    let mut found = Vec::new();
    let (mut start, mut roles) = ((i64::MIN, i64::MIN), &ROLES[..]);
    if let Some(after) = after {
        let position = ROLES.iter().position(|role| *role == after.role).unwrap_or_default();
        (start, roles) = ((after.joined_at.0, after.id), &ROLES[position..]);
    }
    for role in roles {
        if found.len() < limit {
            let rest = limit - found.len();
            found.extend(page_of_role(conn, room, *role, filter, search, start, rest).await?);
        }
        start = (i64::MIN, i64::MIN);
    }
    Ok(found)
}

/// A page of the members with one role: a range of the index on room, role and time of joining.
async fn page_of_role(
    conn: &mut Conn,
    room: &RoomRef,
    role: Role,
    filter: MemberFilter,
    search: Option<&str>,
    (joined_at, id): (i64, i64),
    limit: usize,
) -> StoreResult<Vec<Member>> {
    const SQL: &str = super::members!(
        "WHERE m.room_id = ? AND m.role = ? AND ",
        is_in!("m"),
        " AND (? OR ",
        present_member!("m"),
        ") AND (m.joined_at > ? OR (m.joined_at = ? AND m.id > ?)) \
         AND (? IS NULL OR u.search_key LIKE ? ESCAPE '!') \
         ORDER BY m.joined_at, m.id LIMIT ?"
    );
    let pattern = search.map(like_pattern);
    let rows: Vec<MemberRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.id.0)
        .bind(role.as_str())
        .bind(filter == MemberFilter::All)
        .bind(joined_at)
        .bind(joined_at)
        .bind(id)
        .bind(pattern.as_deref())
        .bind(pattern.as_deref())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|row| row.into_member(room.clone())).collect())
}
