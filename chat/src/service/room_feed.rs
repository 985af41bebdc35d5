//! The frames of one room for one socket: first what was missed, from the database, and then every change once and in
//! order. It is the same for a socket to one room and for each subscription of a combined socket.
//!
//! A feed is a position in the room's stream. Ahead of it is either the database, read in pages, or the ring. A feed
//! that falls out of the ring can go back to pages ([`RoomFeed::catch_up`]).

use std::{
    collections::VecDeque,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::FutureExt as _;

use super::{
    Chat,
    backfill::{Backfill, Receiver, Resume},
};
use crate::{
    error::{Error, Result},
    event::{Event, Frame, to_json},
    hub::{DirectSink, Lagged, OnlineReader, OpenSocket, Subscription},
    metrics::as_f64,
    model::{Code, MessageId, RoomId, RoomType, ServerFrame, User, UserId},
    owned_task::OwnedTask,
    rules::access::{Action, allow, visible_reason},
    store::{messages, rooms, watch},
};

/// How long a user's permission to signal is cached, so that a flood of signals does not cause a flood of queries. A
/// membership change that this node knows of invalidates it at once.
const PERMISSION_TTL: Duration = Duration::from_secs(1);

/// A room as one socket receives it.
pub(super) struct RoomFeed {
    chat: Chat,
    room: RoomId,
    room_type: RoomType,
    user: UserId,
    subscription: Subscription,
    /// What is read from the database before the next event of the ring.
    missed: Option<Box<Missed>>,
    /// Changes up to this one were returned, or are in `missed`. Those that were written directly are not counted.
    rev: i64,
    /// The state that was read from the database includes the changes up to this one.
    known: i64,
    ready: VecDeque<Bytes>,
    signal_permission: Option<SignalPermission>,
}

/// Missed changes.
enum Missed {
    /// Their positions are being read.
    Planning(OwnedTask<Result<Backfill>>),
    /// They are read in pages.
    Reading(Backfill),
}

/// A cached permission to signal typing and presence.
struct SignalPermission {
    is_granted: bool,
    checked_at: Instant,
    /// [`Subscription::member_changes`] at the time of the check.
    changes: u64,
}

/// The room's state when the feed was opened.
pub(super) struct Opened {
    pub(super) last_message_id: Option<MessageId>,
    pub(super) rev: i64,
}

impl RoomFeed {
    /// Opens a feed whose user is not present yet.
    ///
    /// # Errors
    /// `not_found`, `not_a_member`, `banned`; a failing database.
    pub(super) async fn open(
        chat: &Chat,
        user: &User,
        room: RoomId,
        resume: Option<Resume>,
    ) -> Result<(Self, Opened)> {
        // Subscribes before it reads the state, so that nothing is missed in between. Changes that overlap are
        // recognised by their `rev`.
        let mut subscription = chat.hub().subscribe(room, user.to_ref()).await;
        let mut conn = chat.store().read().await?;
        subscription
            .start(async || {
                let found =
                    watch::positions(&mut conn, &[room]).await?.pop().ok_or(Error::from(Code::NotFound))?;
                Ok::<_, Error>(found.rev)
            })
            .await?;
        let access = rooms::access(&mut conn, room, user.id).await?;
        let state = &allow(access.as_ref(), Action::Listen)?.room;
        let opened =
            Opened { last_message_id: messages::id_at(&mut conn, room, state.seq).await?, rev: state.rev };
        let mut feed = Self {
            chat: chat.clone(),
            room,
            room_type: state.room_type,
            user: user.id,
            subscription,
            missed: None,
            rev: state.rev,
            known: state.rev,
            ready: VecDeque::new(),
            signal_permission: None,
        };
        if let Some(resume) = resume {
            let receiver = Receiver::Client(user.id);
            let backfill = Backfill::plan(&mut conn, chat.store(), state, receiver, resume).await?;
            count(chat, &backfill);
            feed.missed = Some(Box::new(Missed::Reading(backfill)));
        }
        Ok((feed, opened))
    }

    /// The next frame, JSON in UTF-8. Cancel-safe.
    ///
    /// # Errors
    /// Why the feed has ended: `too_slow` if it fell out of the ring, `not_a_member`, `banned`, `not_found`, a failing
    /// database.
    pub(super) async fn next(&mut self) -> Result<Bytes> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            if self.missed.is_some() {
                std::future::poll_fn(|context| self.poll_missed(context)).await?;
                continue;
            }
            let event = self.subscription.next().await;
            if let Some(frame) = self.take(event)? {
                return Ok(frame);
            }
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub(super) fn try_next(&mut self) -> Option<Result<Bytes>> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(Ok(frame));
        }
        if self.missed.is_some() {
            return None;
        }
        loop {
            let event = self.subscription.try_next()?;
            if let Some(taken) = self.take(event).transpose() {
                return Some(taken);
            }
        }
    }

    /// Like [`Self::next`], for a task that waits for many feeds, each with a waker of its own. A feed that falls out of
    /// the ring catches up.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Poll::Ready(Ok(frame));
            }
            if self.missed.is_some() {
                ready!(self.poll_missed(context))?;
                continue;
            }
            match ready!(self.subscription.poll_next(context)) {
                Err(Lagged) => self.catch_up(),
                event => {
                    if let Some(frame) = self.take(event)? {
                        return Poll::Ready(Ok(frame));
                    }
                }
            }
        }
    }

    /// Reads what was missed from the database, and continues behind the newest event of the ring.
    fn catch_up(&mut self) {
        // Before the database is read, so that nothing is missed in between.
        self.subscription.rejoin();
        let plan = plan(self.chat.clone(), self.room, self.user, self.rev);
        self.missed = Some(Box::new(Missed::Planning(OwnedTask::spawn(plan))));
    }

    /// Reads the next page of `missed` into `ready`.
    fn poll_missed(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        match self.missed.as_deref_mut() {
            None => {}
            Some(Missed::Planning(plan)) => {
                let backfill = ready!(plan.poll_unpin(context))?;
                count(&self.chat, &backfill);
                self.known = backfill.head();
                self.rev = self.rev.max(self.known);
                self.missed = Some(Box::new(Missed::Reading(backfill)));
            }
            // The read in progress is kept in the backfill.
            Some(Missed::Reading(backfill)) => {
                let page = ready!(pin!(backfill.next()).poll(context))?;
                match page {
                    Some(changes) => self.ready = changes.into_iter().map(|change| change.json).collect(),
                    None => self.missed = None,
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The frame to send for an event; `None` for a change that the client already has.
    fn take(&mut self, event: Result<Event, Lagged>) -> Result<Option<Bytes>> {
        match event.map_err(|_| Error::from(Code::TooSlow))? {
            // The user has come back since.
            Event::Close { rev, .. } if rev <= self.known => Ok(None),
            Event::Close { code, .. } => Err(visible_reason(self.room_type, code).into()),
            Event::Frame(Frame { rev: None, json, .. }) => Ok(Some(json)),
            Event::Frame(Frame { rev: Some(rev), json, .. }) => {
                if rev <= self.rev {
                    return Ok(None);
                }
                self.rev = rev;
                Ok(Some(json))
            }
        }
    }

    /// From now on frames may be written to `sink` while [`Self::next`] waits, until the credential of `socket` ends.
    pub(super) fn write_to(&self, sink: Arc<dyn DirectSink>, socket: &OpenSocket) {
        self.subscription.write_to(sink, self.rev, socket);
    }

    /// Queues a frame behind those that are ready.
    pub(super) fn push(&mut self, frame: &ServerFrame) {
        self.ready.extend(to_json(frame));
    }

    /// Changes up to this one were returned.
    pub(super) fn returned_rev(&self) -> i64 {
        if self.missed.is_some() || !self.ready.is_empty() { 0 } else { self.rev }
    }

    /// Bytes of the frames that were read and not returned yet.
    pub(super) fn queued_bytes(&self) -> usize {
        self.ready.iter().map(Bytes::len).sum()
    }

    /// The room.
    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    /// The ids of users who are present, at most `limit`.
    pub(super) fn present(&self, limit: usize) -> Vec<UserId> {
        self.subscription.present(limit)
    }

    /// Follows which members of the room are online.
    pub(super) fn follow_online(&self) -> OnlineReader {
        self.subscription.follow_online()
    }

    /// Makes the user present for the first time: they were just found to be a member.
    pub(super) fn enter(&mut self) {
        self.subscription.set_present(true);
    }

    /// Announces that the user started or stopped typing, rate-limited. Ignored for users who may not write.
    pub(super) async fn announce_typing(&mut self, is_typing: bool) {
        if self.may_signal().await {
            self.subscription.announce_typing(is_typing);
        }
    }

    /// Sets whether the user is present or away. Announced like [`Self::announce_typing`].
    pub(super) async fn set_present(&mut self, is_present: bool) {
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
        let is_granted =
            Box::pin(may_write(self.chat.clone(), self.room, self.user)).await.unwrap_or_default();
        self.signal_permission = Some(SignalPermission { is_granted, checked_at, changes });
        is_granted
    }
}

/// Plans the changes after `rev`, for a user who may still read the room.
async fn plan(chat: Chat, room: RoomId, user: UserId, rev: i64) -> Result<Backfill> {
    let mut conn = chat.store().read().await?;
    let access = rooms::access(&mut conn, room, user).await?;
    let state = &allow(access.as_ref(), Action::Listen)?.room;
    Backfill::plan(&mut conn, chat.store(), state, Receiver::Client(user), Resume::AfterRev(rev)).await
}

fn count(chat: &Chat, backfill: &Backfill) {
    chat.metrics().resume_frames.record(as_f64(backfill.changes()));
    if backfill.is_resync() {
        chat.metrics().resyncs.increment(1);
    }
}

async fn may_write(chat: Chat, room: RoomId, user: UserId) -> Result<bool> {
    let mut conn = chat.store().read().await?;
    let access = rooms::access(&mut conn, room, user).await?;
    Ok(allow(access.as_ref(), Action::Send).is_ok())
}
