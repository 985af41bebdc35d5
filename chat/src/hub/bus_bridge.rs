//! Converts between publications of the hub and messages of the bus.

use tokio::time::Instant;

use super::{Hub, HubRequest};
use crate::{
    bus::{
        Listener, Topic,
        wire::{BusMessage, NodeId, NodeSignal},
    },
    event::Publication,
};

/// The bus message for a publication.
pub(super) fn to_bus_message(publication: &Publication) -> (Topic, BusMessage) {
    match publication {
        Publication::Change(room, change) => (Topic::Room(*room), BusMessage::Change(change.clone())),
        Publication::Read(room, mark) => {
            (Topic::Room(*room), BusMessage::Signal(NodeSignal::Read { mark: mark.clone() }))
        }
        Publication::Typing { room, user, is_typing } => {
            let typing = NodeSignal::Typing { user: user.clone(), is_typing: *is_typing };
            (Topic::Room(*room), BusMessage::Signal(typing))
        }
        Publication::Renamed(room, user) => {
            (Topic::Room(*room), BusMessage::Signal(NodeSignal::Renamed { user: user.clone() }))
        }
        Publication::User(user, event) => {
            (Topic::User(*user), BusMessage::Signal(NodeSignal::User { event: *event }))
        }
    }
}

impl Listener for Hub {
    fn received(&self, topic: Topic, sender: NodeId, messages: Vec<BusMessage>) {
        self.inner.peers.mark_alive(sender, Instant::now());
        for message in messages {
            let publication = match (topic, message) {
                (Topic::Room(room), BusMessage::Change(change)) => Publication::Change(room, change),
                (Topic::Room(room), BusMessage::Signal(NodeSignal::Read { mark })) => {
                    Publication::Read(room, mark)
                }
                (Topic::Room(room), BusMessage::Signal(NodeSignal::Typing { user, is_typing })) => {
                    Publication::Typing { room, user, is_typing }
                }
                (Topic::Room(room), BusMessage::Signal(NodeSignal::Renamed { user })) => {
                    Publication::Renamed(room, user)
                }
                (Topic::User(user), BusMessage::Signal(NodeSignal::User { event })) => {
                    Publication::User(user, event)
                }
                (
                    Topic::Room(room),
                    BusMessage::Signal(
                        signal @ (NodeSignal::Joined { .. }
                        | NodeSignal::Left { .. }
                        | NodeSignal::Roster(_)
                        | NodeSignal::RosterRequest { .. }
                        | NodeSignal::Digest { .. }),
                    ),
                ) => {
                    if let Some(channel) = self.channel(room) {
                        channel.receive_presence(sender, signal, self);
                    }
                    continue;
                }
                (
                    Topic::Nodes,
                    BusMessage::Signal(
                        signal @ (NodeSignal::Joined { .. }
                        | NodeSignal::Left { .. }
                        | NodeSignal::Roster(_)
                        | NodeSignal::RosterRequest { .. }
                        | NodeSignal::Digest { .. }),
                    ),
                ) => {
                    self.receive_online(sender, signal);
                    continue;
                }
                (Topic::Nodes, BusMessage::Signal(NodeSignal::CredentialEnded)) => {
                    // An error means that the process is shutting down.
                    let _ = self.inner.requests.send(HubRequest::PollCredentials);
                    continue;
                }
                (Topic::Nodes, BusMessage::Signal(NodeSignal::Bye)) => {
                    self.peer_left(sender);
                    continue;
                }
                // Already counted as a sign of life. No node of this release sends these on these topics.
                (Topic::Nodes | Topic::User(_), BusMessage::Change(_))
                | (Topic::Nodes | Topic::User(_) | Topic::Room(_), BusMessage::Signal(_)) => continue,
            };
            self.deliver(publication);
        }
    }

    fn subscribed(&self, topic: Topic, is_resubscribed: bool) {
        match topic {
            Topic::Room(room) => {
                if let Some(channel) = self.channel(room) {
                    channel.resync_presence(!is_resubscribed, self.bus());
                }
                if self.is_followed(room) {
                    // An error means that the process is shutting down.
                    let _ = self.inner.requests.send(HubRequest::PollRoom(room));
                }
            }
            // Events may have been missed meanwhile.
            Topic::User(user) if is_resubscribed => {
                let _ = self.inner.requests.send(HubRequest::PollUser(user));
            }
            Topic::Nodes => self.resync_online(!is_resubscribed),
            Topic::User(_) => {}
        }
    }
}
