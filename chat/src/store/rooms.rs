//! Rooms: rows of `chat_room`, and what the rules need of them. `listing` has rooms as a user sees them.

use sqlx_macros::FromRow;

use super::{Conn, StoreResult, json_rows, on};
use crate::{
    fold::room_search,
    model::{Role, RoomId, RoomInfo, RoomRef, RoomType, Timestamp, UserId},
};

mod listing;
mod newest;
mod views;

pub(super) use listing::like_pattern;
pub use listing::{ListedRoom, RoomCursor, RoomFilter, list, nth_cursor};
pub use newest::access_and_newest;
pub use views::{RoomVersion, Standing, common_views, versions, view, views};

/// A room and the caller's membership of it: the input of all access rules.
#[derive(Clone, Debug)]
pub struct RoomAccess {
    /// The room.
    pub room: RoomState,
    /// The membership, past or present; `None` if the user never joined.
    pub member: Option<MemberState>,
}

/// The state of a room that the rules need.
#[derive(Clone, Debug)]
pub struct RoomState {
    /// The room's id.
    pub id: RoomId,
    /// Its current name.
    pub name: String,
    /// Who can find and join it.
    pub room_type: RoomType,
    /// False if the room was deleted.
    pub is_active: bool,
    /// Maximum number of members.
    pub max_members: i64,
    /// Number of members.
    pub member_count: i64,
    /// The `seq` of the newest message.
    pub seq: i64,
    /// The `seq` of the oldest message that was not removed; `seq + 1` if all were.
    pub first_seq: i64,
    /// The room's change number.
    pub rev: i64,
    /// The time of the newest message, or of the room's creation.
    pub active_at: Timestamp,
}

impl RoomState {
    /// The time to store for a change of the room's messages. It never falls within a room, also if the clock was
    /// stepped back or is behind that of another node: the order of times is that of `seq`.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now.max(self.active_at)
    }

    /// The `seq` below the oldest message: the end of the history.
    pub fn floor(&self) -> i64 {
        self.first_seq - 1
    }

    /// The number of messages.
    pub fn total(&self) -> i64 {
        self.seq - self.floor()
    }

    /// The room's id and name.
    pub fn to_ref(&self) -> RoomRef {
        RoomRef { id: self.id, name: self.name.clone() }
    }
}

/// The state of a membership that the rules need.
#[derive(Clone, Debug)]
pub struct MemberState {
    /// The membership's id.
    pub id: i64,
    /// The member's role.
    pub role: Role,
    /// False after the user left or was removed.
    pub is_present: bool,
    /// Whether they are muted.
    pub is_muted: bool,
    /// Whether they are banned.
    pub is_banned: bool,
    /// The `seq` up to which they have read.
    pub last_read_seq: i64,
    /// Number of messages they have sent in this room.
    pub sent: i64,
}

/// The columns of [`RoomState`] in the table `$r`.
macro_rules! state_columns {
    ($r:literal) => {
        concat!(
            $r,
            ".id, ",
            $r,
            ".name, ",
            $r,
            ".room_type, ",
            $r,
            ".is_active, ",
            $r,
            ".max_members, ",
            $r,
            ".member_count, ",
            $r,
            ".seq, ",
            $r,
            ".first_seq, ",
            $r,
            ".rev, ",
            $r,
            ".active_at"
        )
    };
}
pub(super) use state_columns;

/// Defines a row that begins with [`state_columns`].
macro_rules! state_row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($further:tt)* }) => {
        json_rows::row! {
            $(#[$meta])*
            $vis struct $name {
                id: i64,
                name: String,
                room_type: String,
                #[serde(deserialize_with = "json_rows::flag")]
                is_active: bool,
                max_members: i64,
                member_count: i64,
                seq: i64,
                first_seq: i64,
                rev: i64,
                active_at: i64,
                $($further)*
            }
        }

        impl From<$name> for RoomState {
            fn from(row: $name) -> Self {
                Self {
                    id: RoomId(row.id),
                    name: row.name,
                    room_type: room_type(&row.room_type),
                    is_active: row.is_active,
                    max_members: row.max_members,
                    member_count: row.member_count,
                    seq: row.seq,
                    first_seq: row.first_seq,
                    rev: row.rev,
                    active_at: Timestamp(row.active_at),
                }
            }
        }
    };
}

state_row! {
    /// The columns of [`RoomState`].
    pub(super) struct RoomStateRow {}
}

state_row! {
    struct RoomAccessRow {
        member_id: Option<i64>,
        role: Option<String>,
        left_at: Option<i64>,
        #[serde(deserialize_with = "json_rows::optional_flag")]
        is_muted: Option<bool>,
        #[serde(deserialize_with = "json_rows::optional_flag")]
        is_banned: Option<bool>,
        last_read_seq: Option<i64>,
        sent: Option<i64>,
    }
}

impl From<RoomAccessRow> for RoomAccess {
    fn from(row: RoomAccessRow) -> Self {
        let member = row.member_id.map(|id| MemberState {
            id,
            role: Role::from_stored(row.role.as_deref().unwrap_or_default()),
            is_present: row.left_at.is_none(),
            is_muted: row.is_muted.unwrap_or_default(),
            is_banned: row.is_banned.unwrap_or_default(),
            last_read_seq: row.last_read_seq.unwrap_or_default(),
            sent: row.sent.unwrap_or_default(),
        });
        Self { member, room: RoomState::from(row) }
    }
}

/// Parses a stored type; an unknown one becomes private.
pub(super) fn room_type(word: &str) -> RoomType {
    RoomType::parse(word).unwrap_or_default()
}

/// Selects a [`RoomAccessRow`]. Placeholders: the user, the room.
const ACCESS: &str = concat!(
    "SELECT ",
    state_columns!("r"),
    ", m.id AS member_id, m.role, m.left_at, m.is_muted, m.is_banned, m.last_read_seq, m.sent \
     FROM chat_room r LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = ? WHERE r.id = ?"
);

/// Loads `room` with the membership of `user`; `None` if the room does not exist.
pub async fn access(conn: &mut Conn, room: RoomId, user: UserId) -> StoreResult<Option<RoomAccess>> {
    let row: Option<RoomAccessRow> =
        on!(conn, |db| sqlx::query_as(ACCESS).bind(user.0).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(RoomAccess::from))
}

/// The room's current state; `None` if it does not exist.
pub async fn state(conn: &mut Conn, room: RoomId) -> StoreResult<Option<RoomState>> {
    const SQL: &str = concat!("SELECT ", state_columns!("r"), " FROM chat_room r WHERE r.id = ?");
    let row: Option<RoomStateRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(RoomState::from))
}

/// Locks the room until the commit: its members, `seq` and `rev` cannot change meanwhile.
pub async fn lock(conn: &mut Conn, room: RoomId) -> StoreResult<()> {
    let sql = format!("SELECT id FROM chat_room WHERE id = ?{}", conn.backend().for_update());
    on!(conn, |db| sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(room.0)
        .fetch_optional(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Stores a new room without members and returns its id.
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
        (name, name_key, description, room_type, created_by, max_members, created_at, updated_at, active_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let id = super::dialect::inserted_id!(conn, |db| sqlx::query(SQL)
        .bind(name)
        .bind(room_search(name))
        .bind(description)
        .bind(kind.as_str())
        .bind(creator.0)
        .bind(max_members)
        .bind(now.0)
        .bind(now.0)
        .bind(now.0)
        .execute(&mut *db)
        .await);
    Ok(RoomId(id))
}

/// Stores the counters of a room that a change of the room or its members moves. The caller holds the [`lock`].
pub async fn set_counters(conn: &mut Conn, room: RoomId, member_count: i64, rev: i64) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room SET member_count = ?, rev = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL)
        .bind(member_count)
        .bind(rev)
        .bind(room.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

#[derive(FromRow)]
struct RoomInfoRow {
    id: i64,
    name: String,
    description: String,
    room_type: String,
    max_members: i64,
    is_active: bool,
    updated_at: i64,
    info_rev: i64,
}

/// The room's own fields, and the number of their latest change; `None` if the room does not exist.
pub async fn info(conn: &mut Conn, room: RoomId) -> StoreResult<Option<(RoomInfo, i64)>> {
    const SQL: &str = "SELECT id, name, description, room_type, max_members, is_active, updated_at, info_rev \
        FROM chat_room WHERE id = ?";
    let row: Option<RoomInfoRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(|row| {
        let info = RoomInfo {
            id: RoomId(row.id),
            name: row.name,
            description: row.description,
            room_type: room_type(&row.room_type),
            max_members: row.max_members,
            is_active: row.is_active,
            updated_at: Timestamp(row.updated_at),
        };
        (info, row.info_rev)
    }))
}

/// Changes to a room; `None` leaves a field unchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomUpdate<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The description.
    pub description: Option<&'a str>,
    /// Maximum number of members.
    pub max_members: Option<i64>,
    /// Deletes the room; its messages and members are kept.
    pub is_deleted: bool,
    /// Removes the messages before this `seq` from its history.
    pub first_seq: Option<i64>,
}

/// Updates the room's own fields, as change number `rev`.
pub async fn update(
    conn: &mut Conn,
    room: RoomId,
    change: &RoomUpdate<'_>,
    rev: i64,
    now: Timestamp,
) -> StoreResult<()> {
    const SQL: &str = "UPDATE chat_room SET name = COALESCE(?, name), name_key = COALESCE(?, name_key), \
        description = COALESCE(?, description), max_members = COALESCE(?, max_members), \
        is_active = CASE WHEN ? THEN FALSE ELSE is_active END, first_seq = COALESCE(?, first_seq), info_rev = ?, updated_at = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL)
        .bind(change.name)
        .bind(change.name.map(room_search))
        .bind(change.description)
        .bind(change.max_members)
        .bind(change.is_deleted)
        .bind(change.first_seq)
        .bind(rev)
        .bind(now.0)
        .bind(room.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}
