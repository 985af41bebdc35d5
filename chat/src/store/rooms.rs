//! Rooms: rows of `chat_room`, as one viewer sees them.

use sqlx::FromRow;

use super::{Conn, StoreResult, on};
use crate::model::{LastMessage, MessageId, Role, Room, RoomId, RoomRef, RoomType, Timestamp, User, UserId};

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
}

#[derive(FromRow)]
struct StandingRow {
    id: i64,
    name: String,
    room_type: String,
    is_active: bool,
    max_members: i64,
    member_count: i64,
    seq: i64,
    rev: i64,
    member_id: Option<i64>,
    role: Option<String>,
    left_at: Option<i64>,
    is_muted: Option<bool>,
    is_banned: Option<bool>,
    last_read_seq: Option<i64>,
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
        });
        Self {
            room: RoomState {
                id: RoomId(row.id),
                name: row.name,
                room_type: room_type(&row.room_type),
                is_active: row.is_active,
                max_members: row.max_members,
                member_count: row.member_count,
                seq: row.seq,
                rev: row.rev,
            },
            member,
        }
    }
}

/// An unknown word is the type that shows least.
pub(super) fn room_type(word: &str) -> RoomType {
    RoomType::parse(word).unwrap_or_default()
}

/// `user`'s standing in `room`; `None` when there is no such room.
pub async fn standing(conn: &mut Conn, room: RoomId, user: UserId) -> StoreResult<Option<Standing>> {
    const SQL: &str = "SELECT r.id, r.name, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, r.rev, \
        m.id AS member_id, m.role, m.left_at, m.is_muted, m.is_banned, m.last_read_seq \
        FROM chat_room r LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = ? WHERE r.id = ?";
    let row: Option<StandingRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(user.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Standing::from))
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

/// Which rooms to list.
#[derive(Clone, Debug, Default)]
pub struct RoomFilter {
    /// Part of the name; `%` and `_` stand for themselves.
    pub search: Option<String>,
    /// Only this type.
    pub room_type: Option<RoomType>,
    /// Only those the viewer is in.
    pub mine: bool,
    /// Skip so many of the list.
    pub offset: i64,
    /// At most so many.
    pub limit: i64,
}

#[derive(FromRow)]
struct RoomRow {
    id: i64,
    name: String,
    description: String,
    room_type: String,
    is_active: bool,
    max_members: i64,
    member_count: i64,
    seq: i64,
    created_at: i64,
    updated_at: i64,
    creator_id: i64,
    creator_username: String,
    creator_first_name: String,
    creator_last_name: String,
    role: Option<String>,
    last_read_seq: Option<i64>,
    own_after_read: Option<i64>,
    is_banned: Option<bool>,
    message_id: Option<i64>,
    message_content: Option<String>,
    message_at: Option<i64>,
    message_sender: Option<String>,
}

impl From<RoomRow> for Room {
    fn from(row: RoomRow) -> Self {
        let banned = row.is_banned.unwrap_or_default();
        let role = row.role.filter(|_| !banned);
        let last_message = match (row.message_id, row.message_content, row.message_sender, row.message_at) {
            (Some(id), Some(content), Some(sender), Some(at)) if !banned => {
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
            my_role: role.as_deref().map(Role::from_word),
            unread_count: unread,
            members: None,
        }
    }
}

/// One room and everything that a list shows of it, found by indexes alone: the
/// newest message is the one whose `seq` the room's row names.
macro_rules! viewed {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.name, r.description, r.room_type, r.is_active, r.max_members, r.member_count, r.seq, \
             r.created_at, r.updated_at, c.id AS creator_id, c.username AS creator_username, \
             c.first_name AS creator_first_name, c.last_name AS creator_last_name, \
             m.role, m.last_read_seq, m.own_after_read, m.is_banned, \
             l.id AS message_id, l.content AS message_content, l.created_at AS message_at, \
             s.username AS message_sender \
             FROM chat_room r JOIN user c ON c.id = r.created_by \
             LEFT JOIN chat_room_member m ON m.room_id = r.id AND m.user_id = ? AND m.left_at IS NULL \
             LEFT JOIN chat_message l ON l.room_id = r.id AND l.seq = r.seq \
             LEFT JOIN user s ON s.id = l.sender_id ",
            $rest
        )
    };
}

/// The rooms that `viewer` may know of, most recent activity first.
pub async fn list(conn: &mut Conn, viewer: UserId, filter: &RoomFilter) -> StoreResult<Vec<Room>> {
    const SQL: &str = viewed!(
        "WHERE r.is_active = TRUE AND ((m.id IS NOT NULL AND m.is_banned = FALSE) \
         OR (r.room_type = 'public' AND ? = FALSE)) \
         AND (? IS NULL OR LOWER(r.name) LIKE ? ESCAPE '!') AND (? IS NULL OR r.room_type = ?) \
         ORDER BY r.active_at DESC, r.id DESC LIMIT ? OFFSET ?"
    );
    let pattern = filter.search.as_deref().map(like_pattern);
    let kind = filter.room_type.map(RoomType::as_str);
    let rows: Vec<RoomRow> = on!(conn, |link| sqlx::query_as(SQL)
        .bind(viewer.0)
        .bind(filter.mine)
        .bind(pattern.as_deref())
        .bind(pattern.as_deref())
        .bind(kind)
        .bind(kind)
        .bind(filter.limit)
        .bind(filter.offset)
        .fetch_all(&mut *link)
        .await)?;
    Ok(rows.into_iter().map(Room::from).collect())
}

/// One room as `viewer` sees it; whether they may is for the rules to say.
pub async fn view(conn: &mut Conn, viewer: UserId, room: RoomId) -> StoreResult<Option<Room>> {
    const SQL: &str = viewed!("WHERE r.id = ?");
    let row: Option<RoomRow> =
        on!(conn, |link| sqlx::query_as(SQL).bind(viewer.0).bind(room.0).fetch_optional(&mut *link).await)?;
    Ok(row.map(Room::from))
}

/// A LIKE pattern in which what the person typed stands for itself.
fn like_pattern(text: &str) -> String {
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
