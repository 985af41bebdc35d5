//! Changing messages that were sent: editing and deleting.

use super::{Chat, Receipt, limits::Cost, messages::check_content, validate::Problems};
use crate::{
    error::Result,
    model::{Code, MessageId, User},
    store::messages,
    writer::{Change, Stored},
};

impl Chat {
    /// Gives a message other words and waits until they are on disk. The same words
    /// again change nothing.
    ///
    /// # Errors
    /// `invalid`; `not_found`, also for a message that was deleted; `not_a_member`, `banned`,
    /// `muted`; `permission_denied` for another's message;
    /// [`Error::Throttled`](crate::Error::Throttled), [`Error::Overloaded`](crate::Error::Overloaded).
    pub async fn edit(&self, editor: &User, message: MessageId, content: String) -> Result<Stored> {
        let mut problems = Problems::default();
        check_content(&mut problems, &content);
        problems.finish()?;
        self.limits().act(editor.id, Cost::Write)?;
        let room = self.room_of(message).await?;
        self.change(Change::Edit { room, editor: editor.id, message, content }).await
    }

    /// Takes a message's words and file away, everywhere they are shown. Again, it changes nothing.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`, `banned`; `permission_denied` for another's message, except
    /// for the room's admins and moderators;
    /// [`Error::Throttled`](crate::Error::Throttled), [`Error::Overloaded`](crate::Error::Overloaded).
    pub async fn delete(&self, user: &User, message: MessageId) -> Result<Stored> {
        self.limits().act(user.id, Cost::Write)?;
        let room = self.room_of(message).await?;
        self.change(Change::Delete { room, user: user.id, message }).await
    }

    /// A message never moves, so this needs no lock.
    async fn room_of(&self, message: MessageId) -> Result<crate::model::RoomId> {
        let mut conn = self.store().read().await?;
        let (room, _) = messages::locate(&mut conn, message).await?.ok_or(Code::NotFound)?;
        Ok(room)
    }

    async fn change(&self, change: Change) -> Result<Stored> {
        Receipt::new(self.writer().submit(change)?).await
    }
}
