//! The group and the account `developer`, which people who build on this chat start
//! with. A demo's account has a password that everybody knows; any other has its own.

use crate::{
    error::Result,
    model::{Timestamp, User},
    password::{self, PasswordMatch},
    service::{Chat, accounts::rules, validate::Problems},
    store::{
        Conn, groups,
        users::{self, Account, NewUser},
        watch,
    },
};

/// The name of both the group and the account.
pub const DEVELOPER: &str = "developer";
/// The account's password in a demo. Nobody can choose it for an account.
pub const DEVELOPER_PASSWORD: &str = "developer123";

/// What [`Chat::create_developer_group`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperGroup {
    /// The account.
    pub user: User,
    /// Was the group made now?
    pub made_group: bool,
    /// Was the account made now? An older one keeps its password.
    pub made_account: bool,
    /// Was the account put into the group now?
    pub joined: bool,
}

impl Chat {
    /// Makes the group and the account, with this password, as far as they are missing. A closed sign-up does not
    /// matter: the operator asked for it.
    ///
    /// # Errors
    /// `invalid` with the password's problems.
    pub async fn create_developer_group(&self, password: &str) -> Result<DeveloperGroup> {
        let mut problems = Problems::default();
        rules::check_password(&mut problems, password, &[DEVELOPER]);
        problems.finish()?;
        // Hashed before the transaction, which holds the only writing connection of SQLite.
        let password_hash = password::hash(password).await?;
        let mut conn = self.store().write().await?;
        watch::lock_system(&mut conn).await?;
        let made = make(&mut conn, &password_hash, self.clock().now()).await?;
        conn.commit().await?;
        Ok(made)
    }

    /// Makes the developer's account with [`DEVELOPER_PASSWORD`] where there is no account at all; `None` where there is
    /// one. Whether this is a demo is for the caller to know.
    pub async fn ensure_demo_account(&self) -> Result<Option<User>> {
        if self.user_count().await? > 0 {
            return Ok(None);
        }
        let password_hash = password::hash(DEVELOPER_PASSWORD).await?;
        let mut conn = self.store().write().await?;
        // Of servers that start at once the first makes the account, and the others wait here and then find it.
        watch::lock_system(&mut conn).await?;
        if users::count(&mut conn).await? > 0 {
            return Ok(None);
        }
        let made = make(&mut conn, &password_hash, self.clock().now()).await?;
        conn.commit().await?;
        Ok(Some(made.user))
    }

    /// Can everybody sign in as the developer, because the account has [`DEVELOPER_PASSWORD`]?
    pub async fn has_demo_password(&self) -> Result<bool> {
        let mut conn = self.store().read().await?;
        let stored = users::credentials(&mut conn, DEVELOPER).await?;
        drop(conn);
        let Some(stored) = stored.filter(|stored| stored.account.is_active) else { return Ok(false) };
        let verdict = password::verify(DEVELOPER_PASSWORD, Some(&stored.password_hash)).await?;
        Ok(verdict != PasswordMatch::Wrong)
    }
}

/// Makes what is missing. The caller holds the system's lock, so that nobody else does.
async fn make(conn: &mut Conn, password_hash: &str, now: Timestamp) -> Result<DeveloperGroup> {
    let (group, made_group) = groups::get_or_create(conn, DEVELOPER).await?;
    let found = users::find_by_key(conn, DEVELOPER).await?;
    let made_account = found.is_none();
    let user = if let Some(Account { user, .. }) = found {
        user
    } else {
        let row = NewUser {
            username: DEVELOPER,
            username_key: DEVELOPER,
            password_hash,
            first_name: "",
            last_name: "",
        };
        let id = users::insert(conn, &row, now).await?;
        User { id, username: DEVELOPER.into(), first_name: String::new(), last_name: String::new() }
    };
    let joined = groups::add_member(conn, group, user.id).await?;
    Ok(DeveloperGroup { user, made_group, made_account, joined })
}
