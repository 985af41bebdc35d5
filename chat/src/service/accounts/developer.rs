//! The group and account `developer`, for those who develop against this server. In a demo the account has a
//! well-known password, otherwise one of its own.

use crate::{
    error::{Error, Result},
    model::{Problem, Timestamp, User},
    password::{self, PasswordMatch},
    rules::{
        account::{self, DEVELOPER_PASSWORD},
        confusable::is_confusable,
        validate::Problems,
    },
    service::Chat,
    store::{
        Conn, groups,
        users::{self, Account, NewUser},
        watch,
    },
};

/// The name of both the group and the account.
pub const DEVELOPER: &str = "developer";

/// The result of [`Chat::create_developer_group`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperGroup {
    /// The account.
    pub user: User,
    /// Whether the group was created now.
    pub made_group: bool,
    /// Whether the account was created now. An existing one keeps its password.
    pub made_account: bool,
    /// Whether the account was added to the group now.
    pub joined: bool,
}

impl Chat {
    /// Creates the group, and the account with this password, if they do not exist; also when sign-up is closed.
    ///
    /// # Errors
    /// `invalid` with the password's problems, or for an existing username that looks like the account's.
    pub async fn create_developer_group(&self, password: &str) -> Result<DeveloperGroup> {
        let mut problems = Problems::default();
        account::check_password(&mut problems, password, &[DEVELOPER]);
        problems.finish()?;
        // Hashed before the transaction, which holds the only writing connection of SQLite.
        let password_hash = password::hash(password).await?;
        let mut conn = self.store().write().await?;
        watch::lock_system(&mut conn).await?;
        let made = make(&mut conn, &password_hash, self.clock().now()).await?;
        conn.commit().await?;
        Ok(made)
    }

    /// Creates the developer account with [`DEVELOPER_PASSWORD`] if there is no account at all; `None` if there is
    /// one. The caller decides whether this is a demo.
    pub async fn ensure_demo_account(&self) -> Result<Option<User>> {
        if self.user_count().await? > 0 {
            return Ok(None);
        }
        let password_hash = password::hash(DEVELOPER_PASSWORD).await?;
        let mut conn = self.store().write().await?;
        // If several servers start at once, the first creates the account; the others wait here and then find it.
        watch::lock_system(&mut conn).await?;
        if users::count(&mut conn).await? > 0 {
            return Ok(None);
        }
        let made = make(&mut conn, &password_hash, self.clock().now()).await?;
        conn.commit().await?;
        Ok(Some(made.user))
    }

    /// Whether the account has [`DEVELOPER_PASSWORD`], so that anybody can sign in.
    pub async fn has_demo_password(&self) -> Result<bool> {
        let mut conn = self.store().read().await?;
        let stored = users::credentials(&mut conn, DEVELOPER).await?;
        drop(conn);
        let Some(stored) = stored.filter(|stored| stored.account.is_active) else { return Ok(false) };
        let verdict = password::verify(DEVELOPER_PASSWORD, Some(&stored.password_hash)).await?;
        Ok(verdict != PasswordMatch::Wrong)
    }
}

/// Creates what does not exist. The caller holds the system's lock.
async fn make(conn: &mut Conn, password_hash: &str, now: Timestamp) -> Result<DeveloperGroup> {
    let (group, made_group) = groups::get_or_create(conn, DEVELOPER).await?;
    let found = users::find_by_key(conn, DEVELOPER).await?;
    let made_account = found.is_none();
    let user = if let Some(Account { user, .. }) = found {
        user
    } else {
        if is_confusable(DEVELOPER, &users::similar_keys(conn, DEVELOPER).await?) {
            return Err(Error::invalid("username", Problem::ConfusableUsername));
        }
        let row = NewUser { username: DEVELOPER, password_hash, first_name: "", last_name: "" };
        let id = users::insert(conn, &row, now).await?;
        User { id, username: DEVELOPER.into(), first_name: String::new(), last_name: String::new() }
    };
    let joined = groups::add_member(conn, group, user.id).await?;
    Ok(DeveloperGroup { user, made_group, made_account, joined })
}
