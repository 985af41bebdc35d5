//! A socket for notifications, seen from the domain: what is new in all rooms of one
//! user, and how much of each they have not read.
//!
//! Nothing is asked of the database for a message: the session knows each room's count
//! and moves it with what it hears ([`tally`]). What changes the user's own place (a
//! reading, a coming or going) is only announced; the session then reads that room's row,
//! before it hears anything else. Since every message has its place, nothing that was
//! heard twice or late is counted twice, and a message that was not heard shows as a hole,
//! which the database fills.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::{AuthenticatedSocket, Chat, notifications};
use crate::{
    credential::Claim,
    error::Result,
    hub::{Arrival, Inbox, RoomPosition, Signal, UserEvent},
    model::{Code, Notification, NotificationFrame, NotificationType, RoomId, limits::NOTIFICATIONS_MAX},
    store::{
        Conn,
        notifications::{derived, stored},
        reads::{self, ReadPosition},
    },
};

mod tally;
#[cfg(test)]
mod tests;

use tally::{Heard, Tally};

/// A question to the database that comes before anything else is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// Which rooms the user is in, and how far in each.
    Rooms,
    /// How far they are in this one.
    Room(RoomId),
    /// What this row says.
    Notice(i64),
}

/// An open socket for notifications.
pub struct NotificationSession {
    chat: Chat,
    socket: AuthenticatedSocket,
    inbox: Inbox,
    rooms: HashMap<RoomId, Tally>,
    questions: BTreeSet<Question>,
    /// Rooms whose count is told when their moment has come.
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
        // Listening starts before the counts are read, to the user and then to their rooms:
        // what overlaps is told by its place.
        let mut inbox = self.hub().subscribe_user(user.id).await;
        let mut conn = self.store().read().await?;
        for reading in reads::positions(&mut conn, user.id).await? {
            inbox.watch(reading.room);
        }
        inbox.settle().await;
        let mut session = NotificationSession {
            chat: self.clone(),
            socket,
            inbox,
            rooms: HashMap::new(),
            questions: BTreeSet::new(),
            due: BTreeSet::new(),
            ready: VecDeque::new(),
        };
        let mut readings = reads::positions(&mut conn, user.id).await?;
        session.push(&NotificationFrame::ConnectionEstablished { message: "连接成功".into(), user });
        readings.sort_unstable_by_key(|reading| reading.room);
        for reading in readings {
            session.inbox.watch(reading.room);
            session.inbox.know(reading.room, head(&reading));
            session.rooms.insert(reading.room, Tally::known(&reading));
            session.tell(reading.room);
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
            self.socket.must_be_open()?;
            if let Some(frame) = self.ready.pop_front() {
                return Ok(frame);
            }
            if let Some(question) = self.questions.first().copied() {
                // Taken away once it is answered: whoever stops waiting asks again.
                // In memory of its own: every socket's task would keep the room for it.
                Box::pin(self.ask(question)).await?;
                self.questions.remove(&question);
                continue;
            }
            let due = self.due.first().copied();
            tokio::select! {
                biased;
                code = self.socket.until_ended() => return Err(code.into()),
                room = until(due) => {
                    self.due.pop_first();
                    self.tell(room);
                }
                signal = self.inbox.next() => self.hear(signal.map_err(|_| Code::TooSlow)?),
            }
        }
    }

    /// The same if it is there already; `None` when it has to be waited for.
    pub fn try_next(&mut self) -> Option<Result<Bytes>> {
        loop {
            if let Err(error) = self.socket.must_be_open() {
                return Some(Err(error));
            }
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(frame));
            }
            if !self.questions.is_empty() {
                return None;
            }
            match self.inbox.try_next()? {
                Ok(signal) => self.hear(signal),
                Err(_) => return Some(Err(Code::TooSlow.into())),
            }
        }
    }

    fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Message(arrival) => self.count(&arrival),
            Signal::Frame(room, json) if self.rooms.contains_key(&room) => self.ready.push_back(json),
            // One is not in this room any more.
            Signal::Frame(..) => {}
            Signal::Missed(room) => self.miss(room),
            Signal::Closed(room) => self.leave(room),
            Signal::User(UserEvent::Room(room)) => drop(self.questions.insert(Question::Room(room))),
            Signal::User(UserEvent::Rooms) => drop(self.questions.insert(Question::Rooms)),
            Signal::User(UserEvent::Notice(row)) => drop(self.questions.insert(Question::Notice(row))),
        }
    }

    /// Goes on with another credential of the same person: see [`AuthenticatedSocket::renew`].
    ///
    /// # Errors
    /// The same.
    pub async fn renew(&mut self, claim: Claim) -> Result<()> {
        self.socket.renew(claim).await
    }

    fn count(&mut self, arrival: &Arrival) {
        let room = arrival.room;
        let is_own = arrival.sender == self.socket.user().id;
        let Some(tally) = self.rooms.get_mut(&room) else { return };
        match tally.hear(arrival.seq, is_own) {
            Heard::Before => {}
            Heard::Hole => self.miss(room),
            Heard::Next { is_unread } => {
                if is_unread {
                    let mut notification = Box::new(arrival.notification.clone());
                    if arrival.mentioned.contains(&self.socket.user().id) {
                        notification.notification_type = NotificationType::Mention;
                    }
                    notification.room.is_member = true;
                    notification.room.my_role = Some(tally.role());
                    notification.room.unread_count = tally.unread();
                    self.push(&NotificationFrame::Notification { notification });
                }
                self.tell(room);
            }
        }
    }

    /// Something in this room was not told.
    fn miss(&mut self, room: RoomId) {
        if let Some(tally) = self.rooms.get_mut(&room) {
            tally.miss();
            self.questions.insert(Question::Room(room));
        }
    }

    async fn ask(&mut self, question: Question) -> Result<()> {
        let mut conn = self.chat.store().read().await?;
        match question {
            Question::Rooms => {
                let readings = reads::positions(&mut conn, self.socket.user().id).await?;
                let of: BTreeSet<RoomId> = readings.iter().map(|reading| reading.room).collect();
                let others = self.rooms.keys().copied().filter(|room| !of.contains(room));
                self.questions.extend(others.map(Question::Room));
                for reading in readings {
                    match self.rooms.get_mut(&reading.room) {
                        Some(tally) => tally.update(&reading),
                        None => drop(self.questions.insert(Question::Room(reading.room))),
                    }
                    self.tell(reading.room);
                }
            }
            Question::Room(room) => self.look(&mut conn, room).await?,
            Question::Notice(row) => {
                let found = stored::find(&mut conn, self.socket.user().id, row).await?;
                let found = found.into_iter().collect();
                let notifications = notifications::present(&mut conn, self.socket.user(), found).await?;
                self.push_all(notifications);
            }
        }
        Ok(())
    }

    /// Finds out where the user is in this room, and what of it was not told.
    async fn look(&mut self, conn: &mut Conn, room: RoomId) -> Result<()> {
        // Before the look, so that nothing falls between.
        self.inbox.watch(room);
        let Some(reading) = reads::position(conn, self.socket.user().id, room).await? else {
            self.leave(room);
            return Ok(());
        };
        self.inbox.know(room, head(&reading));
        let missed = self.rooms.get(&room).and_then(|tally| tally.missed(&reading));
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
        // No waiting from here on: it is told once, also to who stopped waiting before.
        self.push_all(missed);
        match self.rooms.get_mut(&room) {
            Some(tally) => tally.fill(&reading),
            None => drop(self.rooms.insert(room, Tally::new(&reading))),
        }
        self.tell(room);
        Ok(())
    }

    /// The user is no longer in this room.
    fn leave(&mut self, room: RoomId) {
        self.inbox.unwatch(room);
        if self.rooms.remove(&room).is_some() {
            self.push(&NotificationFrame::Unread { room_id: room, unread_count: 0 });
        }
    }

    /// Tells how much of this room is unread, if the client does not know: now, or when
    /// the room's next moment has come.
    fn tell(&mut self, room: RoomId) {
        let Some(tally) = self.rooms.get_mut(&room) else { return };
        match tally.tell(Instant::now()) {
            tally::Tell::Nothing => {}
            tally::Tell::At(moment) => drop(self.due.insert((moment, room))),
            tally::Tell::Now(unread_count) => {
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

/// How far the room was when this was read.
fn head(reading: &ReadPosition) -> RoomPosition {
    RoomPosition { rev: reading.rev, seq: reading.seq, access_rev: reading.access_rev }
}

/// The room whose moment comes next, when it has come.
async fn until(due: Option<(Instant, RoomId)>) -> RoomId {
    match due {
        Some((moment, room)) => {
            sleep_until(moment).await;
            room
        }
        None => std::future::pending().await,
    }
}
