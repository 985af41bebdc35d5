//! Read positions below the floor of a room's history.

use super::{Position, own_after};
use crate::{
    model::RoomId,
    store::{Conn, StoreResult, condition::present_member, on},
};

/// The members whose read position is below `floor`; at most `limit`.
pub async fn below(conn: &mut Conn, room: RoomId, floor: i64, limit: i64) -> StoreResult<Vec<Position>> {
    const SQL: &str = concat!(
        "SELECT m.id, m.user_id, m.sent, m.sent_upto FROM chat_room_member m \
         WHERE m.room_id = ? AND m.last_read_seq < ? AND ",
        present_member!("m"),
        " ORDER BY m.user_id LIMIT ?"
    );
    Ok(on!(conn, |db| sqlx::query_as(SQL).bind(room.0).bind(floor).bind(limit).fetch_all(&mut *db).await)?)
}

/// Moves the read positions of these memberships of `room` up to `floor`. The caller holds the room's lock since before
/// it read them.
pub async fn lift(conn: &mut Conn, room: RoomId, members: &[Position], floor: i64) -> StoreResult<()> {
    const MOVE: &str = "UPDATE chat_room_member SET own_after_read = ?, last_read_seq = ? WHERE id = ? AND last_read_seq < ?";
    for member in members {
        let own_after_read = own_after(conn, room, member, floor).await?;
        on!(conn, |db| sqlx::query(MOVE)
            .bind(own_after_read)
            .bind(floor)
            .bind(member.id)
            .bind(floor)
            .execute(&mut *db)
            .await
            .map(drop))?;
    }
    Ok(())
}
