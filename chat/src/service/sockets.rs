//! A room's socket, seen from the domain: what to say first, what was missed, and
//! then every change once and in order.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    AuthenticatedSocket, Chat,
    access::{Action, allow},
    history,
    messages::Receipt,
};
use crate::{
    credential::Claim,
    error::{Error, Result},
    figures::amount,
    hub::{Event, Head, Lagged, Subscription},
    model::{Code, MessageDraft, MessageId, RoomId, RoomMessage, RoomRef, ServerFrame, limits::RESUME_MAX},
    store::{messages, messages::StoredMessage, rooms, watch},
};

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
    room: RoomRef,
    socket: AuthenticatedSocket,
    subscription: Subscription,
    /// Everything up to this change was handed out.
    rev: i64,
    /// Every message up to this change was known when the socket opened.
    opened_at: i64,
    ready: VecDeque<Bytes>,
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
                    watch::heads(&mut conn, &[room]).await?.pop().ok_or(Error::from(Code::NotFound))?;
                Ok::<_, Error>(Head { rev: found.rev, seq: found.seq, access_rev: found.access_rev })
            })
            .await?;
        let standing = rooms::standing(&mut conn, room, user.id).await?;
        let state = &allow(standing.as_ref(), Action::Listen)?.room;
        let last_message_id = messages::id_at(&mut conn, room, state.seq).await?;
        let mut session = RoomSession {
            room: state.to_ref(),
            socket,
            subscription,
            rev: state.rev,
            opened_at: state.rev,
            ready: VecDeque::new(),
        };
        session.push(&ServerFrame::ConnectionEstablished {
            message: "连接成功".into(),
            room_id: room,
            user,
            last_message_id,
            rev: state.rev,
        });
        let missed = match resume {
            None => Some(Vec::new()),
            Some(Resume::AfterRev(rev)) => {
                let known = rev.clamp(0, state.rev);
                let missed = history::missed(&mut conn, &session.room, known).await?;
                if let Some(last) = missed.as_ref().and_then(|missed| missed.last()) {
                    // Every change up to this one is in the list or overtaken in it.
                    session.rev = session.rev.max(last.message.rev);
                }
                missed.map(|missed| missed.iter().map(|stored| change(stored, known)).collect())
            }
            Some(Resume::AfterId(id)) => {
                let seq = messages::seq_upto(&mut conn, room, MessageId(id.max(0)), state.seq).await?;
                if state.seq - seq > RESUME_MAX {
                    None
                } else {
                    let missed = messages::range(&mut conn, &session.room, seq, state.seq).await?;
                    Some(missed.iter().map(|stored| change(stored, 0)).collect::<Vec<_>>())
                }
            }
        };
        drop(conn);
        if let Some(frames) = missed {
            if resume.is_some() {
                self.figures().resume_frames.record(amount(frames.len()));
            }
            for frame in &frames {
                session.push(frame);
            }
        } else {
            self.figures().resyncs.increment(1);
            session.push(&ServerFrame::Resync { rev: state.rev });
        }
        session.opened_at = session.rev;
        session.subscription.set_present(true);
        Ok(session)
    }
}

/// A stored change as a frame, for a client that knew everything up to change `known`.
pub(super) fn change(stored: &StoredMessage, known: i64) -> ServerFrame {
    let rev = stored.message.rev;
    if stored.created_rev > known {
        ServerFrame::ChatMessage { message: RoomMessage::from(&stored.message), rev }
    } else if stored.message.is_deleted {
        ServerFrame::MessageDeleted { message_id: stored.message.id, rev }
    } else {
        ServerFrame::MessageEdited { message: RoomMessage::from(&stored.message), rev }
    }
}

impl RoomSession {
    /// The next frame to send, JSON in UTF-8. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close the socket with: `too_slow`, `not_a_member`, `banned`, `not_found`, or why its credential
    /// has ended.
    pub async fn next(&mut self) -> Result<Bytes> {
        self.socket.must_go_on()?;
        if let Some(frame) = self.ready.pop_front() {
            return Ok(frame);
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
        if let Err(error) = self.socket.must_go_on() {
            return Some(Err(error));
        }
        if let Some(frame) = self.ready.pop_front() {
            return Some(Ok(frame));
        }
        loop {
            let event = self.subscription.try_next()?;
            if let Some(taken) = self.take(event).transpose() {
                return Some(taken);
            }
        }
    }

    /// The frame to send for an event; none for a change that is known already.
    fn take(&mut self, event: Result<Arc<Event>, Lagged>) -> Result<Option<Bytes>> {
        match &*event.map_err(|_| Error::from(Code::TooSlow))? {
            Event::Close { code, .. } => Err((*code).into()),
            Event::Frame(frame) => match frame.rev {
                None => Ok(Some(frame.json.clone())),
                // Read from the database at the opening.
                Some(rev) if rev <= self.rev => Ok(None),
                Some(rev) => {
                    self.rev = rev;
                    let known = frame.known.as_ref().filter(|known| known.since <= self.opened_at);
                    Ok(Some(known.map_or(&frame.json, |known| &known.json).clone()))
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
        self.room.id
    }

    /// Goes on with another credential of the same person: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await
    }

    /// Queues a message to the room, as [`Chat::submit`] does.
    ///
    /// # Errors
    /// The same, and why the socket's credential has ended.
    pub fn submit(&self, draft: MessageDraft) -> Result<Receipt> {
        self.socket.submit(self.room.id, draft)
    }

    /// The user has read this message of the room and all before it.
    ///
    /// # Errors
    /// As [`Chat::mark_read_in`], and why the socket's credential has ended.
    pub async fn mark_read(&self, message: MessageId) -> Result<()> {
        self.socket.mark_read_in(self.room.id, message).await
    }

    /// The user is, or is no longer, writing.
    pub fn announce_typing(&self, is_typing: bool) {
        self.subscription.announce_typing(is_typing);
    }

    /// The user is here, or away.
    pub fn set_present(&mut self, is_present: bool) {
        self.subscription.set_present(is_present);
    }
}
