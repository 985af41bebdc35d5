//! The conversation's live half: what it does about what it hears, and what the reader does.

use std::time::Duration;

use chat::model::{ClientFrame, Message, MessageId, Room, RoomId, RoomMessage};
use futures::channel::mpsc::UnboundedSender;
use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*, task::spawn_local};

use super::{
    conversation::{Hands, Parts},
    timeline::Actions,
};
use crate::{
    browser::{
        clock::{now, now_ms},
        document::is_visible,
        random::client_id,
        scroll,
    },
    live::connection::{Hooks, Signals, follow},
    pages::rooms::KnownRooms,
    server::messages::history,
    state::{rooms, timeline::Timeline, typing::TYPING_REPEAT_MS},
};

/// How often it is looked whether the reader has come back to a message that came in unseen.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Follows the room and gives the conversation its hands. A page that does not end with the newest message, or of a
/// room that one cannot write in, is not followed.
pub(super) fn start(room: &Room, messages: &[Message], is_newest: bool, parts: Parts) -> Hands {
    if !room.is_member || !room.is_active || !is_newest {
        return Hands::idle();
    }
    let known: KnownRooms = expect_context();
    let reader = Reader {
        room: room.id,
        parts,
        known,
        at_end: StoredValue::new(true),
        read_to: StoredValue::new(MessageId::default()),
        said_typing_at: StoredValue::new(0.0),
        frames: StoredValue::new(None),
    };
    let rev = messages.iter().map(|message| message.rev).max().unwrap_or_default();
    let (timeline, typists, line) = (parts.timeline, parts.typists, parts.line);
    let me = timeline.with_untracked(Timeline::me);
    let signals = Signals { timeline, typists, line, roster: super::roster::keep(room.id, me, line) };
    let hooks = Hooks {
        fresh: Callback::new(move |message| reader.hear(&message)),
        reload: Callback::new(move |()| reader.reload()),
        established: Callback::new(move |()| reader.mark_read()),
    };
    reader.frames.set_value(Some(follow(room.id, rev, signals, hooks)));
    if let Ok(looking) = set_interval_with_handle(move || reader.mark_read(), LOOK_EVERY) {
        on_cleanup(move || looking.clear());
    }
    Hands {
        actions: Actions {
            earlier: Callback::new(move |()| reader.earlier()),
            retry: Callback::new(move |client_id: String| reader.retry(&client_id)),
            at_end: Callback::new(move |at_end| reader.moved(at_end)),
            to_end: Callback::new(move |()| reader.to_end()),
        },
        write: Some(Callback::new(move |text| reader.write(text))),
        typing: Callback::new(move |is_typing| reader.typing(is_typing)),
    }
}

/// Somebody in front of a room.
#[derive(Clone, Copy)]
struct Reader {
    room: RoomId,
    parts: Parts,
    known: KnownRooms,
    at_end: StoredValue<bool>,
    /// What the server was told to have been read.
    read_to: StoredValue<MessageId>,
    /// When it was last told of typing; 0 when not, or no longer.
    said_typing_at: StoredValue<f64>,
    frames: StoredValue<Option<UnboundedSender<ClientFrame>>>,
}

impl Reader {
    fn say(self, frame: ClientFrame) {
        self.frames.with_value(|frames| {
            if let Some(frames) = frames {
                // An error means that the page is gone: nobody to say it for.
                let _ = frames.unbounded_send(frame);
            }
        });
    }

    fn write(self, text: String) {
        let mut draft = None;
        self.parts.timeline.update(|timeline| draft = Some(timeline.write(text, client_id(), now())));
        self.said_typing_at.set_value(0.0);
        if let Some(draft) = draft {
            self.say(ClientFrame::ChatMessage(draft));
        }
        self.to_end();
    }

    fn retry(self, client_id: &str) {
        let mut draft = None;
        self.parts.timeline.update(|timeline| draft = timeline.retry(client_id));
        if let Some(draft) = draft {
            self.say(ClientFrame::ChatMessage(draft));
        }
    }

    fn typing(self, is_typing: bool) {
        let said_at = self.said_typing_at.get_value();
        if is_typing && now_ms() - said_at >= TYPING_REPEAT_MS {
            self.said_typing_at.set_value(now_ms());
            self.say(ClientFrame::Typing { is_typing });
        } else if !is_typing && said_at > 0.0 {
            self.said_typing_at.set_value(0.0);
            self.say(ClientFrame::Typing { is_typing });
        }
    }

    fn hear(self, message: &RoomMessage) {
        let me = self.parts.timeline.with_untracked(Timeline::me);
        let looking = self.at_end.get_value() && is_visible();
        self.known.0.update(|all| rooms::hear(all, self.room, message, me, looking));
        if !self.at_end.get_value() {
            self.parts.unseen.update(|unseen| *unseen += 1);
            scroll::hold(self.parts.node);
        }
        self.mark_read();
    }

    fn moved(self, at_end: bool) {
        self.at_end.set_value(at_end);
        if at_end {
            self.parts.unseen.set(0);
            self.mark_read();
        }
    }

    fn to_end(self) {
        scroll::to_end(self.parts.node);
        self.moved(true);
    }

    /// Tells the server once that all that is in view has been read.
    fn mark_read(self) {
        let Some(last) = self.parts.timeline.with_untracked(Timeline::last_id) else { return };
        let is_open = self.parts.line.get_untracked() == crate::live::Line::Open;
        if !is_open || !self.at_end.get_value() || !is_visible() || last <= self.read_to.get_value() {
            return;
        }
        self.read_to.set_value(last);
        self.say(ClientFrame::MessageRead { message_id: last.0 });
        self.known.0.update(|all| rooms::read(all, self.room));
    }

    /// Puts the page before above what is shown.
    fn earlier(self) -> bool {
        let Some(first) = self.parts.timeline.with_untracked(Timeline::first_id) else { return false };
        if self.parts.loading.get_untracked() {
            return true;
        }
        self.parts.loading.set(true);
        spawn_local(async move {
            if let Ok(page) = history(self.room, Some(first.0)).await {
                // The page may have gone meanwhile.
                let _ = self
                    .parts
                    .timeline
                    .try_update(|timeline| timeline.prepend(&page.messages, page.has_more));
            }
            let _ = self.parts.loading.try_set(false);
        });
        true
    }

    /// Too much was missed: the newest page takes the place of what was shown.
    fn reload(self) {
        spawn_local(async move {
            if let Ok(page) = history(self.room, None).await {
                let _ = self
                    .parts
                    .timeline
                    .try_update(|timeline| timeline.replace(&page.messages, page.has_more));
            }
        });
    }
}
