//! Rooms as one viewer sees them: a list, or one.

use std::collections::HashMap;

use super::room_type;
use crate::{
    model::{LastMessage, MessageId, Role, Room, RoomId, RoomType, Timestamp, User, UserId},
    store::{
        Backend, Conn, StoreResult,
        condition::{active_member, present_member},
        dialect::padded,
        json_rows, on,
        users::{self, Account, AccountRow},
    },
};

/// Which rooms to list.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Part of the name; `%` and `_` stand for themselves.
    pub search: Option<String>,
    /// Only this type.
    pub room_type: Option<RoomType>,
    /// Only those the viewer is in.
    pub mine: bool,
    /// Only those that stand after this place.
    pub after: Option<RoomPlace>,
    /// At most so many.
    pub limit: i64,
}

/// Where a room stands in the list, which begins with the latest activity. It moves up
/// when somebody writes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomPlace {
    /// When its newest message was stored, or when it was made.
    pub active_at: Timestamp,
    /// The room.
    pub room: RoomId,
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
        seq: i64,
        created_at: i64,
        updated_at: i64,
        active_at: i64,
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
    struct PlaceRow {
        id: i64,
        active_at: i64,
    }
}

impl From<RoomRow> for Room {
    fn from(row: RoomRow) -> Self {
        let role = row.role;
        let last_message = match (row.message_id, row.message_content, row.message_sender, row.message_at) {
            (Some(id), Some(content), Some(sender), Some(at)) => {
                Some(LastMessage { id: MessageId(id), content, sender, created_at: Timestamp(at) })
            }
            _ => None,
        };
        let unread = match (&role, row.last_read_seq, row.own_after_read) {
            (Some(_), Some(read), Some(own)) => (row.seq - read - own).max(0),
            _ => 0,
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
            is_member: role.is_some(),
            my_role: role.as_deref().map(Role::from_stored),
            unread_count: unread,
            members: None,
        }
    }
}

/// One room and everything that a list shows of it, found by indexes alone: the
/// newest message is the one whose `seq` the room's row names. To whoever is not a member
/// it has no message and nothing unread: they may not read it.
macro_rules! viewed {
    ($($rooms:expr),+; $rest:literal) => {
        viewed!("m.id IS NOT NULL" => $($rooms),+; $rest)
    };
    ($may_read:literal => $($rooms:expr),+; $rest:literal) => {
        concat!(
            "SELECT r.id, r.name, r.description, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, \
             r.created_at, r.updated_at, r.active_at, c.id AS creator_id, c.username AS creator_username, \
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
            " AND l.room_id = r.id AND l.seq = r.seq \
             LEFT JOIN user s ON s.id = l.sender_id ",
            $rest
        )
    };
}

/// The places of the rooms to list: the public ones, which an index has in this order, and
/// the viewer's own among the others, as many as they are in. Each half at most as many as
/// are wanted of both together.
macro_rules! places {
    () => {
        concat!(
            "SELECT * FROM (SELECT r.id, r.active_at FROM chat_room r \
         WHERE r.is_active = TRUE AND r.room_type = 'public' \
         AND r.active_at <= ? AND (r.active_at < ? OR r.id < ?) AND (? IS NULL OR LOWER(r.name) LIKE ? ESCAPE '!') \
         ORDER BY r.active_at DESC, r.id DESC LIMIT ?) anyones \
         UNION ALL SELECT * FROM (SELECT r.id, r.active_at FROM chat_room_member b JOIN chat_room r ON r.id = b.room_id \
         WHERE b.user_id = ? AND ",
            active_member!("b", "r"),
            " AND (? = TRUE OR r.room_type <> 'public') AND (? IS NULL OR r.room_type = ?) \
         AND r.active_at <= ? AND (r.active_at < ? OR r.id < ?) AND (? IS NULL OR LOWER(r.name) LIKE ? ESCAPE '!') \
         ORDER BY r.active_at DESC, r.id DESC LIMIT ?) own"
        )
    };
}

/// Binds what [`places`] asks for.
macro_rules! bind_places {
    ($query:expr, $viewer:expr, $filter:expr, $limit:expr) => {{
        let (filter, limit) = ($filter, $limit);
        let (at, id) = filter.after.map_or((i64::MAX, i64::MAX), |place| (place.active_at.0, place.room.0));
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

/// The rooms that `viewer` may know of with their places, most recent activity first.
pub async fn list(
    conn: &mut Conn,
    viewer: UserId,
    filter: &RoomFilter,
) -> StoreResult<Vec<(RoomPlace, Room)>> {
    let sql = list_sql(conn.backend());
    let rows = json_rows::all!(conn, RoomRow, sql, |query| {
        bind_places!(query, viewer, filter, filter.limit).bind(viewer.0)
    })?;
    Ok(placed(rows, filter))
}

/// The same, and the viewer's account, in one look on SQLite.
pub async fn list_for(
    conn: &mut Conn,
    viewer: UserId,
    filter: &RoomFilter,
) -> StoreResult<(Option<Account>, Vec<(RoomPlace, Room)>)> {
    let sql = list_sql(conn.backend());
    let (account, rows) = json_rows::both!(
        conn,
        AccountRow,
        users::BY_ID,
        |query| query.bind(viewer.0),
        RoomRow,
        sql,
        |query| { bind_places!(query, viewer, filter, filter.limit).bind(viewer.0) },
    );
    Ok((account.into_iter().next().map(Account::from), placed(rows, filter)))
}

fn list_sql(backend: Backend) -> String {
    format!(viewed!("(", places!(), ") p {} chat_room r ON r.id = p.id"; ""), backend.join_in_order())
}

fn placed(rows: Vec<RoomRow>, filter: &RoomFilter) -> Vec<(RoomPlace, Room)> {
    let place = |row: &RoomRow| RoomPlace { active_at: Timestamp(row.active_at), room: RoomId(row.id) };
    let rooms = rows.into_iter().map(|row| (place(&row), Room::from(row))).collect();
    first(rooms, filter.limit, |(place, _)| *place)
}

/// The place of the `number`th room of the list; `None` when it is shorter. It reads that
/// many entries of an index: who goes through the list had better say after which place.
pub async fn place(
    conn: &mut Conn,
    viewer: UserId,
    filter: &RoomFilter,
    number: i64,
) -> StoreResult<Option<RoomPlace>> {
    let rows =
        json_rows::all!(conn, PlaceRow, places!(), |query| bind_places!(query, viewer, filter, number))?;
    let place = |row: PlaceRow| RoomPlace { active_at: Timestamp(row.active_at), room: RoomId(row.id) };
    let places = first(rows.into_iter().map(place).collect(), number, |place| *place);
    Ok(places.last().copied().filter(|_| i64::try_from(places.len()) == Ok(number)))
}

/// The first of two halves put together.
fn first<T>(mut halves: Vec<T>, limit: i64, place: impl Fn(&T) -> RoomPlace) -> Vec<T> {
    halves.sort_unstable_by_key(|item| std::cmp::Reverse(place(item)));
    halves.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    halves
}

/// One room as `viewer` sees it; whether they may is for the rules to say.
pub async fn view(conn: &mut Conn, viewer: UserId, room: RoomId) -> StoreResult<Option<Room>> {
    const SQL: &str = viewed!("chat_room r"; "WHERE r.id = ?");
    let row: Option<RoomRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(viewer.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Room::from))
}

/// Several rooms as `viewer` sees them.
pub async fn views(conn: &mut Conn, viewer: UserId, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, Room>> {
    read_views(conn, viewer, rooms, viewed!("chat_room r"; "WHERE r.id IN ")).await
}

/// Several rooms as all their members see them. What differs from one to the other is left out.
pub async fn common_views(conn: &mut Conn, rooms: &[RoomId]) -> StoreResult<HashMap<RoomId, Room>> {
    // No account has this id.
    read_views(conn, UserId(0), rooms, viewed!("TRUE" => "chat_room r"; "WHERE r.id IN ")).await
}

async fn read_views(
    conn: &mut Conn,
    viewer: UserId,
    rooms: &[RoomId],
    select: &str,
) -> StoreResult<HashMap<RoomId, Room>> {
    let Some(&last) = rooms.last() else { return Ok(HashMap::new()) };
    let marks = vec!["?"; padded(rooms.len())].join(", ");
    let sql = format!("{select}({marks})");
    let filler = std::iter::repeat_n(last, padded(rooms.len()) - rooms.len());
    let rows = json_rows::all!(conn, RoomRow, sql, |query| {
        rooms.iter().copied().chain(filler).fold(query.bind(viewer.0), |query, room| query.bind(room.0))
    })?;
    Ok(rows.into_iter().map(|row| (RoomId(row.id), Room::from(row))).collect())
}

/// A LIKE pattern in which what the person typed stands for itself.
pub(in crate::store) fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.to_lowercase().chars() {
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
    fn wildcards_that_a_person_types_stand_for_themselves() {
        assert_eq!(like_pattern("50%_!"), "%50!%!_!!%");
    }
}
