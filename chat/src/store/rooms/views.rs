//! Rooms with everything that a list shows of them, as seen by one user.

use std::collections::HashMap;

use super::room_type;
use crate::{
    model::{LastMessage, MessageId, Role, Room, RoomId, Timestamp, User, UserId},
    store::{
        Conn, StoreResult,
        condition::{in_history, present_member},
        dialect::padded,
        json_rows, on,
        reads::unread,
    },
};

/// Maximum number of rooms in one query. SQLite allows 32,766 placeholders.
const CHUNK: usize = 1_024;

/// The numbers with which a room's fields change, except those that differ between users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomVersion {
    /// The room's change number.
    pub rev: i64,
    /// The number of the latest change of anybody's names.
    pub names_rev: i64,
}

/// What one user is to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their role.
    pub role: Role,
    /// Number of messages of others that they have not read.
    pub unread_count: i64,
}

json_rows::row! {
    struct RoomRow {
        id: i64,
        name: String,
        description: String,
        room_type: String,
        #[serde(deserialize_with = "json_rows::flag")]
        is_active: bool,
        max_members: i64,
        member_count: i64,
        rev: i64,
        names_rev: i64,
        seq: i64,
        first_seq: i64,
        created_at: i64,
        updated_at: i64,
        creator_id: i64,
        creator_username: String,
        creator_first_name: String,
        creator_last_name: String,
        role: Option<String>,
        last_read_seq: Option<i64>,
        own_after_read: Option<i64>,
        message_id: Option<i64>,
        message_content: Option<String>,
        message_at: Option<i64>,
        message_sender: Option<String>,
    }
}

impl From<RoomRow> for Room {
    fn from(row: RoomRow) -> Self {
        let standing = standing(
            (row.seq, row.first_seq),
            row.role.as_deref(),
            row.last_read_seq.zip(row.own_after_read),
        );
        let last_message = match (row.message_id, row.message_content, row.message_sender, row.message_at) {
            (Some(id), Some(content), Some(sender), Some(at)) => {
                Some(LastMessage { id: MessageId(id), content, sender, created_at: Timestamp(at) })
            }
            _ => None,
        };
        Self {
            id: RoomId(row.id),
            name: row.name,
            description: row.description,
            room_type: room_type(&row.room_type),
            created_by: User {
                id: UserId(row.creator_id),
                username: row.creator_username,
                first_name: row.creator_first_name,
                last_name: row.creator_last_name,
            },
            member_count: row.member_count,
            is_active: row.is_active,
            max_members: row.max_members,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            last_message,
            is_member: standing.is_some(),
            my_role: standing.map(|standing| standing.role),
            unread_count: standing.map_or(0, |standing| standing.unread_count),
            members: None,
        }
    }
}

/// What a member with this role is to a room with these counters, who has read up to and written since the second pair.
pub(super) fn standing(
    (seq, first_seq): (i64, i64),
    role: Option<&str>,
    read_and_own: Option<(i64, i64)>,
) -> Option<Standing> {
    let (role, (read, own)) = (Role::from_stored(role?), read_and_own?);
    Some(Standing { role, unread_count: unread(seq, first_seq, read, own) })
}

/// The number of the latest change of anybody's names.
macro_rules! names_rev {
    () => {
        "(SELECT names_rev FROM chat_system WHERE id = 1) AS names_rev"
    };
}
pub(super) use names_rev;

/// The SELECT of rooms with everything a list shows, using indexes only: the newest message is the one whose `seq` is
/// in the room's row. For non-members there is no newest message and no unread count.
macro_rules! room_views {
    ($($rooms:expr),+; $rest:literal) => {
        room_views!("m.id IS NOT NULL" => $($rooms),+; $rest)
    };
    ($may_read:literal => $($rooms:expr),+; $rest:literal) => {
        concat!(
            "SELECT r.id, r.name, r.description, r.room_type, r.is_active, r.max_members, r.member_count, r.rev, ",
            names_rev!(),
            ", r.seq, r.first_seq, r.created_at, r.updated_at, c.id AS creator_id, c.username AS creator_username, \
             c.first_name AS creator_first_name, c.last_name AS creator_last_name, \
             m.role, m.last_read_seq, m.own_after_read, \
             l.id AS message_id, l.content AS message_content, l.created_at AS message_at, \
             s.username AS message_sender FROM ",
            $($rooms),+,
            " JOIN user c ON c.id = r.created_by \
             LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = ? AND ",
            present_member!("m"),
            " LEFT JOIN chat_message l ON ",
            $may_read,
            " AND l.room_id = r.id AND l.seq = r.seq AND ",
            in_history!("l", "r"),
            " LEFT JOIN user s ON s.id = l.sender_id ",
            $rest
        )
    };
}

/// One room as seen by `viewer`. The caller checks access.
pub async fn view(conn: &mut Conn, viewer: UserId, room: RoomId) -> StoreResult<Option<Room>> {
    const SQL: &str = room_views!("chat_room r"; "WHERE r.id = ?");
    let row: Option<RoomRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(viewer.0).bind(room.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(Room::from))
}

/// Several rooms as seen by `viewer`.
pub async fn views(conn: &mut Conn, viewer: UserId, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, Room>> {
    let rows = read_views(conn, viewer, rooms, room_views!("chat_room r"; "WHERE r.id IN ")).await?;
    Ok(rows.into_iter().map(|row| (RoomId(row.id), Room::from(row))).collect())
}

/// Several rooms as seen by any member, without the fields that differ between members.
pub async fn common_views(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, Room>> {
    // No account has this id.
    let versions = versions(conn, UserId(0), rooms).await?;
    Ok(versions.into_iter().map(|(_, room)| (room.id, room)).collect())
}

/// Several rooms as seen by `viewer`, but with the newest message in any case, and the version that this is.
pub async fn versions(
    conn: &mut Conn,
    viewer: UserId,
    rooms: &[RoomId],
) -> StoreResult<Vec<(RoomVersion, Room)>> {
    let rows =
        read_views(conn, viewer, rooms, room_views!("TRUE" => "chat_room r"; "WHERE r.id IN ")).await?;
    let version = |row: &RoomRow| RoomVersion { rev: row.rev, names_rev: row.names_rev };
    Ok(rows.into_iter().map(|row| (version(&row), Room::from(row))).collect())
}

async fn read_views(
    conn: &mut Conn,
    viewer: UserId,
    rooms: &[RoomId],
    select: &str,
) -> StoreResult<Vec<RoomRow>> {
    let mut found = Vec::with_capacity(rooms.len());
    for chunk in rooms.chunks(CHUNK) {
        let Some(&last) = chunk.last() else { continue };
        let marks = vec!["?"; padded(chunk.len())].join(", ");
        let sql = format!("{select}({marks})");
        let filler = std::iter::repeat_n(last, padded(chunk.len()) - chunk.len());
        found.extend(json_rows::fetch_all!(conn, RoomRow, sql, |query| {
            chunk.iter().copied().chain(filler).fold(query.bind(viewer.0), |query, room| query.bind(room.0))
        })?);
    }
    Ok(found)
}
