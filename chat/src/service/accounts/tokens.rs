//! Refresh tokens: giving them out, exchanging and ending them. What is inside a token is the caller's business.

use std::time::Duration;

use super::{SignIn, present_by, sessions::must_be_unchanged};
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

/// How long a refresh token stays good after it was exchanged for the next one: two tabs that use it at once must not
/// sign each other out.
const GRACE_MICROS: i64 = 10_000_000;

impl Chat {
    /// From when on tokens of this user are good; the epoch where nothing was ended, or nobody has this id.
    pub async fn tokens_from(&self, user: UserId) -> Result<Timestamp> {
        let mut conn = self.store().read().await?;
        Ok(users::find(&mut conn, user).await?.map_or(Timestamp(0), |account| account.tokens_from))
    }

    /// Lets somebody in by a refresh token, which `make` makes for the moment that it is given.
    ///
    /// # Errors
    /// `no_active_account` when all credentials of the account have ended since its password was checked; those of
    /// `make`.
    pub async fn issue_token<T>(
        &self,
        sign_in: &SignIn,
        make: impl Fn(Timestamp) -> Result<(IssuedToken, T)>,
    ) -> Result<T> {
        retried(|| async {
            let mut tx = self.store().write().await?;
            must_be_unchanged(&mut tx, sign_in.user.id, sign_in.tokens_from).await?;
            // In the second in which tokens were ended, new ones are dated to the next.
            let (token, given) = make(self.clock().now().max(sign_in.tokens_from))?;
            tokens::insert(&mut tx, &token).await?;
            tx.commit().await?;
            Ok(given)
        })
        .await
    }

    /// Whose refresh token it is, if it is good now.
    ///
    /// # Errors
    /// `token_not_valid`, `user_not_found`, `user_inactive`.
    pub async fn check_refresh_token(&self, token: &TokenClaims) -> Result<User> {
        let mut conn = self.store().read().await?;
        if self.is_dead(&mut conn, token).await? {
            return Err(Code::TokenNotValid.into());
        }
        let account = users::find(&mut conn, token.user).await?;
        present_by(account, &Claim::from(token.clone()).credential)
    }

    /// Exchanges a refresh token for the next one of its sign-in, which `make` makes for the moment that it is given.
    /// The old one is good for ten seconds more.
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
            present_by(account, &Claim::from(token.clone()).credential)?;
            let now = self.clock().now();
            // Of two who exchange it at once both get a token, and the first one sets the time.
            tokens::blacklist(&mut tx, &token.jti, token.expires_at, now.plus_micros(GRACE_MICROS)).await?;
            let (next, given) = make(now.max(tokens_from))?;
            tokens::insert(&mut tx, &next).await?;
            tx.commit().await?;
            Ok(given)
        })
        .await
    }

    /// The refresh tokens of `user` that are good now, the newest first.
    pub async fn tokens_of(&self, user: &User) -> Result<Vec<IssuedToken>> {
        let mut conn = self.store().read().await?;
        Ok(tokens::list_of(&mut conn, user.id, self.clock().now()).await?)
    }

    /// Ends the sign-in of one of `user`'s refresh tokens.
    ///
    /// # Errors
    /// `not_found` when it is none of theirs.
    pub async fn end_token(&self, user: &User, jti: &str) -> Result<()> {
        let issued = self.tokens_of(user).await?.into_iter().find(|token| token.jti == jti);
        let IssuedToken { jti, sign_in, user, created_at, expires_at, .. } = issued.ok_or(Code::NotFound)?;
        self.blacklist_token(&TokenClaims { jti, sign_in, user, issued_at: created_at, expires_at }).await?;
        Ok(())
    }

    /// Ends the sign-in that this refresh token belongs to: its tokens, and the sockets that were opened with them. One
    /// that was rotated away ends alone. False when it had ended before.
    pub async fn blacklist_token(&self, token: &TokenClaims) -> Result<bool> {
        let token = token.clone();
        self.ending(move |chat| {
            let token = token.clone();
            async move {
                let mut tx = chat.store().write().await?;
                if chat.is_dead(&mut tx, &token).await? {
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

    /// Has this token, or the sign-in that it belongs to, been ended? An access token too.
    pub async fn is_blacklisted(&self, token: &TokenClaims) -> Result<bool> {
        let mut conn = self.store().read().await?;
        self.is_dead(&mut conn, token).await
    }

    async fn is_dead(&self, conn: &mut Conn, token: &TokenClaims) -> Result<bool> {
        Ok(tokens::is_revoked(conn, &token.jti, &token.sign_in, self.clock().now()).await?)
    }

    /// Removes what has expired: sessions, dead tokens, and the ends of credentials whose tokens live `longest` at most.
    /// How many rows there were.
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
