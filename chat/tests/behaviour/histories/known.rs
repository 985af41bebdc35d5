//! What a client of a room knows: built from what it read once and from frames, and compared with what is stored.

use std::collections::BTreeMap;

use chat::model::{
    Member, Message, MessageId, Role, Room, RoomInfo, RoomMessage, ServerFrame, message::DELETED_CONTENT,
};

/// The standing of a member of the room, banned or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub is_muted: bool,
    pub is_banned: bool,
}

/// The members by username.
pub type Members = BTreeMap<String, Standing>;

/// The room as a fresh client reads it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub messages: BTreeMap<MessageId, Message>,
    pub members: Members,
    pub member_count: i64,
    pub room: RoomInfo,
}

/// A message as the client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownMessage {
    content: String,
    is_edited: bool,
    is_deleted: bool,
    rev: i64,
    freshness: Freshness,
}

/// How current the client's copy of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    /// Current.
    Current,
    /// Read from the history before its event was received.
    ReadAhead,
    /// Received by a return by message, in its state at the return's `rev` or later.
    AsReturned,
}

/// Changes with `after < rev <= upto`, which a return by message did not request.
#[derive(Clone, Copy, Debug)]
struct Unrequested {
    after: i64,
    upto: i64,
}

/// A return by message: what comes up to `newest` was missed. Until that has arrived, `rev` is not reached.
#[derive(Clone, Copy, Debug)]
struct ById {
    newest: MessageId,
    rev: i64,
    is_complete: bool,
}

#[derive(Default)]
pub struct Known {
    /// The last change that the client has.
    pub rev: i64,
    messages: BTreeMap<MessageId, KnownMessage>,
    members: Members,
    member_count: i64,
    room: Option<RoomInfo>,
    by_id: Option<ById>,
    unrequested: Vec<Unrequested>,
}

impl Known {
    /// The newest message that the client has; 0 if it has none.
    pub fn newest(&self) -> i64 {
        self.messages.keys().last().map_or(0, |id| id.0)
    }

    /// Whether a return by message did not get everything yet. It has to be repeated by message.
    pub fn is_incomplete(&self) -> bool {
        self.by_id.is_some_and(|by_id| !by_id.is_complete)
    }

    /// Whether this message has arrived, and with it everything before it.
    pub fn has_received(&self, id: MessageId) -> bool {
        self.messages.get(&id).is_some_and(|message| message.freshness != Freshness::ReadAhead)
    }

    /// Takes over the whole history, read when the room was at `rev` or later; changes after `rev` arrive as events.
    pub fn replace_messages(&mut self, all: BTreeMap<MessageId, Message>, rev: i64) {
        let known = |message: Message| {
            let freshness = if message.rev > rev { Freshness::ReadAhead } else { Freshness::Current };
            KnownMessage { freshness, ..KnownMessage::from_history(&message) }
        };
        self.messages = all.into_iter().map(|(id, message)| (id, known(message))).collect();
        self.rev = rev;
        self.by_id = None;
        self.unrequested.clear();
    }

    /// Takes over the members and the room itself.
    pub fn replace_room(&mut self, members: Members, room: Room) {
        self.members = members;
        self.member_count = room.member_count;
        self.room = Some(info(room));
    }

    pub fn replace_members(&mut self, members: Members) {
        self.members = members;
    }

    /// A return by change or with no state begins.
    pub fn begin_by_rev(&mut self) {
        self.by_id = None;
    }

    /// A return by message begins. Once the last missed message has arrived, live events continue from `rev`.
    pub fn begin_by_id(&mut self, newest: MessageId, rev: i64) {
        self.by_id = Some(ById { newest, rev, is_complete: false });
        self.complete_by_id();
    }

    fn complete_by_id(&mut self) {
        let Some(by_id) = self.by_id.as_mut().filter(|by_id| !by_id.is_complete) else { return };
        if by_id.newest == MessageId(0) || self.messages.contains_key(&by_id.newest) {
            by_id.is_complete = true;
            self.unrequested.push(Unrequested { after: self.rev, upto: by_id.rev });
            self.rev = by_id.rev;
        }
    }

    /// Applies a frame that needs nothing from the database.
    pub fn apply(&mut self, frame: ServerFrame) -> Result<(), String> {
        match frame {
            ServerFrame::ChatMessage { message, rev, .. } => self.add_message(message, rev),
            ServerFrame::MessageEdited { message, rev, .. } => {
                self.advance(rev)?;
                self.change(message.id, KnownMessage::from_event(message, rev))
            }
            ServerFrame::MessageDeleted { message_id, rev, .. } => {
                self.advance(rev)?;
                let (content, freshness) = (DELETED_CONTENT.into(), Freshness::Current);
                let deleted = KnownMessage { content, is_edited: false, is_deleted: true, rev, freshness };
                self.change(message_id, deleted)
            }
            ServerFrame::MemberChanged {
                user,
                role,
                is_present,
                is_muted,
                is_banned,
                member_count,
                rev,
                ..
            } => {
                self.advance(rev)?;
                self.member_count = member_count;
                if is_present {
                    self.members.insert(user.username, Standing { role, is_muted, is_banned });
                } else {
                    self.members.remove(&user.username);
                }
                Ok(())
            }
            ServerFrame::MembersChanged { member_count, rev, .. } => {
                self.member_count = member_count;
                self.advance(rev)
            }
            ServerFrame::RoomChanged { room, rev, .. } => {
                self.room = Some(room);
                self.advance(rev)
            }
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
        let is_missed_by_id = self.by_id.is_some_and(|by_id| message.id <= by_id.newest);
        if !is_missed_by_id {
            self.advance(rev)?;
        }
        match self.messages.get_mut(&message.id) {
            Some(known) if known.freshness == Freshness::ReadAhead => {
                known.freshness = Freshness::Current;
                if known.rev < rev {
                    *known = KnownMessage::from_event(message, rev);
                }
                return Ok(());
            }
            Some(_) => return Err(format!("message {} came twice", message.id.0)),
            None => {}
        }
        if self.newest() > message.id.0 {
            return Err(format!("message {} came after a later one", message.id.0));
        }
        let id = message.id;
        let mut known = KnownMessage::from_event(message, rev);
        if let Some(by_id) = self.by_id.filter(|_| is_missed_by_id) {
            (known.freshness, known.rev) = (Freshness::AsReturned, by_id.rev);
        }
        self.messages.insert(id, known);
        self.complete_by_id();
        Ok(())
    }

    fn change(&mut self, id: MessageId, changed: KnownMessage) -> Result<(), String> {
        let known = self.messages.get_mut(&id).ok_or(format!("message {} changed before it came", id.0))?;
        if known.rev < changed.rev {
            *known = changed;
        }
        Ok(())
    }

    /// Everything it has equals what is stored, and nothing is missing.
    pub fn agrees_with(&self, stored: &Stored) -> Result<(), String> {
        if !self.messages.keys().eq(stored.messages.keys()) {
            let (has, stored): (Vec<_>, Vec<_>) =
                (self.messages.keys().collect(), stored.messages.keys().collect());
            return Err(format!("has messages {has:?}, stored are {stored:?}"));
        }
        for (known, stored) in self.messages.values().zip(stored.messages.values()) {
            let stored = KnownMessage::from_history(stored);
            let rev = if known.freshness == Freshness::AsReturned { stored.rev } else { known.rev };
            let has = KnownMessage { freshness: Freshness::Current, rev, ..known.clone() };
            if has != stored && !self.may_be_older(known, &stored) {
                return Err(format!("has {known:?}, stored is {stored:?}"));
            }
        }
        if self.members != stored.members || self.member_count != stored.member_count {
            return Err(format!(
                "has {} members {:?}, stored are {} {:?}",
                self.member_count, self.members, stored.member_count, stored.members
            ));
        }
        if self.room.as_ref() != Some(&stored.room) {
            return Err(format!("has room {:?}, stored is {:?}", self.room, stored.room));
        }
        Ok(())
    }

    /// Whether the client has the message in an older state because its last change was not requested.
    fn may_be_older(&self, known: &KnownMessage, stored: &KnownMessage) -> bool {
        let is_unrequested = |range: &Unrequested| range.after < stored.rev && stored.rev <= range.upto;
        known.rev < stored.rev && self.unrequested.iter().any(is_unrequested)
    }
}

impl KnownMessage {
    fn from_history(message: &Message) -> Self {
        Self::from_event(RoomMessage::from(message), message.rev)
    }

    fn from_event(message: RoomMessage, rev: i64) -> Self {
        Self {
            content: message.content,
            // An edit before a deletion is not reported any more.
            is_edited: message.is_edited && !message.is_deleted,
            is_deleted: message.is_deleted,
            rev,
            freshness: Freshness::Current,
        }
    }
}

/// The members of a room by username.
pub fn standings(members: Vec<Member>) -> Members {
    let standing = |member: Member| {
        let Member { user, role, is_muted, is_banned, .. } = member;
        (user.username, Standing { role, is_muted, is_banned })
    };
    members.into_iter().map(standing).collect()
}

/// The fields that belong to the room itself.
pub fn info(room: Room) -> RoomInfo {
    let Room { id, name, description, room_type, max_members, is_active, updated_at, .. } = room;
    RoomInfo { id, name, description, room_type, max_members, is_active, updated_at }
}
