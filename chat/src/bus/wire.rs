//! How nodes write to each other: one parcel a channel and batch, which holds messages.
//!
//! ```text
//! parcel   version u8, sender u64, message …
//! message  length u32 of what follows, kind u8, and
//!          kind 1, a frame: rev i64 (0: none), spared user i64 (0: nobody), of a new message its place i64
//!                  (else 0), number u32 and ids i64 … of whom it mentions, its JSON as it goes to the sockets
//!          kind 2, a signal: JSON
//! ```
//!
//! Numbers are little-endian. A frame's JSON is copied nowhere on receipt: it is a slice of
//! the parcel. A parcel of another version is left alone, and so is a message of an unknown
//! kind: nodes of two releases may run side by side for the length of an update, and what
//! one does not understand is in the database.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes};
use serde::{Deserialize, Serialize};

use crate::{
    hub::{Audience, Frame, News, UserEvent},
    model::{Code, ReadMark, UserId, UserRef},
};

const VERSION: u8 = 1;
const FRAME: u8 = 1;
const SIGNAL: u8 = 2;

/// A running process: drawn at random when it starts, so that a restarted one is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

impl NodeId {
    /// A new one.
    pub fn random() -> Self {
        // A system without randomness has made no key to sign tokens with either, and has not
        // come so far; ids that are not alike is all that is needed here.
        Self(getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())))
    }
}

/// What one node tells the others about a topic.
#[derive(Clone, Debug)]
pub enum Message {
    /// For the sockets, as it is.
    Frame(Frame),
    /// For the nodes.
    Signal(Signal),
}

impl Message {
    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.bytes(),
            Self::Signal(_) => 0,
        }
    }
}

/// Where a node is in the changes of its people in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Rises each time that the node comes into use of the room.
    pub life: u32,
    /// How many changes there were in this life.
    pub change: u32,
}

impl Version {
    /// Is this the very next change after `other`?
    pub fn follows(self, other: Self) -> bool {
        self.life == other.life && Some(self.change) == other.change.checked_add(1)
    }
}

/// Everybody on a node in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// As of which change.
    pub version: Version,
    /// Who asked for it because it has only just come into use of the room.
    pub newcomer: Option<NodeId>,
    /// Them.
    pub users: Vec<UserRef>,
}

/// What nodes tell each other that no socket sees as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// Close sockets.
    Close {
        /// Whose; `None`: everyone's.
        user: Option<UserId>,
        /// The reason to say first.
        code: Code,
    },
    /// Somebody has read up to here.
    Read {
        /// Who, and where.
        mark: ReadMark,
    },
    /// Somebody begins or ceases to type.
    Typing {
        /// Who.
        user: UserRef,
        /// Do they type?
        is_typing: bool,
    },
    /// For all sockets of a user.
    User {
        /// What they are told.
        event: UserEvent,
    },
    /// A user's first socket in the room came in on this node.
    Came {
        /// The node's number for it.
        version: Version,
        /// Who.
        user: UserRef,
    },
    /// A user's last socket in the room went from this node.
    Went {
        /// The node's number for it.
        version: Version,
        /// Who.
        user: UserId,
    },
    /// Who is in the room on this node.
    Roster(Roster),
    /// Who is in the room on the others?
    Ask {
        /// Those who are there already are no news to whoever has only just come.
        is_newcomer: bool,
    },
    /// There is somebody in the room on this node, and this was the latest change.
    Pulse {
        /// Its number.
        version: Version,
    },
    /// Credentials have ended: the database has them.
    CredentialEnded,
    /// This node lives.
    Alive,
    /// This node ends.
    Bye,
    /// A newer node's, which this one does not know.
    #[serde(other)]
    Unknown,
}

/// A parcel in the making.
pub(super) struct Parcel(Vec<u8>);

impl Parcel {
    /// An empty one from `sender`.
    pub(super) fn new(sender: NodeId) -> Self {
        let mut bytes = vec![VERSION];
        bytes.put_u64_le(sender.0);
        Self(bytes)
    }

    /// Adds a message.
    pub(super) fn put(&mut self, message: &Message) {
        let start = self.0.len();
        self.0.put_u32_le(0);
        match message {
            Message::Frame(frame) => {
                let spared = match frame.audience {
                    Audience::Everyone => 0,
                    Audience::Others(user) => user.0,
                };
                self.0.put_u8(FRAME);
                self.0.put_i64_le(frame.rev.unwrap_or_default());
                self.0.put_i64_le(spared);
                let (seq, mentioned) =
                    frame.news.as_ref().map_or((0, &[][..]), |news| (news.seq, &news.mentioned[..]));
                self.0.put_i64_le(seq);
                // Names in a message of 10,000 characters: far fewer.
                self.0.put_u32_le(u32::try_from(mentioned.len()).unwrap_or_default());
                for user in mentioned {
                    self.0.put_i64_le(user.0);
                }
                self.0.put_slice(&frame.json);
            }
            Message::Signal(signal) => {
                self.0.put_u8(SIGNAL);
                if let Err(error) = serde_json::to_writer(&mut self.0, signal) {
                    tracing::error!(%error, "a signal could not be serialised");
                    return self.0.truncate(start);
                }
            }
        }
        // Frames are limited to far less than 4 GiB; one that is not would be left out whole.
        match u32::try_from(self.0.len() - start - 4) {
            Ok(length) => self.0[start..start + 4].copy_from_slice(&length.to_le_bytes()),
            Err(_) => self.0.truncate(start),
        }
    }

    /// The bytes to publish.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes a parcel apart: who sent it, and what can be understood of it. `None` for what is
/// no parcel of this version.
pub(super) fn open(mut parcel: Bytes) -> Option<(NodeId, Vec<Message>)> {
    if parcel.try_get_u8().ok()? != VERSION {
        return None;
    }
    let sender = NodeId(parcel.try_get_u64_le().ok()?);
    let mut messages = Vec::new();
    while let Ok(length) = parcel.try_get_u32_le() {
        let length = usize::try_from(length).ok()?;
        if length > parcel.len() {
            // Cut short: what came before is whole.
            break;
        }
        messages.extend(message(parcel.split_to(length)));
    }
    Some((sender, messages))
}

fn message(mut bytes: Bytes) -> Option<Message> {
    match bytes.try_get_u8().ok()? {
        FRAME => {
            let rev = bytes.try_get_i64_le().ok()?;
            let audience = match bytes.try_get_i64_le().ok()? {
                0 => Audience::Everyone,
                spared => Audience::Others(UserId(spared)),
            };
            let seq = bytes.try_get_i64_le().ok()?;
            let count = bytes.try_get_u32_le().ok()?;
            let mentioned: Option<Vec<UserId>> =
                (0..count).map(|_| bytes.try_get_i64_le().ok().map(UserId)).collect();
            let news = News { seq, mentioned: mentioned? };
            // What is no text can be no frame: a socket would break over it.
            std::str::from_utf8(&bytes).ok()?;
            let mut frame = Frame::serialised(bytes, (rev > 0).then_some(rev), audience);
            frame.news = (seq > 0).then(|| Arc::new(news));
            Some(Message::Frame(frame))
        }
        SIGNAL => serde_json::from_slice(&bytes).ok().map(Message::Signal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut parcel = Parcel::new(NodeId(7));
        let json = Bytes::from_static("{\"type\":\"聊\"}".as_bytes());
        let mut first = Frame::serialised(json.clone(), Some(41), Audience::Everyone);
        first.news = Some(Arc::new(News { seq: 40, mentioned: vec![UserId(5), UserId(6)] }));
        parcel.put(&Message::Frame(first));
        parcel.put(&Message::Signal(Signal::Close { user: Some(UserId(3)), code: Code::Banned }));
        parcel.put(&Message::Frame(Frame::serialised(json, None, Audience::Others(UserId(9)))));
        parcel.into_bytes()
    }

    #[test]
    fn what_was_put_in_comes_out_in_order() {
        let (sender, messages) = open(Bytes::from(sample())).expect("a parcel");
        assert_eq!(sender, NodeId(7));
        let [Message::Frame(first), Message::Signal(signal), Message::Frame(last)] = &messages[..] else {
            panic!("{messages:?}");
        };
        assert_eq!((first.rev, first.audience), (Some(41), Audience::Everyone));
        let news = News { seq: 40, mentioned: vec![UserId(5), UserId(6)] };
        assert_eq!(first.news.as_deref(), Some(&news));
        assert!(last.news.is_none());
        assert_eq!(first.json, "{\"type\":\"聊\"}".as_bytes());
        assert_eq!(*signal, Signal::Close { user: Some(UserId(3)), code: Code::Banned });
        assert_eq!((last.rev, last.audience), (None, Audience::Others(UserId(9))));
    }

    #[test]
    fn what_another_release_sends_is_passed_over() {
        let mut newer = sample();
        newer[0] = VERSION + 1;
        assert!(open(Bytes::from(newer)).is_none());

        let mut parcel = Parcel::new(NodeId(7)).into_bytes();
        for (kind, body) in [(9, "?"), (SIGNAL, r#"{"signal":"dance","tempo":3}"#)] {
            parcel.put_u32_le(u32::try_from(body.len() + 1).expect("short"));
            parcel.put_u8(kind);
            parcel.put_slice(body.as_bytes());
        }
        let (_, messages) = open(Bytes::from(parcel)).expect("a parcel");
        assert!(matches!(messages[..], [Message::Signal(Signal::Unknown)]), "{messages:?}");
    }

    /// Whoever can write to Redis can send us anything; it must not end the process.
    #[test]
    fn no_parcel_cut_or_changed_makes_the_decoder_panic() {
        let whole = sample();
        for length in 0..whole.len() {
            open(Bytes::from(whole[..length].to_vec()));
            for byte in [0, 1, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[length] = byte;
                open(Bytes::from(changed));
            }
        }
    }
}
