//! The group and the account `developer`, which people who build on this chat start
//! with. The password is public: the account is for machines that strangers cannot reach.

use crate::{
    error::Result,
    model::User,
    password,
    service::Chat,
    store::{
        groups,
        users::{self, Account, NewUser},
    },
};

/// The name of both the group and the account.
pub const DEVELOPER: &str = "developer";
/// The account's password when it is made.
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
    /// Makes the group and the account as far as they are missing. The rules for new
    /// passwords and a closed sign-up do not apply: the operator asked for it.
    pub async fn create_developer_group(&self) -> Result<DeveloperGroup> {
        // Hashed before the transaction, which holds the only writing connection of SQLite.
        let password_hash = match self.account(DEVELOPER).await? {
            Some(_) => None,
            None => Some(password::hash(DEVELOPER_PASSWORD).await?),
        };
        let mut conn = self.store().write().await?;
        let (group, made_group) = groups::ensure(&mut conn, DEVELOPER).await?;
        let made = match password_hash {
            None => None,
            Some(password_hash) => {
                let row = NewUser {
                    username: DEVELOPER,
                    username_key: DEVELOPER,
                    password_hash: &password_hash,
                    first_name: "",
                    last_name: "",
                };
                match users::insert(&mut conn, &row, self.clock().now()).await {
                    Ok(id) => Some(id),
                    // Another node was faster, with the same result.
                    Err(error) if error.is_duplicate() => None,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let found = users::find_by_key(&mut conn, DEVELOPER).await?;
        let Account { user, .. } = found.ok_or(crate::model::Code::UserNotFound)?;
        let joined = groups::enter(&mut conn, group, user.id).await?;
        conn.commit().await?;
        Ok(DeveloperGroup { user, made_group, made_account: made.is_some(), joined })
    }

    /// Makes the developer's account where there is no account at all; `None` where
    /// there is one. Whether a demo account may be is for the caller to know.
    pub async fn ensure_demo_account(&self) -> Result<Option<User>> {
        if self.user_count().await? > 0 {
            return Ok(None);
        }
        let made = self.create_developer_group().await?;
        Ok(made.made_account.then_some(made.user))
    }
}
