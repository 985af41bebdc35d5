//! What goes to the other nodes, and what comes from them.

use tokio::time::Instant;

use super::{Errand, Event, Hub, Publication, UserEvent};
use crate::bus::{
    Listener, Topic,
    wire::{Message, NodeId, Signal},
};

/// How a publication travels.
pub(super) fn parcel(publication: &Publication) -> (Topic, Message) {
    match publication {
        Publication::Room(room, Event::Frame(frame)) => (Topic::Room(*room), Message::Frame(frame.clone())),
        Publication::Room(room, Event::Close { user, code }) => {
            (Topic::Room(*room), Message::Signal(Signal::Close { user: *user, code: *code }))
        }
        Publication::Read(room, mark) => {
            (Topic::Room(*room), Message::Signal(Signal::Read { mark: mark.clone() }))
        }
        Publication::Typing { room, user, is_typing } => {
            let typing = Signal::Typing { user: user.clone(), is_typing: *is_typing };
            (Topic::Room(*room), Message::Signal(typing))
        }
        Publication::User(user, event) => {
            (Topic::User(*user), Message::Signal(Signal::User { event: *event }))
        }
    }
}

impl Listener for Hub {
    fn received(&self, topic: Topic, sender: NodeId, messages: Vec<Message>) {
        self.inner.peers.hear(sender, Instant::now());
        for message in messages {
            let publication = match (topic, message) {
                (Topic::Room(room), Message::Frame(frame)) => Publication::Room(room, Event::Frame(frame)),
                (Topic::Room(room), Message::Signal(Signal::Close { user, code })) => {
                    Publication::Room(room, Event::Close { user, code })
                }
                (Topic::Room(room), Message::Signal(Signal::Read { mark })) => Publication::Read(room, mark),
                (Topic::Room(room), Message::Signal(Signal::Typing { user, is_typing })) => {
                    Publication::Typing { room, user, is_typing }
                }
                (Topic::User(user), Message::Signal(Signal::User { event })) => {
                    Publication::User(user, event)
                }
                (
                    Topic::Room(room),
                    Message::Signal(
                        signal @ (Signal::Came { .. }
                        | Signal::Went { .. }
                        | Signal::Roster(_)
                        | Signal::Ask { .. }
                        | Signal::Pulse { .. }),
                    ),
                ) => {
                    if let Some(channel) = self.channel(room) {
                        channel.hear(sender, signal, self);
                    }
                    continue;
                }
                (Topic::Nodes, Message::Signal(Signal::CredentialEnded)) => {
                    // An error says that the process stops.
                    let _ = self.inner.errands.send(Errand::Credentials);
                    continue;
                }
                (Topic::Nodes, Message::Signal(Signal::Bye)) => {
                    self.part(sender);
                    continue;
                }
                // That it was heard at all was noted, and what no node of this release says there.
                (Topic::Nodes | Topic::User(_), Message::Frame(_))
                | (Topic::Nodes | Topic::User(_) | Topic::Room(_), Message::Signal(_)) => continue,
            };
            self.hand_out(publication);
        }
    }

    fn heard(&self, topic: Topic, is_again: bool) {
        match topic {
            Topic::Room(room) => {
                if let Some(channel) = self.channel(room) {
                    channel.ask_again(!is_again, self.bus());
                }
                if self.is_followed(room) {
                    // An error says that nobody runs errands any more: the process stops.
                    let _ = self.inner.errands.send(Errand::Look(room));
                }
            }
            // What was told meanwhile is not known: they look at everything.
            Topic::User(user) if is_again => self.hand_out(Publication::User(user, UserEvent::Rooms)),
            Topic::User(_) | Topic::Nodes => {}
        }
    }
}
