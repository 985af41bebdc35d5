//! A room's socket, seen from the domain: what to say first, what was missed, and
//! then every change once and in order.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    AuthenticatedSocket, Chat,
    access::{Action, allow},
    backfill::Backfill,
    messages::Receipt,
};
use crate::{
    credential::Claim,
    error::{Error, Result},
    hub::{Event, Lagged, RoomPosition, Subscription},
    metrics::as_f64,
    model::{Code, MessageDraft, MessageId, RoomId, ServerFrame, UserId},
    store::{messages, rooms, watch},
};

/// How long it is remembered whether a user may signal: a flood of signals is no flood of queries. What is changed on
/// this node, or told by another, counts at once.
const RIGHT_KEPT: Duration = Duration::from_secs(1);

/// What a returning client knows already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Every message up to this id.
    AfterId(i64),
    /// Every change up to this number.
    AfterRev(i64),
}

/// An open socket's place in a room.
pub struct RoomSession {
    chat: Chat,
    room: RoomId,
    socket: AuthenticatedSocket,
    subscription: Subscription,
    /// What was missed and is not read yet.
    backfill: Option<Box<Backfill>>,
    /// Everything up to this change was handed out, or is in the backfill.
    rev: i64,
    /// Every message up to this change was known when the socket opened.
    opened_at: i64,
    ready: VecDeque<Bytes>,
    right: Option<Right>,
}

/// May the user signal that they type, come and go?
struct Right {
    is_given: bool,
    asked_at: Instant,
    /// How often the room's members had changed by then.
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
        // Listening starts before the state is read, so nothing falls between the two;
        // what overlaps is told by its rev.
        let subscription = self.hub().subscribe(room, user.to_ref()).await;
        let mut conn = self.store().read().await?;
        subscription
            .begin(async || {
                let found =
                    watch::positions(&mut conn, &[room]).await?.pop().ok_or(Error::from(Code::NotFound))?;
                Ok::<_, Error>(RoomPosition { rev: found.rev, seq: found.seq, access_rev: found.access_rev })
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
            opened_at: state.rev,
            ready: VecDeque::new(),
            right: None,
        };
        session.push(&ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: room,
            user: user.clone(),
            last_message_id,
            rev: state.rev,
        });
        if let Some(resume) = resume {
            if let Some(backfill) = Backfill::plan(&mut conn, self.store(), state, user.id, resume).await? {
                self.metrics().resume_frames.record(as_f64(backfill.frames()));
                session.backfill = Some(Box::new(backfill));
            } else {
                self.metrics().resyncs.increment(1);
                session.push(&ServerFrame::Resync { rev: state.rev });
            }
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
            self.socket.must_be_open()?;
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            let Some(backfill) = &mut self.backfill else { break };
            match backfill.next().await? {
                Some(frames) => self.ready = frames.into(),
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

    /// The same if it is there already; `None` when it has to be waited for.
    pub fn try_next(&mut self) -> Option<Result<Bytes>> {
        if let Err(error) = self.socket.must_be_open() {
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

    /// Bytes of the frames that were read and are not taken yet.
    pub fn queued_bytes(&self) -> usize {
        self.ready.iter().map(Bytes::len).sum()
    }

    /// The frame to send for an event; none for a change that is known already.
    fn take(&mut self, event: Result<Event, Lagged>) -> Result<Option<Bytes>> {
        match event.map_err(|_| Error::from(Code::TooSlow))? {
            Event::Close { code, .. } => Err(code.into()),
            Event::Frame(frame) => match frame.rev {
                None => Ok(Some(frame.json)),
                // Read from the database at the opening.
                Some(rev) if rev <= self.rev => Ok(None),
                Some(rev) => {
                    self.rev = rev;
                    let known = frame.known.as_ref().filter(|known| known.since <= self.opened_at);
                    Ok(Some(known.map_or(frame.json, |known| known.json.clone())))
                }
            },
        }
    }

    fn push(&mut self, frame: &ServerFrame) {
        if let Some(frame) = crate::hub::Frame::new(frame, None, crate::hub::Audience::Everyone) {
            self.ready.push_back(frame.json);
        }
    }

    /// Which room.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Goes on with another credential of the same person: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await
    }

    /// May the socket still send anything?
    ///
    /// # Errors
    /// Why its credential has ended.
    pub fn must_be_good(&self) -> Result<()> {
        self.socket.must_be_good()
    }

    /// Queues a message to the room, as [`Chat::submit`] does.
    ///
    /// # Errors
    /// The same, and why the socket's credential has ended.
    pub fn submit(&self, draft: MessageDraft) -> Result<Receipt> {
        self.socket.submit(self.room, draft)
    }

    /// The user has read this message of the room and all before it.
    ///
    /// # Errors
    /// As [`Chat::mark_read_in`], and why the socket's credential has ended.
    pub async fn mark_read(&mut self, message: MessageId) -> Result<()> {
        self.socket.mark_read_in(self.room, message).await
    }

    /// The user says that they are, or are no longer, writing. Others are told at a bounded rate, and of the muted
    /// nothing.
    pub async fn announce_typing(&mut self, is_typing: bool) {
        if self.may_signal().await {
            self.subscription.announce_typing(is_typing);
        }
    }

    /// The user says that they are here, or away; the same holds.
    pub async fn set_present(&mut self, is_present: bool) {
        if is_present != self.subscription.is_present() && self.may_signal().await {
            self.subscription.set_present(is_present);
        }
    }

    async fn may_signal(&mut self) -> bool {
        let changes = self.subscription.member_changes();
        let known = self.right.as_ref().filter(|right| right.changes == changes);
        if let Some(right) = known.filter(|right| right.asked_at.elapsed() < RIGHT_KEPT) {
            return right.is_given;
        }
        let asked_at = Instant::now();
        // Where the database fails, nothing that is volatile is worth an error.
        let is_given = Box::pin(may_write(self.chat.clone(), self.room, self.socket.user().id))
            .await
            .unwrap_or_default();
        self.right = Some(Right { is_given, asked_at, changes });
        is_given
    }
}

async fn may_write(chat: Chat, room: RoomId, user: UserId) -> Result<bool> {
    let mut conn = chat.store().read().await?;
    let access = rooms::access(&mut conn, room, user).await?;
    Ok(allow(access.as_ref(), Action::Send).is_ok())
}
