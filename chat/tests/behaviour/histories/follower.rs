//! A client of a notification socket: the rooms of one person, their unread counts, and what they were notified of.

use std::collections::BTreeMap;

use super::{
    client::is_removed,
    followed::{Followed, ListedRoom, is_partial, names, rooms, unread},
    moves::Resume,
    socket::{PATIENCE, Socket, TIMEOUT},
};
use crate::support::Sockets as _;
use chat::{
    Chat,
    model::{
        Code, MessageId, Notification, NotificationFrame, NotificationId, NotificationType, RoomId, User,
        UserId,
    },
};

/// A room as the client has it.
#[derive(Clone, Debug, Default)]
pub struct KnownRoom {
    pub listed: ListedRoom,
    /// Messages above this one must have been notified: the client had the room by then.
    notified_above: MessageId,
    /// The newest message of which it was notified as one.
    notified: MessageId,
    /// Whether the person is still in the room: a return names every room.
    is_confirmed: bool,
}

pub struct Follower {
    pub user: User,
    /// The node it is or was connected to.
    chat: Chat,
    hall: RoomId,
    socket: Option<Socket>,
    /// Whether it has read its state at least once.
    has_read: bool,
    /// The last change of the person's stream that the client has.
    rev: i64,
    /// The last number of a notification frame.
    notified_rev: i64,
    rooms: BTreeMap<RoomId, KnownRoom>,
    names: BTreeMap<UserId, String>,
    notified: BTreeMap<NotificationId, NotificationType>,
    /// When it read its state, each room had messages up to this one, and the list may have left some notifications out.
    read_upto: BTreeMap<RoomId, MessageId>,
    has_partial_list: bool,
}

impl Follower {
    pub fn new(chat: Chat, user: User, hall: RoomId) -> Self {
        Self {
            user,
            chat,
            hall,
            socket: None,
            has_read: false,
            rev: 0,
            notified_rev: 0,
            rooms: BTreeMap::new(),
            names: BTreeMap::new(),
            notified: BTreeMap::new(),
            read_upto: BTreeMap::new(),
            has_partial_list: false,
        }
    }

    pub fn disconnect(&mut self) {
        self.socket = None;
    }

    /// The rooms that the person is in.
    pub fn rooms(&self) -> impl Iterator<Item = (RoomId, &KnownRoom)> {
        self.rooms.iter().filter(|(_, room)| room.is_confirmed).map(|(id, room)| (*id, room))
    }

    pub fn names(&self) -> &BTreeMap<UserId, String> {
        &self.names
    }

    pub fn is_notified_of(&self, id: NotificationId) -> bool {
        self.notified.contains_key(&id)
    }

    /// Whether the client has told the person of this notification, or may not know it: it read a list that left some
    /// out, or it was away when a plain message came. A node that missed many messages notifies of the newest only, so
    /// of those nothing is expected if there are `many`.
    pub fn is_told_of(&self, unread: &Notification, many: bool) -> bool {
        let Notification { id, notification_type, room, message, .. } = unread;
        let kind = self.notified.get(id);
        let Some(message) = message else { return kind == Some(notification_type) || self.has_partial_list };
        if *notification_type == NotificationType::Message {
            let known = self.rooms.get(&room.id).is_none_or(|room| message.id > room.notified_above);
            return kind.is_some() || many || !known;
        }
        let may_be_left_out =
            self.has_partial_list && self.read_upto.get(&room.id).is_some_and(|upto| message.id <= *upto);
        kind == Some(notification_type) || may_be_left_out
    }

    /// Connects to this node, unless it is connected.
    pub async fn connect(&mut self, chat: &Chat, how: Resume) -> Result<(), String> {
        if self.socket.is_some() {
            return Ok(());
        }
        self.chat = chat.clone();
        let after = match how {
            Resume::AfterRev if self.has_read => Some(self.rev),
            Resume::Fresh | Resume::AfterRev => None,
        };
        let opened = self.chat.resume_notifications(&self.user, after).await;
        let mut socket = Socket::new(opened.map_err(|error| format!("could not open: {error}"))?);
        let first = socket.next(TIMEOUT).await?.ok_or("the first frame did not come")?.map_err(closed)?;
        let NotificationFrame::ConnectionEstablished { rev, .. } = first else {
            return Err("the first frame is another".into());
        };
        self.socket = Some(socket);
        if after.is_some() {
            self.rooms.values_mut().for_each(|room| room.is_confirmed = false);
        } else {
            self.reload(rev).await;
        }
        // A client that was away loads the names.
        self.names = names(&self.chat, &self.user, self.hall).await;
        Ok(())
    }

    /// Reads the rooms and the notifications, like over REST. The counts come from the socket: first those that are
    /// not 0.
    async fn reload(&mut self, rev: i64) {
        let listed = rooms(&self.chat, &self.user).await.into_iter();
        let known = |(id, room): (RoomId, ListedRoom)| (id, KnownRoom::of(ListedRoom { unread: 0, ..room }));
        self.rooms = listed.map(known).collect();
        self.read_upto = self.rooms.iter().map(|(id, room)| (*id, room.notified_above)).collect();
        let unread = unread(&self.chat, &self.user).await;
        self.has_partial_list = is_partial(&unread);
        self.notified.extend(unread.into_iter().map(|found| (found.id, found.notification_type)));
        self.rev = rev;
        self.has_read = true;
    }

    /// Takes up to this many of the frames that are there.
    pub async fn receive(&mut self, frames: usize) -> Result<(), String> {
        for _ in 0..frames {
            let Some(socket) = &mut self.socket else { return Ok(()) };
            let Some(received) = socket.next(PATIENCE).await? else { return Ok(()) };
            self.take(received).await?;
        }
        Ok(())
    }

    /// Connects if necessary, and takes frames until the fence has arrived and the client knows what is stored. The
    /// counts are sent at a limited rate, so they may come after the fence.
    pub async fn catch_up(&mut self, followed: &Followed) -> Result<(), String> {
        loop {
            let agrees = followed.agrees_with(self);
            let Some(socket) = &mut self.socket else {
                self.connect(&self.chat.clone(), Resume::AfterRev).await?;
                continue;
            };
            let Err(missing) = agrees else { return Ok(()) };
            let Some(received) = socket.next(TIMEOUT).await? else {
                return Err(format!("follower {}: {missing}", self.user.username));
            };
            self.take(received).await.map_err(|error| format!("follower {}: {error}", self.user.username))?;
        }
    }

    async fn take(&mut self, received: Result<NotificationFrame, Code>) -> Result<(), String> {
        match received {
            Ok(frame) => self.apply(frame).await,
            Err(Code::TooSlow) => {
                self.socket = None;
                Ok(())
            }
            Err(other) => Err(closed(other)),
        }
    }

    async fn apply(&mut self, frame: NotificationFrame) -> Result<(), String> {
        match frame {
            NotificationFrame::Notification { notification, rev } => {
                self.advance(rev)?;
                self.advance_notified(rev)?;
                self.notify(*notification)?;
            }
            NotificationFrame::Unread { room_id, unread_count, rev, room_rev } => {
                self.advance(rev)?;
                if room_rev.is_some() {
                    self.confirm(room_id).await?;
                }
                if let Some(room) = self.rooms.get_mut(&room_id) {
                    room.listed.unread = unread_count;
                }
            }
            NotificationFrame::RoomAdded { room, rev } => {
                self.advance(Some(rev))?;
                self.rooms.insert(room.id, KnownRoom::of(ListedRoom::from(*room)));
            }
            NotificationFrame::RoomRemoved { room_id, rev } => {
                self.advance(rev)?;
                self.rooms.remove(&room_id);
            }
            NotificationFrame::RoomChanged { room } => {
                if let Some(known) = self.rooms.get_mut(&room.id) {
                    known.listed.name = room.name;
                }
            }
            NotificationFrame::LastMessage { room_id, message } => {
                if let Some(known) = self.rooms.get_mut(&room_id) {
                    known.listed.last_message = Some((message.id, message.content));
                }
            }
            NotificationFrame::UserChanged { user } => drop(self.names.insert(user.id, user.first_name)),
            NotificationFrame::Resync { rev } => self.reload(rev).await,
            NotificationFrame::ConnectionEstablished { .. } | NotificationFrame::Other => {
                return Err(format!("unexpected {frame:?}"));
            }
        }
        Ok(())
    }

    /// Each stored notification has a number of its own.
    fn advance_notified(&mut self, rev: Option<i64>) -> Result<(), String> {
        let Some(rev) = rev else { return Ok(()) };
        if rev <= self.notified_rev {
            return Err(format!("notification {rev} came after notification {}", self.notified_rev));
        }
        self.notified_rev = rev;
        Ok(())
    }

    /// The numbers of the person's stream rise.
    fn advance(&mut self, rev: Option<i64>) -> Result<(), String> {
        let Some(rev) = rev else { return Ok(()) };
        if rev < self.rev {
            return Err(format!("change {rev} came after change {}", self.rev));
        }
        self.rev = rev;
        Ok(())
    }

    fn notify(&mut self, notification: Notification) -> Result<(), String> {
        let Notification { id, notification_type, room, message, .. } = notification;
        self.notified.insert(id, notification_type);
        let (Some(known), Some(message)) = (self.rooms.get_mut(&room.id), message) else { return Ok(()) };
        if notification_type == NotificationType::Message {
            if message.id <= known.notified {
                return Err(format!("{} was notified after {}", message.id.0, known.notified.0));
            }
            known.notified = message.id;
        }
        if known.listed.last_message.as_ref().is_none_or(|(last, _)| *last < message.id) {
            known.listed.last_message = Some((message.id, message.content));
        }
        Ok(())
    }

    /// After a return the person is in this room. The client fetches what it shows of it.
    async fn confirm(&mut self, id: RoomId) -> Result<(), String> {
        let listed = match self.chat.room(&self.user, id).await {
            Ok(room) => ListedRoom::from(room),
            // Removed meanwhile, which a later frame tells.
            Err(error) if is_removed(error.code()) => ListedRoom::default(),
            Err(error) => return Err(format!("could not read the room: {error}")),
        };
        let notified = self.rooms.get(&id).map(|room| room.notified).unwrap_or_default();
        self.rooms.insert(id, KnownRoom { notified, ..KnownRoom::of(listed) });
        Ok(())
    }
}

impl KnownRoom {
    /// A room that was just read, or came in a frame.
    fn of(listed: ListedRoom) -> Self {
        let notified_above = listed.last_message.as_ref().map(|(id, _)| *id).unwrap_or_default();
        Self { listed, notified_above, notified: MessageId(0), is_confirmed: true }
    }
}

fn closed(code: Code) -> String {
    format!("closed: {code:?}")
}
