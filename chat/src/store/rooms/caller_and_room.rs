//! Loads the caller's account together with a room. On SQLite each statement costs two thread switches, several times
//! the cost of the query, so they are one statement.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, Row as _};

use super::{RoomAccess, RoomAccessRow, RoomStateRow};
use crate::{
    model::{RoomId, Timestamp, User, UserId},
    store::{
        Conn, DriverConn, StoreResult, json_rows,
        messages::{self, StoredMessage},
        on,
        users::Account,
    },
};

/// A user's account and their access to a room.
pub type CallerAndRoom = (Account, RoomAccess);

json_rows::row! {
    struct CallerAndRoomRow {
        user_id: i64,
        username: String,
        first_name: String,
        last_name: String,
        #[serde(deserialize_with = "json_rows::flag")]
        may_sign_in: bool,
        tokens_from: i64,
        id: i64,
        name: String,
        room_type: String,
        #[serde(deserialize_with = "json_rows::flag")]
        is_active: bool,
        max_members: i64,
        member_count: i64,
        seq: i64,
        rev: i64,
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

const SELECT: &str = "SELECT u.id AS user_id, u.username, u.first_name, u.last_name, u.is_active AS may_sign_in, \
    u.tokens_from, r.id, r.name, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, r.rev, \
    m.id AS member_id, m.role, m.left_at, m.is_muted, m.is_banned, m.last_read_seq, m.sent \
    FROM user u JOIN chat_room r ON r.id = ? \
    LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = u.id WHERE u.id = ?";

/// Both as one statement of SQLite.
static SELECT_WITH_NEWEST: LazyLock<Arc<str>> = LazyLock::new(|| {
    let caller_and_room = json_rows::select_json::<CallerAndRoomRow>(SELECT);
    format!(
        "SELECT ({caller_and_room}), ({})",
        json_rows::select_json::<messages::MessageRow>(messages::NEWEST)
    )
    .into()
});

impl From<CallerAndRoomRow> for CallerAndRoom {
    fn from(row: CallerAndRoomRow) -> Self {
        let user = User {
            id: UserId(row.user_id),
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
        };
        let account = Account { user, is_active: row.may_sign_in, tokens_from: Timestamp(row.tokens_from) };
        let room = RoomStateRow {
            id: row.id,
            name: row.name,
            room_type: row.room_type,
            is_active: row.is_active,
            max_members: row.max_members,
            member_count: row.member_count,
            seq: row.seq,
            rev: row.rev,
        };
        let access = RoomAccessRow {
            room,
            member_id: row.member_id,
            role: row.role,
            left_at: row.left_at,
            is_muted: row.is_muted,
            is_banned: row.is_banned,
            last_read_seq: row.last_read_seq,
            sent: row.sent,
        };
        (account, access.into())
    }
}

/// The account of `user` and their access to `room`; `None` if either does not exist.
pub async fn load_caller_and_room(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
) -> StoreResult<Option<CallerAndRoom>> {
    let row: Option<CallerAndRoomRow> =
        on!(conn, |db| sqlx::query_as(SELECT).bind(room.0).bind(user.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(CallerAndRoom::from))
}

/// As [`load_caller_and_room`], with up to `count` of the room's newest messages after skipping `skipped`, oldest
/// first. The caller checks access.
pub async fn load_caller_room_and_newest(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    skipped: i64,
    count: i64,
) -> StoreResult<Option<(CallerAndRoom, Vec<StoredMessage>)>> {
    let upto = skipped.saturating_add(count);
    let DriverConn::Sqlite(db) = conn.driver() else {
        let Some(loaded) = load_caller_and_room(conn, room, user).await? else { return Ok(None) };
        let state = &loaded.1.room;
        let found = messages::range(conn, &state.to_ref(), state.seq - upto, state.seq - skipped).await?;
        return Ok(Some((loaded, found)));
    };
    let row = sqlx::query(AssertSqlSafe(Arc::clone(&SELECT_WITH_NEWEST))).bind(room.0).bind(user.0);
    let row = row.bind(room.0).bind(upto).bind(room.0).bind(skipped).bind(room.0);
    let row = row.fetch_one(db).await?;
    let loaded: Vec<CallerAndRoomRow> = json_rows::parse(row.try_get(0)?)?;
    let Some(loaded) = loaded.into_iter().next().map(CallerAndRoom::from) else { return Ok(None) };
    let found: Vec<messages::MessageRow> = json_rows::parse(row.try_get(1)?)?;
    let tag = loaded.1.room.to_ref();
    Ok(Some((loaded, found.into_iter().map(|row| row.into_stored(tag.clone())).collect())))
}
