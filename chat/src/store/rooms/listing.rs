//! The list of the rooms that one user sees, with keyset pagination.

use super::views::{RoomVersion, Standing, names_rev, standing};
use crate::{
    fold::fold,
    model::{RoomId, RoomType, Timestamp, UserId},
    store::{
        Conn, StoreResult,
        condition::{active_member, present_member},
        json_rows,
    },
};

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
    struct CursorRow {
        id: i64,
        active_at: i64,
    }
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
