//! Read marks and read receipts.

use super::{Chat, limits::Cost};
use crate::{
    error::{Error, Result},
    model::{Code, MessageId, MessageReader, RoomId, User},
    rules::access::{Action, allow},
    store::{messages, reads, rooms},
    writer::Mark,
};

impl Chat {
    /// Marks `message` and everything before it in its room as read by `reader`, and publishes the mark if it is new.
    /// Returns when the mark is stored. Repeating a mark writes nothing.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`; [`Error::Throttled`].
    pub async fn mark_read(&self, reader: &User, message: MessageId) -> Result<()> {
        match self.new_mark(reader, None, message).await? {
            // Without an answer the writer has ended.
            Some(mark) => self.writer().mark_read(mark)?.await.unwrap_or(Err(Error::Stopping)),
            None => Ok(()),
        }
    }

    /// Like [`Self::mark_read`], for a message that must be in `room`. Returns when the mark is queued: a socket gets no
    /// answer, and its next frame need not wait.
    ///
    /// # Errors
    /// As [`Self::mark_read`]; `not_found` also for a message of another room.
    pub async fn mark_read_in(&self, reader: &User, room: RoomId, message: MessageId) -> Result<()> {
        if let Some(mark) = self.new_mark(reader, Some(room), message).await? {
            drop(self.writer().mark_read(mark)?);
        }
        Ok(())
    }

    /// The mark to store; `None` if it was stored before.
    async fn new_mark(
        &self,
        reader: &User,
        expected: Option<RoomId>,
        message: MessageId,
    ) -> Result<Option<Mark>> {
        self.limits().charge(reader.id, Cost::ReadMark)?;
        let mut conn = self.store().read().await?;
        let (room, seq) = messages::locate(&mut conn, message).await?.ok_or(Code::NotFound)?;
        if expected.is_some_and(|expected| expected != room) {
            return Err(Code::NotFound.into());
        }
        let access = rooms::access(&mut conn, room, reader.id).await?;
        let access = allow(access.as_ref(), Action::Read)?;
        let is_ahead = access.member.as_ref().is_none_or(|member| member.last_read_seq < seq);
        // For a new member the earlier messages are not unread, but there is no read receipt for them either.
        let is_new = is_ahead || !reads::is_recorded(&mut conn, room, reader.id, seq).await?;
        Ok(is_new.then(|| Mark { room, reader: reader.clone(), seq, message }))
    }

    /// The users who have read a message, in the order they did, without its sender.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`.
    pub async fn readers(&self, viewer: &User, message: MessageId) -> Result<Vec<MessageReader>> {
        let mut conn = self.store().read().await?;
        let (room, seq) = messages::locate(&mut conn, message).await?.ok_or(Code::NotFound)?;
        let access = rooms::access(&mut conn, room, viewer.id).await?;
        allow(access.as_ref(), Action::Read)?;
        Ok(reads::readers(&mut conn, room, seq, message).await?)
    }
}
