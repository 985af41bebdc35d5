//! Memberships: rows of `chat_room_member`. A row outlives the stay, since leaving
//! lifts neither mute nor ban.

use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult,
    condition::{active_account, active_member, is_in, present_member},
    on,
};
use crate::model::{Member, Role, RoomId, RoomRef, Timestamp, User, UserId};

#[derive(FromRow)]
struct MemberRow {
    id: i64,
    role: String,
    joined_at: i64,
    last_read_at: Option<i64>,
    is_muted: bool,
    is_banned: bool,
    user_id: i64,
    username: String,
    first_name: String,
    last_name: String,
    left_at: Option<i64>,
}

/// What every answer about members has.
macro_rules! members {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "SELECT m.id, m.role, m.joined_at, m.last_read_at, m.is_muted, m.is_banned, m.left_at, \
             u.id AS user_id, u.username, u.first_name, u.last_name \
             FROM chat_room_member m JOIN user u ON u.id = m.user_id ",
            $($rest),+
        )
    };
}

use members;

pub mod companions;
pub mod roster;

/// Which members to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those who count: who is shut out does not.
    Counted,
    /// Also those who are shut out.
    All,
}

impl MemberRow {
    fn into_member(self, room: RoomRef) -> Member {
        Member {
            id: self.id,
            room,
            user: User {
                id: UserId(self.user_id),
                username: self.username,
                first_name: self.first_name,
                last_name: self.last_name,
            },
            role: Role::from_word(&self.role),
            joined_at: Timestamp(self.joined_at),
            last_read_at: self.last_read_at.map(Timestamp),
            is_muted: self.is_muted,
            is_banned: self.is_banned,
        }
    }
}

/// Who is in the room, first come first; `limit` of them at most.
pub async fn list(conn: &mut Conn, room: RoomRef, listed: Listed, limit: i64) -> StoreResult<Vec<Member>> {
    const SQL: &str = members!(
        "WHERE m.room_id = ? AND ",
        is_in!("m"),
        " AND (? OR ",
        present_member!("m"),
        ") ORDER BY m.joined_at, m.id LIMIT ?"
    );
    let rows: Vec<MemberRow> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(room.id.0)
        .bind(listed == Listed::All)
        .bind(limit)
        .fetch_all(&mut *link)
        .await)?;
    Ok(rows.into_iter().map(|row| row.into_member(room.clone())).collect())
}

/// A membership as others see it, and whether its owner is in the room now.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The membership.
    pub member: Member,
    /// False once they left or were removed.
    pub is_present: bool,
}

impl Membership {
    /// Do they take a place?
    pub fn is_counted(&self) -> bool {
        self.is_present && !self.member.is_banned
    }
}

/// `user`'s membership of `room`, also when they left; `None` when they never were in it.
pub async fn find(conn: &mut Conn, room: RoomRef, user: UserId) -> StoreResult<Option<Membership>> {
    const SQL: &str = members!("WHERE m.room_id = ? AND m.user_id = ?");
    let row: Option<MemberRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.id.0).bind(user.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(|row| Membership { is_present: row.left_at.is_none(), member: row.into_member(room) }))
}

/// Lets `user` in: a new row, or the old one with its mute and ban as they were.
/// What was said before is not unread to them.
pub async fn enter(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    role: Role,
    seq: i64,
    now: Timestamp,
) -> StoreResult<()> {
    let sql = format!(
        "INSERT INTO chat_room_member (room_id, user_id, role, joined_at, joined_seq, last_read_seq, own_after_read, left_at) \
         VALUES (?, ?, ?, ?, ?, ?, 0, NULL){}",
        conn.backend().on_conflict_set(
            "room_id, user_id",
            &["role", "joined_at", "joined_seq", "last_read_seq", "own_after_read", "left_at"]
        )
    );
    on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(room.0)
        .bind(user.0)
        .bind(role.as_str())
        .bind(now.0)
        .bind(seq)
        .bind(seq)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// Marks that the member went. Call it under the room's lock.
pub async fn leave(conn: &mut Conn, member_id: i64, now: Timestamp) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET left_at = ?, role = 'member' WHERE id = ?";
    note_loss(conn, member_id).await?;
    on!(conn, |link| sqlx::query(SQL).bind(now.0).bind(member_id).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Gives the member a role.
pub async fn set_role(conn: &mut Conn, member_id: i64, role: Role) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET role = ? WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL)
        .bind(role.as_str())
        .bind(member_id)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// Lets the member write, or no longer.
pub async fn set_muted(conn: &mut Conn, member_id: i64, is_muted: bool) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET is_muted = ? WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL).bind(is_muted).bind(member_id).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Shuts the member out, which takes their role too, or no longer. Call it under the room's lock.
pub async fn set_banned(conn: &mut Conn, member_id: i64, is_banned: bool) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET is_banned = ?, role = 'member' WHERE id = ?";
    if is_banned {
        note_loss(conn, member_id).await?;
    }
    on!(conn, |link| sqlx::query(SQL).bind(is_banned).bind(member_id).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// Gives the membership the room's next number of those who lost the right to listen, so that
/// every node notices (see [`watch`](super::watch)).
async fn note_loss(conn: &mut Conn, member_id: i64) -> StoreResult<()> {
    const ROOM: &str = "UPDATE chat_room SET access_rev = access_rev + 1 \
        WHERE id = (SELECT room_id FROM chat_room_member WHERE id = ?)";
    const MEMBER: &str = "UPDATE chat_room_member SET access_rev = \
        (SELECT access_rev FROM chat_room WHERE chat_room.id = chat_room_member.room_id) WHERE id = ?";
    on!(conn, |link| {
        sqlx::query(ROOM).bind(member_id).execute(&mut *link).await?;
        sqlx::query(MEMBER).bind(member_id).execute(&mut *link).await.map(drop)
    })?;
    Ok(())
}

/// Has the room an admin? One whose account was deactivated does not count.
pub async fn has_admin(conn: &mut Conn, room: RoomId) -> StoreResult<bool> {
    // No membership has this id.
    has_admin_beside(conn, room, 0).await
}

/// Has the room an admin other than this member? One whose account was deactivated does not count.
pub async fn has_admin_beside(conn: &mut Conn, room: RoomId, member_id: i64) -> StoreResult<bool> {
    const SQL: &str = concat!(
        "SELECT m.id FROM chat_room_member m JOIN user u ON u.id = m.user_id \
         WHERE m.room_id = ? AND m.role = 'admin' AND m.id <> ? AND ",
        present_member!("m"),
        " AND ",
        active_account!("u"),
        " LIMIT 1"
    );
    let row: Option<(i64,)> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.0).bind(member_id).fetch_optional(&mut *link).await)?;
    Ok(row.is_some())
}

/// Who comes next in a room without an admin: the moderator, else the member, who joined
/// first; never a banned or deactivated one.
pub async fn heir(conn: &mut Conn, room: RoomRef) -> StoreResult<Option<Member>> {
    const SQL: &str = members!(
        "WHERE m.room_id = ? AND ",
        present_member!("m"),
        " AND ",
        active_account!("u"),
        " ORDER BY CASE m.role WHEN 'moderator' THEN 0 ELSE 1 END, m.joined_at, m.id LIMIT 1"
    );
    let row: Option<MemberRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.id.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(|row| row.into_member(room)))
}

/// The rooms that `user` is in.
pub async fn rooms_of(conn: &mut Conn, user: UserId) -> StoreResult<Vec<RoomId>> {
    const SQL: &str = concat!(
        "SELECT m.room_id FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE m.user_id = ? AND ",
        active_member!("m", "r"),
        " ORDER BY m.room_id"
    );
    let rows: Vec<(i64,)> = on!(conn, |link| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *link).await)?;
    Ok(rows.into_iter().map(|(room,)| RoomId(room)).collect())
}
