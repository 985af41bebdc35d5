//! The message format between nodes. A packet holds the messages of one batch for one channel.
//!
//! ```text
//! packet   version u8, sender u64, message …
//! message  length u32 of what follows, kind u8, and
//!          kind 1, a stored change of a room: rev i64, its kind (see [`change_kind`]), the frame's JSON as sent to
//!                  sockets
//!          kind 2, a signal: JSON
//! ```
//!
//! Numbers are little-endian. Decoding does not copy a frame's JSON: it is a slice of the packet. Packets of another
//! version and messages of an unknown kind are ignored, since nodes of two releases run side by side during a rolling
//! update, and what one of them does not understand is in the database.

use bytes::{Buf as _, BufMut as _, Bytes};
use serde::{Deserialize, Serialize};

use crate::{
    event::{StoredChange, UserEvent},
    model::{ReadMark, User, UserId, UserRef},
};

mod change_kind;

const VERSION: u8 = 2;
const CHANGE: u8 = 1;
const SIGNAL: u8 = 2;

/// Identifies a running process. Random, so that a restarted process gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl NodeId {
    /// A random id.
    pub fn random() -> Self {
        // Without system randomness no signing key could be made either and start-up would have failed. Here
        // uniqueness is all that is needed.
        Self(getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())))
    }
}

/// What one node publishes on a topic.
#[derive(Clone, Debug)]
pub enum BusMessage {
    /// A stored change of a room, whose frame sockets receive unchanged.
    Change(StoredChange),
    /// A message between nodes.
    Signal(NodeSignal),
}

impl BusMessage {
    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Change(change) => change.bytes(),
            Self::Signal(_) => 0,
        }
    }
}

/// Version of a node's roster in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Increases each time the room comes into use on the node.
    #[serde(rename = "life")]
    pub epoch: u32,
    /// Number of roster changes in this epoch.
    #[serde(rename = "change")]
    pub counter: u32,
}

impl Version {
    /// Whether this is the change right after `other`.
    pub fn follows(self, other: Self) -> bool {
        self.epoch == other.epoch && Some(self.counter) == other.counter.checked_add(1)
    }
}

/// The users present in a room on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRoster {
    /// The version that this roster has.
    pub version: Version,
    /// The node whose request this answers, if it has just started using the room.
    pub newcomer: Option<NodeId>,
    /// The users present.
    pub users: Vec<UserRef>,
}

/// Messages between nodes that no socket receives as they are. Serialised as JSON; the renamed tags and fields are
/// part of the wire format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum NodeSignal {
    /// A user has read up to a message.
    Read {
        /// The user and the message.
        mark: ReadMark,
    },
    /// A user started or stopped typing.
    Typing {
        /// The user.
        user: UserRef,
        /// Whether they are typing now.
        is_typing: bool,
    },
    /// A member of the room has new names.
    Renamed {
        /// The member.
        user: User,
    },
    /// An event for all sockets of a user.
    User {
        /// The event.
        event: UserEvent,
    },
    /// A user's first socket in the room was opened on the sending node.
    #[serde(rename = "came")]
    Joined {
        /// The sender's roster version after this change.
        version: Version,
        /// The user.
        user: UserRef,
    },
    /// A user's last socket in the room was closed on the sending node.
    #[serde(rename = "went")]
    Left {
        /// The sender's roster version after this change.
        version: Version,
        /// The user.
        user: UserId,
    },
    /// The roster of the sending node.
    Roster(NodeRoster),
    /// Requests the rosters of all other nodes.
    #[serde(rename = "ask")]
    RosterRequest {
        /// Whether the requesting node has just started using the room. It then does not announce the users of the
        /// replies as joining.
        is_newcomer: bool,
    },
    /// The roster version of the sending node, which has somebody present. Lets the others detect lost messages.
    #[serde(rename = "pulse")]
    Digest {
        /// The version.
        version: Version,
    },
    /// Credentials have ended; which ones is in the database.
    CredentialEnded,
    /// The sending node is alive.
    #[serde(rename = "alive")]
    Heartbeat,
    /// The sending node shuts down.
    Bye,
    /// A signal of a newer release.
    #[serde(other)]
    Unknown,
}

/// A packet being built.
pub(super) struct Packet(Vec<u8>);

impl Packet {
    /// An empty packet from `sender`.
    pub(super) fn new(sender: NodeId) -> Self {
        let mut bytes = vec![VERSION];
        bytes.put_u64_le(sender.0);
        Self(bytes)
    }

    /// Appends a message.
    pub(super) fn push(&mut self, message: &BusMessage) {
        let start = self.0.len();
        self.0.put_u32_le(0);
        match message {
            BusMessage::Change(change) => {
                self.0.put_u8(CHANGE);
                self.0.put_i64_le(change.rev);
                change_kind::encode(&change.kind, &mut self.0);
                self.0.put_slice(&change.json);
            }
            BusMessage::Signal(signal) => {
                self.0.put_u8(SIGNAL);
                if let Err(error) = serde_json::to_writer(&mut self.0, signal) {
                    tracing::error!(%error, "a signal could not be serialised");
                    return self.0.truncate(start);
                }
            }
        }
        // Frames are limited to far less than 4 GiB. A larger one is left out entirely.
        match u32::try_from(self.0.len() - start - 4) {
            Ok(length) => self.0[start..start + 4].copy_from_slice(&length.to_le_bytes()),
            Err(_) => self.0.truncate(start),
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Decodes a packet into its sender and the messages that this release understands. `None` for another version.
pub(super) fn decode(mut packet: Bytes) -> Option<(NodeId, Vec<BusMessage>)> {
    if packet.try_get_u8().ok()? != VERSION {
        return None;
    }
    let sender = NodeId(packet.try_get_u64_le().ok()?);
    let mut messages = Vec::new();
    while let Ok(length) = packet.try_get_u32_le() {
        let length = usize::try_from(length).ok()?;
        if length > packet.len() {
            // Truncated; the messages before it are complete.
            break;
        }
        messages.extend(decode_message(packet.split_to(length)));
    }
    Some((sender, messages))
}

fn decode_message(mut bytes: Bytes) -> Option<BusMessage> {
    match bytes.try_get_u8().ok()? {
        CHANGE => {
            let rev = bytes.try_get_i64_le().ok()?;
            let kind = change_kind::decode(&mut bytes)?;
            // Frames must be valid UTF-8, or they would break the sockets they are sent to.
            std::str::from_utf8(&bytes).ok()?;
            Some(BusMessage::Change(StoredChange { rev, json: bytes, kind }))
        }
        SIGNAL => serde_json::from_slice(&bytes).ok().map(BusMessage::Signal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{ChangeKind, MemberNotice, MentionNotice, NewMessageNotice, UserChange},
        model::{Code, NotificationReason, RoomId},
    };

    fn kinds() -> Vec<ChangeKind> {
        let member = |closes| ChangeKind::Member(MemberNotice { user: UserId(3), member_count: 9, closes });
        let mention = |user, rev, reason| MentionNotice { user: UserId(user), rev, reason };
        let mentioned = vec![mention(5, 1, None), mention(6, 70, Some(NotificationReason::Reply))];
        vec![
            ChangeKind::NewMessage(NewMessageNotice { seq: 40, mentioned }.into()),
            ChangeKind::MessageChanged,
            member(None),
            member(Some(Code::Banned)),
            member(Some(Code::NotAMember)),
            ChangeKind::Room { closes: None },
            ChangeKind::Room { closes: Some(Code::NotFound) },
        ]
    }

    fn sample() -> Vec<u8> {
        let mut packet = Packet::new(NodeId(7));
        for (rev, kind) in (41..).zip(kinds()) {
            let json = Bytes::from_static("{\"type\":\"聊\"}".as_bytes());
            packet.push(&BusMessage::Change(StoredChange { rev, json, kind }));
            packet.push(&BusMessage::Signal(NodeSignal::Bye));
        }
        packet.into_bytes()
    }

    #[test]
    fn packet_round_trip_keeps_the_order() {
        let (sender, messages) = decode(Bytes::from(sample())).expect("a packet");
        assert_eq!(sender, NodeId(7));
        let mut messages = messages.into_iter();
        for (rev, kind) in (41..).zip(kinds()) {
            let Some(BusMessage::Change(change)) = messages.next() else { panic!("no change {rev}") };
            assert_eq!((change.rev, change.kind), (rev, kind));
            assert_eq!(change.json, "{\"type\":\"聊\"}".as_bytes());
            assert!(matches!(messages.next(), Some(BusMessage::Signal(NodeSignal::Bye))));
        }
        assert!(messages.next().is_none());
    }

    #[test]
    fn unknown_versions_and_kinds_are_ignored() {
        let mut newer = sample();
        newer[0] = VERSION + 1;
        assert!(decode(Bytes::from(newer)).is_none());

        let mut packet = Packet::new(NodeId(7)).into_bytes();
        for (kind, body) in [(9, "?"), (SIGNAL, r#"{"signal":"dance","tempo":3}"#)] {
            packet.put_u32_le(u32::try_from(body.len() + 1).expect("short"));
            packet.put_u8(kind);
            packet.put_slice(body.as_bytes());
        }
        let (_, messages) = decode(Bytes::from(packet)).expect("a packet");
        assert!(matches!(messages[..], [BusMessage::Signal(NodeSignal::Unknown)]), "{messages:?}");
    }

    /// Nodes of two releases run side by side, so renaming a variant or a field must not change these.
    #[test]
    fn tags_and_fields_of_signals_are_fixed() {
        let version = Version { epoch: 1, counter: 2 };
        let user = UserRef { id: UserId(3), username: "amy".into() };
        let signals = [
            (NodeSignal::Joined { version, user }, "came"),
            (NodeSignal::Left { version, user: UserId(3) }, "went"),
            (NodeSignal::RosterRequest { is_newcomer: true }, "ask"),
            (NodeSignal::Digest { version }, "pulse"),
            (NodeSignal::Heartbeat, "alive"),
        ];
        for (signal, tag) in signals {
            let json = serde_json::to_value(&signal).expect("JSON");
            assert_eq!(json["signal"], tag);
            if let Some(version) = json.get("version") {
                assert_eq!(*version, serde_json::json!({"life": 1, "change": 2}));
            }
        }
        let event = UserEvent { rev: Some(7), change: UserChange::Read(RoomId(4)) };
        let event = serde_json::to_value(event).expect("JSON");
        assert_eq!(event, serde_json::json!({"rev": 7, "change": {"read": 4}}));
    }

    /// Anyone with access to Redis can send anything; it must not crash the process.
    #[test]
    fn truncated_and_corrupted_packets_do_not_panic() {
        let whole = sample();
        for length in 0..whole.len() {
            decode(Bytes::from(whole[..length].to_vec()));
            for byte in [0, 1, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[length] = byte;
                decode(Bytes::from(changed));
            }
        }
    }
}
