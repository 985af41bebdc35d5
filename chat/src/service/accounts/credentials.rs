//! Checking credentials, and ending them.
//!
//! Each end is a row of `credential_end`, stored in the transaction that ends the credential. This node closes the
//! sockets opened with the credential at once; every other node reads the row within a second.

use std::{collections::HashMap, future::Future};

use super::user_for_credential;
use crate::{
    credential::{Claim, Credential, CredentialEnd, Ended, SessionId},
    error::Result,
    hub::Hub,
    model::{Code, Timestamp, User, UserId},
    service::{Chat, retried},
    store::{Conn, Store, StoreResult, sessions, users, users::Account},
};

impl Chat {
    /// The user of this claim.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`; `token_not_valid` if the credential has ended.
    pub async fn authenticate_claim(&self, claim: &Claim) -> Result<User> {
        let mut conn = self.store().read().await?;
        Ok(self.verify(&mut conn, claim).await?.0)
    }

    /// Like [`Self::authenticate_claim`], and checks that the user may chat.
    ///
    /// # Errors
    /// The same; `not_in_group` outside the required group.
    pub async fn authorize_claim(&self, claim: &Claim) -> Result<User> {
        self.check_sign_in(&claim.credential)?;
        let (identities, now) = (self.hub().identities(), self.clock().now());
        if let Some(user) = identities.find(claim, now) {
            return Ok(user);
        }
        let generation = identities.generation();
        let mut conn = self.store().read().await?;
        let (user, good_until) = self.verify(&mut conn, claim).await?;
        self.check_group(&mut conn, claim.user).await?;
        identities.insert(generation, claim.credential.clone(), user.clone(), good_until, now);
        Ok(user)
    }

    /// The user of this claim, and when the credential expires.
    pub(in crate::service) async fn verify(
        &self,
        conn: &mut Conn,
        claim: &Claim,
    ) -> Result<(User, Timestamp)> {
        match &claim.credential {
            Credential::Token { expires_at, .. } => {
                let account = users::find(conn, claim.user).await?;
                Ok((self.active_user(account, &claim.credential)?, *expires_at))
            }
            Credential::Session(id) => {
                let found = sessions::account(conn, id, claim.user, self.clock().now()).await?;
                let (account, good_until) = found.ok_or(Code::UserNotFound)?;
                let user = self.active_user(Some(account), &claim.credential)?;
                Ok((user, good_until.ok_or(Code::TokenNotValid)?))
            }
        }
    }

    /// The account's user, if they may use this credential. That a session exists, the caller has checked.
    pub(in crate::service) fn active_user(
        &self,
        account: Option<Account>,
        credential: &Credential,
    ) -> Result<User> {
        let user = user_for_credential(account, credential)?;
        self.check_sign_in(credential)?;
        Ok(user)
    }

    /// Rejects a token whose sign-in has ended.
    pub(in crate::service) fn check_sign_in(&self, credential: &Credential) -> Result<()> {
        match credential {
            Credential::Token { sign_in, .. } if self.hub().open_sockets().is_ended(sign_in) => {
                Err(Code::TokenNotValid.into())
            }
            Credential::Token { .. } | Credential::Session(_) => Ok(()),
        }
    }

    /// Ends credentials. `once` does so in a transaction, calls [`record`](crate::store::credentials::record) and
    /// returns what it ended. After the commit the sockets opened with it are closed, even if the caller is
    /// cancelled.
    pub(super) async fn end_credentials<T, F>(
        &self,
        once: impl Fn(Self) -> F + Send + Sync + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<(T, Option<CredentialEnd>)>> + Send,
    {
        let chat = self.clone();
        self.run_detached(async move {
            let (done, end) = retried(|| once(chat.clone())).await?;
            if let Some(end) = end {
                let closed = close(chat.store(), chat.hub(), chat.clock().now(), &end);
                if let Err(error) = closed.await {
                    // The poll reads the row, and retries until it succeeds.
                    tracing::warn!(%error, user = %end.user, "an ended credential's sockets are not closed yet");
                }
                chat.hub().publish_credential_end();
            }
            Ok(done)
        })
        .await
    }
}

/// Closes this node's sockets that were opened with the ended credential, and rejects its tokens from now on.
pub(in crate::service) async fn close(
    store: &Store,
    hub: &Hub,
    now: Timestamp,
    end: &CredentialEnd,
) -> StoreResult<()> {
    hub.identities().forget(end.user);
    let sockets = hub.open_sockets();
    match &end.what {
        Ended::Session(ended) => {
            sockets.end(end.user, |of| matches!(of, Credential::Session(id) if id == ended));
            Ok(())
        }
        Ended::SignIn(ended) => {
            sockets.add_ended_sign_in(ended.clone(), now);
            sockets.end(end.user, |of| matches!(of, Credential::Token { sign_in, .. } if sign_in == ended));
            Ok(())
        }
        Ended::Person => check_sockets(store, hub, now, end.user).await,
    }
}

/// Closes the sockets of `user` on this node whose credential the database no longer accepts.
pub(in crate::service) async fn check_sockets(
    store: &Store,
    hub: &Hub,
    now: Timestamp,
    user: UserId,
) -> StoreResult<()> {
    // Sockets opened after this are checked when they open.
    let sockets = hub.open_sockets().of(user);
    if sockets.is_empty() {
        return Ok(());
    }
    let mut conn = store.read().await?;
    let account = users::find(&mut conn, user).await?;
    let sessions = sessions::list_of(&mut conn, user, now).await?;
    drop(conn);
    let sessions: HashMap<SessionId, Timestamp> =
        sessions.into_iter().map(|session| (session.id, session.expires_at)).collect();
    for socket in sockets {
        if let Err(error) = user_for_credential(account.clone(), socket.credential()) {
            socket.end(error.code());
        } else if let Credential::Session(id) = socket.credential() {
            match sessions.get(id) {
                Some(until) => hub.open_sockets().set_session_end(user, id, *until),
                None => socket.end(Code::TokenNotValid),
            }
        }
    }
    Ok(())
}
