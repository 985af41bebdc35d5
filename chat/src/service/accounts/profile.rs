//! What the owner of an account changes of it.

use super::rules;
use crate::{
    error::Result,
    hub::UserEvent,
    model::{Code, User, limits::PERSON_NAME_MAX},
    password,
    service::{Chat, validate::Problems},
    store::{sessions, tokens, users},
};

impl Chat {
    /// Gives `user` other names. Both may be empty.
    ///
    /// # Errors
    /// `invalid` with every bad field.
    pub async fn rename(&self, user: &User, first_name: &str, last_name: &str) -> Result<()> {
        let (first_name, last_name) = (first_name.trim(), last_name.trim());
        let mut problems = Problems::default();
        problems.line("first_name", first_name, PERSON_NAME_MAX);
        problems.line("last_name", last_name, PERSON_NAME_MAX);
        problems.finish()?;
        let mut conn = self.store().write().await?;
        users::set_names(&mut conn, user.id, first_name, last_name).await?;
        Ok(conn.commit().await?)
    }

    /// Gives `user` another password. Whoever calls has made sure that it is them. All their tokens end, and all their
    /// sessions but `keep`; their sockets have to show again who they are.
    ///
    /// # Errors
    /// `invalid` with the password's problems.
    pub async fn replace_password(&self, user: &User, password: &str, keep: Option<&str>) -> Result<()> {
        let mut problems = Problems::default();
        rules::check_password(&mut problems, password, &[&user.username, &user.first_name, &user.last_name]);
        problems.finish()?;
        let hash = password::hash(password).await?;
        let mut conn = self.store().write().await?;
        users::set_password_hash(&mut conn, user.id, &hash).await?;
        sessions::delete_of(&mut conn, user.id, keep).await?;
        users::set_tokens_from(&mut conn, user.id, self.clock().now().next_second()).await?;
        tokens::forget_of(&mut conn, user.id).await?;
        conn.commit().await?;
        self.ask_again(user);
        Ok(())
    }

    /// Ends all sessions of `user` but `keep`, and all their tokens.
    ///
    /// # Errors
    /// A failing database.
    pub async fn sign_out_elsewhere(&self, user: &User, keep: &str) -> Result<()> {
        let mut conn = self.store().write().await?;
        sessions::delete_of(&mut conn, user.id, Some(keep)).await?;
        users::set_tokens_from(&mut conn, user.id, self.clock().now().next_second()).await?;
        tokens::forget_of(&mut conn, user.id).await?;
        conn.commit().await?;
        self.ask_again(user);
        Ok(())
    }

    /// Closes the sockets of `user` in the way that makes clients come back: those whose session or token has ended are
    /// refused then.
    pub(super) fn ask_again(&self, user: &User) {
        self.hub().publish_user(user.id, UserEvent::Close(Code::TooSlow));
    }
}
