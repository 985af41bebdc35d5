//! Checking credentials, and what follows when one ends.
//!
//! Every end is a row of `credential_end`, stored in the transaction that ends the credential. The node that did it
//! closes at once what the credential had opened there; every other node reads the row within a second.

use std::{collections::HashMap, future::Future};

use super::present_by;
use crate::{
    credential::{Claim, Credential, CredentialEnd, Ended, SessionId},
    error::Result,
    hub::Hub,
    model::{Code, Timestamp, User, UserId},
    service::{Chat, retried},
    store::{Conn, Store, StoreResult, sessions, users, users::Account},
};

impl Chat {
    /// Who makes this claim, as they are now.
    ///
    /// # Errors
    /// `user_not_found`, `user_inactive`; `token_not_valid` where what was shown has ended.
    pub async fn authenticate_claim(&self, claim: &Claim) -> Result<User> {
        let mut conn = self.store().read().await?;
        Ok(self.verify(&mut conn, claim).await?.0)
    }

    /// [`Self::authenticate_claim`] for somebody who wants to chat.
    ///
    /// # Errors
    /// The same; `not_in_group` outside the group that may chat here.
    pub async fn admit_claim(&self, claim: &Claim) -> Result<User> {
        let mut conn = self.store().read().await?;
        let (user, _) = self.verify(&mut conn, claim).await?;
        self.must_be_in_group(&mut conn, claim.user).await?;
        Ok(user)
    }

    /// Who makes this claim, and until when what they showed is good.
    pub(in crate::service) async fn verify(
        &self,
        conn: &mut Conn,
        claim: &Claim,
    ) -> Result<(User, Timestamp)> {
        match &claim.credential {
            Credential::Token { expires_at, .. } => {
                let account = users::find(conn, claim.user).await?;
                Ok((self.present(account, &claim.credential)?, *expires_at))
            }
            Credential::Session(id) => {
                let found = sessions::account(conn, id, claim.user, self.clock().now()).await?;
                let (account, good_until) = found.ok_or(Code::UserNotFound)?;
                let user = self.present(Some(account), &claim.credential)?;
                Ok((user, good_until.ok_or(Code::TokenNotValid)?))
            }
        }
    }

    /// Who has this account, if they may still use it with this credential. That a session is there, its row says.
    pub(in crate::service) fn present(
        &self,
        account: Option<Account>,
        credential: &Credential,
    ) -> Result<User> {
        let user = present_by(account, credential)?;
        self.must_go_on(credential)?;
        Ok(user)
    }

    /// A token of a sign-in that has ended is worth nothing.
    pub(in crate::service) fn must_go_on(&self, credential: &Credential) -> Result<()> {
        match credential {
            Credential::Token { sign_in, .. } if self.hub().open_sockets().is_ended(sign_in) => {
                Err(Code::TokenNotValid.into())
            }
            Credential::Token { .. } | Credential::Session(_) => Ok(()),
        }
    }

    /// Ends credentials: `once` does it in a transaction with [`record`](crate::store::credentials::record) and says
    /// what it ended. After the commit what had been opened with it is closed, also for a caller that hangs up.
    pub(super) async fn ending<T, F>(&self, once: impl Fn(Self) -> F + Send + Sync + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<(T, Option<CredentialEnd>)>> + Send,
    {
        let chat = self.clone();
        self.to_the_end(async move {
            let (done, end) = retried(|| once(chat.clone())).await?;
            if let Some(end) = end {
                let closed = close(chat.store(), chat.hub(), chat.clock().now(), &end);
                if let Err(error) = closed.await {
                    // The watch reads the row, and tries until it can.
                    tracing::warn!(%error, user = %end.user, "an ended credential's sockets are not closed yet");
                }
                chat.hub().publish_credential_end();
            }
            Ok(done)
        })
        .await
    }
}

/// Closes the sockets of this node that were opened with what has ended, and refuses its tokens from now on.
pub(in crate::service) async fn close(
    store: &Store,
    hub: &Hub,
    now: Timestamp,
    end: &CredentialEnd,
) -> StoreResult<()> {
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

/// Closes the sockets of this node that `user` may not use any more, as the database says.
pub(in crate::service) async fn check_sockets(
    store: &Store,
    hub: &Hub,
    now: Timestamp,
    user: UserId,
) -> StoreResult<()> {
    // Those of this moment: one that opens later is checked later.
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
        if let Err(error) = present_by(account.clone(), socket.credential()) {
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
