//! What each frame of the server does to the state. Pure: the answer says what else is to be done.

use chat::model::{Code, Failure, MessageId, RoomMessage, message::DELETED_CONTENT};

use super::frames::{Deleted, Heard, Mark, Read, Refused, Resync, Stored, Typing};
use crate::state::{timeline::Timeline, typing::Typists};

/// What a frame leaves to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, and the messages are as they were.
    Nothing,
    /// Nothing, but the messages changed.
    Done,
    /// The connection stands: send again what is unconfirmed.
    Established,
    /// A message that was not known.
    Fresh(Box<RoomMessage>),
    /// A message says something else now, here and wherever else it is shown.
    Changed {
        /// Which.
        id: MessageId,
        /// What it says.
        content: String,
    },
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

/// Applies what was heard at `now_ms`.
pub fn apply(
    heard: Heard,
    timeline: &mut Timeline,
    typists: &mut Typists,
    position: &mut Position,
    now_ms: f64,
) -> Outcome {
    match heard {
        // Its `rev` is the room's, not ours: what was missed follows.
        Heard::Established => {
            typists.clear();
            Outcome::Established
        }
        Heard::Message(Stored { message, rev }) => {
            position.reach(rev);
            typists.forget(message.sender.id);
            if timeline.receive(message.clone()) { Outcome::Fresh(Box::new(message)) } else { Outcome::Done }
        }
        Heard::Edited(Stored { message, rev }) => {
            position.reach(rev);
            let (id, content) = (message.id, message.content.clone());
            timeline.edit(message);
            Outcome::Changed { id, content }
        }
        Heard::Deleted(Deleted { message_id, rev }) => {
            position.reach(rev);
            timeline.delete(message_id);
            Outcome::Changed { id: message_id, content: DELETED_CONTENT.to_owned() }
        }
        Heard::Typing(Typing { user, is_typing }) => {
            if user.id != timeline.me() {
                typists.hear(&user, is_typing, now_ms);
            }
            Outcome::Nothing
        }
        Heard::Left(user) => {
            typists.forget(user.id);
            Outcome::Nothing
        }
        Heard::Read(Read { message_id, user, more }) => {
            let mut is_shown = timeline.read_by(message_id, user);
            for Mark { message_id, user } in more {
                is_shown |= timeline.read_by(message_id, user);
            }
            if is_shown { Outcome::Done } else { Outcome::Nothing }
        }
        Heard::Resync(Resync { rev }) => {
            position.reach(rev);
            Outcome::Reload
        }
        Heard::Refused(Refused { code, client_id: Some(client_id) }) => {
            timeline.refuse(&client_id, Failure::new(code));
            Outcome::Done
        }
        Heard::Refused(Refused { code, client_id: None }) => Outcome::Refused(code),
        // The roster's.
        Heard::Joined(_) | Heard::Member(_) | Heard::Other => Outcome::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use chat::model::{HistoryWindow, MessagePermissions, MessageType, Timestamp, User, UserId};

    use super::*;
    use crate::state::{civil::Zone, timeline::Delivery};

    fn user(id: i64) -> User {
        User {
            id: UserId(id),
            username: format!("u{id}"),
            first_name: String::new(),
            last_name: String::new(),
        }
    }

    fn message(id: i64, sender: i64, client_id: Option<&str>) -> RoomMessage {
        RoomMessage {
            id: MessageId(id),
            content: format!("m{id}"),
            message_type: MessageType::Text,
            timestamp: Timestamp(id),
            created_at: Timestamp(id),
            sender: user(sender),
            reply_to: None,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: client_id.map(str::to_owned),
        }
    }

    struct Page {
        timeline: Timeline,
        typists: Typists,
        position: Position,
    }

    impl Page {
        fn new() -> Self {
            Self {
                timeline: Timeline::new(
                    user(1),
                    HistoryWindow {
                        messages: Vec::new(),
                        has_earlier: false,
                        has_later: false,
                        quoted: Vec::new(),
                        last_read: None,
                        rev: 0,
                        rights: MessagePermissions::default(),
                    },
                ),
                typists: Typists::default(),
                position: Position { rev: 4 },
            }
        }

        fn hear(&mut self, frame: Heard) -> Outcome {
            apply(frame, &mut self.timeline, &mut self.typists, &mut self.position, 0.0)
        }
    }

    fn typing(id: i64) -> Heard {
        Heard::Typing(Typing { user: user(id).to_ref(), is_typing: true })
    }

    #[test]
    fn a_message_is_fresh_once_and_a_resume_begins_after_it() {
        let mut page = Page::new();
        let frame = Heard::Message(Stored { message: message(9, 2, None), rev: 7 });
        assert!(matches!(page.hear(frame.clone()), Outcome::Fresh(_)));
        assert_eq!(page.hear(frame), Outcome::Done);
        assert_eq!(page.position.rev, 7);
    }

    #[test]
    fn what_is_stored_in_the_room_is_not_taken_for_seen() {
        let mut page = Page::new();
        assert_eq!(page.hear(Heard::Established), Outcome::Established);
        assert_eq!(page.position.rev, 4);
    }

    #[test]
    fn what_a_message_says_now_is_told_wherever_it_is_shown() {
        let mut page = Page::new();
        page.hear(Heard::Message(Stored { message: message(9, 2, None), rev: 5 }));
        let edited = Stored { message: RoomMessage { content: "new".into(), ..message(9, 2, None) }, rev: 6 };
        let changed = |content: &str| Outcome::Changed { id: MessageId(9), content: content.into() };
        assert_eq!(page.hear(Heard::Edited(edited)), changed("new"));
        let deleted = Deleted { message_id: MessageId(9), rev: 7 };
        assert_eq!(page.hear(Heard::Deleted(deleted)), changed(DELETED_CONTENT));
        assert_eq!(page.position.rev, 7);
    }

    #[test]
    fn ones_own_typing_is_not_shown_and_a_message_ends_anothers() {
        let mut page = Page::new();
        page.hear(typing(1));
        assert!(page.typists.is_empty());
        page.hear(typing(2));
        page.hear(typing(3));
        page.hear(Heard::Message(Stored { message: message(9, 2, None), rev: 5 }));
        assert!(page.typists.people().eq([&user(3).to_ref()]));
        page.hear(Heard::Left(user(3).to_ref()));
        assert!(page.typists.is_empty());
    }

    #[test]
    fn a_refusal_finds_the_message_that_it_is_about() {
        let mut page = Page::new();
        page.timeline.write("hello".into(), None, "c1".into(), Timestamp(1));
        let refusal = |client_id: Option<&str>| {
            Heard::Refused(Refused { code: Code::Muted, client_id: client_id.map(str::to_owned) })
        };
        assert_eq!(page.hear(refusal(Some("c1"))), Outcome::Done);
        let row = page.timeline.row(page.timeline.keys()[0], Zone::UTC).expect("shown");
        assert_eq!(row.delivery, Delivery::Failed(Failure::new(Code::Muted)));
        assert_eq!(page.hear(refusal(None)), Outcome::Refused(Code::Muted));
    }

    #[test]
    fn too_much_missed_asks_for_the_page_anew() {
        let mut page = Page::new();
        assert_eq!(page.hear(Heard::Resync(Resync { rev: 5_000 })), Outcome::Reload);
        assert_eq!(page.position.rev, 5_000);
    }
}
