//! Memberships: rows of `chat_room_member`. A row is kept after leaving, since mute and ban stay in force.

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult,
    condition::{active_member, is_in, present_member},
    dialect::padded,
    on,
};
use crate::{
    change::MemberState,
    model::{Member, MemberChange, Role, RoomId, RoomRef, Timestamp, User, UserId},
};

#[derive(FromRow)]
struct MemberRow {
    id: i64,
    rev: i64,
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
            "SELECT m.id, m.rev, m.role, m.joined_at, m.last_read_at, m.is_muted, m.is_banned, m.left_at, \
             u.id AS user_id, u.username, u.first_name, u.last_name \
             FROM chat_room_member m JOIN user u ON u.id = m.user_id ",
            $($rest),+
        )
    };
}

use members;

pub mod governors;
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

    fn into_membership(self, room: RoomRef) -> Membership {
        Membership { is_present: self.left_at.is_none(), rev: self.rev, member: self.into_member(room) }
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
    /// The number of its latest change in the room's stream.
    pub rev: i64,
}

impl Membership {
    /// The state for frames. The caller sets the number of members, and what changed if it is known.
    pub(crate) fn state(&self) -> MemberState<'_> {
        MemberState {
            room: self.member.room.id,
            user: &self.member.user,
            change: MemberChange::State,
            role: self.member.role,
            is_present: self.is_present,
            is_muted: self.member.is_muted,
            is_banned: self.member.is_banned,
            member_count: 0,
            rev: self.rev,
        }
    }

    /// Whether it counts towards the room's capacity.
    pub fn is_counted(&self) -> bool {
        self.is_present && !self.member.is_banned
    }
}

/// The rooms that these users are in, by user, without deleted ones.
pub async fn rooms_of_users(conn: &mut Conn, users: &[UserId]) -> StoreResult<Vec<(UserId, RoomId)>> {
    let Some(&last) = users.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(users.len())].join(", ");
    let sql = format!(
        concat!(
            "SELECT m.user_id, m.room_id FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id WHERE ",
            active_member!("m", "r"),
            " AND m.user_id IN ({})"
        ),
        marks
    );
    let filler = std::iter::repeat_n(last, padded(users.len()) - users.len());
    let rows: Vec<(i64, i64)> = on!(conn, |db| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for user in users.iter().copied().chain(filler) {
            query = query.bind(user.0);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(|(user, room)| (UserId(user), RoomId(room))).collect())
}

/// The membership of `user` in `room`, past or present; `None` if they never joined.
pub async fn find(conn: &mut Conn, room: RoomRef, user: UserId) -> StoreResult<Option<Membership>> {
    const SQL: &str = members!("WHERE m.room_id = ? AND m.user_id = ?");
    let row: Option<MemberRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.id.0).bind(user.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|row| row.into_membership(room)))
}

/// The memberships whose latest change has a number with `after < rev <= upto`, ordered by it; at most `limit`.
pub async fn changed_between(
    conn: &mut Conn,
    room: &RoomRef,
    after: i64,
    upto: i64,
    limit: i64,
) -> StoreResult<Vec<Membership>> {
    const SQL: &str = members!("WHERE m.room_id = ? AND m.rev > ? AND m.rev <= ? ORDER BY m.rev LIMIT ?");
    let rows: Vec<MemberRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.id.0)
        .bind(after)
        .bind(upto)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|row| row.into_membership(room.clone())).collect())
}

/// The numbers of the memberships of [`changed_between`].
pub async fn revs_between(
    conn: &mut Conn,
    room: RoomId,
    after: i64,
    upto: i64,
    limit: i64,
) -> StoreResult<Vec<i64>> {
    const SQL: &str =
        "SELECT rev FROM chat_room_member WHERE room_id = ? AND rev > ? AND rev <= ? ORDER BY rev LIMIT ?";
    let rows: Vec<(i64,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(room.0)
        .bind(after)
        .bind(upto)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|(rev,)| rev).collect())
}

/// A change of a membership, with its number in the room's stream. The caller holds the room's lock.
#[derive(Clone, Copy, Debug)]
pub enum MembershipUpdate {
    /// Ends it. The role is reset.
    Leave {
        /// When.
        at: Timestamp,
    },
    /// Sets the role.
    Role(Role),
    /// Mutes or unmutes the member.
    Muted(bool),
    /// Bans or unbans the member. The role is reset.
    Banned(bool),
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
    rev: i64,
    now: Timestamp,
) -> StoreResult<()> {
    let sql = format!(
        "INSERT INTO chat_room_member \
         (room_id, user_id, rev, role, joined_at, joined_seq, last_read_seq, own_after_read, left_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, NULL){}",
        conn.backend().on_conflict_set(
            "room_id, user_id",
            &["rev", "role", "joined_at", "joined_seq", "last_read_seq", "own_after_read", "left_at"]
        )
    );
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(room.0)
        .bind(user.0)
        .bind(rev)
        .bind(role.as_str())
        .bind(now.0)
        .bind(seq)
        .bind(seq)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Changes a membership.
pub async fn update(conn: &mut Conn, member_id: i64, change: MembershipUpdate, rev: i64) -> StoreResult<()> {
    let member = Role::Member.as_str();
    on!(conn, |db| {
        let query = match change {
            MembershipUpdate::Leave { at } => {
                sqlx::query("UPDATE chat_room_member SET left_at = ?, role = ?, rev = ? WHERE id = ?")
                    .bind(at.0)
                    .bind(member)
            }
            MembershipUpdate::Role(role) => {
                sqlx::query("UPDATE chat_room_member SET role = ?, rev = ? WHERE id = ?").bind(role.as_str())
            }
            MembershipUpdate::Muted(is_muted) => {
                sqlx::query("UPDATE chat_room_member SET is_muted = ?, rev = ? WHERE id = ?").bind(is_muted)
            }
            MembershipUpdate::Banned(is_banned) => {
                sqlx::query("UPDATE chat_room_member SET is_banned = ?, role = ?, rev = ? WHERE id = ?")
                    .bind(is_banned)
                    .bind(member)
            }
        };
        query.bind(rev).bind(member_id).execute(&mut *db).await.map(drop)
    })?;
    Ok(())
}

/// The rooms that `user` left or was removed from with a number above `after` in their stream, with that number.
pub async fn left_since(conn: &mut Conn, user: UserId, after: i64) -> StoreResult<Vec<(RoomId, i64)>> {
    const SQL: &str = concat!(
        "SELECT m.room_id, m.user_rev FROM chat_room_member m \
         WHERE m.user_id = ? AND m.user_rev > ? AND NOT (",
        present_member!("m"),
        ")"
    );
    let rows: Vec<(i64, i64)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(after).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(room, rev)| (RoomId(room), rev)).collect())
}

/// Records the number, in the user's stream, of a change of whether they are a member.
pub async fn set_user_rev(conn: &mut Conn, room: RoomId, user: UserId, rev: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room_member SET user_rev = ? WHERE room_id = ? AND user_id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(rev).bind(room.0).bind(user.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// The rooms of which `user` is a member, after `after` in the order of their ids; at most `limit`.
pub async fn rooms_of(conn: &mut Conn, user: UserId, after: RoomId, limit: i64) -> StoreResult<Vec<RoomId>> {
    const SQL: &str = concat!(
        "SELECT m.room_id FROM chat_room_member m JOIN chat_room r ON r.id = m.room_id \
         WHERE m.user_id = ? AND m.room_id > ? AND ",
        active_member!("m", "r"),
        " ORDER BY m.room_id LIMIT ?"
    );
    let rows: Vec<(i64,)> =
        on!(conn, |db| sqlx::query_as(SQL).bind(user.0).bind(after.0).bind(limit).fetch_all(&mut *db).await)?;
    Ok(rows.into_iter().map(|(room,)| RoomId(room)).collect())
}

/// The usernames of the members with these username keys.
pub async fn named(conn: &mut Conn, room: RoomId, keys: &[String]) -> StoreResult<Vec<String>> {
    let Some(last) = keys.last() else { return Ok(Vec::new()) };
    let marks = vec!["?"; padded(keys.len())].join(", ");
    let sql = format!(
        "SELECT u.username FROM user u JOIN chat_room_member m ON m.user_id = u.id AND m.room_id = ? \
         WHERE u.username_key IN ({marks}) AND {}",
        present_member!("m")
    );
    let filler = std::iter::repeat_n(last, padded(keys.len()) - keys.len());
    let rows: Vec<(String,)> = on!(conn, |db| {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(room.0);
        for key in keys.iter().chain(filler) {
            query = query.bind(key);
        }
        query.fetch_all(&mut *db).await
    })?;
    Ok(rows.into_iter().map(|(username,)| username).collect())
}
