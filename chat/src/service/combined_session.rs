//! The session of a combined socket (`/ws/`): the user's notifications, and subscriptions to rooms.
//!
//! Each subscription is a [`RoomFeed`], as a socket to one room has. The subscriptions take turns ([`turns`]), and
//! alternate with the notifications. A subscription that ends, for whatever reason, ends alone; whatever ends the
//! notification session ends the socket.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::{
    AuthenticatedSocket, Chat, NotificationSession, Receipt,
    backfill::Resume,
    limits::Cost,
    room_feed::{Opened, RoomFeed},
};
use crate::{
    credential::Claim,
    error::{Error, Result},
    event::to_json,
    model::{
        Code, Message, MessageDraft, MessageId, RoomId, RoomMessage, ServerFrame, Subscribe,
        limits::{PRESENT_MAX, SUBSCRIPTIONS_MAX},
    },
};

mod known_online;
mod subscription;
mod turns;

use known_online::KnownOnline;
use subscription::{Echo, RoomSubscription};
use turns::Turns;

/// Rooms of which [`CombinedSession::returned`] is remembered.
const RETURNED_MAX: usize = 1_024;

/// An open combined socket.
pub struct CombinedSession {
    notifications: NotificationSession,
    subscriptions: HashMap<RoomId, RoomSubscription>,
    turns: Turns,
    known_online: KnownOnline,
    /// What goes first: answers, and echoes of subscriptions that ended before they returned them.
    answers: VecDeque<Bytes>,
    /// Up to which change the ended subscriptions have returned their rooms.
    returned: HashMap<RoomId, i64>,
    /// Whether [`Self::try_next`] begins with the rooms.
    is_turn_of_rooms: bool,
}

/// What a combined socket sends next.
#[derive(Debug)]
pub enum CombinedEvent {
    /// A frame, JSON in UTF-8.
    Frame(Bytes),
    /// The subscription to this room has ended.
    Ended(RoomId, Error),
}

/// The outcome of [`CombinedSession::subscribe`].
pub struct OpenedSubscription {
    room: RoomId,
    here: bool,
    resume: Option<Resume>,
    opened: Result<(RoomFeed, Opened)>,
}

impl Chat {
    /// See [`AuthenticatedSocket::open_combined`].
    pub(super) async fn open_combined(
        &self,
        socket: AuthenticatedSocket,
        after_rev: Option<i64>,
    ) -> Result<CombinedSession> {
        let mut notifications = self.open_notifications(socket, after_rev).await?;
        notifications.outlive_overflow();
        Ok(CombinedSession {
            notifications,
            subscriptions: HashMap::new(),
            turns: Turns::default(),
            known_online: KnownOnline::default(),
            answers: VecDeque::new(),
            returned: HashMap::new(),
            is_turn_of_rooms: false,
        })
    }
}

impl CombinedSession {
    /// What to send next. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close the socket with: why its credential has ended, or a failing database.
    pub async fn next(&mut self) -> Result<CombinedEvent> {
        // Alone, since a query would start again each time a room's frame came first.
        self.notifications.refresh().await?;
        self.socket().check_open()?;
        if let Some(answer) = self.answers.pop_front() {
            return Ok(CombinedEvent::Frame(answer));
        }
        let Self { notifications, subscriptions, turns, known_online, .. } = self;
        let (room, frame) = tokio::select! {
            frame = notifications.next() => return frame.map(CombinedEvent::Frame),
            found = poll_fn(|context| {
                turns.poll(context, |room, context| poll_room(subscriptions, known_online, room, context))
            }) => found,
        };
        Ok(self.finish(room, frame))
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<CombinedEvent>> {
        if let Err(error) = self.socket().check_open() {
            return Some(Err(error));
        }
        if let Some(answer) = self.answers.pop_front() {
            return Some(Ok(CombinedEvent::Frame(answer)));
        }
        self.is_turn_of_rooms = !self.is_turn_of_rooms;
        if self.is_turn_of_rooms {
            self.try_next_of_rooms().map(Ok).or_else(|| self.try_next_notification())
        } else {
            self.try_next_notification().or_else(|| self.try_next_of_rooms().map(Ok))
        }
    }

    fn try_next_notification(&mut self) -> Option<Result<CombinedEvent>> {
        self.notifications.try_next().map(|frame| frame.map(CombinedEvent::Frame))
    }

    fn try_next_of_rooms(&mut self) -> Option<CombinedEvent> {
        let Self { subscriptions, turns, known_online, .. } = self;
        let (room, frame) =
            turns.try_poll(|room, context| poll_room(subscriptions, known_online, room, context))?;
        Some(self.finish(room, frame))
    }

    fn finish(&mut self, room: RoomId, frame: Result<Bytes>) -> CombinedEvent {
        match frame {
            Ok(frame) => CombinedEvent::Frame(frame),
            Err(error) => {
                self.remove(room);
                CombinedEvent::Ended(room, error)
            }
        }
    }

    /// Opens a subscription, which does not need the session. The result is passed to [`Self::add`].
    ///
    /// # Errors
    /// `not_found` for an impossible id, `too_many_subscriptions`; [`Error::Throttled`]. Nothing changes then.
    pub fn subscribe(
        &self,
        request: Subscribe,
    ) -> Result<impl Future<Output = OpenedSubscription> + Send + 'static> {
        let room = RoomId::checked(request.room_id).ok_or(Code::NotFound)?;
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(&room) {
            return Err(Code::TooManySubscriptions.into());
        }
        let (chat, user) = (self.socket().chat().clone(), self.socket().user().clone());
        chat.limits().charge(user.id, Cost::Subscription)?;
        let resume = match (request.after_rev, request.after_id) {
            (Some(rev), _) => Some(Resume::AfterRev(rev)),
            (None, Some(id)) => Some(Resume::AfterId(id)),
            (None, None) => None,
        };
        Ok(async move {
            let opened = RoomFeed::open(&chat, &user, room, resume).await;
            OpenedSubscription { room, here: request.here, resume, opened }
        })
    }

    /// Adds a subscription, in place of an earlier one to the same room. `subscribed` is its first frame.
    ///
    /// # Errors
    /// Why it could not be opened: `not_found`, `not_a_member`, `banned`, a failing database. An earlier subscription to
    /// the room has then ended too.
    pub fn add(&mut self, opened: OpenedSubscription) -> Result<()> {
        let OpenedSubscription { room, here, resume, opened } = opened;
        let (mut feed, opened) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.remove(room);
                return Err(error);
            }
        };
        // Before the earlier subscription ends, so that the user does not leave in between.
        if here {
            feed.enter();
        }
        // Before the list of the present, so that nobody is missed in between.
        let online = feed.follow_online();
        let answer = ServerFrame::Subscribed {
            room_id: room,
            last_message_id: opened.last_message_id,
            rev: opened.rev,
            present: feed.present(PRESENT_MAX),
        };
        let after = resume.unwrap_or(Resume::AfterRev(opened.rev));
        let mut subscription = RoomSubscription { feed, online, here, after, awaited: VecDeque::new() };
        // Not by the feed, which may end before it is asked.
        self.answers.extend(to_json(&answer));
        let awaited = self.end(room);
        let left = awaited.into_iter().filter_map(|echo| subscription.take(echo));
        self.answers.extend(left.map(|echo| echo.json));
        self.turns.add(room);
        self.subscriptions.insert(room, subscription);
        // The client has learnt anew who is present.
        self.known_online = KnownOnline::default();
        Ok(())
    }

    /// Ends the subscription to this room, if there is one.
    pub fn remove(&mut self, room: RoomId) {
        let awaited = self.end(room);
        self.answers.extend(awaited.into_iter().map(|echo| echo.json));
    }

    /// Ends the subscription to this room, and returns the echoes that it has not returned.
    fn end(&mut self, room: RoomId) -> VecDeque<Echo> {
        self.turns.remove(room);
        let Some(mut subscription) = self.subscriptions.remove(&room) else { return VecDeque::new() };
        subscription.forget_returned();
        if self.returned.len() >= RETURNED_MAX {
            self.returned.clear();
        }
        self.returned.insert(room, subscription.feed.returned_rev());
        subscription.awaited
    }

    /// Returns the echo of a message that the client sent: in its place in the room if a subscription returns it, else by
    /// itself. `is_new`: not a repeat of an earlier one.
    pub fn echo(&mut self, message: &Message, is_new: bool) {
        let (room_id, rev) = (message.room.id, message.rev);
        let frame = ServerFrame::ChatMessage { room_id, message: RoomMessage::from(message), rev };
        let Some(json) = to_json(&frame) else { return };
        let echo = Echo { rev, id: message.id, json };
        let echo = match self.subscriptions.get_mut(&room_id) {
            Some(subscription) if is_new => subscription.take(echo),
            Some(_) | None => Some(echo),
        };
        // Its subscription may have returned it before it ended.
        let echo =
            echo.filter(|echo| !is_new || self.returned.get(&room_id).is_none_or(|rev| *rev < echo.rev));
        self.answers.extend(echo.map(|echo| echo.json));
    }

    /// Whether there are answers to send.
    pub fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Switches to another credential of the same user: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.notifications.renew(claim).await
    }

    /// Checks that the socket may still send.
    ///
    /// # Errors
    /// Why its credential has ended.
    pub fn check_credential(&self) -> Result<()> {
        self.socket().check_credential()
    }

    /// Queues a message to a room, subscribed to or not, as [`Chat::submit`] does.
    ///
    /// # Errors
    /// The same, and why the socket's credential has ended.
    pub fn submit(&self, room: RoomId, draft: MessageDraft) -> Result<Receipt> {
        self.socket().submit(room, draft)
    }

    /// Marks this message of the room and all before it as read.
    ///
    /// # Errors
    /// As [`Chat::mark_read_in`], and why the socket's credential has ended.
    pub async fn mark_read(&mut self, room: RoomId, message: MessageId) -> Result<()> {
        self.socket().mark_read_in(room, message).await
    }

    /// Announces in a subscribed room that the user started or stopped typing, rate-limited. Ignored for users who may
    /// not write.
    pub async fn announce_typing(&mut self, room: RoomId, is_typing: bool) {
        if let Some(subscription) = self.subscriptions.get_mut(&room) {
            subscription.feed.announce_typing(is_typing).await;
        }
    }

    /// Makes the user present in a subscribed room again, unless the subscription only follows it. To be called for each
    /// frame of the client about the room.
    pub async fn mark_active(&mut self, room: RoomId) {
        if let Some(subscription) = self.subscriptions.get_mut(&room)
            && subscription.here
        {
            subscription.feed.set_present(true).await;
        }
    }

    /// Sets whether the user is present in a subscribed room or away.
    pub async fn set_present(&mut self, room: RoomId, is_present: bool) {
        if let Some(subscription) = self.subscriptions.get_mut(&room) {
            subscription.here |= is_present;
            subscription.feed.set_present(is_present).await;
        }
    }

    fn socket(&self) -> &AuthenticatedSocket {
        self.notifications.socket()
    }
}

impl OpenedSubscription {
    /// The room.
    pub fn room(&self) -> RoomId {
        self.room
    }
}

fn poll_room(
    subscriptions: &mut HashMap<RoomId, RoomSubscription>,
    known_online: &mut KnownOnline,
    room: RoomId,
    context: &mut Context<'_>,
) -> Poll<(RoomId, Result<Bytes>)> {
    let Some(RoomSubscription { feed, online, .. }) = subscriptions.get_mut(&room) else {
        return Poll::Pending;
    };
    if let Poll::Ready(frame) = feed.poll_next(context) {
        return Poll::Ready((room, frame));
    }
    loop {
        let frame = ready!(online.poll_next(context));
        if known_online.is_news(&frame) {
            return Poll::Ready((room, Ok(frame)));
        }
    }
}
