//! A client of a room as the guide describes it: it reads the history once, then applies events, and returns with the
//! position it has.

use std::collections::BTreeMap;

use chat::{
    Chat,
    model::{Code, Message, MessageId, RoomId, ServerFrame, User},
    service::{history::HistoryQuery, room_session::Resume},
};

use super::{
    known::{Known, Stored, standings},
    moves::Return,
    socket::{PATIENCE, Socket, TIMEOUT},
};
use crate::support::Sockets as _;

pub struct Client {
    pub user: User,
    /// The node it is or was connected to.
    chat: Chat,
    room: RoomId,
    socket: Option<Socket>,
    /// Whether it has read the history at least once.
    has_read: bool,
    /// Whether its last return asked for what it missed.
    has_resumed: bool,
    /// Whether it was told that it missed too much, since it has returned.
    has_resynced: bool,
    known: Known,
}

impl Client {
    pub fn new(chat: Chat, user: User, room: RoomId) -> Self {
        Self {
            user,
            chat,
            room,
            socket: None,
            has_read: false,
            has_resumed: false,
            has_resynced: false,
            known: Known::default(),
        }
    }

    pub fn disconnect(&mut self) {
        self.socket = None;
        self.has_resumed = false;
    }

    /// Whether it has resumed without being told that it missed too much.
    pub fn has_missed_resync(&self) -> bool {
        self.has_resumed && !self.has_resynced
    }

    /// Connects to this node, unless it is connected or has no access to the room.
    pub async fn connect(&mut self, chat: &Chat, how: Return) -> Result<(), String> {
        if self.socket.is_some() {
            return Ok(());
        }
        self.chat = chat.clone();
        let how = if self.known.is_incomplete() { Return::AfterId } else { how };
        let resume = match how {
            Return::AfterRev if self.has_read => Some(Resume::AfterRev(self.known.rev)),
            Return::AfterId if self.has_read => Some(Resume::AfterId(self.known.newest())),
            Return::Fresh | Return::AfterRev | Return::AfterId => None,
        };
        let mut socket = match self.chat.open_room(&self.user, self.room, resume).await {
            Ok(session) => Socket::new(session),
            Err(error) if is_removed(error.code()) => return Ok(()),
            Err(error) => return Err(format!("could not open: {error}")),
        };
        let first = socket.next(TIMEOUT).await?.ok_or("the first frame did not come")?.map_err(closed)?;
        let ServerFrame::ConnectionEstablished { rev, last_message_id, .. } = first else {
            return Err("the first frame is another".into());
        };
        self.socket = Some(socket);
        (self.has_resumed, self.has_resynced) = (resume.is_some(), false);
        if let Some(Resume::AfterRev(_)) = resume {
            // It covers the members and the room too.
            self.known.begin_by_rev();
            return Ok(());
        }
        // First, since a client that is removed meanwhile returns with the position it has.
        if !self.read_room().await? {
            return Ok(());
        }
        if resume.is_some() {
            self.known.begin_by_id(last_message_id.unwrap_or(MessageId(0)), rev);
            return Ok(());
        }
        self.reload(rev).await
    }

    /// Reads the whole history, like over REST.
    async fn reload(&mut self, rev: i64) -> Result<(), String> {
        let read = messages(&self.chat, &self.user, self.room).await;
        if let Some(all) = self.unless_removed(read)? {
            self.known.replace_messages(all, rev);
            self.has_read = true;
        }
        Ok(())
    }

    /// Reads the members and the room itself. False if the client has lost its access.
    async fn read_room(&mut self) -> Result<bool, String> {
        let room = self.chat.room(&self.user, self.room).await;
        let members = self.chat.members(&self.user, self.room).await;
        let (Some(room), Some(members)) = (self.unless_removed(room)?, self.unless_removed(members)?) else {
            return Ok(false);
        };
        self.known.replace_room(standings(members), room);
        Ok(true)
    }

    /// The value, or `None` if the client has lost its access: then it disconnects.
    fn unless_removed<T>(&mut self, read: chat::Result<T>) -> Result<Option<T>, String> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_removed(error.code()) => {
                self.socket = None;
                Ok(None)
            }
            Err(error) => Err(format!("could not read: {error}")),
        }
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

    /// Connects if necessary, and takes frames up to this message. A message that was read ahead still has to arrive,
    /// as has everything before it.
    pub async fn catch_up(&mut self, fence: MessageId) -> Result<(), String> {
        while self.socket.is_none() || !self.known.has_received(fence) {
            match &mut self.socket {
                None => self.connect(&self.chat.clone(), Return::AfterRev).await?,
                Some(socket) => {
                    let received = socket.next(TIMEOUT).await?.ok_or_else(|| {
                        let (user, rev) = (&self.user.username, self.known.rev);
                        format!("client of {user}: message {} did not come after change {rev}", fence.0)
                    })?;
                    self.take(received).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, received: Result<ServerFrame, Code>) -> Result<(), String> {
        match received {
            Ok(ServerFrame::Resync { rev, .. }) => {
                self.has_resynced = true;
                self.reload(rev).await
            }
            Ok(frame) => {
                let is_summed_up = matches!(frame, ServerFrame::MembersChanged { .. });
                self.known.apply(frame)?;
                if is_summed_up {
                    let members = self.chat.members(&self.user, self.room).await;
                    if let Some(members) = self.unless_removed(members)? {
                        self.known.replace_members(standings(members));
                    }
                }
                Ok(())
            }
            Err(code) if is_removed(code) || code == Code::TooSlow => {
                self.socket = None;
                Ok(())
            }
            Err(other) => Err(closed(other)),
        }
    }

    /// What it knows equals what is stored.
    pub fn agrees_with(&self, stored: &Stored) -> Result<(), String> {
        self.known.agrees_with(stored).map_err(|error| format!("client of {}: {error}", self.user.username))
    }
}

/// All messages of a room, page by page.
pub async fn messages(
    chat: &Chat,
    viewer: &User,
    room: RoomId,
) -> chat::Result<BTreeMap<MessageId, Message>> {
    let mut all = BTreeMap::new();
    loop {
        let after = all.keys().last().map_or(0, |id: &MessageId| id.0);
        let query = HistoryQuery { after_id: Some(after), page_size: Some(100), ..HistoryQuery::default() };
        let page = chat.history(viewer, room, query).await?;
        if page.messages.is_empty() {
            return Ok(all);
        }
        all.extend(page.messages.into_iter().map(|message| (message.id, message)));
    }
}

/// Whether this is the answer to somebody without access to the room.
pub fn is_removed(code: Code) -> bool {
    matches!(code, Code::NotAMember | Code::Banned | Code::NotFound)
}

fn closed(code: Code) -> String {
    format!("closed: {code:?}")
}
