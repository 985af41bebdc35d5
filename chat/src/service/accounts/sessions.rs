//! What the doors keep in the database to know people again: sessions of the bundled
//! UI and refresh tokens that are dead before their time.

use crate::{
    error::Result,
    model::Timestamp,
    service::Chat,
    store::{
        sessions::{self, SessionRecord},
        tokens,
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
