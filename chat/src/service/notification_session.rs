//! The session of a notification socket: new messages in all rooms of one user, and the unread counter of each.
//!
//! A new message needs no query: the session has an unread counter for each room and updates it from events
//! ([`unread_counter`]). An event about the user's own state (read mark, membership) carries no data; the session
//! then reads the room's row before it handles another event. Since every message has a `seq`, repeated or late
//! events are not counted twice, and a missed message shows as a gap, which is filled from the database.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::{AuthenticatedSocket, Chat, notifications};
use crate::{
    credential::Claim,
    error::Result,
    event::UserEvent,
    hub::{Inbox, InboxEvent, MessageNotification, RoomCounters},
    model::{
        Code, Notification, NotificationFrame, NotificationReason, NotificationType, RoomId,
        limits::NOTIFICATIONS_MAX,
    },
    store::{
        Conn,
        notifications::{derived, stored},
        reads::{self, ReadPosition},
    },
};

#[cfg(test)]
mod tests;
mod unread_counter;

use unread_counter::{Counted, UnreadCounter};

/// A query that has to run before the next event is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refresh {
    /// All rooms of the user and their read positions.
    Rooms,
    /// This room and its read position.
    Room(RoomId),
    /// The notification stored as this row.
    NotificationRow(i64),
}

/// An open notification socket.
pub struct NotificationSession {
    chat: Chat,
    socket: AuthenticatedSocket,
    inbox: Inbox,
    rooms: HashMap<RoomId, UnreadCounter>,
    pending_refreshes: BTreeSet<Refresh>,
    /// Rooms whose unread count is to be sent at a later time.
    due: BTreeSet<(Instant, RoomId)>,
    ready: VecDeque<Bytes>,
}

impl Chat {
    /// See [`AuthenticatedSocket::open_notifications`].
    pub(super) async fn open_notifications(
        &self,
        socket: AuthenticatedSocket,
    ) -> Result<NotificationSession> {
        let user = socket.user().clone();
        // Subscribes before it reads the counts, first to the user and then to their rooms. Events that overlap are
        // recognised by their `seq`.
        let mut inbox = self.hub().subscribe_user(user.id).await;
        let mut conn = self.store().read().await?;
        for reading in reads::positions(&mut conn, user.id).await? {
            inbox.watch(reading.room);
        }
        inbox.wait_until_subscribed().await;
        let mut session = NotificationSession {
            chat: self.clone(),
            socket,
            inbox,
            rooms: HashMap::new(),
            pending_refreshes: BTreeSet::new(),
            due: BTreeSet::new(),
            ready: VecDeque::new(),
        };
        let mut readings = reads::positions(&mut conn, user.id).await?;
        session.push(&NotificationFrame::ConnectionEstablished { message: "连接成功".into(), user });
        readings.sort_unstable_by_key(|reading| reading.room);
        for reading in readings {
            session.inbox.watch(reading.room);
            session.inbox.set_position(reading.room, counters(&reading));
            session.rooms.insert(reading.room, UnreadCounter::assumed_read(&reading));
            session.notify_unread(reading.room);
        }
        Ok(session)
    }
}

impl NotificationSession {
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
            if let Some(refresh) = self.pending_refreshes.first().copied() {
                // Removed after its completion: if this call is cancelled, it runs again. Boxed, because otherwise
                // every socket's task would be large enough to hold it.
                Box::pin(self.run_refresh(refresh)).await?;
                self.pending_refreshes.remove(&refresh);
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
                event = self.inbox.next() => self.receive(event.map_err(|_| Code::TooSlow)?),
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
                Err(_) => return Some(Err(Code::TooSlow.into())),
            }
        }
    }

    fn receive(&mut self, event: InboxEvent) {
        match event {
            InboxEvent::Message(message) => self.count(&message),
            InboxEvent::Frame(room, json) if self.rooms.contains_key(&room) => self.ready.push_back(json),
            // The user is not in this room any more.
            InboxEvent::Frame(..) => {}
            InboxEvent::Missed(room) => self.mark_gap(room),
            InboxEvent::Closed(room) => self.leave(room),
            InboxEvent::User(UserEvent::Room(room)) => {
                self.pending_refreshes.insert(Refresh::Room(room));
            }
            InboxEvent::User(UserEvent::Rooms) => drop(self.pending_refreshes.insert(Refresh::Rooms)),
            InboxEvent::User(UserEvent::NotificationRow(row)) => {
                self.pending_refreshes.insert(Refresh::NotificationRow(row));
            }
        }
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
                    let me = self.socket.user().id;
                    if message.mentioned.contains(&me) {
                        notification.notification_type = NotificationType::Mention;
                    } else if message.replied_to == Some(me) {
                        notification.notification_type = NotificationType::Mention;
                        notification.reason = Some(NotificationReason::Reply);
                    }
                    notification.room.is_member = true;
                    notification.room.my_role = Some(counter.role());
                    notification.room.unread_count = counter.unread();
                    self.push(&NotificationFrame::Notification { notification });
                }
                self.notify_unread(room);
            }
        }
    }

    /// Events of this room were missed.
    fn mark_gap(&mut self, room: RoomId) {
        if let Some(counter) = self.rooms.get_mut(&room) {
            counter.mark_gap();
            self.pending_refreshes.insert(Refresh::Room(room));
        }
    }

    async fn run_refresh(&mut self, refresh: Refresh) -> Result<()> {
        let mut conn = self.chat.store().read().await?;
        match refresh {
            Refresh::Rooms => {
                let readings = reads::positions(&mut conn, self.socket.user().id).await?;
                let of: BTreeSet<RoomId> = readings.iter().map(|reading| reading.room).collect();
                let others = self.rooms.keys().copied().filter(|room| !of.contains(room));
                self.pending_refreshes.extend(others.map(Refresh::Room));
                for reading in readings {
                    match self.rooms.get_mut(&reading.room) {
                        Some(counter) => counter.update(&reading),
                        None => drop(self.pending_refreshes.insert(Refresh::Room(reading.room))),
                    }
                    self.notify_unread(reading.room);
                }
            }
            Refresh::Room(room) => self.refresh_room(&mut conn, room).await?,
            Refresh::NotificationRow(row) => {
                let found = stored::find(&mut conn, self.socket.user().id, row).await?;
                let found = found.into_iter().collect();
                let notifications = notifications::present(&mut conn, self.socket.user(), found).await?;
                self.push_all(notifications);
            }
        }
        Ok(())
    }

    /// Reads the user's state in this room, and the messages that were missed.
    async fn refresh_room(&mut self, conn: &mut Conn, room: RoomId) -> Result<()> {
        // Before the query, so that nothing is missed in between.
        self.inbox.watch(room);
        let Some(reading) = reads::position(conn, self.socket.user().id, room).await? else {
            self.leave(room);
            return Ok(());
        };
        self.inbox.set_position(room, counters(&reading));
        let missed = self.rooms.get(&room).and_then(|counter| counter.gap(&reading));
        let missed = match missed {
            None => Vec::new(),
            Some((above, upto)) => {
                let limit = usize::try_from(NOTIFICATIONS_MAX).unwrap_or_default();
                let spans = vec![derived::span(room, above, upto)];
                let messages = derived::newest(conn, self.socket.user().id, spans, limit, true).await?;
                let mut found = derived::about(conn, self.socket.user().id, &messages).await?;
                found.retain(|found| !found.is_read);
                found.sort_unstable_by_key(|found| found.key);
                notifications::present(conn, self.socket.user(), found).await?
            }
        };
        // There is no await from here on, so the frames are sent once even if an earlier call was cancelled.
        self.push_all(missed);
        match self.rooms.get_mut(&room) {
            Some(counter) => counter.close_gap(&reading),
            None => drop(self.rooms.insert(room, UnreadCounter::new(&reading))),
        }
        self.notify_unread(room);
        Ok(())
    }

    /// The user is no longer in this room.
    fn leave(&mut self, room: RoomId) {
        self.inbox.unwatch(room);
        if self.rooms.remove(&room).is_some() {
            self.push(&NotificationFrame::Unread { room_id: room, unread_count: 0 });
        }
    }

    /// Sends the room's unread count if the client does not have it: now, or when the interval is over.
    fn notify_unread(&mut self, room: RoomId) {
        let Some(counter) = self.rooms.get_mut(&room) else { return };
        match counter.notify(Instant::now()) {
            unread_counter::Notify::Nothing => {}
            unread_counter::Notify::At(at) => drop(self.due.insert((at, room))),
            unread_counter::Notify::Now(unread_count) => {
                self.push(&NotificationFrame::Unread { room_id: room, unread_count });
            }
        }
    }

    fn push_all(&mut self, notifications: Vec<Notification>) {
        for notification in notifications {
            self.push(&NotificationFrame::Notification { notification: Box::new(notification) });
        }
    }

    fn push(&mut self, frame: &NotificationFrame) {
        match serde_json::to_vec(frame) {
            Ok(json) => self.ready.push_back(Bytes::from(json)),
            Err(error) => tracing::error!(%error, "a frame could not be serialised"),
        }
    }
}

/// The room's counters as of this reading.
fn counters(reading: &ReadPosition) -> RoomCounters {
    RoomCounters { rev: reading.rev, seq: reading.seq, access_rev: reading.access_rev }
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
