//! Accounts: sign-up, sign-in, and the current state of a signed-in user.
//!
//! Rules for usernames and passwords are in [`account`], changes by the owner in [`profile`], sessions in [`sessions`],
//! refresh tokens in [`tokens`]. Nothing here knows the format of tokens or cookies.

use super::{
    Chat,
    jobs::{self, Job, Leased},
};
use crate::{
    credential::{CredentialEnd, Ended, SessionId},
    error::{Error, Result},
    fold::fold,
    model::{
        Code, Problem, Timestamp, User, UserId,
        limits::{PASSWORD_MAX, PERSON_NAME_MAX, USERNAME_MAX},
    },
    password::{self, PasswordMatch},
    rules::{
        account::{self, active_user, user_for_credential, username_key},
        confusable::is_confusable,
        validate::Problems,
    },
    store::{
        Conn, credentials as credential_rows, groups, sessions as session_rows, tokens as token_rows,
        users::{self, Account, NewUser},
    },
};

pub(super) mod credentials;
mod developer;
mod profile;
mod sessions;
mod tokens;

pub use crate::rules::account::DEVELOPER_PASSWORD;
pub use crate::store::{sessions::SessionRecord, tokens::IssuedToken};
pub use developer::{DEVELOPER, DeveloperGroup};

/// A user who has proved their password. A session or token is stored for it only if the account's credentials have
/// not been ended since: a sign-in that overlaps a password change fails.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The user.
    pub user: User,
    /// The account's `tokens_from` when the password was checked. Ending all credentials changes it.
    pub tokens_from: Timestamp,
}

/// Maximum length of a group's name, as in Django.
const GROUP_NAME_MAX: usize = 150;

impl Chat {
    /// Creates an account (sign-up). First and last name may be empty.
    ///
    /// # Errors
    /// `sign_up_closed`; `invalid` with the problems of every field.
    pub async fn register(
        &self,
        username: &str,
        password: &str,
        first_name: &str,
        last_name: &str,
    ) -> Result<User> {
        if !self.settings().sign_up {
            return Err(Code::SignUpClosed.into());
        }
        self.create_user(username, password, first_name, last_name).await
    }

    /// Creates an account for the operator, even if sign-up is closed.
    ///
    /// # Errors
    /// `invalid` with the problems of every field.
    pub async fn create_user(
        &self,
        username: &str,
        password: &str,
        first_name: &str,
        last_name: &str,
    ) -> Result<User> {
        let mut problems = Problems::default();
        problems.trimmed("username", username);
        let username = &normalized_username(username)?;
        let key = &fold(username);
        let (first_name, last_name) = (first_name.trim(), last_name.trim());
        account::check_username(&mut problems, username, key);
        account::check_password(&mut problems, password, &[username, first_name, last_name]);
        problems.name("first_name", first_name, PERSON_NAME_MAX);
        problems.name("last_name", last_name, PERSON_NAME_MAX);
        // Checked before the expensive hashing of the password; the insert's unique key decides.
        let mut conn = self.store().read().await?;
        let similar = users::similar_keys(&mut conn, username).await?;
        drop(conn);
        if similar.contains(key) {
            problems.add("username", Problem::UsernameTaken);
        } else if is_confusable(key, &similar) {
            problems.add("username", Problem::ConfusableUsername);
        }
        problems.finish()?;
        let password_hash = &password::hash(password).await?;
        let row = NewUser { username, password_hash, first_name, last_name };
        let mut conn = self.store().write().await?;
        let id = users::insert(&mut conn, &row, self.clock().now()).await.map_err(|error| {
            if error.is_duplicate() {
                Error::invalid("username", Problem::UsernameTaken)
            } else {
                error.into()
            }
        })?;
        conn.commit().await?;
        Ok(User {
            id,
            username: username.clone(),
            first_name: first_name.into(),
            last_name: last_name.into(),
        })
    }

    /// Checks the password. Unknown usernames, wrong passwords and deactivated accounts give the same error after the
    /// same time.
    ///
    /// # Errors
    /// `no_active_account`; `invalid` if the input cannot be a username or a password.
    pub async fn sign_in(&self, username: &str, password: &str) -> Result<SignIn> {
        let username = normalized_username(username)?;
        let mut problems = Problems::default();
        problems.filled_line("username", &username, USERNAME_MAX);
        if password.is_empty() {
            problems.add("password", Problem::Blank);
        } else {
            problems.text("password", password, PASSWORD_MAX);
        }
        problems.finish()?;

        let mut conn = self.store().read().await?;
        let stored = users::credentials(&mut conn, &fold(&username)).await?;
        // Released while the password is hashed, since others need connections.
        drop(conn);
        let hash = stored.as_ref().map(|stored| stored.password_hash.as_str());
        let verdict = password::verify(password, hash).await?;
        let stored = stored.filter(|stored| stored.account.is_active).ok_or(Code::NoActiveAccount)?;
        let Account { user, tokens_from, .. } = stored.account;
        match verdict {
            PasswordMatch::Wrong => return Err(Code::NoActiveAccount.into()),
            PasswordMatch::Right => {}
            PasswordMatch::RightButOutdated => {
                // The password was right, so a failure here must not fail the sign-in. Boxed: rare, and larger than
                // the rest of a sign-in.
                if let Err(error) = Box::pin(self.rehash(user.id, password, &stored.password_hash)).await {
                    tracing::warn!(user = %user.id, %error, "the password's hash could not be renewed");
                }
            }
        }
        Ok(SignIn { user, tokens_from })
    }

    async fn rehash(&self, user: UserId, password: &str, old: &str) -> Result<()> {
        let new = password::hash(password).await?;
        let mut conn = self.store().write().await?;
        users::replace_password_hash(&mut conn, user, old, &new).await?;
        Ok(conn.commit().await?)
    }

    /// The current state of user `id`, who is already authenticated.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`.
    pub async fn authenticate(&self, id: UserId) -> Result<User> {
        let mut conn = self.store().read().await?;
        active_user(users::find(&mut conn, id).await?)
    }

    /// Like [`Self::authenticate`], and checks that the user may chat.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`; `not_in_group` outside the required group.
    pub async fn authorize(&self, id: UserId) -> Result<User> {
        let mut conn = self.store().read().await?;
        let user = active_user(users::find(&mut conn, id).await?)?;
        self.check_group(&mut conn, id).await?;
        Ok(user)
    }

    /// Sets the account's password for the operator. Its sessions and tokens end.
    ///
    /// # Errors
    /// `user_not_found`; `invalid` with the password's problems.
    pub async fn set_password(&self, username: &str, password: &str) -> Result<User> {
        let user = self.account_named(username).await?.user;
        self.replace_password(&user, password, None).await?;
        Ok(user)
    }

    /// Deactivates the account: its sessions and tokens end for good, its sockets close with `user_inactive`, and
    /// rooms that lose their last active admin get another. Or activates it again; ended credentials stay ended.
    ///
    /// # Errors
    /// `user_not_found`.
    pub async fn set_active(&self, username: &str, is_active: bool) -> Result<User> {
        let user = self.account_named(username).await?.user;
        let id = user.id;
        let job = self.end_credentials(move |chat| async move {
            let mut tx = chat.store().write().await?;
            // An activated user may be the only possible admin of rooms that have none.
            let job = jobs::add(&mut tx, Job::Succession(id), chat.clock().now()).await?;
            let end = if is_active {
                users::activate(&mut tx, id).await?;
                None
            } else {
                users::deactivate(&mut tx, id).await?;
                Some(chat.end_all_credentials(&mut tx, id, None).await?)
            };
            tx.commit().await?;
            Ok((job, end))
        });
        self.succeed(id, job.await?).await;
        Ok(user)
    }

    /// Runs the job after a change of the account. The change is stored, so a failure is not one of the caller's.
    async fn succeed(&self, user: UserId, job: Leased) {
        if let Err(error) = self.finish_job(job).await {
            tracing::warn!(%error, %user, "rooms may be without an admin until the job is run again");
        }
    }

    /// Ends all tokens of `user` and all sessions except `keep`. The caller commits.
    async fn end_all_credentials(
        &self,
        tx: &mut Conn,
        user: UserId,
        keep: Option<&SessionId>,
    ) -> Result<CredentialEnd> {
        let now = self.clock().now();
        users::end_tokens(tx, user, now).await?;
        session_rows::delete_of(tx, user, keep).await?;
        token_rows::delete_of(tx, user).await?;
        let end = CredentialEnd { user, what: Ended::Person };
        credential_rows::record(tx, &end, now).await?;
        Ok(end)
    }

    /// Adds the account to a group, which is created if it does not exist.
    ///
    /// # Errors
    /// `user_not_found`; `invalid` for an invalid group name.
    pub async fn add_to_group(&self, username: &str, group: &str) -> Result<User> {
        let user = self.account_named(username).await?.user;
        let mut problems = Problems::default();
        problems.filled_line("group", group, GROUP_NAME_MAX);
        problems.finish()?;
        let mut conn = self.store().write().await?;
        let (id, _) = groups::get_or_create(&mut conn, group).await?;
        groups::add_member(&mut conn, id, user.id).await?;
        // If the server requires this group, they may be the only possible admin of rooms that have none.
        let job = jobs::add(&mut conn, Job::Succession(user.id), self.clock().now()).await?;
        conn.commit().await?;
        self.succeed(user.id, job).await;
        Ok(user)
    }

    pub(super) async fn check_group(&self, conn: &mut Conn, id: UserId) -> Result<()> {
        match &self.settings().required_group {
            Some(group) if !groups::has_member(conn, group, id).await? => Err(Code::NotInGroup.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The number of accounts, deactivated ones included.
    pub async fn user_count(&self) -> Result<i64> {
        let mut conn = self.store().read().await?;
        Ok(users::count(&mut conn).await?)
    }

    async fn account_named(&self, username: &str) -> Result<Account> {
        let key = username_key(username).ok_or(Code::UserNotFound)?;
        Ok(self.account(&key).await?.ok_or(Code::UserNotFound)?)
    }

    async fn account(&self, key: &str) -> Result<Option<Account>> {
        let mut conn = self.store().read().await?;
        Ok(users::find_by_key(&mut conn, key).await?)
    }
}

/// The username in its stored form.
fn normalized_username(username: &str) -> Result<String> {
    account::normalized(username)
        .ok_or_else(|| Error::invalid("username", Problem::TooLong { max: USERNAME_MAX }))
}
