//! What the doors keep in the database to know people again: sessions of the bundled
//! UI, refresh tokens that were given out, and those that are dead before their time.

use crate::{
    error::Result,
    model::{Code, Timestamp, User, UserId},
    service::Chat,
    store::{
        sessions::{self, SessionRecord},
        tokens::{self, IssuedToken},
        users,
    },
};

impl Chat {
    /// Stores a new session; false when its id is taken.
    pub async fn create_session(&self, session: &SessionRecord) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let created = sessions::insert(&mut conn, session).await?;
        conn.commit().await?;
        Ok(created)
    }

    /// Changes a session, unless it has ended meanwhile.
    pub async fn save_session(&self, session: &SessionRecord) -> Result<()> {
        let mut conn = self.store().write().await?;
        sessions::update(&mut conn, session).await?;
        Ok(conn.commit().await?)
    }

    /// The session with this id, if it has not expired.
    pub async fn load_session(&self, id: &str) -> Result<Option<SessionRecord>> {
        let mut conn = self.store().read().await?;
        Ok(sessions::find(&mut conn, id, self.clock().now()).await?)
    }

    /// Ends a session.
    pub async fn delete_session(&self, id: &str) -> Result<()> {
        let mut conn = self.store().write().await?;
        sessions::delete(&mut conn, id).await?;
        Ok(conn.commit().await?)
    }

    /// The sessions of `user` that have not expired.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<SessionRecord>> {
        let mut conn = self.store().read().await?;
        Ok(sessions::list_of(&mut conn, user.id, self.clock().now()).await?)
    }

    /// Ends one of `user`'s sessions, from elsewhere: what is open with it closes.
    ///
    /// # Errors
    /// `not_found` when it is none of theirs.
    pub async fn end_session(&self, user: &User, id: &str) -> Result<()> {
        let mut conn = self.store().write().await?;
        let found = sessions::find(&mut conn, id, self.clock().now()).await?;
        found.filter(|session| session.user == Some(user.id)).ok_or(Code::NotFound)?;
        sessions::delete(&mut conn, id).await?;
        conn.commit().await?;
        self.ask_again(user);
        Ok(())
    }

    /// From when on tokens of this user are good; the epoch where nothing was ended, or nobody has this id.
    pub async fn tokens_from(&self, user: UserId) -> Result<Timestamp> {
        let mut conn = self.store().read().await?;
        Ok(users::find(&mut conn, user).await?.map_or(Timestamp(0), |account| account.tokens_from))
    }

    /// Notes that a refresh token was given out.
    pub async fn note_token(&self, token: &IssuedToken) -> Result<()> {
        let mut conn = self.store().write().await?;
        tokens::note(&mut conn, token).await?;
        Ok(conn.commit().await?)
    }

    /// The refresh tokens of `user` that are good now, the newest first.
    pub async fn tokens_of(&self, user: &User) -> Result<Vec<IssuedToken>> {
        let mut conn = self.store().read().await?;
        Ok(tokens::list_of(&mut conn, user.id, self.clock().now()).await?)
    }

    /// Ends one of `user`'s refresh tokens. An access token that it was exchanged for is good until it expires.
    ///
    /// # Errors
    /// `not_found` when it is none of theirs.
    pub async fn end_token(&self, user: &User, jti: &str) -> Result<()> {
        let issued = self.tokens_of(user).await?.into_iter().find(|token| token.jti == jti);
        let expires_at = issued.ok_or(Code::NotFound)?.expires_at;
        self.blacklist_token(jti, expires_at).await?;
        Ok(())
    }

    /// Kills the refresh token with this id, which would have expired at `expires_at`;
    /// false when it was dead already, so that of two who use it up one wins.
    pub async fn blacklist_token(&self, jti: &str, expires_at: Timestamp) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let killed = tokens::kill(&mut conn, jti, expires_at).await?;
        conn.commit().await?;
        Ok(killed)
    }

    /// Is the token with this id dead?
    pub async fn is_blacklisted(&self, jti: &str) -> Result<bool> {
        let mut conn = self.store().read().await?;
        Ok(tokens::is_dead(&mut conn, jti).await?)
    }

    /// Removes expired sessions and dead tokens that have expired anyway; how many rows.
    pub async fn forget_expired(&self) -> Result<u64> {
        let now = self.clock().now();
        let mut conn = self.store().write().await?;
        let forgotten = sessions::prune(&mut conn, now).await? + tokens::prune(&mut conn, now).await?;
        conn.commit().await?;
        Ok(forgotten)
    }
}
