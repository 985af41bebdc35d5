//! A batch on SQLite: two calls of the driver, one before the rules speak and one after. Each costs two changes of
//! threads, whatever it does, and in a small batch that is most of what there is to pay.
//!
//! Lists of keys go as one JSON text, so that one prepared statement serves a batch of every size.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, Row as _};

use super::{Counters, Growth, MemberRow, NewMessage, Opening, Pair};
use crate::{
    model::{MessageId, RoomId, Timestamp, UserId},
    store::{
        Conn, Inner, StoreError, StoreResult,
        dialect::padded,
        json_rows,
        rooms::{RoomState, StateRow},
        sqlite::{Lender, Loan},
        users::{Account, AccountRow},
    },
};

/// Rows of one INSERT: more make the statement longer, not faster (SQLite allows 32,766 placeholders).
const ROWS: usize = 64;
/// Columns of each.
const COLUMNS: usize = 15;
const MARKS: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT: &str = "INSERT INTO chat_message (room_id, seq, rev, created_rev, sender_id, sender_seq, message_type, \
    content, file_url, file_name, file_size, reply_to, client_id, created_at, updated_at) SELECT * FROM ";
/// Moves the counters: the time, the rooms with what each grows by, the memberships with how many each wrote.
const COUNT: &str = "; UPDATE chat_room SET seq = seq + (j.value ->> 1), rev = rev + (j.value ->> 2), active_at = ? \
    FROM json_each(?) j WHERE chat_room.id = j.value ->> 0; \
    UPDATE chat_room_member SET own_after_read = own_after_read + (j.value ->> 1), sent = sent + (j.value ->> 1) \
    FROM json_each(?) j WHERE chat_room_member.id = j.value ->> 0";

/// Begins, and reads the rooms, the memberships and the accounts.
static OPEN: LazyLock<Arc<str>> = LazyLock::new(|| {
    format!(
        "BEGIN IMMEDIATE; SELECT \
         (SELECT {} FROM chat_room r WHERE r.id IN (SELECT j.value FROM json_each(?) j)), \
         (SELECT {} FROM json_each(?) j CROSS JOIN chat_room_member m \
          ON m.room_id = j.value ->> 0 AND m.user_id = j.value ->> 1), \
         (SELECT {} FROM user u WHERE u.id IN (SELECT j.value FROM json_each(?) j))",
        json_rows::columns::<StateRow>("r"),
        json_rows::columns::<MemberRow>("m"),
        json_rows::columns::<AccountRow>("u")
    )
    .into()
});

/// Does the batch need the transaction any longer?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    More,
    Commit,
}

/// As [`super::open`].
pub(super) async fn open(
    write: &Lender,
    rooms: &[RoomId],
    pairs: &[Pair],
    users: &[UserId],
) -> StoreResult<Opening> {
    let rooms: Vec<i64> = rooms.iter().map(|room| room.0).collect();
    let pairs: Vec<(i64, i64)> = pairs.iter().map(|(room, user)| (room.0, user.0)).collect();
    let users: Vec<i64> = users.iter().map(|user| user.0).collect();
    let mut loan = write.lend_to_begin().await?;
    let found = sqlx::query(AssertSqlSafe(Arc::clone(&OPEN)))
        .bind(json(&rooms)?)
        .bind(json(&pairs)?)
        .bind(json(&users)?);
    let found = found.fetch_one(loan.connection()).await?;
    let rooms: Vec<StateRow> = json_rows::read(found.try_get(0)?)?;
    let members: Vec<MemberRow> = json_rows::read(found.try_get(1)?)?;
    let accounts: Vec<AccountRow> = json_rows::read(found.try_get(2)?)?;
    let accounts = accounts.into_iter().map(Account::from).map(|account| (account.user.id, account));
    let rooms = rooms.into_iter().map(RoomState::from).map(|state| (state.id, state));
    Ok(Opening {
        tx: Conn(Inner::Sqlite(loan)),
        rooms: rooms.collect(),
        members: members.into_iter().map(MemberRow::into_entry).collect(),
        accounts: accounts.collect(),
    })
}

/// As [`super::store`].
pub(super) async fn store(
    loan: &mut Loan,
    rows: &[NewMessage<'_>],
    counters: &Counters,
    now: Timestamp,
    then: Then,
) -> StoreResult<Vec<MessageId>> {
    let mut ids = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(ROWS) {
        let is_last = ids.len() + chunk.len() == rows.len();
        // Powers of two, so that a few prepared statements serve chunks of every size; what is too much has no room
        // and is left out.
        let size = padded(chunk.len());
        let mut sql =
            format!("{INSERT}(VALUES {}) WHERE column1 IS NOT NULL", [MARKS; ROWS][..size].join(", "));
        if is_last {
            sql.push_str(COUNT);
        }
        if is_last && then == Then::Commit {
            sql.push_str("; COMMIT");
        }
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in chunk {
            query = query.bind(row.room.0).bind(row.seq).bind(row.rev).bind(row.rev).bind(row.sender.0);
            query = query.bind(row.sender_seq).bind(row.message_type.as_str()).bind(row.content);
            query = query.bind(row.file_url).bind(row.file_name).bind(row.file_size);
            query = query.bind(row.reply_to.map(|id| id.0)).bind(row.client_id).bind(now.0).bind(now.0);
        }
        for _ in 0..(size - chunk.len()) * COLUMNS {
            query = query.bind(None::<i64>);
        }
        if is_last {
            query = query.bind(now.0).bind(growth(counters)?).bind(own(counters)?);
        }
        let done = query.execute(loan.connection()).await;
        let done = match then {
            Then::Commit if is_last => done.map_err(StoreError::of_commit)?,
            Then::Commit | Then::More => done?,
        };
        // Nobody else inserts meanwhile, so the statement's ids follow each other.
        let last = done.last_insert_rowid();
        let count = i64::try_from(chunk.len()).unwrap_or_default();
        ids.extend((last - count + 1..=last).map(MessageId));
    }
    match then {
        Then::Commit if rows.is_empty() => loan.commit().await.map_err(StoreError::of_commit)?,
        Then::Commit => loan.has_committed(),
        Then::More => {}
    }
    Ok(ids)
}

fn growth(counters: &Counters) -> StoreResult<String> {
    let each = |(by, rooms): (&Growth, &Vec<RoomId>)| -> Vec<_> {
        rooms.iter().map(|room| (room.0, by.seq, by.rev)).collect()
    };
    json(&counters.rooms.iter().flat_map(each).collect::<Vec<_>>())
}

fn own(counters: &Counters) -> StoreResult<String> {
    let each = |(count, members): (&i64, &Vec<i64>)| -> Vec<_> {
        members.iter().map(|member| (*member, *count)).collect()
    };
    json(&counters.own.iter().flat_map(each).collect::<Vec<_>>())
}

fn json(list: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(list).map_err(|_| StoreError::Corrupt("a list that is no JSON"))
}
