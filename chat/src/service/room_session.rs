//! The session of a room socket: the first frames, the backfill of what was missed, and then every change once and in
//! order.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    AuthenticatedSocket, Chat,
    backfill::{Backfill, Receiver},
    messages::Receipt,
};
use crate::{
    credential::Claim,
    error::{Error, Result},
    event::{Event, to_json},
    hub::{Lagged, Subscription},
    metrics::as_f64,
    model::{Code, MessageDraft, MessageId, RoomId, ServerFrame, UserId},
    rules::access::{Action, allow},
    store::{messages, rooms, watch},
};

pub use super::backfill::Resume;

/// How long a user's permission to signal is cached, so that a flood of signals does not cause a flood of queries. A
/// membership change that this node knows of invalidates it at once.
const PERMISSION_TTL: Duration = Duration::from_secs(1);

/// An open room socket.
pub struct RoomSession {
    chat: Chat,
    room: RoomId,
    socket: AuthenticatedSocket,
    subscription: Subscription,
    /// The rest of the backfill.
    backfill: Option<Box<Backfill>>,
    /// Changes up to this one were returned, or are in the backfill.
    rev: i64,
    ready: VecDeque<Bytes>,
    signal_permission: Option<SignalPermission>,
}

/// A cached permission to signal typing and presence.
struct SignalPermission {
    is_granted: bool,
    checked_at: Instant,
    /// [`Subscription::member_changes`] at the time of the check.
    changes: u64,
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
        // Subscribes before it reads the state, so that nothing is missed in between. Changes that overlap are
        // recognised by their `rev`.
        let subscription = self.hub().subscribe(room, user.to_ref()).await;
        let mut conn = self.store().read().await?;
        subscription
            .start(async || {
                let found =
                    watch::positions(&mut conn, &[room]).await?.pop().ok_or(Error::from(Code::NotFound))?;
                Ok::<_, Error>(found.rev)
            })
            .await?;
        let access = rooms::access(&mut conn, room, user.id).await?;
        let state = &allow(access.as_ref(), Action::Listen)?.room;
        let last_message_id = messages::id_at(&mut conn, room, state.seq).await?;
        let mut session = RoomSession {
            chat: self.clone(),
            room,
            socket,
            subscription,
            backfill: None,
            rev: state.rev,
            ready: VecDeque::new(),
            signal_permission: None,
        };
        session.push(&ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: room,
            user: user.clone(),
            last_message_id,
            rev: state.rev,
        });
        if let Some(resume) = resume {
            let receiver = Receiver::Client(user.id);
            let backfill = Backfill::plan(&mut conn, self.store(), state, receiver, resume).await?;
            self.metrics().resume_frames.record(as_f64(backfill.changes()));
            if backfill.is_resync() {
                self.metrics().resyncs.increment(1);
            }
            session.backfill = Some(Box::new(backfill));
        }
        drop(conn);
        session.subscription.set_present(true);
        Ok(session)
    }
}

impl RoomSession {
    /// The next frame to send, JSON in UTF-8. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close the socket with: `too_slow`, `not_a_member`, `banned`, `not_found`, or why its credential
    /// has ended.
    pub async fn next(&mut self) -> Result<Bytes> {
        loop {
            self.socket.check_open()?;
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            let Some(backfill) = &mut self.backfill else { break };
            match backfill.next().await? {
                Some(changes) => self.ready = changes.into_iter().map(|change| change.json).collect(),
                None => self.backfill = None,
            }
        }
        loop {
            let event = tokio::select! {
                biased;
                code = self.socket.until_ended() => return Err(code.into()),
                event = self.subscription.next() => event,
            };
            if let Some(frame) = self.take(event)? {
                return Ok(frame);
            }
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Bytes>> {
        if let Err(error) = self.socket.check_open() {
            return Some(Err(error));
        }
        if let Some(frame) = self.ready.pop_front() {
            return Some(Ok(frame));
        }
        if self.backfill.is_some() {
            return None;
        }
        loop {
            let event = self.subscription.try_next()?;
            if let Some(taken) = self.take(event).transpose() {
                return Some(taken);
            }
        }
    }

    /// Bytes of the frames that were read and not returned yet.
    pub fn queued_bytes(&self) -> usize {
        self.ready.iter().map(Bytes::len).sum()
    }

    /// The frame to send for an event; `None` for a change that the client already has.
    fn take(&mut self, event: Result<Event, Lagged>) -> Result<Option<Bytes>> {
        match event.map_err(|_| Error::from(Code::TooSlow))? {
            Event::Close { code, .. } => Err(code.into()),
            Event::Frame(frame) => match frame.rev {
                None => Ok(Some(frame.json)),
                // Covered by what was read when the socket opened.
                Some(rev) if rev <= self.rev => Ok(None),
                Some(rev) => {
                    self.rev = rev;
                    Ok(Some(frame.json))
                }
            },
        }
    }

    fn push(&mut self, frame: &ServerFrame) {
        self.ready.extend(to_json(frame));
    }

    /// The room.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Switches to another credential of the same user: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await
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
        self.socket.submit(self.room, draft)
    }

    /// Marks this message of the room and all before it as read.
    ///
    /// # Errors
    /// As [`Chat::mark_read_in`], and why the socket's credential has ended.
    pub async fn mark_read(&mut self, message: MessageId) -> Result<()> {
        self.socket.mark_read_in(self.room, message).await
    }

    /// Announces that the user started or stopped typing, rate-limited. Ignored for users who may not write.
    pub async fn announce_typing(&mut self, is_typing: bool) {
        if self.may_signal().await {
            self.subscription.announce_typing(is_typing);
        }
    }

    /// Sets whether the user is present or away. Announced like [`Self::announce_typing`].
    pub async fn set_present(&mut self, is_present: bool) {
        if is_present != self.subscription.is_present() && self.may_signal().await {
            self.subscription.set_present(is_present);
        }
    }

    async fn may_signal(&mut self) -> bool {
        let changes = self.subscription.member_changes();
        let known =
            self.signal_permission.as_ref().filter(|signal_permission| signal_permission.changes == changes);
        if let Some(signal_permission) =
            known.filter(|signal_permission| signal_permission.checked_at.elapsed() < PERMISSION_TTL)
        {
            return signal_permission.is_granted;
        }
        let checked_at = Instant::now();
        // A volatile signal is not worth an error if the database fails.
        let is_granted = Box::pin(may_write(self.chat.clone(), self.room, self.socket.user().id))
            .await
            .unwrap_or_default();
        self.signal_permission = Some(SignalPermission { is_granted, checked_at, changes });
        is_granted
    }
}

async fn may_write(chat: Chat, room: RoomId, user: UserId) -> Result<bool> {
    let mut conn = chat.store().read().await?;
    let access = rooms::access(&mut conn, room, user).await?;
    Ok(allow(access.as_ref(), Action::Send).is_ok())
}
