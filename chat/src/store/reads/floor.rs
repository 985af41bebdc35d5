//! Read positions below the floor of a room's history.

use crate::{
    model::{RoomId, UserId},
    store::{Conn, StoreResult, condition::present_member, dialect::padded, on},
};

/// The members whose read position is below `floor`; at most `limit`. Each with the number of the membership.
pub async fn below(conn: &mut Conn, room: RoomId, floor: i64, limit: i64) -> StoreResult<Vec<(i64, UserId)>> {
    const SQL: &str = concat!(
        "SELECT m.id, m.user_id FROM chat_room_member m WHERE m.room_id = ? AND m.last_read_seq < ? AND ",
        present_member!("m"),
        " ORDER BY m.user_id LIMIT ?"
    );
    let rows: Vec<(i64, i64)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).bind(floor).bind(limit).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(id, user)| (id, UserId(user))).collect())
}

/// Moves the read positions of these memberships of one room up to `floor`. The caller holds the room's lock.
pub async fn lift(conn: &mut Conn, members: &[(i64, UserId)], floor: i64) -> StoreResult<()> {
    let Some(&(last, _)) = members.last() else { return Ok(()) };
    let marks = vec!["?"; padded(members.len())].join(", ");
    let update = concat!(
        "UPDATE chat_room_member SET own_after_read = ",
        own_after!("?"),
        ", last_read_seq = ? WHERE last_read_seq < ? AND id IN "
    );
    let sql = format!("{update}({marks})");
    let filler = std::iter::repeat_n(last, padded(members.len()) - members.len());
    on!(conn, |db| {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(floor).bind(floor).bind(floor);
        for id in members.iter().map(|(id, _)| *id).chain(filler) {
            query = query.bind(id);
        }
        query.execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}
