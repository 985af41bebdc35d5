//! What each frame of the server does to the state. Pure: the answer says what else is to be done.

use chat::model::{Code, Failure, RoomMessage, ServerFrame};

use crate::state::{timeline::Timeline, typing::Typists};

/// What a frame leaves to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Done,
    /// The connection stands: send again what is unconfirmed.
    Established,
    /// A message that was not known.
    Fresh(Box<RoomMessage>),
    /// Too much was missed: read the newest page anew.
    Reload,
    /// The server refused something that belongs to no message, or says why it is about to close.
    Refused(Code),
}

/// How far a page has followed its room: where a resume begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The highest change number seen.
    pub rev: i64,
}

impl Position {
    fn reach(&mut self, rev: i64) {
        self.rev = self.rev.max(rev);
    }
}

/// Applies `frame`, heard at `now_ms`.
pub fn apply(
    frame: ServerFrame,
    timeline: &mut Timeline,
    typists: &mut Typists,
    position: &mut Position,
    now_ms: f64,
) -> Outcome {
    match frame {
        // Its `rev` is the room's, not ours: what was missed follows.
        ServerFrame::ConnectionEstablished { .. } => {
            typists.clear();
            Outcome::Established
        }
        ServerFrame::ChatMessage { message, rev } => {
            position.reach(rev);
            typists.forget(message.sender.id);
            if timeline.receive(message.clone()) { Outcome::Fresh(Box::new(message)) } else { Outcome::Done }
        }
        ServerFrame::MessageEdited { message, rev } => {
            position.reach(rev);
            timeline.edit(message);
            Outcome::Done
        }
        ServerFrame::MessageDeleted { message_id, rev } => {
            position.reach(rev);
            timeline.delete(message_id);
            Outcome::Done
        }
        ServerFrame::Typing { user, is_typing } => {
            if user.id != timeline.me() {
                typists.hear(&user, is_typing, now_ms);
            }
            Outcome::Done
        }
        ServerFrame::UserLeave { user } => {
            typists.forget(user.id);
            Outcome::Done
        }
        ServerFrame::Resync { rev } => {
            position.reach(rev);
            Outcome::Reload
        }
        ServerFrame::Error { code, client_id: Some(client_id), .. } => {
            timeline.refuse(&client_id, Failure::new(code));
            Outcome::Done
        }
        ServerFrame::Error { code, client_id: None, .. } => Outcome::Refused(code),
        ServerFrame::UserJoin { .. } | ServerFrame::Pong | ServerFrame::Unknown => Outcome::Done,
    }
}
