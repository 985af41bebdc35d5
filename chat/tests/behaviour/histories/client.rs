//! A client as the guide describes it: it reads the history once, then applies events, and resumes with the position
//! it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chat::{
    Chat,
    model::{Code, Message, MessageId, RoomId, RoomMessage, ServerFrame, User},
    service::{RoomSession, room_session::Resume},
};

use super::moves::{names, read};
use crate::support::Sockets as _;

/// Freshness a client reconnects.
#[derive(Clone, Copy, Debug)]
pub enum Return {
    /// With no state: it reads everything.
    Fresh,
    /// With the last change it has.
    AfterRev,
    /// With the last message it has.
    AfterId,
}

/// A message as the client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClientMessage {
    content: String,
    is_edited: bool,
    is_deleted: bool,
    rev: i64,
    freshness: Freshness,
}

/// Freshness current the client's copy of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    /// Current.
    Current,
    /// Read from the history before its event was received.
    ReadAhead,
    /// Possibly changed while the client was away and resumed by message only.
    MaybeStale,
    /// Current, but received as a new message; its change was not requested.
    AsCreated,
}

pub struct Client {
    pub user: User,
    chat: Chat,
    room: RoomId,
    session: Option<RoomSession>,
    /// Whether it was read at least once.
    has_read: bool,
    /// The last change that the client has.
    rev: i64,
    /// The newest message when it connected.
    newest: MessageId,
    /// Whether it resumed by message, not by change.
    is_by_id: bool,
    /// Its last change as of the time it has the newest message; set after a resume by message.
    rev_then: Option<i64>,
    messages: BTreeMap<MessageId, ClientMessage>,
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

    /// Disconnects.
    pub fn disconnect(&mut self) {
        self.session = None;
    }

    /// Connects, unless it is connected or has no access to the room.
    pub async fn connect(&mut self, how: Return) -> Result<(), String> {
        if self.session.is_some() {
            return Ok(());
        }
        // A resume by message that was not completed is repeated by message.
        let how = if self.rev_then.is_some() { Return::AfterId } else { how };
        let resume = match how {
            Return::AfterRev if self.has_read => Some(Resume::AfterRev(self.rev)),
            Return::AfterId if self.has_read => {
                self.messages.values_mut().for_each(|message| message.freshness = Freshness::MaybeStale);
                Some(Resume::AfterId(self.messages.keys().last().map_or(0, |id| id.0)))
            }
            Return::Fresh | Return::AfterRev | Return::AfterId => None,
        };
        let mut session = match self.chat.open_room(&self.user, self.room, resume).await {
            Ok(session) => session,
            Err(error) if is_removed(error.code()) => return Ok(()),
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
            self.complete_resume();
        }
        // A resume by change covers the members too.
        if matches!(resume, Some(Resume::AfterRev(_))) { Ok(()) } else { self.read_members().await }
    }

    async fn read_members(&mut self) -> Result<(), String> {
        match names(&self.chat, &self.user, self.room).await {
            Ok(members) => self.members = members,
            Err(error) if is_removed(error.code()) => self.session = None,
            Err(error) => return Err(format!("could not list the members: {error}")),
        }
        Ok(())
    }

    /// A resume by message does not cover changes in between. Once its last message has arrived, live events continue
    /// from the room's position.
    fn complete_resume(&mut self) {
        if self.newest == MessageId(0) || self.messages.contains_key(&self.newest) {
            self.rev = self.rev_then.take().unwrap_or(self.rev);
        }
    }

    /// Reads the whole history, like over REST; changes after `rev` arrive as events.
    async fn reload(&mut self, rev: i64) -> Result<(), String> {
        match read(&self.chat, &self.user, self.room).await {
            Ok(all) => {
                let known = |message: Message| {
                    let freshness = if message.rev > rev { Freshness::ReadAhead } else { Freshness::Current };
                    ClientMessage { freshness, ..ClientMessage::from_history(message) }
                };
                self.messages = all.into_iter().map(|(id, message)| (id, known(message))).collect();
                self.rev = rev;
                self.rev_then = None;
                self.has_read = true;
                Ok(())
            }
            Err(error) if is_removed(error.code()) => {
                self.session = None;
                Ok(())
            }
            Err(error) => Err(format!("could not read: {error}")),
        }
    }

    /// Takes up to this many frames, without waiting.
    pub async fn receive(&mut self, frames: usize) -> Result<(), String> {
        for _ in 0..frames {
            let Some(session) = &mut self.session else { return Ok(()) };
            let Ok(received) = tokio::time::timeout(Duration::from_millis(5), frame(session)).await else {
                return Ok(());
            };
            self.take(received?).await?;
        }
        Ok(())
    }

    /// Connects if necessary, and takes frames up to this message. A message that was read ahead still has to arrive,
    /// as has everything before it.
    pub async fn catch_up(&mut self, last: MessageId) -> Result<(), String> {
        let has_received = |client: &Self| {
            client.messages.get(&last).is_some_and(|message| message.freshness != Freshness::ReadAhead)
        };
        while self.session.is_none() || !has_received(self) {
            match &mut self.session {
                None => self.connect(Return::AfterRev).await?,
                Some(session) => {
                    let received = frame(session).await?;
                    self.take(received).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, received: Result<ServerFrame, Code>) -> Result<(), String> {
        match received {
            Ok(frame) => self.apply(frame).await,
            Err(code) if is_removed(code) || code == Code::TooSlow => {
                self.session = None;
                Ok(())
            }
            Err(other) => Err(closed(other)),
        }
    }

    async fn apply(&mut self, frame: ServerFrame) -> Result<(), String> {
        match frame {
            ServerFrame::ChatMessage { message, rev, .. } => self.add_message(message, rev),
            ServerFrame::MessageEdited { message, rev, .. } => {
                self.advance(rev)?;
                self.change(message.id, rev, |known| *known = ClientMessage::from_event(message, rev))
            }
            ServerFrame::MessageDeleted { message_id, rev, .. } => {
                self.advance(rev)?;
                self.change(message_id, rev, |known| {
                    *known = ClientMessage {
                        content: chat::model::message::DELETED_CONTENT.into(),
                        is_edited: false,
                        is_deleted: true,
                        freshness: Freshness::Current,
                        rev,
                    };
                })
            }
            ServerFrame::Resync { rev, .. } => self.reload(rev).await,
            ServerFrame::MemberChanged { user, is_present, is_banned, rev, .. } => {
                self.advance(rev)?;
                if is_present && !is_banned {
                    self.members.insert(user.username);
                } else {
                    self.members.remove(&user.username);
                }
                Ok(())
            }
            ServerFrame::MembersChanged { rev, .. } => {
                self.advance(rev)?;
                self.read_members().await
            }
            ServerFrame::RoomChanged { rev, .. } => self.advance(rev),
            ServerFrame::Typing { .. }
            | ServerFrame::UserJoin { .. }
            | ServerFrame::UserLeave { .. }
            | ServerFrame::MessageRead { .. } => Ok(()),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    /// Every change is newer than the last: none is repeated or out of order.
    fn advance(&mut self, rev: i64) -> Result<(), String> {
        if rev <= self.rev {
            return Err(format!("change {rev} came after change {}", self.rev));
        }
        self.rev = rev;
        Ok(())
    }

    /// A new message: not known yet, unless the history was read after its creation, and later than all known ones.
    fn add_message(&mut self, message: RoomMessage, rev: i64) -> Result<(), String> {
        // After a resume by message, missed messages arrive in order of id.
        let is_missed_by_id = self.is_by_id && message.id <= self.newest;
        if !is_missed_by_id {
            self.advance(rev)?;
        }
        match self.messages.get_mut(&message.id) {
            Some(known) if known.freshness == Freshness::ReadAhead => {
                known.freshness = Freshness::Current;
                if known.rev < rev {
                    *known = ClientMessage::from_event(message, rev);
                }
                return Ok(());
            }
            Some(_) => return Err(format!("message {} came twice", message.id.0)),
            None => {}
        }
        let is_later = self.messages.keys().last().is_none_or(|last| *last < message.id);
        // A missed message that was changed since arrives at its latest change.
        if !is_later && !message.is_edited && !message.is_deleted {
            return Err(format!("message {} came after a later one", message.id.0));
        }
        let freshness = if is_missed_by_id { Freshness::AsCreated } else { Freshness::Current };
        self.messages
            .insert(message.id, ClientMessage { freshness, ..ClientMessage::from_event(message, rev) });
        self.complete_resume();
        Ok(())
    }

    fn change(
        &mut self,
        id: MessageId,
        rev: i64,
        apply: impl FnOnce(&mut ClientMessage),
    ) -> Result<(), String> {
        let known = self.messages.get_mut(&id).ok_or(format!("message {} changed before it came", id.0))?;
        if known.rev < rev {
            apply(known);
        }
        Ok(())
    }

    /// Everything it has equals what is stored, and nothing is missing.
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
            let stored = ClientMessage::from_history(stored.clone());
            let rev = if known.freshness == Freshness::AsCreated { stored.rev } else { known.rev };
            let has = ClientMessage { freshness: Freshness::Current, rev, ..known.clone() };
            if known.freshness != Freshness::MaybeStale && has != stored {
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

impl ClientMessage {
    fn from_history(message: Message) -> Self {
        Self {
            content: message.content,
            // An edit before a deletion is not reported any more.
            is_edited: message.is_edited && !message.is_deleted,
            is_deleted: message.is_deleted,
            rev: message.rev,
            freshness: Freshness::Current,
        }
    }

    fn from_event(message: RoomMessage, rev: i64) -> Self {
        Self {
            content: message.content,
            is_edited: message.is_edited && !message.is_deleted,
            is_deleted: message.is_deleted,
            rev,
            freshness: Freshness::Current,
        }
    }
}

fn is_removed(code: Code) -> bool {
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
