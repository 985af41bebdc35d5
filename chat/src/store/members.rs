//! Memberships: rows of `chat_room_member`. A row is kept after leaving, since mute and ban stay in force.

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

/// The SELECT of all statements that return members.
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

pub mod roster;
pub mod shared_rooms;

/// Which members to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberFilter {
    /// Members who are not banned.
    NotBanned,
    /// All members, including banned ones.
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
            role: Role::from_stored(&self.role),
            joined_at: Timestamp(self.joined_at),
            last_read_at: self.last_read_at.map(Timestamp),
            is_muted: self.is_muted,
            is_banned: self.is_banned,
        }
    }
}

/// Lists the room's members in the order in which they joined; at most `limit`.
pub async fn list(
    conn: &mut Conn,
    room: RoomRef,
    filter: MemberFilter,
    limit: i64,
) -> StoreResult<Vec<Member>> {
    const SQL: &str = members!(
        "WHERE m.room_id = ? AND ",
        is_in!("m"),
        " AND (? OR ",
        present_member!("m"),
        ") ORDER BY m.joined_at, m.id LIMIT ?"
    );
    let rows: Vec<MemberRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.id.0)
        .bind(filter == MemberFilter::All)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|row| row.into_member(room.clone())).collect())
}

/// A membership, past or present.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The membership.
    pub member: Member,
    /// False after the user left or was removed.
    pub is_present: bool,
}

impl Membership {
    /// Whether it counts towards the room's capacity.
    pub fn is_counted(&self) -> bool {
        self.is_present && !self.member.is_banned
    }
}

/// The membership of `user` in `room`, past or present; `None` if they never joined.
pub async fn find(conn: &mut Conn, room: RoomRef, user: UserId) -> StoreResult<Option<Membership>> {
    const SQL: &str = members!("WHERE m.room_id = ? AND m.user_id = ?");
    let row: Option<MemberRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.id.0).bind(user.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|row| Membership { is_present: row.left_at.is_none(), member: row.into_member(room) }))
}

/// Adds `user` to the room: a new row, or the old one with its mute and ban.
///
/// Earlier messages (up to `seq`) are not unread to them.
pub async fn join(
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
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(room.0)
        .bind(user.0)
        .bind(role.as_str())
        .bind(now.0)
        .bind(seq)
        .bind(seq)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Ends the membership. The caller holds the room's lock.
pub async fn leave(conn: &mut Conn, member_id: i64, now: Timestamp) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET left_at = ?, role = 'member' WHERE id = ?";
    record_revocation(conn, member_id).await?;
    on!(conn, |db| sqlx::query(SQL).bind(now.0).bind(member_id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Sets the member's role.
pub async fn set_role(conn: &mut Conn, member_id: i64, role: Role) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET role = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(role.as_str()).bind(member_id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Mutes or unmutes the member.
pub async fn set_muted(conn: &mut Conn, member_id: i64, is_muted: bool) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET is_muted = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(is_muted).bind(member_id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Bans or unbans the member; a ban resets their role. The caller holds the room's lock.
pub async fn set_banned(conn: &mut Conn, member_id: i64, is_banned: bool) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET is_banned = ?, role = 'member' WHERE id = ?";
    if is_banned {
        record_revocation(conn, member_id).await?;
    }
    on!(conn, |db| sqlx::query(SQL).bind(is_banned).bind(member_id).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Gives the membership the room's next `access_rev`, by which every node notices that access was revoked (see
/// [`watch`](super::watch)).
async fn record_revocation(conn: &mut Conn, member_id: i64) -> StoreResult<()> {
    const ROOM: &str = "UPDATE chat_room SET access_rev = access_rev + 1 \
        WHERE id = (SELECT room_id FROM chat_room_member WHERE id = ?)";
    const MEMBER: &str = "UPDATE chat_room_member SET access_rev = \
        (SELECT access_rev FROM chat_room WHERE chat_room.id = chat_room_member.room_id) WHERE id = ?";
    on!(conn, |db| {
        sqlx::query(ROOM).bind(member_id).execute(&mut *db).await?;
        sqlx::query(MEMBER).bind(member_id).execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}

/// Whether the room has an admin with an active account.
pub async fn has_admin(conn: &mut Conn, room: RoomId) -> StoreResult<bool> {
    // No membership has this id.
    has_other_admin(conn, room, 0).await
}

/// Whether the room has an admin with an active account other than this member.
pub async fn has_other_admin(conn: &mut Conn, room: RoomId, member_id: i64) -> StoreResult<bool> {
    const SQL: &str = concat!(
        "SELECT m.id FROM chat_room_member m JOIN user u ON u.id = m.user_id \
         WHERE m.room_id = ? AND m.role = 'admin' AND m.id <> ? AND ",
        present_member!("m"),
        " AND ",
        active_account!("u"),
        " LIMIT 1"
    );
    let row: Option<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).bind(member_id).fetch_optional(&mut *db).await)?;
    Ok(row.is_some())
}

/// The member to promote in a room without an admin: the moderator who joined first, else the member who joined
/// first; never one who is banned or deactivated.
pub async fn successor(conn: &mut Conn, room: RoomRef) -> StoreResult<Option<Member>> {
    const SQL: &str = members!(
        "WHERE m.room_id = ? AND ",
        present_member!("m"),
        " AND ",
        active_account!("u"),
        " ORDER BY CASE m.role WHEN 'moderator' THEN 0 ELSE 1 END, m.joined_at, m.id LIMIT 1"
    );
    let row: Option<MemberRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.id.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|row| row.into_member(room)))
}

/// The rooms of which `user` is a member.
pub async fn rooms_of(conn: &mut Conn, user: UserId) -> StoreResult<Vec<RoomId>> {
    const SQL: &str = concat!(
        "SELECT m.room_id FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE m.user_id = ? AND ",
        active_member!("m", "r"),
        " ORDER BY m.room_id"
    );
    let rows: Vec<(i64,)> = on!(conn, |db| sqlx::query_as(SQL).bind(user.0).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(room,)| RoomId(room)).collect())
}
