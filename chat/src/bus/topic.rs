//! What one can listen to on the bus, and what Redis calls it.

use crate::model::{RoomId, UserId};

/// Something that nodes tell each other about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What concerns every node.
    Nodes,
    /// A room: its frames and who is in it.
    Room(RoomId),
    /// What only one user is told.
    User(UserId),
}

impl Topic {
    /// The channel's name in Redis. Channels know no databases (`SELECT`), so the name of the
    /// system is in it: two systems on one Redis have a room 1 each.
    pub(super) fn channel(self, system: &str) -> String {
        match self {
            Self::Nodes => format!("liao:{system}:nodes"),
            Self::Room(room) => format!("liao:{system}:room:{room}"),
            Self::User(user) => format!("liao:{system}:user:{user}"),
        }
    }

    /// The reverse; `None` for what is not ours.
    pub(super) fn from_channel(system: &str, channel: &str) -> Option<Self> {
        let rest = channel.strip_prefix("liao:")?.strip_prefix(system)?.strip_prefix(':')?;
        if rest == "nodes" {
            return Some(Self::Nodes);
        }
        let (kind, id) = rest.split_once(':')?;
        match kind {
            "room" => id.parse().ok().map(Self::Room),
            "user" => id.parse().ok().map(Self::User),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channels_name_says_which_topic_of_which_system_it_is() {
        for (topic, name) in [
            (Topic::Room(RoomId(7)), "liao:a1:room:7"),
            (Topic::User(UserId(7)), "liao:a1:user:7"),
            (Topic::Nodes, "liao:a1:nodes"),
        ] {
            assert_eq!(topic.channel("a1"), name);
            assert_eq!(Topic::from_channel("a1", name), Some(topic));
        }
        for other in ["liao:b2:room:7", "liao:a1:room:x", "liao:a1:choir:7", "liao:a1", "x"] {
            assert_eq!(Topic::from_channel("a1", other), None, "{other}");
        }
    }
}
