//! The session of a room socket: its first frame, then the frames of the room.

use std::sync::Arc;

use bytes::Bytes;

use super::{AuthenticatedSocket, Chat, messages::Receipt, room_feed::RoomFeed};
use crate::{
    credential::Claim,
    error::Result,
    hub::DirectSink,
    model::{MessageDraft, MessageId, RoomId, ServerFrame},
};

pub use super::backfill::Resume;

/// An open room socket.
pub struct RoomSession {
    socket: AuthenticatedSocket,
    feed: RoomFeed,
    /// See [`Self::write_to`].
    sink: Option<Arc<dyn DirectSink>>,
}

impl Chat {
    /// See [`AuthenticatedSocket::open_room`].
    pub(super) async fn open_room(
        &self,
        socket: AuthenticatedSocket,
        room: RoomId,
        resume: Option<Resume>,
    ) -> Result<RoomSession> {
        let user = socket.user().clone();
        let (mut feed, opened) = RoomFeed::open(self, &user, room, resume).await?;
        feed.push(&ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: room,
            user,
            last_message_id: opened.last_message_id,
            rev: opened.rev,
            build: self.settings().build.clone(),
        });
        feed.enter();
        Ok(RoomSession { socket, feed, sink: None })
    }
}

impl RoomSession {
    /// The next frame to send, JSON in UTF-8. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close the socket with: `too_slow`, `not_a_member`, `banned`, `not_found`, or why its credential
    /// has ended.
    pub async fn next(&mut self) -> Result<Bytes> {
        self.socket.check_open()?;
        tokio::select! {
            biased;
            code = self.socket.until_ended() => Err(code.into()),
            frame = self.feed.next() => frame,
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Bytes>> {
        match self.socket.check_open() {
            Ok(()) => self.feed.try_next(),
            Err(error) => Some(Err(error)),
        }
    }

    /// From now on frames may be written to `sink` while [`Self::next`] waits, without returning them. What
    /// [`Self::next`] has returned must be written before it is called again.
    pub fn write_to(&mut self, sink: Arc<dyn DirectSink>) {
        self.sink = Some(Arc::clone(&sink));
        self.feed.write_to(sink, self.socket.registered());
    }

    /// Bytes of the frames that were read and not returned yet.
    pub fn queued_bytes(&self) -> usize {
        self.feed.queued_bytes()
    }

    /// The room.
    pub fn room(&self) -> RoomId {
        self.feed.room()
    }

    /// Switches to another credential of the same user: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await?;
        if let Some(sink) = self.sink.clone() {
            self.feed.write_to(sink, self.socket.registered());
        }
        Ok(())
    }

    /// Checks that the socket may still send.
    ///
    /// # Errors
    /// Why its credential has ended.
    pub fn check_credential(&self) -> Result<()> {
        self.socket.check_credential()
    }

    /// Queues a message to the room, as [`Chat::submit`] does.
    ///
    /// # Errors
    /// The same, and why the socket's credential has ended.
    pub fn submit(&self, draft: MessageDraft) -> Result<Receipt> {
        self.socket.submit(self.room(), draft)
    }

    /// Marks this message of the room and all before it as read.
    ///
    /// # Errors
    /// As [`Chat::mark_read_in`], and why the socket's credential has ended.
    pub async fn mark_read(&mut self, message: MessageId) -> Result<()> {
        self.socket.mark_read_in(self.room(), message).await
    }

    /// Announces that the user started or stopped typing, rate-limited. Ignored for users who may not write.
    pub async fn announce_typing(&mut self, is_typing: bool) {
        self.feed.announce_typing(is_typing).await;
    }

    /// Sets whether the user is present or away. Announced like [`Self::announce_typing`].
    pub async fn set_present(&mut self, is_present: bool) {
        self.feed.set_present(is_present).await;
    }
}
