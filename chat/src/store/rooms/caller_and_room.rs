//! A caller and the room that they ask about, in one look: on SQLite a statement costs two changes of threads, several
//! times what it does.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, Row as _};

use super::{Standing, StandingRow, StateRow};
use crate::{
    model::{RoomId, Timestamp, User, UserId},
    store::{
        Conn, Link, StoreResult, json_rows,
        messages::{self, StoredMessage},
        on,
        users::Account,
    },
};

/// An account and its standing in a room.
pub type Visited = (Account, Standing);

json_rows::row! {
    struct VisitRow {
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

const VISIT: &str = "SELECT u.id AS user_id, u.username, u.first_name, u.last_name, u.is_active AS may_sign_in, \
    u.tokens_from, r.id, r.name, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, r.rev, \
    m.id AS member_id, m.role, m.left_at, m.is_muted, m.is_banned, m.last_read_seq, m.sent \
    FROM user u JOIN chat_room r ON r.id = ? \
    LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = u.id WHERE u.id = ?";

/// Both as one statement of SQLite.
static TOGETHER: LazyLock<Arc<str>> = LazyLock::new(|| {
    let visit = json_rows::text::<VisitRow>(VISIT);
    format!("SELECT ({visit}), ({})", json_rows::text::<messages::MessageRow>(messages::NEWEST)).into()
});

impl From<VisitRow> for Visited {
    fn from(row: VisitRow) -> Self {
        let user = User {
            id: UserId(row.user_id),
            username: row.username,
            first_name: row.first_name,
            last_name: row.last_name,
        };
        let account = Account { user, is_active: row.may_sign_in, tokens_from: Timestamp(row.tokens_from) };
        let room = StateRow {
            id: row.id,
            name: row.name,
            room_type: row.room_type,
            is_active: row.is_active,
            max_members: row.max_members,
            member_count: row.member_count,
            seq: row.seq,
            rev: row.rev,
        };
        let standing = StandingRow {
            room,
            member_id: row.member_id,
            role: row.role,
            left_at: row.left_at,
            is_muted: row.is_muted,
            is_banned: row.is_banned,
            last_read_seq: row.last_read_seq,
            sent: row.sent,
        };
        (account, standing.into())
    }
}

/// `user`'s account and their standing in `room`; `None` when there is not one of the two.
pub async fn visit(conn: &mut Conn, room: RoomId, user: UserId) -> StoreResult<Option<Visited>> {
    let row: Option<VisitRow> =
        on!(conn, |link| sqlx::query_as(VISIT).bind(room.0).bind(user.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Visited::from))
}

/// The same, and the room's messages but the newest `skipped`, `count` of them at most, oldest first; whether
/// `user` may have them is for the rules to say.
pub async fn newest_for(
    conn: &mut Conn,
    room: RoomId,
    user: UserId,
    skipped: i64,
    count: i64,
) -> StoreResult<Option<(Visited, Vec<StoredMessage>)>> {
    let upto = skipped.saturating_add(count);
    let Link::Sqlite(link) = conn.link() else {
        let Some(visited) = visit(conn, room, user).await? else { return Ok(None) };
        let state = &visited.1.room;
        let found = messages::range(conn, &state.to_ref(), state.seq - upto, state.seq - skipped).await?;
        return Ok(Some((visited, found)));
    };
    let row = sqlx::query(AssertSqlSafe(Arc::clone(&TOGETHER))).bind(room.0).bind(user.0);
    let row = row.bind(room.0).bind(upto).bind(room.0).bind(skipped).bind(room.0);
    let row = row.fetch_one(link).await?;
    let visited: Vec<VisitRow> = json_rows::read(row.try_get(0)?)?;
    let Some(visited) = visited.into_iter().next().map(Visited::from) else { return Ok(None) };
    let found: Vec<messages::MessageRow> = json_rows::read(row.try_get(1)?)?;
    let tag = visited.1.room.to_ref();
    Ok(Some((visited, found.into_iter().map(|row| row.into_stored(tag.clone())).collect())))
}
