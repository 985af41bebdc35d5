//! Accounts: rows of `user`.

use sqlx::AssertSqlSafe;
use sqlx_macros::FromRow;

use super::{
    Conn, StoreResult,
    condition::{active_account, is_in},
    dialect::padded,
    json_rows, on,
    rooms::like_pattern,
    watch,
};
use crate::{
    fold::{fold, skeleton, user_search},
    model::{RoomId, Timestamp, User, UserId},
};

/// A user and the state of their account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// False if deactivated by an admin.
    pub is_active: bool,
    /// Tokens issued before this time are invalid.
    pub tokens_from: Timestamp,
}

/// An account with its password hash, to check a sign-in.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub account: Account,
    /// The stored password hash.
    pub password_hash: String,
}

/// An account to insert.
pub struct NewUser<'a> {
    /// The username as displayed.
    pub username: &'a str,
    /// The password hash.
    pub password_hash: &'a str,
    /// Given name; may be empty.
    pub first_name: &'a str,
    /// Family name; may be empty.
    pub last_name: &'a str,
}

json_rows::row! {
    pub(super) struct AccountRow {
        id: i64,
        username: String,
        first_name: String,
        last_name: String,
        #[serde(deserialize_with = "json_rows::flag")]
        is_active: bool,
        tokens_from: i64,
    }
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            user: User {
                id: UserId(row.id),
                username: row.username,
                first_name: row.first_name,
                last_name: row.last_name,
            },
            is_active: row.is_active,
            tokens_from: Timestamp(row.tokens_from),
        }
    }
}

#[derive(FromRow)]
struct CredentialsRow {
    password_hash: String,
    #[sqlx(flatten)]
    account: AccountRow,
}

/// Selects an [`AccountRow`] by id.
pub(super) const BY_ID: &str =
    "SELECT id, username, first_name, last_name, is_active, tokens_from FROM user WHERE id = ?";

/// The accounts with these ids.
pub async fn by_ids(conn: &mut Conn, ids: &[UserId]) -> StoreResult<Vec<Account>> {
    let Some(&last) = ids.last() else { return Ok(Vec::new()) };
    let size = padded(ids.len());
    let marks = vec!["?"; size].join(", ");
    let sql = format!(
        "SELECT id, username, first_name, last_name, is_active, tokens_from FROM user WHERE id IN ({marks})"
    );
    let ids = ids.iter().copied().chain(std::iter::repeat_n(last, size - ids.len()));
    let rows =
        json_rows::fetch_all!(conn, AccountRow, sql, |query| ids.fold(query, |query, id| query.bind(id.0)))?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// The account with this id.
pub async fn find(conn: &mut Conn, id: UserId) -> StoreResult<Option<Account>> {
    let row: Option<AccountRow> =
        on!(conn, |db| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(Account::from))
}

/// Active accounts that are not members of `room` and whose names contain `text`; at most `limit`.
pub async fn not_in_room(conn: &mut Conn, room: RoomId, text: &str, limit: i64) -> StoreResult<Vec<User>> {
    const SQL: &str = concat!(
        "SELECT u.id, u.username, u.first_name, u.last_name, u.is_active, u.tokens_from FROM user u WHERE ",
        active_account!("u"),
        " AND u.search_key LIKE ? ESCAPE '!' \
         AND NOT EXISTS (SELECT 1 FROM chat_room_member m WHERE m.room_id = ? AND m.user_id = u.id AND ",
        is_in!("m"),
        ") ORDER BY u.username_key LIMIT ?"
    );
    let rows: Vec<AccountRow> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(like_pattern(text))
        .bind(room.0)
        .bind(limit)
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|row| Account::from(row).user).collect())
}

/// The keys of the usernames that equal or look like this one.
pub async fn similar_keys(conn: &mut Conn, username: &str) -> StoreResult<Vec<String>> {
    const SQL: &str = "SELECT username_key FROM user WHERE username_key = ? \
        UNION SELECT username_key FROM user WHERE username_skeleton = ?";
    let rows: Vec<(String,)> = on!(conn, |db| sqlx::query_as(SQL)
        .bind(fold(username))
        .bind(skeleton(username))
        .fetch_all(&mut *db)
        .await)?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// The account with this username key.
pub async fn find_by_key(conn: &mut Conn, key: &str) -> StoreResult<Option<Account>> {
    const SQL: &str =
        "SELECT id, username, first_name, last_name, is_active, tokens_from FROM user WHERE username_key = ?";
    let row: Option<AccountRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(key).fetch_optional(&mut *db).await)?;
    Ok(row.map(Account::from))
}

/// The account with this username key, with its password hash.
pub async fn credentials(conn: &mut Conn, key: &str) -> StoreResult<Option<Credentials>> {
    const SQL: &str = "SELECT id, username, first_name, last_name, is_active, tokens_from, password_hash \
        FROM user WHERE username_key = ?";
    let row: Option<CredentialsRow> =
        on!(conn, |db| sqlx::query_as(SQL).bind(key).fetch_optional(&mut *db).await)?;
    Ok(row.map(|row| Credentials { account: row.account.into(), password_hash: row.password_hash }))
}

/// Stores a new account.
///
/// # Errors
/// [`StoreError::is_duplicate`](super::StoreError::is_duplicate) if the username is taken.
pub async fn insert(conn: &mut Conn, new: &NewUser<'_>, now: Timestamp) -> StoreResult<UserId> {
    const SQL: &str = "INSERT INTO user \
        (username, username_key, username_skeleton, search_key, password_hash, first_name, last_name, is_active, \
        created_at) VALUES (?, ?, ?, ?, ?, ?, ?, TRUE, ?)";
    let id = super::dialect::inserted_id!(conn, |db| sqlx::query(SQL)
        .bind(new.username)
        .bind(fold(new.username))
        .bind(skeleton(new.username))
        .bind(user_search(new.username, new.first_name, new.last_name))
        .bind(new.password_hash)
        .bind(new.first_name)
        .bind(new.last_name)
        .bind(now.0)
        .execute(&mut *db)
        .await);
    Ok(UserId(id))
}

/// Updates the first and last name of `user`, under the next number of such changes.
pub async fn set_names(conn: &mut Conn, user: &User, first_name: &str, last_name: &str) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET first_name = ?, last_name = ?, search_key = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL)
        .bind(first_name)
        .bind(last_name)
        .bind(user_search(&user.username, first_name, last_name))
        .bind(user.id.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    watch::count_renaming(conn).await
}

/// The account with this id, locked against changes until the commit.
pub async fn lock_shared(conn: &mut Conn, id: UserId) -> StoreResult<Option<Account>> {
    let sql = format!("{BY_ID}{}", conn.backend().for_share());
    let row: Option<AccountRow> =
        on!(conn, |db| sqlx::query_as(AssertSqlSafe(sql)).bind(id.0).fetch_optional(&mut *db).await)?;
    Ok(row.map(Account::from))
}

/// Invalidates all tokens of the account issued until `now`. Tokens issued later have an `issued_at` of at least
/// `tokens_from`, so it always increases, also twice within a second.
pub async fn end_tokens(conn: &mut Conn, id: UserId, now: Timestamp) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET tokens_from = CASE WHEN tokens_from >= ? THEN tokens_from + ? ELSE ? END WHERE id = ?";
    const SECOND: i64 = 1_000_000;
    let from = now.next_second();
    on!(conn, |db| sqlx::query(SQL)
        .bind(from.0)
        .bind(SECOND)
        .bind(from.0)
        .bind(id.0)
        .execute(&mut *db)
        .await
        .map(drop))?;
    Ok(())
}

/// Sets the password hash.
pub async fn set_password_hash(conn: &mut Conn, id: UserId, hash: &str) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET password_hash = ? WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(hash).bind(id.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Replaces the hash of the same password, unless the password was changed meanwhile.
pub async fn replace_password_hash(conn: &mut Conn, id: UserId, old: &str, new: &str) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET password_hash = ? WHERE id = ? AND password_hash = ?";
    on!(conn, |db| sqlx::query(SQL).bind(new).bind(id.0).bind(old).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Reactivates the account.
pub async fn activate(conn: &mut Conn, id: UserId) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET is_active = TRUE WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(id.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Deactivates the account.
pub async fn deactivate(conn: &mut Conn, id: UserId) -> StoreResult<()> {
    const SQL: &str = "UPDATE user SET is_active = FALSE WHERE id = ?";
    on!(conn, |db| sqlx::query(SQL).bind(id.0).execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// The number of accounts.
pub async fn count(conn: &mut Conn) -> StoreResult<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM user";
    let (count,): (i64,) = on!(conn, |db| sqlx::query_as(SQL).fetch_one(&mut *db).await)?;
    Ok(count)
}
