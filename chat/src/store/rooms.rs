//! Rooms: rows of `chat_room`, and what the rules need of them. How a viewer sees them is
//! in `listing`.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, bundle, on};
use crate::model::{Role, RoomId, RoomRef, RoomType, Timestamp, UserId};

mod listing;
mod visit;

pub(super) use listing::like_pattern;
pub use listing::{RoomFilter, RoomPlace, common_views, list, list_for, place, view, views};
pub use visit::{Visited, newest_for, visit};

/// A room and the asking user's place in it: all that the rules need to decide.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The room.
    pub room: RoomState,
    /// The user's membership, also when they left or were shut out.
    pub member: Option<MemberState>,
}

/// What the rules need of a room.
#[derive(Clone, Debug)]
pub struct RoomState {
    /// The room's id.
    pub id: RoomId,
    /// Its name now.
    pub name: String,
    /// Who can find it.
    pub room_type: RoomType,
    /// False once it was deleted.
    pub is_active: bool,
    /// How many fit.
    pub max_members: i64,
    /// How many are in it.
    pub member_count: i64,
    /// The newest message's place.
    pub seq: i64,
    /// The newest change's number.
    pub rev: i64,
}

impl RoomState {
    /// Its name tag.
    pub fn to_ref(&self) -> RoomRef {
        RoomRef { id: self.id, name: self.name.clone() }
    }
}

/// What the rules need of a membership.
#[derive(Clone, Debug)]
pub struct MemberState {
    /// The membership's own id.
    pub id: i64,
    /// The member's role.
    pub role: Role,
    /// Are they in now?
    pub is_present: bool,
    /// May they not write?
    pub is_muted: bool,
    /// Are they shut out?
    pub is_banned: bool,
    /// They have read everything up to this place.
    pub last_read_seq: i64,
    /// How many messages they have written in this room.
    pub sent: i64,
}

bundle::row! {
    /// The columns that the rules need of a room, under their own names.
    pub(super) struct StateRow {
        id: i64,
        name: String,
        room_type: String,
        #[serde(deserialize_with = "bundle::flag")]
        is_active: bool,
        max_members: i64,
        member_count: i64,
        seq: i64,
        rev: i64,
    }
}

impl From<StateRow> for RoomState {
    fn from(row: StateRow) -> Self {
        Self {
            id: RoomId(row.id),
            name: row.name,
            room_type: room_type(&row.room_type),
            is_active: row.is_active,
            max_members: row.max_members,
            member_count: row.member_count,
            seq: row.seq,
            rev: row.rev,
        }
    }
}

#[derive(FromRow)]
struct StandingRow {
    #[sqlx(flatten)]
    room: StateRow,
    member_id: Option<i64>,
    role: Option<String>,
    left_at: Option<i64>,
    is_muted: Option<bool>,
    is_banned: Option<bool>,
    last_read_seq: Option<i64>,
    sent: Option<i64>,
}

impl From<StandingRow> for Standing {
    fn from(row: StandingRow) -> Self {
        let member = row.member_id.map(|id| MemberState {
            id,
            role: Role::from_word(row.role.as_deref().unwrap_or_default()),
            is_present: row.left_at.is_none(),
            is_muted: row.is_muted.unwrap_or_default(),
            is_banned: row.is_banned.unwrap_or_default(),
            last_read_seq: row.last_read_seq.unwrap_or_default(),
            sent: row.sent.unwrap_or_default(),
        });
        Self { room: row.room.into(), member }
    }
}

/// An unknown word is the type that shows least.
pub(super) fn room_type(word: &str) -> RoomType {
    RoomType::parse(word).unwrap_or_default()
}

/// `user`'s standing in `room`; `None` when there is no such room.
pub async fn standing(conn: &mut Conn, room: RoomId, user: UserId) -> StoreResult<Option<Standing>> {
    const SQL: &str = "SELECT r.id, r.name, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, r.rev, \
        m.id AS member_id, m.role, m.left_at, m.is_muted, m.is_banned, m.last_read_seq, m.sent \
        FROM chat_room r LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = ? WHERE r.id = ?";
    let row: Option<StandingRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Standing::from))
}

/// The room as it is now; `None` when there is no such room.
pub async fn state(conn: &mut Conn, room: RoomId) -> StoreResult<Option<RoomState>> {
    const SQL: &str = "SELECT id, name, room_type, is_active, max_members, member_count, seq, rev \
        FROM chat_room WHERE id = ?";
    let row: Option<StateRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(RoomState::from))
}

/// Takes the room's lock until the commit: who is in, `seq` and `rev` stand still meanwhile.
pub async fn lock(conn: &mut Conn, room: RoomId) -> StoreResult<()> {
    let sql = format!("SELECT id FROM chat_room WHERE id = ?{}", conn.backend().for_update());
    on!(conn, |link| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(room.0)
        .fetch_optional(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// Stores a new, empty room.
pub async fn insert(
    conn: &mut Conn,
    name: &str,
    description: &str,
    kind: RoomType,
    max_members: i64,
    creator: UserId,
    now: Timestamp,
) -> StoreResult<RoomId> {
    const SQL: &str = "INSERT INTO chat_room \
        (name, description, room_type, created_by, max_members, created_at, updated_at, active_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let id = super::dialect::inserted_id!(conn, |link| sqlx::query(SQL)
        .bind(name)
        .bind(description)
        .bind(kind.as_str())
        .bind(creator.0)
        .bind(max_members)
        .bind(now.0)
        .bind(now.0)
        .bind(now.0)
        .execute(&mut *link)
        .await);
    Ok(RoomId(id))
}

/// Takes or gives back `delta` places. Call it under [`lock`].
pub async fn add_members(conn: &mut Conn, room: RoomId, delta: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room SET member_count = member_count + ? WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL).bind(delta).bind(room.0).execute(&mut *link).await.map(drop))?;
    Ok(())
}

/// What to change of a room; `None` leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub struct RoomChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// What it says of itself.
    pub description: Option<&'a str>,
    /// How many fit.
    pub max_members: Option<i64>,
}

/// Changes the room's own fields.
pub async fn update(
    conn: &mut Conn,
    room: RoomId,
    change: &RoomChange<'_>,
    now: Timestamp,
) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room SET name = COALESCE(?, name), \
        description = COALESCE(?, description), max_members = COALESCE(?, max_members), updated_at = ? \
        WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL)
        .bind(change.name)
        .bind(change.description)
        .bind(change.max_members)
        .bind(now.0)
        .bind(room.0)
        .execute(&mut *link)
        .await
        .map(drop))?;
    Ok(())
}

/// Marks the room as deleted, so that nobody may listen any more; its messages and members stay.
pub async fn deactivate(conn: &mut Conn, room: RoomId, now: Timestamp) -> StoreResult<()> {
    const SQL: &str =
        "UPDATE chat_room SET is_active = FALSE, access_rev = access_rev + 1, updated_at = ? WHERE id = ?";
    on!(conn, |link| sqlx::query(SQL).bind(now.0).bind(room.0).execute(&mut *link).await.map(drop))?;
    Ok(())
}
