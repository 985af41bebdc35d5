//! Refresh tokens: issuing, rotating and ending them. The caller encodes and decodes them.

use std::time::Duration;

use super::{SignIn, sessions::check_unchanged, user_for_credential};
use crate::{
    credential::{Claim, CredentialEnd, Ended, TokenClaims},
    error::Result,
    model::{Code, Timestamp, User, UserId},
    service::{Chat, retried},
    store::{
        Conn, credentials, sessions,
        tokens::{self, IssuedToken},
        users,
    },
};

/// Grace period of a rotated refresh token, so that two tabs that use it at once do not sign each other out.
const GRACE_MICROS: i64 = 10_000_000;

impl Chat {
    /// The time from which tokens of this user are valid; the epoch if none were ended, or the user does not exist.
    pub async fn tokens_from(&self, user: UserId) -> Result<Timestamp> {
        let mut conn = self.store().read().await?;
        Ok(users::find(&mut conn, user).await?.map_or(Timestamp(0), |account| account.tokens_from))
    }

    /// Issues a refresh token for a sign-in. `make` encodes it for the given time.
    ///
    /// # Errors
    /// `no_active_account` if all credentials of the account have ended since its password was checked; those of
    /// `make`.
    pub async fn issue_token<T>(
        &self,
        sign_in: &SignIn,
        make: impl Fn(Timestamp) -> Result<(IssuedToken, T)>,
    ) -> Result<T> {
        retried(|| async {
            let mut tx = self.store().write().await?;
            check_unchanged(&mut tx, sign_in.user.id, sign_in.tokens_from).await?;
            // In the second in which tokens were ended, new ones are dated to the next second.
            let (token, given) = make(self.clock().now().max(sign_in.tokens_from))?;
            tokens::insert(&mut tx, &token).await?;
            tx.commit().await?;
            Ok(given)
        })
        .await
    }

    /// The user of a refresh token, if it is valid now.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`.
    pub async fn check_refresh_token(&self, token: &TokenClaims) -> Result<User> {
        let mut conn = self.store().read().await?;
        if self.is_dead(&mut conn, token).await? {
            return Err(Code::TokenNotValid.into());
        }
        let account = users::find(&mut conn, token.user).await?;
        user_for_credential(account, &Claim::from(token.clone()).credential)
    }

    /// Rotates a refresh token: returns the next one of its sign-in, which `make` encodes for the given time. The old
    /// one stays valid for ten seconds.
    ///
    /// # Errors
    /// As [`Self::check_refresh_token`], and those of `make`.
    pub async fn rotate_token<T>(
        &self,
        token: &TokenClaims,
        make: impl Fn(Timestamp) -> Result<(IssuedToken, T)>,
    ) -> Result<T> {
        retried(|| async {
            let mut tx = self.store().write().await?;
            let account = users::lock_shared(&mut tx, token.user).await?;
            if self.is_dead(&mut tx, token).await? {
                return Err(Code::TokenNotValid.into());
            }
            let tokens_from = account.as_ref().map_or(Timestamp(0), |account| account.tokens_from);
            user_for_credential(account, &Claim::from(token.clone()).credential)?;
            let now = self.clock().now();
            // If it is rotated twice at once, both get a token; the first sets the end of the grace period.
            tokens::blacklist(&mut tx, &token.jti, token.expires_at, now.plus_micros(GRACE_MICROS)).await?;
            let (next, given) = make(now.max(tokens_from))?;
            tokens::insert(&mut tx, &next).await?;
            tx.commit().await?;
            Ok(given)
        })
        .await
    }

    /// The valid refresh tokens of `user`, newest first.
    pub async fn tokens_of(&self, user: &User) -> Result<Vec<IssuedToken>> {
        let mut conn = self.store().read().await?;
        Ok(tokens::list_of(&mut conn, user.id, self.clock().now()).await?)
    }

    /// Ends the sign-in of one of `user`'s refresh tokens.
    ///
    /// # Errors
    /// `not_found` if it is not theirs.
    pub async fn end_token(&self, user: &User, jti: &str) -> Result<()> {
        let issued = self.tokens_of(user).await?.into_iter().find(|token| token.jti == jti);
        let IssuedToken { jti, sign_in, user, created_at, expires_at, .. } = issued.ok_or(Code::NotFound)?;
        self.blacklist_token(&TokenClaims { jti, sign_in, user, issued_at: created_at, expires_at }).await?;
        Ok(())
    }

    /// Ends the sign-in of this refresh token: its tokens, and the sockets opened with them. A token that was already
    /// rotated ends alone. False if it had ended before.
    pub async fn blacklist_token(&self, token: &TokenClaims) -> Result<bool> {
        let token = token.clone();
        self.end_credentials(move |chat| {
            let token = token.clone();
            async move {
                let mut tx = chat.store().write().await?;
                if chat.has_ended(&mut tx, &token).await? {
                    return Ok((false, None));
                }
                let now = chat.clock().now();
                let is_first = tokens::blacklist(&mut tx, &token.jti, token.expires_at, Timestamp(0)).await?;
                let (has_ended, end) = if is_first {
                    tokens::delete_of_sign_in(&mut tx, &token.sign_in).await?;
                    let end = CredentialEnd { user: token.user, what: Ended::SignIn(token.sign_in) };
                    credentials::record(&mut tx, &end, now).await?;
                    (true, Some(end))
                } else {
                    (tokens::end_grace(&mut tx, &token.jti, now).await?, None)
                };
                tx.commit().await?;
                Ok((has_ended, end))
            }
        })
        .await
    }

    /// Whether this token, access tokens included, has been ended: alone, with its sign-in, or with all others of its
    /// user.
    pub async fn is_blacklisted(&self, token: &TokenClaims) -> Result<bool> {
        let mut conn = self.store().read().await?;
        self.has_ended(&mut conn, token).await
    }

    async fn has_ended(&self, conn: &mut Conn, token: &TokenClaims) -> Result<bool> {
        let account = users::find(conn, token.user).await?;
        let is_before = account.is_some_and(|account| token.issued_at < account.tokens_from);
        Ok(is_before || self.is_dead(conn, token).await?)
    }

    /// Whether this token or its sign-in has been ended.
    async fn is_dead(&self, conn: &mut Conn, token: &TokenClaims) -> Result<bool> {
        Ok(tokens::is_revoked(conn, &token.jti, &token.sign_in, self.clock().now()).await?)
    }

    /// Deletes what has expired: sessions, blacklisted tokens, and the ends of credentials whose tokens live at most
    /// `longest`. Returns the number of rows.
    pub async fn forget_expired(&self, longest: Duration) -> Result<u64> {
        let now = self.clock().now();
        let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
        let ended_before = now.plus_micros(-longest);
        let mut tx = self.store().write().await?;
        let forgotten = sessions::prune(&mut tx, now).await?
            + tokens::prune(&mut tx, now).await?
            + credentials::prune(&mut tx, ended_before).await?;
        tx.commit().await?;
        self.hub().open_sockets().forget_sign_ins(ended_before);
        Ok(forgotten)
    }
}
