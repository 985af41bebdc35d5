//! A stored change of a room, and the frame that tells clients of it. Writer, resume and gap backfill all use this one
//! mapping.

use crate::{
    event::{ChangeKind, MemberNotice, MentionNotice, NewMessageNotice, StoredChange},
    model::{Code, MemberChange, Message, Role, RoomId, RoomInfo, RoomMessage, ServerFrame, User},
};

/// A change of a room that has a `rev`.
#[derive(Clone, Debug)]
pub(crate) enum RoomChange<'a> {
    /// A message that is new to the client, in its current state.
    NewMessage {
        message: &'a Message,
        /// The `rev` of its creation.
        rev: i64,
        /// The message's number in the room.
        seq: i64,
        /// The users it mentions.
        mentioned: Vec<MentionNotice>,
    },
    /// The latest change of a message that the client has: an edit or its deletion.
    MessageChanged(&'a Message),
    /// The latest change of a membership.
    Member(MemberState<'a>),
    /// The latest change of the room itself.
    Room { room: &'a RoomInfo, rev: i64 },
}

/// A membership after a change.
#[derive(Clone, Debug)]
pub(crate) struct MemberState<'a> {
    pub(crate) room: RoomId,
    pub(crate) user: &'a User,
    pub(crate) change: MemberChange,
    pub(crate) role: Role,
    /// In the room, banned or not.
    pub(crate) is_present: bool,
    pub(crate) is_muted: bool,
    pub(crate) is_banned: bool,
    pub(crate) member_count: i64,
    pub(crate) rev: i64,
}

impl MemberState<'_> {
    /// Why the user's sockets to the room close; `None` if they may stay open.
    fn closes(&self) -> Option<Code> {
        match (self.is_present, self.is_banned) {
            (_, true) => Some(Code::Banned),
            (false, false) => Some(Code::NotAMember),
            (true, false) => None,
        }
    }
}

impl RoomChange<'_> {
    fn room(&self) -> RoomId {
        match self {
            Self::NewMessage { message, .. } | Self::MessageChanged(message) => message.room.id,
            Self::Member(member) => member.room,
            Self::Room { room, .. } => room.id,
        }
    }

    /// The number of the change in the room's stream.
    pub(crate) fn rev(&self) -> i64 {
        match self {
            Self::NewMessage { rev, .. } | Self::Room { rev, .. } => *rev,
            Self::MessageChanged(message) => message.rev,
            Self::Member(member) => member.rev,
        }
    }

    /// The frame for clients.
    pub(crate) fn frame(&self) -> ServerFrame {
        let (room_id, rev) = (self.room(), self.rev());
        match self {
            Self::NewMessage { message, .. } => {
                ServerFrame::ChatMessage { room_id, message: RoomMessage::from(*message), rev }
            }
            Self::MessageChanged(message) if message.is_deleted => {
                ServerFrame::MessageDeleted { room_id, message_id: message.id, rev }
            }
            Self::MessageChanged(message) => {
                ServerFrame::MessageEdited { room_id, message: RoomMessage::from(*message), rev }
            }
            Self::Member(member) => ServerFrame::MemberChanged {
                room_id,
                user: member.user.clone(),
                change: member.change,
                role: member.role,
                is_present: member.is_present,
                is_muted: member.is_muted,
                is_banned: member.is_banned,
                member_count: member.member_count,
                rev,
            },
            Self::Room { room, .. } => ServerFrame::RoomChanged { room_id, room: (*room).clone(), rev },
        }
    }

    /// The serialised change for the hub. `None` if serde fails, which does not happen with our types.
    pub(crate) fn to_stored(&self) -> Option<StoredChange> {
        StoredChange::new(&self.frame(), self.rev(), self.kind())
    }

    fn kind(&self) -> ChangeKind {
        match self {
            Self::NewMessage { seq, mentioned, .. } => {
                ChangeKind::NewMessage(NewMessageNotice { seq: *seq, mentioned: mentioned.clone() }.into())
            }
            Self::MessageChanged(_) => ChangeKind::MessageChanged,
            Self::Member(member) => ChangeKind::Member(MemberNotice {
                user: member.user.id,
                member_count: member.member_count,
                closes: member.closes(),
            }),
            Self::Room { room, .. } => {
                ChangeKind::Room { closes: (!room.is_active).then_some(Code::NotFound) }
            }
        }
    }
}
