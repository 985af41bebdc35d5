//! A client as the guide tells people to write one: it reads the history once, then goes
//! by events, and names what it knows when it comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chat::{
    Chat,
    model::{Code, MemberChange, Message, MessageId, RoomId, RoomMessage, ServerFrame, User},
    service::{RoomSession, room_session::Resume},
};

use super::moves::{names, read};
use crate::support::Sockets as _;

/// How a client comes back.
#[derive(Clone, Copy, Debug)]
pub enum Return {
    /// It knows nothing and reads everything.
    Fresh,
    /// It names the last change it knows.
    AfterRev,
    /// It names the last message it knows.
    AfterId,
}

/// A message as the client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    content: String,
    is_edited: bool,
    is_deleted: bool,
    rev: i64,
    how: How,
}

/// How well the client knows a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// As it is.
    Well,
    /// It was read from the history before its event was heard.
    Ahead,
    /// It may have changed while the client was away and asked for new messages alone.
    Formerly,
    /// It is as it is, but was told at its arrival, and its change was not asked for.
    AtArrival,
}

pub struct Client {
    pub user: User,
    chat: Chat,
    room: RoomId,
    session: Option<RoomSession>,
    /// Read at least once.
    has_read: bool,
    /// The last change that it knows.
    rev: i64,
    /// The newest message there was when it connected.
    newest: MessageId,
    /// It named a message when it connected, and not a change.
    is_by_id: bool,
    /// What it knows of changes once the newest message is there, so asked for by message.
    rev_then: Option<i64>,
    messages: BTreeMap<MessageId, Known>,
    members: BTreeSet<String>,
}

impl Client {
    pub fn new(chat: Chat, user: User, room: RoomId) -> Self {
        Self {
            user,
            chat,
            room,
            session: None,
            has_read: false,
            rev: 0,
            newest: MessageId(0),
            is_by_id: false,
            rev_then: None,
            messages: BTreeMap::new(),
            members: BTreeSet::new(),
        }
    }

    /// Drops the connection.
    pub fn go(&mut self) {
        self.session = None;
    }

    /// Connects, unless it is, or the room is shut to it.
    pub async fn come(&mut self, how: Return) -> Result<(), String> {
        if self.session.is_some() {
            return Ok(());
        }
        // What was asked for by message and not heard to the end, is asked for so again.
        let how = if self.rev_then.is_some() { Return::AfterId } else { how };
        let resume = match how {
            Return::AfterRev if self.has_read => Some(Resume::AfterRev(self.rev)),
            Return::AfterId if self.has_read => {
                self.messages.values_mut().for_each(|message| message.how = How::Formerly);
                Some(Resume::AfterId(self.messages.keys().last().map_or(0, |id| id.0)))
            }
            Return::Fresh | Return::AfterRev | Return::AfterId => None,
        };
        let mut session = match self.chat.open_room(&self.user, self.room, resume).await {
            Ok(session) => session,
            Err(error) if is_shut(error.code()) => return Ok(()),
            Err(error) => return Err(format!("could not open: {error}")),
        };
        let first = frame(&mut session).await?.map_err(closed)?;
        let ServerFrame::ConnectionEstablished { rev, last_message_id, .. } = first else {
            return Err("the first frame is another".into());
        };
        self.session = Some(session);
        self.newest = last_message_id.unwrap_or(MessageId(0));
        self.is_by_id = matches!(resume, Some(Resume::AfterId(_)));
        if resume.is_none() {
            self.reload(rev).await?;
        } else if self.is_by_id {
            self.rev_then = Some(rev);
            self.settle();
        }
        match names(&self.chat, &self.user, self.room).await {
            Ok(members) => self.members = members,
            Err(error) if is_shut(error.code()) => self.session = None,
            Err(error) => return Err(format!("could not list the members: {error}")),
        }
        Ok(())
    }

    /// What was missed, asked for by message, says nothing of the changes between: what is
    /// live goes on from where the room was, once the last of it is there.
    fn settle(&mut self) {
        if self.newest == MessageId(0) || self.messages.contains_key(&self.newest) {
            self.rev = self.rev_then.take().unwrap_or(self.rev);
        }
    }

    /// Reads the whole history, by REST as it were; what is live from `rev` on comes as events.
    async fn reload(&mut self, rev: i64) -> Result<(), String> {
        match read(&self.chat, &self.user, self.room).await {
            Ok(all) => {
                let known = |message: Message| {
                    let how = if message.rev > rev { How::Ahead } else { How::Well };
                    Known { how, ..Known::read(message) }
                };
                self.messages = all.into_iter().map(|(id, message)| (id, known(message))).collect();
                self.rev = rev;
                self.rev_then = None;
                self.has_read = true;
                Ok(())
            }
            Err(error) if is_shut(error.code()) => {
                self.session = None;
                Ok(())
            }
            Err(error) => Err(format!("could not read: {error}")),
        }
    }

    /// Takes up to so many frames, if they are there.
    pub async fn hear(&mut self, frames: usize) -> Result<(), String> {
        for _ in 0..frames {
            let Some(session) = &mut self.session else { return Ok(()) };
            let Ok(heard) = tokio::time::timeout(Duration::from_millis(5), frame(session)).await else {
                return Ok(());
            };
            self.take(heard?).await?;
        }
        Ok(())
    }

    /// Comes back if need be, and takes what comes up to this message. One that was read ahead is
    /// still to be heard, and what else happened before it.
    pub async fn catch_up(&mut self, last: MessageId) -> Result<(), String> {
        let is_heard =
            |client: &Self| client.messages.get(&last).is_some_and(|message| message.how != How::Ahead);
        while self.session.is_none() || !is_heard(self) {
            match &mut self.session {
                None => self.come(Return::AfterRev).await?,
                Some(session) => {
                    let heard = frame(session).await?;
                    self.take(heard).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, heard: Result<ServerFrame, Code>) -> Result<(), String> {
        match heard {
            Ok(frame) => self.apply(frame).await,
            Err(code) if is_shut(code) || code == Code::TooSlow => {
                self.session = None;
                Ok(())
            }
            Err(other) => Err(closed(other)),
        }
    }

    async fn apply(&mut self, frame: ServerFrame) -> Result<(), String> {
        match frame {
            ServerFrame::ChatMessage { message, rev } => self.learn(message, rev),
            ServerFrame::MessageEdited { message, rev } => {
                self.advance(rev)?;
                self.change(message.id, rev, |known| *known = Known::heard(message, rev))
            }
            ServerFrame::MessageDeleted { message_id, rev } => {
                self.advance(rev)?;
                self.change(message_id, rev, |known| {
                    *known = Known {
                        content: chat::model::message::DELETED_CONTENT.into(),
                        is_edited: false,
                        is_deleted: true,
                        how: How::Well,
                        rev,
                    };
                })
            }
            ServerFrame::Resync { rev } => self.reload(rev).await,
            ServerFrame::MemberChanged { user, change, .. } => {
                match change {
                    MemberChange::Joined | MemberChange::Unbanned => drop(self.members.insert(user.username)),
                    MemberChange::Left | MemberChange::Removed | MemberChange::Banned => {
                        self.members.remove(&user.username);
                    }
                    MemberChange::Muted
                    | MemberChange::Unmuted
                    | MemberChange::Role
                    | MemberChange::Unknown => {}
                }
                Ok(())
            }
            ServerFrame::Typing { .. }
            | ServerFrame::UserJoin { .. }
            | ServerFrame::UserLeave { .. }
            | ServerFrame::MessageRead { .. } => Ok(()),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    /// Every change is newer than the last: none comes twice, none out of order.
    fn advance(&mut self, rev: i64) -> Result<(), String> {
        if rev <= self.rev {
            return Err(format!("change {rev} came after change {}", self.rev));
        }
        self.rev = rev;
        Ok(())
    }

    /// A new message: unknown so far, unless the history was read after it came, and after
    /// all that are known.
    fn learn(&mut self, message: RoomMessage, rev: i64) -> Result<(), String> {
        // Asked for by message, what was missed comes in the order of messages.
        let is_missed_by_id = self.is_by_id && message.id <= self.newest;
        if !is_missed_by_id {
            self.advance(rev)?;
        }
        match self.messages.get_mut(&message.id) {
            Some(known) if known.how == How::Ahead => {
                known.how = How::Well;
                if known.rev < rev {
                    *known = Known::heard(message, rev);
                }
                return Ok(());
            }
            Some(_) => return Err(format!("message {} came twice", message.id.0)),
            None => {}
        }
        let is_later = self.messages.keys().last().is_none_or(|last| *last < message.id);
        // What was missed and has changed since comes in the place of its last change.
        if !is_later && !message.is_edited && !message.is_deleted {
            return Err(format!("message {} came after a later one", message.id.0));
        }
        let how = if is_missed_by_id { How::AtArrival } else { How::Well };
        self.messages.insert(message.id, Known { how, ..Known::heard(message, rev) });
        self.settle();
        Ok(())
    }

    fn change(&mut self, id: MessageId, rev: i64, apply: impl FnOnce(&mut Known)) -> Result<(), String> {
        let known = self.messages.get_mut(&id).ok_or(format!("message {} changed before it came", id.0))?;
        if known.rev < rev {
            apply(known);
        }
        Ok(())
    }

    /// Everything it has is as it is stored, and all of it is there.
    pub fn agrees_with(
        &self,
        stored: &BTreeMap<MessageId, Message>,
        members: &BTreeSet<String>,
    ) -> Result<(), String> {
        if !self.messages.keys().eq(stored.keys()) {
            let (has, stored): (Vec<_>, Vec<_>) = (self.messages.keys().collect(), stored.keys().collect());
            return Err(format!("{} has {has:?}, stored is {stored:?}", self.user.username));
        }
        for (known, stored) in self.messages.values().zip(stored.values()) {
            let stored = Known::read(stored.clone());
            let rev = if known.how == How::AtArrival { stored.rev } else { known.rev };
            let has = Known { how: How::Well, rev, ..known.clone() };
            if known.how != How::Formerly && has != stored {
                return Err(format!("{} has {known:?}, stored is {stored:?}", self.user.username));
            }
        }
        if self.members != *members {
            return Err(format!(
                "{} has members {:?}, stored are {members:?}",
                self.user.username, self.members
            ));
        }
        Ok(())
    }
}

impl Known {
    fn read(message: Message) -> Self {
        Self {
            content: message.content,
            // What was edited before it was deleted is not told any more.
            is_edited: message.is_edited && !message.is_deleted,
            is_deleted: message.is_deleted,
            rev: message.rev,
            how: How::Well,
        }
    }

    fn heard(message: RoomMessage, rev: i64) -> Self {
        Self {
            content: message.content,
            is_edited: message.is_edited && !message.is_deleted,
            is_deleted: message.is_deleted,
            rev,
            how: How::Well,
        }
    }
}

fn is_shut(code: Code) -> bool {
    matches!(code, Code::NotAMember | Code::Banned | Code::NotFound)
}

fn closed(code: Code) -> String {
    format!("closed: {code:?}")
}

/// The next frame, or why there is none.
async fn frame(session: &mut RoomSession) -> Result<Result<ServerFrame, Code>, String> {
    match session.next().await {
        Ok(json) => serde_json::from_slice(&json).map(Ok).map_err(|error| error.to_string()),
        Err(error) => Ok(Err(error.code())),
    }
}
