//! What the live pages know, as long as the browser's tab has them open: the list of rooms, the rooms that were opened
//! last, and the messages that are not confirmed. Pages borrow its signals; the connection feeds them.

use chat::model::{Code, Failure, RoomId, User, UserId, limits::CONTENT_MAX};
use leptos::prelude::*;

use super::{
    ConnectionState, PageStatus,
    client_frames::ClientFrame,
    connection::{Frames, connect},
    notification_frames::NotificationFrame,
};
use crate::{
    browser::storage,
    server::rooms::OpenedRoom,
    state::{
        outbox::{Outbox, UnsentMessage, unsent_of},
        room_signals::RoomSignals,
        rooms::Rooms,
    },
};

mod frames;
mod open_rooms;
mod unsent;

pub use open_rooms::{Hooks, Visit};
use open_rooms::{LiveRoom, OpenRooms};

/// Provided as context.
#[derive(Clone, Copy)]
pub struct Store {
    rooms: RwSignal<Rooms>,
    status: PageStatus,
    known: StoredValue<Known>,
    on_notification: Callback<NotificationFrame>,
}

struct Known {
    me: Option<User>,
    frames: Option<Frames>,
    open: OpenRooms,
    outbox: Outbox,
    /// The release of the server at the first connection.
    build: Option<String>,
    /// Whether the rest of what waits is sent after a pause.
    is_sending_later: bool,
    /// Whose connection it is.
    connected_as: Option<UserId>,
    /// Whether the session has ended.
    is_ended: bool,
    /// The last error frame, if nothing followed it. Before a close it gives the reason in more detail than the close code.
    last_error: Option<Code>,
}

impl Store {
    /// Of the current owner. `on_notification` hears of what concerns the user, after it was applied.
    pub fn new(
        rooms: RwSignal<Rooms>,
        status: PageStatus,
        on_notification: Callback<NotificationFrame>,
    ) -> Self {
        let known = Known {
            me: None,
            frames: None,
            open: OpenRooms::new(),
            outbox: Outbox::default(),
            build: None,
            is_sending_later: false,
            connected_as: None,
            is_ended: false,
            last_error: None,
        };
        let store = Self { rooms, status, known: StoredValue::new(known), on_notification };
        let frames = connect(move |event| store.on_event(event));
        store.known.update_value(|known| known.frames = Some(frames));
        store
    }

    /// Who the user is. What they wrote here before, and was not confirmed, is read from the storage.
    pub fn set_user(self, me: &User) {
        if let Some(known) = self.known.with_value(|known| known.me.as_ref().map(|me| me.id)) {
            if known != me.id {
                self.sign_out(Code::NotAuthenticated);
            }
            return;
        }
        let stored = storage::with_prefix(&unsent_of(me.id)).into_iter();
        let unsent = stored.filter_map(|(client_id, json)| {
            let message: UnsentMessage = serde_json::from_slice(json.as_bytes()).ok()?;
            let is_long = message.content.chars().count() > CONTENT_MAX;
            let failure = if is_long { Some(Failure::new(Code::TooLarge)) } else { message.failure };
            Some(UnsentMessage { client_id, failure, ..message })
        });
        self.known.update_value(|known| {
            known.me = Some(me.clone());
            unsent.for_each(|message| known.outbox.add(message));
        });
        // Once the list is hydrated: the server has rendered it without.
        Effect::new(move |_| self.show_refused());
        if !self.is_of_another() && self.status.connection.get_untracked() == ConnectionState::Open {
            self.send_waiting();
        }
    }

    pub fn send(self, frame: &ClientFrame<'_>) {
        self.known.with_value(|known| known.send(frame));
    }

    /// What is known of a room that was open before, to show it again.
    pub fn reopen(self, id: RoomId) -> Option<OpenedRoom> {
        let mut opened = self.known.with_value(|known| known.open.find(id)?.reopen())?;
        self.rooms.with_untracked(|rooms| {
            if let Some(room) = rooms.find(id) {
                opened.room.unread_count = room.unread_count;
            }
        });
        Some(opened)
    }

    /// A page shows the room. `opened` is as [`Self::reopen`] or the server gave it; `None` if the user is not a member.
    pub fn enter(self, opened: OpenedRoom) -> Option<Visit> {
        self.set_user(&opened.me);
        if self.known.with_value(|known| known.me.as_ref().is_some_and(|me| me.id != opened.me.id)) {
            return None;
        }
        let id = opened.room.id;
        let state = self.status.connection.get_untracked();
        let visit = self.known.try_update_value(|known| known.open.enter(opened)).flatten()?;
        if visit.is_new && state == ConnectionState::Lost {
            visit.signals.connection.set(state);
        }
        self.known.with_value(|known| {
            if visit.is_new {
                known.subscribe(id);
            } else {
                known.send(&ClientFrame::UserJoin { room_id: id });
            }
        });
        Some(visit)
    }

    /// Calls these while the visit lasts.
    pub fn listen(self, visit: Visit, hooks: Hooks) {
        self.known.update_value(|known| known.open.set_hooks(visit, Some(hooks)));
    }

    /// The page that showed the room was left.
    pub fn leave(self, visit: Visit) {
        self.known.try_update_value(|known| {
            if known.open.leave(visit) {
                known.send(&ClientFrame::UserLeave { room_id: visit.room });
            }
            for room_id in known.open.forget_surplus() {
                known.send(&ClientFrame::Unsubscribe { room_id });
            }
        });
    }

    /// The session has ended, as a request has told. Nothing is sent any more.
    pub fn sign_out(self, code: Code) {
        self.known.update_value(|known| known.is_ended = true);
        self.set_connection(ConnectionState::Closed(code));
    }

    /// Whether somebody else has signed in in this browser meanwhile: what this page has is not theirs to send or to see.
    fn is_of_another(self) -> bool {
        let is_another = self.known.with_value(|known| match (&known.me, known.connected_as) {
            (Some(me), Some(user)) => me.id != user,
            _ => false,
        });
        if is_another {
            self.sign_out(Code::NotAuthenticated);
        }
        is_another
    }

    fn signals(self, room: RoomId) -> Option<RoomSignals> {
        self.known.with_value(|known| known.open.find(room).map(|room| room.signals))
    }

    fn set_connection(self, state: ConnectionState) {
        self.status.connection.set(state);
        // A room is open again when it is subscribed to.
        if state != ConnectionState::Open {
            for signals in self.known.with_value(|known| known.open.signals()) {
                if !matches!(signals.connection.get_untracked(), ConnectionState::Closed(_)) {
                    signals.connection.set(state);
                }
            }
        }
    }
}

impl Known {
    fn send(&self, frame: &ClientFrame<'_>) {
        if let Some(frames) = self.frames.as_ref().filter(|_| !self.is_ended) {
            frames.send(frame);
        }
    }

    fn subscribe(&self, id: RoomId) {
        if let Some(room) = self.open.find(id) {
            self.send(&ClientFrame::Subscribe {
                room_id: id,
                after_rev: room.position.rev,
                here: room.is_visible(),
            });
        }
    }
}
