//! Editing and deleting messages.

use super::{Chat, Receipt, limits::Cost, messages::check_content};
use crate::{
    error::Result,
    model::{Code, MessageId, User},
    rules::validate::Problems,
    store::messages,
    writer::{Change, Stored},
};

impl Chat {
    /// Edits a message and waits until it is on disk. Identical content changes nothing.
    ///
    /// # Errors
    /// `invalid`; `not_found`, also for a deleted message; `not_a_member`, `banned`, `muted`; `permission_denied` for
    /// another user's message; [`Error::Throttled`](crate::Error::Throttled),
    /// [`Error::Overloaded`](crate::Error::Overloaded).
    pub async fn edit(&self, editor: &User, message: MessageId, content: String) -> Result<Stored> {
        let mut problems = Problems::default();
        check_content(&mut problems, &content);
        problems.finish()?;
        self.limits().charge(editor.id, Cost::Write)?;
        let room = self.room_of(message).await?;
        self.change(Change::Edit { room, editor: editor.id, message, content }).await
    }

    /// Deletes a message: its content and file are removed everywhere. Deleting it again changes nothing.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`, `banned`; `permission_denied` for another user's message, except for admins and
    /// moderators of the room; [`Error::Throttled`](crate::Error::Throttled),
    /// [`Error::Overloaded`](crate::Error::Overloaded).
    pub async fn delete(&self, user: &User, message: MessageId) -> Result<Stored> {
        self.limits().charge(user.id, Cost::Write)?;
        let room = self.room_of(message).await?;
        self.change(Change::Delete { room, user: user.id, message }).await
    }

    /// A message never moves to another room, so this needs no lock.
    async fn room_of(&self, message: MessageId) -> Result<crate::model::RoomId> {
        let mut conn = self.store().read().await?;
        let (room, _) = messages::locate(&mut conn, message).await?.ok_or(Code::NotFound)?;
        Ok(room)
    }

    async fn change(&self, change: Change) -> Result<Stored> {
        Receipt::new(self.writer().submit(change)?).await
    }
}
