//! Rooms as seen by one user: the room list with keyset pagination, and single rooms.

use std::collections::HashMap;

use super::room_type;
use crate::{
    fold::fold,
    model::{LastMessage, MessageId, Role, Room, RoomId, RoomType, Timestamp, User, UserId},
    store::{
        Conn, StoreResult,
        condition::{active_member, in_history, present_member},
        dialect::padded,
        json_rows, on,
        reads::unread,
    },
};

/// Maximum number of rooms in one query. SQLite allows 32,766 placeholders.
const CHUNK: usize = 1_024;

/// Which rooms to list.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Part of the name in any case and compatibility form; `%` and `_` are literal.
    pub search: Option<String>,
    /// Only this type.
    pub room_type: Option<RoomType>,
    /// Only rooms the user is a member of.
    pub mine: bool,
    /// Only rooms after this cursor.
    pub after: Option<RoomCursor>,
    /// Maximum number of rooms.
    pub limit: i64,
}

/// A room's position in the list, which is sorted by latest activity. It changes when a message is sent to the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomCursor {
    /// When its newest message was stored, or when it was created.
    pub active_at: Timestamp,
    /// The room.
    pub room: RoomId,
}

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

/// A room of a list, by its numbers.
#[derive(Clone, Copy, Debug)]
pub struct ListedRoom {
    /// Its position.
    pub cursor: RoomCursor,
    /// The version to show.
    pub version: RoomVersion,
    /// What the viewer is to it; `None` if not a member.
    pub standing: Option<Standing>,
}

json_rows::row! {
    struct ListedRow {
        id: i64,
        active_at: i64,
        rev: i64,
        names_rev: i64,
        seq: i64,
        first_seq: i64,
        role: Option<String>,
        last_read_seq: Option<i64>,
        own_after_read: Option<i64>,
    }
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

json_rows::row! {
    struct CursorRow {
        id: i64,
        active_at: i64,
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
fn standing(
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

/// The keys of the rooms of a page: public ones, which an index has in this order, and the user's own non-public
/// ones. Each part has at most as many rows as the page.
macro_rules! page_keys {
    () => {
        concat!(
            "SELECT * FROM (SELECT r.id, r.active_at, r.rev, r.seq, r.first_seq FROM chat_room r \
         WHERE r.is_active = TRUE AND r.room_type = 'public' \
         AND r.active_at <= ? AND (r.active_at < ? OR r.id < ?) AND (? IS NULL OR r.name_key LIKE ? ESCAPE '!') \
         ORDER BY r.active_at DESC, r.id DESC LIMIT ?) anyones \
         UNION ALL SELECT * FROM (SELECT r.id, r.active_at, r.rev, r.seq, r.first_seq FROM chat_room_member b JOIN chat_room r ON r.id = b.room_id \
         WHERE b.user_id = ? AND ",
            active_member!("b", "r"),
            " AND (? = TRUE OR r.room_type <> 'public') AND (? IS NULL OR r.room_type = ?) \
         AND r.active_at <= ? AND (r.active_at < ? OR r.id < ?) AND (? IS NULL OR r.name_key LIKE ? ESCAPE '!') \
         ORDER BY r.active_at DESC, r.id DESC LIMIT ?) own"
        )
    };
}

/// Binds the placeholders of [`page_keys`].
macro_rules! bind_page {
    ($query:expr, $viewer:expr, $filter:expr, $limit:expr) => {{
        let (filter, limit) = ($filter, $limit);
        let (at, id) =
            filter.after.map_or((i64::MAX, i64::MAX), |cursor| (cursor.active_at.0, cursor.room.0));
        let pattern = filter.search.as_deref().map(like_pattern);
        let is_public = filter.room_type.map(|kind| kind == RoomType::Public);
        let kind = filter.room_type.map(RoomType::as_str);
        let of_anyone = if filter.mine || is_public == Some(false) { 0 } else { limit };
        let own = if !filter.mine && is_public == Some(true) { 0 } else { limit };
        let query =
            $query.bind(at).bind(at).bind(id).bind(pattern.clone()).bind(pattern.clone()).bind(of_anyone);
        let query = query.bind($viewer.0).bind(filter.mine).bind(kind).bind(kind);
        query.bind(at).bind(at).bind(id).bind(pattern.clone()).bind(pattern).bind(own)
    }};
}

/// The rooms visible to `viewer`, sorted by latest activity.
pub async fn list(conn: &mut Conn, viewer: UserId, filter: &RoomFilter) -> StoreResult<Vec<ListedRoom>> {
    const SQL: &str = concat!(
        "SELECT p.id, p.active_at, p.rev, ",
        names_rev!(),
        ", p.seq, p.first_seq, m.role, m.last_read_seq, m.own_after_read FROM (",
        page_keys!(),
        ") p LEFT JOIN chat_room_member m ON m.room_id = p.id AND m.user_id = ? AND ",
        present_member!("m")
    );
    let rows = json_rows::fetch_all!(conn, ListedRow, SQL, |query| {
        bind_page!(query, viewer, filter, filter.limit).bind(viewer.0)
    })?;
    let listed = rows.into_iter().map(|row| ListedRoom {
        cursor: RoomCursor { active_at: Timestamp(row.active_at), room: RoomId(row.id) },
        version: RoomVersion { rev: row.rev, names_rev: row.names_rev },
        standing: standing(
            (row.seq, row.first_seq),
            row.role.as_deref(),
            row.last_read_seq.zip(row.own_after_read),
        ),
    });
    Ok(first(listed.collect(), filter.limit, |room| room.cursor))
}

/// The cursor of the `number`th room of the list; `None` if the list is shorter. It reads `number` index entries:
/// prefer pagination by cursor.
pub async fn nth_cursor(
    conn: &mut Conn,
    viewer: UserId,
    filter: &RoomFilter,
    number: i64,
) -> StoreResult<Option<RoomCursor>> {
    let rows = json_rows::fetch_all!(conn, CursorRow, page_keys!(), |query| bind_page!(
        query, viewer, filter, number
    ))?;
    let cursor = |row: CursorRow| RoomCursor { active_at: Timestamp(row.active_at), room: RoomId(row.id) };
    let cursors = first(rows.into_iter().map(cursor).collect(), number, |cursor| *cursor);
    Ok(cursors.last().copied().filter(|_| i64::try_from(cursors.len()) == Ok(number)))
}

/// The first `limit` rows of both parts together.
fn first<T>(mut halves: Vec<T>, limit: i64, cursor: impl Fn(&T) -> RoomCursor) -> Vec<T> {
    halves.sort_unstable_by_key(|item| std::cmp::Reverse(cursor(item)));
    halves.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    halves
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

/// A LIKE pattern for a folded column that contains `text`, literally.
pub(in crate::store) fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in fold(text).chars() {
        if matches!(c, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn wildcards_in_user_input_are_escaped() {
        assert_eq!(like_pattern("50%_!"), "%50!%!_!!%");
        assert_eq!(like_pattern("Ｔ％"), "%t!%%", "also those that folding makes");
    }
}
