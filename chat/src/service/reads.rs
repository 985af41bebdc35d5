//! Read marks and read receipts.

use super::{Chat, limits::Cost};
use crate::{
    error::Result,
    model::{Code, MessageId, MessageReader, RoomId, User},
    rules::access::{Action, allow},
    store::{messages, reads, rooms},
    writer::Mark,
};

impl Chat {
    /// Marks `message` and everything before it in its room as read by `reader`, and publishes the mark if it is new.
    /// Repeating a mark writes nothing.
    ///
    /// # Errors
    /// `not_found`, `banned`, `not_a_member`; [`Error::Throttled`](crate::Error::Throttled).
    pub async fn mark_read(&self, reader: &User, message: MessageId) -> Result<()> {
        self.mark(reader, None, message).await
    }

    /// Like [`Self::mark_read`], for a message that must be in `room`.
    ///
    /// # Errors
    /// As [`Self::mark_read`]; `not_found` also for a message of another room.
    pub async fn mark_read_in(&self, reader: &User, room: RoomId, message: MessageId) -> Result<()> {
        self.mark(reader, Some(room), message).await
    }

    async fn mark(&self, reader: &User, expected: Option<RoomId>, message: MessageId) -> Result<()> {
        self.limits().charge(reader.id, Cost::ReadMark)?;
        let (room, seq, is_new) = {
            let mut conn = self.store().read().await?;
            let (room, seq) = messages::locate(&mut conn, message).await?.ok_or(Code::NotFound)?;
            if expected.is_some_and(|expected| expected != room) {
                return Err(Code::NotFound.into());
            }
            let access = rooms::access(&mut conn, room, reader.id).await?;
            let access = allow(access.as_ref(), Action::Read)?;
            let is_ahead = access.member.as_ref().is_none_or(|member| member.last_read_seq < seq);
            // For a new member the earlier messages are not unread, but there is no read receipt for them either.
            (room, seq, is_ahead || !reads::is_recorded(&mut conn, room, reader.id, seq).await?)
        };
        if !is_new {
            return Ok(());
        }
        self.writer().mark_read(Mark { room, reader: reader.clone(), seq, message }).await
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
