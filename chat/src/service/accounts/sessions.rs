//! Sessions of the web UI.

use super::SignIn;
use crate::{
    credential::{CredentialEnd, Ended, SessionId},
    error::Result,
    model::{Code, Timestamp, User, UserId},
    service::{Chat, retried},
    store::{
        Conn, credentials,
        sessions::{self, SessionRecord},
        users,
    },
};

impl Chat {
    /// Stores a new session; false if its id exists. If it has a user, `tokens_from` is that of their [`SignIn`].
    ///
    /// # Errors
    /// `no_active_account` if all credentials of the account have ended since its password was checked.
    pub async fn create_session(&self, session: &SessionRecord, tokens_from: Timestamp) -> Result<bool> {
        retried(|| async {
            let mut tx = self.store().write().await?;
            if let Some(user) = session.user {
                check_unchanged(&mut tx, user, tokens_from).await?;
            }
            let created = sessions::insert(&mut tx, session).await?;
            tx.commit().await?;
            Ok(created)
        })
        .await
    }

    /// Checks that a sign-in is still valid.
    ///
    /// # Errors
    /// `no_active_account` if all credentials of the account have ended since its password was checked.
    pub async fn confirm_sign_in(&self, sign_in: &SignIn) -> Result<()> {
        let mut conn = self.store().read().await?;
        check_unchanged(&mut conn, sign_in.user.id, sign_in.tokens_from).await
    }

    /// Updates a session, unless it has ended meanwhile.
    pub async fn save_session(&self, session: &SessionRecord) -> Result<()> {
        retried(|| async {
            let mut tx = self.store().write().await?;
            sessions::update(&mut tx, session).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// The session with this id, if it has not expired.
    pub async fn load_session(&self, id: &SessionId) -> Result<Option<SessionRecord>> {
        let mut conn = self.store().read().await?;
        Ok(sessions::find(&mut conn, id, self.clock().now()).await?)
    }

    /// Ends a session and closes the sockets opened with it.
    pub async fn delete_session(&self, id: &SessionId) -> Result<()> {
        let id = id.clone();
        self.end_credentials(move |chat| {
            let id = id.clone();
            async move {
                let mut tx = chat.store().write().await?;
                let end = chat.end_one_session(&mut tx, &id).await?;
                tx.commit().await?;
                Ok(((), end))
            }
        })
        .await
    }

    /// The sessions of `user` that have not expired.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<SessionRecord>> {
        let mut conn = self.store().read().await?;
        Ok(sessions::list_of(&mut conn, user.id, self.clock().now()).await?)
    }

    /// Ends one of `user`'s sessions and closes the sockets opened with it.
    ///
    /// # Errors
    /// `not_found` if it is not theirs.
    pub async fn end_session(&self, user: &User, id: &SessionId) -> Result<()> {
        let (user, id) = (user.id, id.clone());
        self.end_credentials(move |chat| {
            let id = id.clone();
            async move {
                let mut tx = chat.store().write().await?;
                let found = sessions::find(&mut tx, &id, chat.clock().now()).await?;
                found.filter(|session| session.user == Some(user)).ok_or(Code::NotFound)?;
                let end = chat.end_one_session(&mut tx, &id).await?;
                tx.commit().await?;
                Ok(((), end))
            }
        })
        .await
    }

    async fn end_one_session(&self, tx: &mut Conn, id: &SessionId) -> Result<Option<CredentialEnd>> {
        // A session without a user has opened no socket.
        let Some(user) = sessions::delete(tx, id).await? else { return Ok(None) };
        let end = CredentialEnd { user, what: Ended::Session(id.clone()) };
        credentials::record(tx, &end, self.clock().now()).await?;
        Ok(Some(end))
    }
}

/// Checks that the account is unchanged since its password was checked; on MySQL it stays so until the commit.
pub(super) async fn check_unchanged(tx: &mut Conn, user: UserId, tokens_from: Timestamp) -> Result<()> {
    let account = users::lock_shared(tx, user).await?;
    match account {
        Some(account) if account.is_active && account.tokens_from == tokens_from => Ok(()),
        Some(_) | None => Err(Code::NoActiveAccount.into()),
    }
}
