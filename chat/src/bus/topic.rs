//! Topics of the bus, and their channel names in Redis.

use crate::model::{RoomId, UserId};

/// What a bus message is about. Each topic is one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// For every node.
    Nodes,
    /// A room: its frames, and who is present.
    Room(RoomId),
    /// Events of one user.
    User(UserId),
}

impl Topic {
    /// The name of the Redis channel. Redis channels are shared by all databases (`SELECT`), so the name contains the
    /// system's name: two systems on one Redis may both have a room 1.
    pub(super) fn channel(self, system: &str) -> String {
        match self {
            Self::Nodes => format!("liao:{system}:nodes"),
            Self::Room(room) => format!("liao:{system}:room:{room}"),
            Self::User(user) => format!("liao:{system}:user:{user}"),
        }
    }

    /// The reverse; `None` for a channel of another system.
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
    fn channel_name_contains_the_system_and_the_topic() {
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
