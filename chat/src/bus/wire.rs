//! The message format between nodes. A packet holds the messages of one batch for one channel.
//!
//! ```text
//! packet   version u8, sender u64, message …
//! message  length u32 of what follows, kind u8, and
//!          kind 1, a frame: rev i64 (0: none), excluded user i64 (0: nobody), seq i64 of a new message (else 0),
//!                  user i64 to whom it replies (0: nobody), number u32 and ids i64 … of the users it mentions, the frame's JSON as sent to sockets
//!          kind 2, a signal: JSON
//! ```
//!
//! Numbers are little-endian. Decoding does not copy a frame's JSON: it is a slice of the packet. Packets of another
//! version and messages of an unknown kind are ignored, since nodes of two releases run side by side during a rolling
//! update, and what one of them does not understand is in the database.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes};
use serde::{Deserialize, Serialize};

use crate::{
    event::{Audience, Frame, NewMessageNotice, UserEvent},
    model::{Code, ReadMark, UserId, UserRef},
};

const VERSION: u8 = 1;
const FRAME: u8 = 1;
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
    /// A frame to deliver to sockets unchanged.
    Frame(Frame),
    /// A message between nodes.
    Signal(NodeSignal),
}

impl BusMessage {
    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.bytes(),
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
    /// Close sockets of the room.
    Close {
        /// Only those of this user; `None`: all.
        user: Option<UserId>,
        /// The reason, which the client gets first.
        code: Code,
    },
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
            BusMessage::Frame(frame) => {
                let excluded = match frame.audience {
                    Audience::Everyone => 0,
                    Audience::Others(user) => user.0,
                };
                self.0.put_u8(FRAME);
                self.0.put_i64_le(frame.rev.unwrap_or_default());
                self.0.put_i64_le(excluded);
                let new = frame.new_message.as_deref();
                let mentioned = new.map_or(&[][..], |new| &new.mentioned[..]);
                self.0.put_i64_le(new.map_or(0, |new| new.seq));
                self.0.put_i64_le(new.and_then(|new| new.replied_to).map_or(0, |user| user.0));
                // A message of 10,000 characters cannot mention that many users.
                self.0.put_u32_le(u32::try_from(mentioned.len()).unwrap_or_default());
                for user in mentioned {
                    self.0.put_i64_le(user.0);
                }
                self.0.put_slice(&frame.json);
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
        FRAME => {
            let rev = bytes.try_get_i64_le().ok()?;
            let audience = match bytes.try_get_i64_le().ok()? {
                0 => Audience::Everyone,
                excluded => Audience::Others(UserId(excluded)),
            };
            let seq = bytes.try_get_i64_le().ok()?;
            let replied_to = bytes.try_get_i64_le().ok().map(UserId)?;
            let count = bytes.try_get_u32_le().ok()?;
            let mentioned: Option<Vec<UserId>> =
                (0..count).map(|_| bytes.try_get_i64_le().ok().map(UserId)).collect();
            let replied_to = (replied_to.0 > 0).then_some(replied_to);
            let new_message = NewMessageNotice { seq, mentioned: mentioned?, replied_to };
            // Frames must be valid UTF-8, or they would break the sockets they are sent to.
            std::str::from_utf8(&bytes).ok()?;
            let mut frame = Frame::serialised(bytes, (rev > 0).then_some(rev), audience);
            frame.new_message = (seq > 0).then(|| Arc::new(new_message));
            Some(BusMessage::Frame(frame))
        }
        SIGNAL => serde_json::from_slice(&bytes).ok().map(BusMessage::Signal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> NewMessageNotice {
        NewMessageNotice { seq: 40, mentioned: vec![UserId(5), UserId(6)], replied_to: Some(UserId(7)) }
    }

    fn sample() -> Vec<u8> {
        let mut packet = Packet::new(NodeId(7));
        let json = Bytes::from_static("{\"type\":\"聊\"}".as_bytes());
        let mut first = Frame::serialised(json.clone(), Some(41), Audience::Everyone);
        first.new_message = Some(Arc::new(notice()));
        packet.push(&BusMessage::Frame(first));
        packet.push(&BusMessage::Signal(NodeSignal::Close { user: Some(UserId(3)), code: Code::Banned }));
        packet.push(&BusMessage::Frame(Frame::serialised(json, None, Audience::Others(UserId(9)))));
        packet.into_bytes()
    }

    #[test]
    fn packet_round_trip_keeps_the_order() {
        let (sender, messages) = decode(Bytes::from(sample())).expect("a packet");
        assert_eq!(sender, NodeId(7));
        let [BusMessage::Frame(first), BusMessage::Signal(signal), BusMessage::Frame(last)] = &messages[..]
        else {
            panic!("{messages:?}");
        };
        assert_eq!((first.rev, first.audience), (Some(41), Audience::Everyone));
        assert_eq!(first.new_message.as_deref(), Some(&notice()));
        assert!(last.new_message.is_none());
        assert_eq!(first.json, "{\"type\":\"聊\"}".as_bytes());
        assert_eq!(*signal, NodeSignal::Close { user: Some(UserId(3)), code: Code::Banned });
        assert_eq!((last.rev, last.audience), (None, Audience::Others(UserId(9))));
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
        let event = serde_json::to_value(UserEvent::NotificationRow(4)).expect("JSON");
        assert_eq!(event, serde_json::json!({"notice": 4}));
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
