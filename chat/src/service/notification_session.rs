//! The session of a notification socket: new messages in all rooms of one user, the unread counter of each, and the
//! user's own stream.
//!
//! A new message needs no query: the session has an unread counter for each room and updates it from events
//! ([`unread_counter`]). An event of the user's stream (read mark, membership, notification) carries no data; the
//! session then reads the rows concerned before it handles another event. Messages have a `seq` and the user's changes a
//! `rev`, so repeated or late events are recognised, and a missed one shows as a gap, which is filled from the database
//! ([`refresh`]).

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::{AuthenticatedSocket, Chat};
use crate::{
    credential::Claim,
    error::Result,
    event::{UserChange, UserEvent, to_json},
    hub::{Inbox, InboxEvent, Lagged, MessageNotification, RoomCounters},
    model::{Code, Notification, NotificationFrame, NotificationType, RoomId, User},
    store::{
        reads::{self, ReadPosition},
        streams,
    },
};

mod refresh;
#[cfg(test)]
mod tests;
mod unread_counter;

use refresh::Missed;
use unread_counter::{Counted, UnreadCounter};

/// A query that has to run before the next event is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refresh {
    /// All changes of the user's stream that were missed.
    Stream,
    /// This room and its read position. The number of the change in the user's stream, if it has one.
    Room(RoomId, Option<i64>),
}

/// An open notification socket.
pub struct NotificationSession {
    chat: Chat,
    socket: AuthenticatedSocket,
    inbox: Inbox,
    /// All changes of the user's stream up to this number were sent.
    rev: i64,
    /// The numbers above `rev` of mentions that were sent without their number.
    sent_early: BTreeSet<i64>,
    rooms: HashMap<RoomId, UnreadCounter>,
    /// The last new names of a user that were sent: a user may share several rooms.
    renamed: Option<Arc<User>>,
    pending_refreshes: BTreeSet<Refresh>,
    /// Rooms whose unread count is to be sent at a later time.
    due: BTreeSet<(Instant, RoomId)>,
    ready: VecDeque<Bytes>,
    /// Whether the session goes on, with a `resync`, after its inbox has overflowed.
    outlives_overflow: bool,
}

impl Chat {
    /// See [`AuthenticatedSocket::open_notifications`].
    pub(super) async fn open_notifications(
        &self,
        socket: AuthenticatedSocket,
        after_rev: Option<i64>,
    ) -> Result<NotificationSession> {
        let user = socket.user().clone();
        // Subscribes before it reads the counts, first to the user and then to their rooms. Events that overlap are
        // recognised by their numbers.
        let mut inbox = self.hub().subscribe_user(user.id).await;
        let mut conn = self.store().read().await?;
        for reading in reads::positions(&mut conn, user.id).await? {
            inbox.watch(reading.room);
        }
        inbox.wait_until_subscribed().await;
        let rev = streams::rev(&mut conn, user.id).await?;
        let mut readings = reads::positions(&mut conn, user.id).await?;
        let missed = match after_rev {
            None => Missed::Notifications(Vec::new()),
            Some(after) => refresh::missed(&mut conn, &user, after, rev).await?,
        };
        let mut session = NotificationSession {
            chat: self.clone(),
            socket,
            inbox,
            rev,
            sent_early: BTreeSet::new(),
            rooms: HashMap::new(),
            renamed: None,
            pending_refreshes: BTreeSet::new(),
            due: BTreeSet::new(),
            ready: VecDeque::new(),
            outlives_overflow: false,
        };
        session.push(&NotificationFrame::ConnectionEstablished {
            message: "连接成功".into(),
            user,
            rev,
            build: self.settings().build.clone(),
        });
        readings.sort_unstable_by_key(|reading| reading.room);
        for reading in readings {
            session.inbox.watch(reading.room);
            session.inbox.set_position(reading.room, counters(&reading));
            let mut counter = UnreadCounter::assumed_read(&reading);
            if after_rev.is_some() {
                let unread_count = counter.set_notified();
                session.push(&NotificationFrame::Unread {
                    room_id: reading.room,
                    unread_count,
                    rev: None,
                    room_rev: Some(reading.rev),
                });
            }
            session.rooms.insert(reading.room, counter);
            session.notify_unread(reading.room);
        }
        match missed {
            Missed::Notifications(found) => session.push_numbered(found),
            Missed::TooMany => session.push(&NotificationFrame::Resync { rev }),
        }
        Ok(session)
    }
}

impl NotificationSession {
    /// The socket.
    pub(super) fn socket(&self) -> &AuthenticatedSocket {
        &self.socket
    }

    /// Whether a query has to run before the next event is handled.
    pub(super) fn is_refreshing(&self) -> bool {
        self.ready.is_empty() && !self.pending_refreshes.is_empty()
    }

    /// Runs the pending queries until there is a frame to send. The current one starts again if this is cancelled.
    ///
    /// # Errors
    /// A failing database.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        while self.is_refreshing()
            && let Some(refresh) = self.pending_refreshes.first().copied()
        {
            // Removed after its completion: if this call is cancelled, it runs again. Boxed, because otherwise every
            // socket's task would be large enough to hold it.
            Box::pin(self.run_refresh(refresh)).await?;
            self.pending_refreshes.remove(&refresh);
        }
        Ok(())
    }

    /// Makes the session go on after its inbox has overflowed: it sends a `resync` and reads its state again.
    pub(super) fn outlive_overflow(&mut self) {
        self.outlives_overflow = true;
    }

    /// The next frame to send, JSON in UTF-8. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close the socket with: `too_slow`, why its credential has ended, or a failing database.
    pub async fn next(&mut self) -> Result<Bytes> {
        loop {
            self.socket.check_open()?;
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            if self.is_refreshing() {
                self.refresh().await?;
                continue;
            }
            let due = self.due.first().copied();
            tokio::select! {
                biased;
                code = self.socket.until_ended() => return Err(code.into()),
                room = until(due) => {
                    self.due.pop_first();
                    self.notify_unread(room);
                }
                event = self.inbox.next() => match event {
                    Ok(event) => self.receive(event),
                    Err(Lagged) => self.overflow()?,
                },
            }
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Bytes>> {
        loop {
            if let Err(error) = self.socket.check_open() {
                return Some(Err(error));
            }
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(frame));
            }
            if !self.pending_refreshes.is_empty() {
                return None;
            }
            match self.inbox.try_next()? {
                Ok(event) => self.receive(event),
                Err(Lagged) => {
                    if let Err(error) = self.overflow() {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// Events were missed, since the inbox was full.
    fn overflow(&mut self) -> Result<()> {
        if !self.outlives_overflow {
            return Err(Code::TooSlow.into());
        }
        self.inbox.restart();
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.mark_gap(room);
        }
        self.pending_refreshes.insert(Refresh::Stream);
        // What is not counted (new names, edits of the newest message) the client reads by REST.
        self.push(&NotificationFrame::Resync { rev: self.rev });
        Ok(())
    }

    fn receive(&mut self, event: InboxEvent) {
        match event {
            InboxEvent::Message(message) => self.count(&message),
            InboxEvent::Frame(room, json) if self.rooms.contains_key(&room) => self.ready.push_back(json),
            InboxEvent::Missed(room) => self.mark_gap(room),
            InboxEvent::Closed(room) => self.leave(room, None),
            InboxEvent::Renamed(user) if self.renamed.as_ref() != Some(&user) => {
                self.push(&NotificationFrame::UserChanged { user: User::clone(&user) });
                self.renamed = Some(user);
            }
            // The user is not in this room any more, or has the new names.
            InboxEvent::Frame(..) | InboxEvent::Renamed(_) => {}
            InboxEvent::User(UserEvent { rev, change }) => self.receive_change(rev, change),
        }
    }

    /// Handles a change of the user's stream, or one that the stream does not number.
    fn receive_change(&mut self, rev: Option<i64>, change: UserChange) {
        let refresh = match (rev, change) {
            (Some(rev), _) if rev <= self.rev => return,
            (Some(rev), UserChange::Room(room) | UserChange::Read(room)) if rev == self.rev + 1 => {
                Refresh::Room(room, Some(rev))
            }
            (None, UserChange::Room(room) | UserChange::Read(room)) => Refresh::Room(room, None),
            (Some(_) | None, _) => Refresh::Stream,
        };
        self.pending_refreshes.insert(refresh);
    }

    /// Switches to another credential of the same user: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await
    }

    fn count(&mut self, message: &MessageNotification) {
        let room = message.room;
        let is_own = message.sender == self.socket.user().id;
        let Some(counter) = self.rooms.get_mut(&room) else { return };
        match counter.count(message.seq, is_own) {
            Counted::Already => {}
            Counted::Gap => self.mark_gap(room),
            Counted::Next { is_unread } => {
                if is_unread {
                    let mut notification = Box::new(message.notification.clone());
                    notification.room.is_member = true;
                    notification.room.my_role = Some(counter.role());
                    notification.room.unread_count = counter.unread();
                    let own = self.socket.user().id;
                    let mention = message.mentioned.iter().find(|mention| mention.user == own);
                    if let Some(mention) = mention {
                        notification.notification_type = NotificationType::Mention;
                        notification.reason = mention.reason;
                    }
                    self.push_message_notification(notification, mention.map_or(0, |mention| mention.rev));
                }
                self.notify_unread(room);
            }
        }
    }

    /// Sends the notification of a message; `mention` is its number in the user's stream if it mentions them, else 0.
    fn push_message_notification(&mut self, notification: Box<Notification>, mention: i64) {
        let mut rev = None;
        if mention > 0 {
            if mention <= self.rev {
                // Sent together with what the stream had missed.
                return;
            }
            if mention == self.rev + 1 {
                (rev, self.rev) = (Some(mention), mention);
            } else if self.sent_early.insert(mention) {
                // Numbers must rise, so this one is sent without its own, and the missing ones are read.
                self.pending_refreshes.insert(Refresh::Stream);
            } else {
                return;
            }
        }
        self.push(&NotificationFrame::Notification { notification, rev });
    }

    /// Events of this room were missed.
    fn mark_gap(&mut self, room: RoomId) {
        if let Some(counter) = self.rooms.get_mut(&room) {
            counter.mark_gap();
            self.pending_refreshes.insert(Refresh::Room(room, None));
        }
    }

    /// The user is no longer in this room, or it was deleted. `rev`: the number of the change in the user's stream.
    fn leave(&mut self, room: RoomId, rev: Option<i64>) {
        self.inbox.unwatch(room);
        if self.rooms.remove(&room).is_some() {
            self.push(&NotificationFrame::Unread {
                room_id: room,
                unread_count: 0,
                rev: None,
                room_rev: None,
            });
            self.push(&NotificationFrame::RoomRemoved { room_id: room, rev });
        }
    }

    /// Sends the room's unread count if the client does not have it: now, or when the interval is over.
    fn notify_unread(&mut self, room: RoomId) {
        let Some(counter) = self.rooms.get_mut(&room) else { return };
        match counter.notify(Instant::now()) {
            unread_counter::Notify::Nothing => {}
            unread_counter::Notify::At(at) => drop(self.due.insert((at, room))),
            unread_counter::Notify::Now(unread_count) => {
                self.push_unread(room, unread_count, None);
            }
        }
    }

    fn push_unread(&mut self, room_id: RoomId, unread_count: i64, rev: Option<i64>) {
        self.push(&NotificationFrame::Unread { room_id, unread_count, rev, room_rev: None });
    }

    fn push_numbered(&mut self, notifications: Vec<(i64, Notification)>) {
        for (rev, notification) in notifications {
            let notification = Box::new(notification);
            self.push(&NotificationFrame::Notification { notification, rev: Some(rev) });
        }
    }

    fn push(&mut self, frame: &NotificationFrame) {
        self.ready.extend(to_json(frame));
    }
}

/// The room's counters as of this reading.
fn counters(reading: &ReadPosition) -> RoomCounters {
    RoomCounters { rev: reading.rev, seq: reading.seq, info_rev: reading.info_rev }
}

/// Waits for the first room that is due.
async fn until(due: Option<(Instant, RoomId)>) -> RoomId {
    match due {
        Some((at, room)) => {
            sleep_until(at).await;
            room
        }
        None => std::future::pending().await,
    }
}
