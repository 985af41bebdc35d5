//! What the connection tells the store.

use chat::model::{Code, RoomId, UserId};
use leptos::{prelude::*, task::spawn_local};

use super::{Hooks, LiveRoom, Store, unsent::is_temporary};
use crate::{
    browser::{clock::now_ms, document::is_visible},
    live::{
        ConnectionState,
        apply::{Outcome, apply},
        client_frames::ClientFrame,
        connection::Event,
        incoming::{Incoming, decode},
        notification_frames::{self, NotificationFrame},
        room_frames::{ErrorFrame, MembersChanged, RoomFrame, StoredMessage, Subscribed},
    },
    server::rooms::list_rooms,
    state::{room_signals::RoomSignals, timeline::Timeline, typing::Typists},
};

impl Store {
    pub(super) fn on_event(self, event: Event) {
        match event {
            Event::Frame(text) => self.on_frame(&text),
            Event::Lost => {
                if !matches!(self.status.connection.get_untracked(), ConnectionState::Closed(_)) {
                    self.set_connection(ConnectionState::Lost);
                }
            }
            Event::Rejected(code) => {
                let reason = self.known.with_value(|known| known.last_error);
                self.sign_out(reason.unwrap_or(code));
            }
        }
    }

    fn on_frame(self, text: &str) {
        if self.known.with_value(|known| known.is_ended) {
            return;
        }
        let frame = decode(text);
        let error = if let Incoming::Error(code) = frame { Some(code) } else { None };
        self.known.update_value(|known| known.last_error = error);
        // The network was away, and the connection is the same.
        let is_back = self.status.connection.get_untracked() == ConnectionState::Lost;
        if is_back && !matches!(frame, Incoming::Established { .. }) {
            self.status.connection.set(ConnectionState::Open);
            for signals in self.known.with_value(|known| known.open.subscribed()) {
                signals.connection.set(ConnectionState::Open);
            }
        }
        match frame {
            Incoming::Established { user, build } => self.on_established(user, build),
            Incoming::Room(room, frame) => self.on_room_frame(room, frame),
            Incoming::User(frame) => self.on_user_frame(frame),
            Incoming::Error(_) | Incoming::Other => {}
        }
    }

    /// Connected: follows the open rooms from where they are, and sends what waits.
    fn on_established(self, user: Option<UserId>, build: String) {
        self.known.update_value(|known| known.connected_as = user);
        if self.is_of_another() {
            return;
        }
        self.status.connection.set(ConnectionState::Open);
        self.known.update_value(|known| {
            known.open.unsubscribed();
            let first = known.build.get_or_insert_with(|| build.clone());
            self.status.is_outdated.set(*first != build);
        });
        self.known.with_value(|known| known.open.ids().for_each(|id| known.subscribe(id)));
        self.send_waiting();
        // Plain messages are not told again, and the page may be older than the connection.
        self.reload_list();
    }

    fn reload_list(self) {
        spawn_local(async move {
            if let Ok(list) = list_rooms().await {
                // The page may have been closed meanwhile.
                let _ = self.rooms.try_update(|rooms| rooms.replace(list));
            }
        });
    }

    fn on_user_frame(self, frame: NotificationFrame) {
        match &frame {
            NotificationFrame::Reload => self.reload_list(),
            frame => {
                let visible = self.known.with_value(|known| known.open.visible()).filter(|_| is_visible());
                self.rooms.update(|rooms| notification_frames::apply(frame, rooms, visible));
            }
        }
        self.on_notification.run(frame);
    }

    fn on_room_frame(self, id: RoomId, frame: RoomFrame) {
        match &frame {
            RoomFrame::Message(StoredMessage { message, .. }) => self.on_message(message),
            RoomFrame::Error(ErrorFrame { code, client_id: Some(client_id) }) => {
                self.on_refused(*code, client_id);
            }
            _ => {}
        }
        // It stays as it is: it is sent again by itself.
        if let RoomFrame::Error(ErrorFrame { code, client_id: Some(_) }) = &frame
            && is_temporary(*code)
        {
            return;
        }
        let room = self.known.with_value(|known| {
            let LiveRoom { signals, hooks, position, .. } = known.open.find(id)?;
            Some((*signals, *hooks, *position))
        });
        let Some((signals, hooks, mut position)) = room else { return };
        let is_first = signals.connection.get_untracked() == ConnectionState::Connecting;
        self.follow_members(id, signals, hooks, &frame);
        let mut typists = signals.typists.get_untracked();
        let mut outcome = Outcome::Nothing;
        signals.timeline.maybe_update(|timeline| {
            outcome = apply(frame, timeline, &mut typists, &mut position, now_ms());
            outcome != Outcome::Nothing
        });
        if signals.typists.with_untracked(|known| *known != typists) {
            signals.typists.set(typists);
        }
        self.known.update_value(|known| known.open.advance(id, position));
        match (outcome, hooks) {
            (Outcome::Subscribed, hooks) => {
                signals.connection.set(ConnectionState::Open);
                if let Some(hooks) = hooks {
                    hooks.established.run(is_first);
                }
            }
            (Outcome::NewMessage(message), Some(hooks)) => hooks.new_message.run(*message),
            (Outcome::MessageChanged { id, content }, Some(hooks)) => {
                hooks.message_changed.run((id, content));
            }
            (Outcome::Reload, Some(hooks)) => hooks.reload.run(()),
            // Its page will be loaded anew.
            (Outcome::Reload, None) => self.forget(id),
            (Outcome::Error(code), hooks) => self.on_ended(id, code, signals, hooks),
            _ => {}
        }
    }

    /// Applies a frame to the members of a room.
    fn follow_members(self, id: RoomId, signals: RoomSignals, hooks: Option<Hooks>, frame: &RoomFrame) {
        let roster = signals.roster;
        match frame {
            RoomFrame::Subscribed(Subscribed { present }) => {
                self.known.update_value(|known| known.open.set_subscribed(id));
                roster.update(|roster| roster.set_present(present));
            }
            RoomFrame::Joined(user) => roster.update(|roster| roster.set_presence(user, true)),
            RoomFrame::Left(user) => roster.update(|roster| roster.set_presence(user, false)),
            RoomFrame::Member(changed) => {
                roster.update(|roster| roster.change(changed.clone()));
                if changed.user.id == signals.timeline.with_untracked(Timeline::me) {
                    let loss = changed.loss();
                    self.known.update_value(|known| known.open.set_loss(id, loss));
                    if let Some(hooks) = hooks.filter(|_| loss.is_none()) {
                        hooks.permissions_changed.run(());
                    }
                }
            }
            RoomFrame::Members(MembersChanged { member_count, .. }) => {
                roster.update(|roster| roster.count = *member_count);
            }
            _ => {}
        }
    }

    /// The subscription has ended. A hidden room ends as not found, however it was lost.
    fn on_ended(self, id: RoomId, code: Code, signals: RoomSignals, hooks: Option<Hooks>) {
        if !matches!(code, Code::NotFound | Code::NotAMember | Code::Banned) {
            return;
        }
        let loss = self.known.with_value(|known| known.open.find(id).and_then(|room| room.loss));
        let code = if code == Code::NotFound { loss.unwrap_or(code) } else { code };
        signals.connection.set(ConnectionState::Closed(code));
        signals.typists.update(Typists::clear);
        match hooks {
            Some(hooks) => hooks.closed.run(code),
            None => self.forget(id),
        }
    }

    fn forget(self, id: RoomId) {
        self.known.update_value(|known| known.open.forget(id));
        self.send(&ClientFrame::Unsubscribe { room_id: id });
    }
}
