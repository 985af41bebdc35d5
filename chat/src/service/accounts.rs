//! Accounts: making them, signing in, and who a signed-in person is now.
//!
//! Rules of names and passwords are in [`rules`]; what the owner of an account changes
//! in [`profile`]; sessions and tokens, which the doors keep here, in [`sessions`].
//! Nothing here knows of tokens' insides or of cookies.

use super::{Chat, validate::Problems};
use crate::{
    credential::{Credential, CredentialEnd, Ended, SessionId},
    error::{Error, Result},
    model::{
        Code, Problem, Timestamp, User, UserId,
        limits::{PASSWORD_MAX, PERSON_NAME_MAX, USERNAME_MAX},
    },
    password::{self, Verdict},
    store::{
        Conn, credentials as credential_rows, groups, sessions as session_rows, tokens as token_rows,
        users::{self, Account, NewUser},
    },
};

pub(super) mod credentials;
mod developer;
mod profile;
mod rules;
mod sessions;
mod tokens;

pub use crate::store::{sessions::SessionRecord, tokens::IssuedToken};
pub use developer::{DEVELOPER, DEVELOPER_PASSWORD, DeveloperGroup};
pub use rules::username_key;

/// Somebody who proved by their password who they are. Whatever lets them in is stored only if nothing that they are
/// known by has ended since: a sign-in under way while the password changes comes to nothing.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who.
    pub user: User,
    /// From when on tokens of the account were good when the password was checked. Whatever ends all of its
    /// credentials moves it.
    pub tokens_from: Timestamp,
}

/// A group's name: at most 150 characters, as in Django's group model.
const GROUP_NAME_MAX: usize = 150;

impl Chat {
    /// Makes an account for a stranger who asks for one. Names of people may be empty.
    ///
    /// # Errors
    /// `sign_up_closed`; `invalid` with every field's problems.
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

    /// Makes an account on the operator's word, whether or not sign-up is open.
    ///
    /// # Errors
    /// `invalid` with every field's problems.
    pub async fn create_user(
        &self,
        username: &str,
        password: &str,
        first_name: &str,
        last_name: &str,
    ) -> Result<User> {
        let mut problems = Problems::default();
        problems.closed("username", username);
        let username = &spelled(username)?;
        let username_key = &rules::key_of(username);
        let (first_name, last_name) = (first_name.trim(), last_name.trim());
        rules::check_username(&mut problems, username, username_key);
        rules::check_password(&mut problems, password, &[username, first_name, last_name]);
        problems.name("first_name", first_name, PERSON_NAME_MAX);
        problems.name("last_name", last_name, PERSON_NAME_MAX);
        // Asked before the password is hashed, which is dear; the insert has the last word.
        if self.account(username_key).await?.is_some() {
            problems.add("username", Problem::UsernameTaken);
        }
        problems.finish()?;
        let password_hash = &password::hash(password).await?;
        let row = NewUser { username, username_key, password_hash, first_name, last_name };
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

    /// Who this is, if the password is theirs. Unknown names, wrong passwords and
    /// deactivated accounts give the same answer after the same time.
    ///
    /// # Errors
    /// `no_active_account`; `invalid` for what can be no name or password at all.
    pub async fn sign_in(&self, username: &str, password: &str) -> Result<SignIn> {
        let username = spelled(username)?;
        let mut problems = Problems::default();
        problems.filled_line("username", &username, USERNAME_MAX);
        if password.is_empty() {
            problems.add("password", Problem::Blank);
        } else {
            problems.text("password", password, PASSWORD_MAX);
        }
        problems.finish()?;

        let mut conn = self.store().read().await?;
        let stored = users::credentials(&mut conn, &rules::key_of(&username)).await?;
        // Not kept while the password is hashed: others want to read meanwhile.
        drop(conn);
        let hash = stored.as_ref().map(|stored| stored.password_hash.as_str());
        let verdict = password::verify(password, hash).await?;
        let stored = stored.filter(|stored| stored.account.is_active).ok_or(Code::NoActiveAccount)?;
        let Account { user, tokens_from, .. } = stored.account;
        match verdict {
            Verdict::Wrong => return Err(Code::NoActiveAccount.into()),
            Verdict::Right => {}
            Verdict::RightButOld => {
                // The password was right, so a failure here is no reason to turn them away.
                // Boxed: rare, and larger than all the rest of a sign-in.
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

    /// Who `id` is now, for whoever proved to be them.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`.
    pub async fn authenticate(&self, id: UserId) -> Result<User> {
        let mut conn = self.store().read().await?;
        present(users::find(&mut conn, id).await?)
    }

    /// Like [`Self::authenticate`], for somebody who wants to chat.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`; `not_in_group` outside the group that may chat here.
    pub async fn admit(&self, id: UserId) -> Result<User> {
        let mut conn = self.store().read().await?;
        let user = present(users::find(&mut conn, id).await?)?;
        self.must_be_in_group(&mut conn, id).await?;
        Ok(user)
    }

    /// Gives the account another password, on the operator's word. Its sessions and tokens end.
    ///
    /// # Errors
    /// `user_not_found`; `invalid` with the password's problems.
    pub async fn set_password(&self, username: &str, password: &str) -> Result<User> {
        let user = self.named(username).await?.user;
        self.replace_password(&user, password, None).await?;
        Ok(user)
    }

    /// Deactivates the account at once: its sessions and tokens end for good, its sockets close with `user_inactive`, and
    /// rooms that lose their last active admin by it get another. Or activates it again; what ended stays ended.
    ///
    /// # Errors
    /// `user_not_found`.
    pub async fn set_active(&self, username: &str, is_active: bool) -> Result<User> {
        let user = self.named(username).await?.user;
        let id = user.id;
        self.ending(move |chat| async move {
            let mut tx = chat.store().write().await?;
            let end = if is_active {
                users::let_in(&mut tx, id).await?;
                None
            } else {
                users::shut_out(&mut tx, id).await?;
                Some(chat.end_all(&mut tx, id, None).await?)
            };
            tx.commit().await?;
            Ok(((), end))
        })
        .await?;
        // Of rooms that have been without an active admin it may be the only member who can be one.
        self.settle_admins_of(id).await?;
        Ok(user)
    }

    /// Ends all tokens of `user` and all sessions but `keep`, in a transaction that the caller commits.
    async fn end_all(&self, tx: &mut Conn, user: UserId, keep: Option<&SessionId>) -> Result<CredentialEnd> {
        let now = self.clock().now();
        users::end_tokens(tx, user, now).await?;
        session_rows::delete_of(tx, user, keep).await?;
        token_rows::forget_of(tx, user).await?;
        let end = CredentialEnd { user, what: Ended::Person };
        credential_rows::record(tx, &end, now).await?;
        Ok(end)
    }

    /// Puts the account into a group, which is made if there is none.
    ///
    /// # Errors
    /// `user_not_found`; `invalid` for what can be no group's name.
    pub async fn add_to_group(&self, username: &str, group: &str) -> Result<User> {
        let user = self.named(username).await?.user;
        let mut problems = Problems::default();
        problems.filled_line("group", group, GROUP_NAME_MAX);
        problems.finish()?;
        let mut conn = self.store().write().await?;
        let (id, _) = groups::ensure(&mut conn, group).await?;
        groups::enter(&mut conn, id, user.id).await?;
        conn.commit().await?;
        Ok(user)
    }

    pub(super) async fn must_be_in_group(&self, conn: &mut Conn, id: UserId) -> Result<()> {
        match &self.settings().required_group {
            Some(group) if !groups::has_member(conn, group, id).await? => Err(Code::NotInGroup.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// How many accounts there are, deactivated ones too.
    pub async fn user_count(&self) -> Result<i64> {
        let mut conn = self.store().read().await?;
        Ok(users::count(&mut conn).await?)
    }

    async fn named(&self, username: &str) -> Result<Account> {
        let key = username_key(username).ok_or(Code::UserNotFound)?;
        Ok(self.account(&key).await?.ok_or(Code::UserNotFound)?)
    }

    async fn account(&self, key: &str) -> Result<Option<Account>> {
        let mut conn = self.store().read().await?;
        Ok(users::find_by_key(&mut conn, key).await?)
    }
}

/// A username as it is stored.
fn spelled(username: &str) -> Result<String> {
    rules::normalized(username)
        .ok_or_else(|| Error::invalid("username", Problem::TooLong { max: USERNAME_MAX }))
}

fn present(account: Option<Account>) -> Result<User> {
    let account = account.ok_or(Code::UserNotFound)?;
    if account.is_active { Ok(account.user) } else { Err(Code::UserInactive.into()) }
}

/// Who has this account, if it lets them use it with this credential. Whether a session or a sign-in has ended, it
/// does not say.
pub(crate) fn present_by(account: Option<Account>, credential: &Credential) -> Result<User> {
    let has_ended = match (&account, credential) {
        (Some(account), Credential::Token { issued_at, .. }) => *issued_at < account.tokens_from,
        (None, _) | (_, Credential::Session(_)) => false,
    };
    let user = present(account)?;
    if has_ended { Err(Code::TokenNotValid.into()) } else { Ok(user) }
}
