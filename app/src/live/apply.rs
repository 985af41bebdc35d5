//! Applies the frames of the room's socket to the state. Pure: the returned [`Outcome`] tells the caller what else to
//! do.

use chat::model::{Code, Failure, MessageId, RoomMessage, message::DELETED_CONTENT};

use super::room_frames::{
    DeletedMessage, ErrorFrame, MembersChanged, ReadReceipt, ReadReceipts, Resync, RoomFrame, StoredMessage,
    TypingUser,
};
use crate::state::{roster::MemberChanged, timeline::Timeline, typing::Typists};

/// What remains to be done after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing; the timeline is unchanged.
    Nothing,
    /// Nothing; the timeline has changed.
    Updated,
    /// The room is followed from now on.
    Subscribed,
    /// A message that was not known before.
    NewMessage(Box<RoomMessage>),
    /// A message was edited or deleted; other places that show it must follow.
    MessageChanged { id: MessageId, content: String },
    /// Too much was missed: load the newest page again.
    Reload,
    /// An error without a `client_id`: the subscription has ended.
    Error(Code),
}

/// The position in the room's stream from which a reconnect resumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The highest `rev` received.
    pub rev: i64,
}

impl Position {
    fn advance_to(&mut self, rev: i64) {
        self.rev = self.rev.max(rev);
    }
}

/// Applies a frame that was received at `now_ms`.
pub fn apply(
    frame: RoomFrame,
    timeline: &mut Timeline,
    typists: &mut Typists,
    position: &mut Position,
    now_ms: f64,
) -> Outcome {
    match frame {
        // Its `rev` is the room's current one, not the position: the missed frames follow.
        RoomFrame::Subscribed(_) => {
            typists.clear();
            Outcome::Subscribed
        }
        RoomFrame::Message(StoredMessage { message, rev }) => {
            position.advance_to(rev);
            typists.remove(message.sender.id);
            if timeline.receive(message.clone()) {
                Outcome::NewMessage(Box::new(message))
            } else {
                Outcome::Updated
            }
        }
        RoomFrame::Edited(StoredMessage { message, rev }) => {
            position.advance_to(rev);
            let (id, content) = (message.id, message.content.clone());
            timeline.edit(message);
            Outcome::MessageChanged { id, content }
        }
        RoomFrame::Deleted(DeletedMessage { message_id, rev }) => {
            position.advance_to(rev);
            timeline.delete(message_id);
            Outcome::MessageChanged { id: message_id, content: DELETED_CONTENT.to_owned() }
        }
        RoomFrame::Typing(TypingUser { user, is_typing }) => {
            if user.id != timeline.me() {
                typists.update(&user, is_typing, now_ms);
            }
            Outcome::Nothing
        }
        RoomFrame::Left(user) => {
            typists.remove(user.id);
            Outcome::Nothing
        }
        RoomFrame::Read(ReadReceipts { message_id, user, more }) => {
            let mut is_shown = timeline.read_by(message_id, user);
            for ReadReceipt { message_id, user } in more {
                is_shown |= timeline.read_by(message_id, user);
            }
            if is_shown { Outcome::Updated } else { Outcome::Nothing }
        }
        RoomFrame::Resync(Resync { rev }) => {
            position.advance_to(rev);
            timeline.begin_gap();
            Outcome::Reload
        }
        RoomFrame::Member(MemberChanged { rev, .. }) | RoomFrame::Members(MembersChanged { rev, .. }) => {
            position.advance_to(rev);
            Outcome::Nothing
        }
        RoomFrame::Error(ErrorFrame { code, client_id: Some(client_id) }) => {
            timeline.mark_failed(&client_id, Failure::new(code));
            Outcome::Updated
        }
        RoomFrame::Error(ErrorFrame { code, client_id: None }) => Outcome::Error(code),
        // Applied to the roster by the caller.
        RoomFrame::Joined(_) | RoomFrame::Other => Outcome::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use chat::model::{HistoryWindow, MessagePermissions, MessageType, Timestamp, User, UserId};

    use super::*;
    use crate::{
        live::room_frames::Subscribed,
        state::{local_time::Zone, outbox::tests::unsent, timeline::Delivery},
    };

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
                        mentioned: Vec::new(),
                    },
                ),
                typists: Typists::default(),
                position: Position { rev: 4 },
            }
        }

        fn receive(&mut self, frame: RoomFrame) -> Outcome {
            apply(frame, &mut self.timeline, &mut self.typists, &mut self.position, 0.0)
        }
    }

    fn typing(id: i64) -> RoomFrame {
        RoomFrame::Typing(TypingUser { user: user(id).to_ref(), is_typing: true })
    }

    #[test]
    fn message_is_new_once_and_advances_the_position() {
        let mut page = Page::new();
        let frame = RoomFrame::Message(StoredMessage { message: message(9, 2, None), rev: 7 });
        assert!(matches!(page.receive(frame.clone()), Outcome::NewMessage(_)));
        assert_eq!(page.receive(frame), Outcome::Updated);
        assert_eq!(page.position.rev, 7);
    }

    #[test]
    fn subscribing_does_not_advance_the_position() {
        let mut page = Page::new();
        let subscribed = RoomFrame::Subscribed(Subscribed { present: vec![UserId(1)] });
        assert_eq!(page.receive(subscribed), Outcome::Subscribed);
        assert_eq!(page.position.rev, 4);
    }

    #[test]
    fn edits_and_deletions_report_the_new_content() {
        let mut page = Page::new();
        page.receive(RoomFrame::Message(StoredMessage { message: message(9, 2, None), rev: 5 }));
        let edited =
            StoredMessage { message: RoomMessage { content: "new".into(), ..message(9, 2, None) }, rev: 6 };
        let changed = |content: &str| Outcome::MessageChanged { id: MessageId(9), content: content.into() };
        assert_eq!(page.receive(RoomFrame::Edited(edited)), changed("new"));
        let deleted = DeletedMessage { message_id: MessageId(9), rev: 7 };
        assert_eq!(page.receive(RoomFrame::Deleted(deleted)), changed(DELETED_CONTENT));
        assert_eq!(page.position.rev, 7);
    }

    #[test]
    fn own_typing_is_ignored_and_a_message_ends_typing() {
        let mut page = Page::new();
        page.receive(typing(1));
        assert!(page.typists.is_empty());
        page.receive(typing(2));
        page.receive(typing(3));
        page.receive(RoomFrame::Message(StoredMessage { message: message(9, 2, None), rev: 5 }));
        assert!(page.typists.people().eq([&user(3).to_ref()]));
        page.receive(RoomFrame::Left(user(3).to_ref()));
        assert!(page.typists.is_empty());
    }

    #[test]
    fn error_is_applied_to_its_message() {
        let mut page = Page::new();
        page.timeline.add_pending(&unsent("c1", 1, 1));
        let error = |client_id: Option<&str>| {
            RoomFrame::Error(ErrorFrame { code: Code::Muted, client_id: client_id.map(str::to_owned) })
        };
        assert_eq!(page.receive(error(Some("c1"))), Outcome::Updated);
        let row = page.timeline.row(page.timeline.keys()[0], Zone::UTC).expect("shown");
        assert_eq!(row.delivery, Delivery::Failed(Failure::new(Code::Muted)));
        assert_eq!(page.receive(error(None)), Outcome::Error(Code::Muted));
    }

    #[test]
    fn resync_reloads_the_page() {
        let mut page = Page::new();
        page.receive(RoomFrame::Message(StoredMessage { message: message(9, 2, None), rev: 5 }));
        assert_eq!(page.receive(RoomFrame::Resync(Resync { rev: 5_000 })), Outcome::Reload);
        assert_eq!(page.position.rev, 5_000);
        // Until the newest page is loaded, there is a gap that later messages do not hide.
        page.receive(RoomFrame::Message(StoredMessage { message: message(5_009, 2, None), rev: 5_001 }));
        assert_eq!((page.timeline.last_id(), page.timeline.has_later()), (Some(MessageId(9)), true));
    }
}
