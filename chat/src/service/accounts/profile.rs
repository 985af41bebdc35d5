//! Changes by the owner of an account.

use crate::{
    credential::SessionId,
    error::Result,
    model::{RoomId, User, limits::PERSON_NAME_MAX},
    password,
    rules::{account, validate::Problems},
    service::{Chat, limits::Cost},
    store::{members, users},
};

impl Chat {
    /// Sets the first and last name of `user`. Both may be empty.
    ///
    /// # Errors
    /// `invalid` with every bad field; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn rename(&self, user: &User, first_name: &str, last_name: &str) -> Result<()> {
        self.limits().charge(user.id, Cost::Act)?;
        let (first_name, last_name) = (first_name.trim(), last_name.trim());
        let mut problems = Problems::default();
        problems.name("first_name", first_name, PERSON_NAME_MAX);
        problems.name("last_name", last_name, PERSON_NAME_MAX);
        problems.finish()?;
        let mut conn = self.store().write().await?;
        users::set_names(&mut conn, user, first_name, last_name).await?;
        conn.commit().await?;
        self.hub().identities().forget(user.id);
        let renamed = User { first_name: first_name.into(), last_name: last_name.into(), ..user.clone() };
        let rooms = members::rooms_of(&mut self.store().read().await?, user.id, RoomId(0), i64::MAX).await?;
        for room in rooms {
            self.hub().publish_renamed(room, renamed.clone());
        }
        Ok(())
    }

    // The methods below recover an account from a thief, who must not be able to exhaust a limit on them. So they are
    // not limited here: a new password needs the old one, attempts at which are limited, and ending sessions needs
    // nothing.

    /// Sets a new password for `user`, whom the caller has authenticated. All their tokens end, and all their
    /// sessions except `keep`, with the sockets opened by them.
    ///
    /// # Errors
    /// `invalid` with the password's problems.
    pub async fn replace_password(
        &self,
        user: &User,
        password: &str,
        keep: Option<&SessionId>,
    ) -> Result<()> {
        let mut problems = Problems::default();
        account::check_password(
            &mut problems,
            password,
            &[&user.username, &user.first_name, &user.last_name],
        );
        problems.finish()?;
        let hash = password::hash(password).await?;
        let (id, keep) = (user.id, keep.cloned());
        self.end_credentials(move |chat| {
            let (hash, keep) = (hash.clone(), keep.clone());
            async move {
                let mut tx = chat.store().write().await?;
                users::set_password_hash(&mut tx, id, &hash).await?;
                let end = chat.end_all_credentials(&mut tx, id, keep.as_ref()).await?;
                tx.commit().await?;
                Ok(((), Some(end)))
            }
        })
        .await
    }

    /// Ends all sessions of `user` except `keep`, and all their tokens, with the sockets opened by them.
    ///
    /// # Errors
    /// A failing database.
    pub async fn sign_out_elsewhere(&self, user: &User, keep: &SessionId) -> Result<()> {
        let (id, keep) = (user.id, keep.clone());
        self.end_credentials(move |chat| {
            let keep = keep.clone();
            async move {
                let mut tx = chat.store().write().await?;
                let end = chat.end_all_credentials(&mut tx, id, Some(&keep)).await?;
                tx.commit().await?;
                Ok(((), Some(end)))
            }
        })
        .await
    }
}
