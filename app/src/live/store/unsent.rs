//! The outbox: what was written here and is not confirmed.

use std::time::Duration;

use chat::model::{Code, Failure, RoomId, RoomMessage};
use leptos::prelude::*;

use super::{Store, Visit};
use crate::{
    browser::storage,
    live::{ConnectionState, client_frames::ClientFrame},
    state::outbox::{UnsentMessage, unsent_of},
};

/// Maximum number of messages that are sent at once, and the pause before the next: within what one user may write.
const AT_ONCE: usize = 15;
const PAUSE: Duration = Duration::from_secs(2);

impl Store {
    /// Shows what of the room is not confirmed: once its page is hydrated, since the server has rendered it without.
    pub fn show_unsent(self, visit: Visit) {
        let unsent: Vec<_> = self.known.with_value(|known| known.outbox.of(visit.room).cloned().collect());
        if !unsent.is_empty() {
            visit.signals.timeline.update(|timeline| {
                for message in &unsent {
                    timeline.add_pending(message);
                }
            });
        }
    }

    /// Sends a message, now or when there is a connection, and shows it at once.
    pub fn write(self, message: UnsentMessage) {
        self.keep(&message);
        if let Some(signals) = self.signals(message.room) {
            signals.timeline.update(|timeline| {
                timeline.add_pending(&message);
            });
        }
        // Not past those that were written before it.
        if !self.known.with_value(|known| known.is_sending_later) {
            self.send(&ClientFrame::message(&message));
        }
        self.known.update_value(|known| known.outbox.add(message));
    }

    /// Sends a refused message again.
    pub fn retry(self, client_id: &str) {
        let message = self.known.try_update_value(|known| known.outbox.set_failure(client_id, None).cloned());
        let Some(message) = message.flatten() else { return };
        self.keep(&message);
        if let Some(signals) = self.signals(message.room) {
            signals.timeline.update(|timeline| timeline.retry(client_id));
        }
        self.send(&ClientFrame::message(&message));
        self.show_refused();
    }

    /// Gives up a refused message.
    pub fn discard(self, room: RoomId, client_id: &str) {
        self.forget_unsent(client_id);
        if let Some(signals) = self.signals(room) {
            signals.timeline.update(|timeline| timeline.discard(client_id));
        }
    }

    pub(super) fn send_waiting(self) {
        self.known.with_value(|known| {
            let waiting = known.outbox.waiting().take(AT_ONCE);
            waiting.for_each(|message| known.send(&ClientFrame::message(message)));
        });
        if self.known.with_value(|known| known.outbox.waiting().count() > AT_ONCE) {
            self.send_waiting_later();
        }
    }

    /// After a pause, unless one has begun.
    fn send_waiting_later(self) {
        let is_begun =
            self.known.try_update_value(|known| std::mem::replace(&mut known.is_sending_later, true));
        if is_begun == Some(false) {
            let send = move || {
                self.known.update_value(|known| known.is_sending_later = false);
                if self.status.connection.get_untracked() == ConnectionState::Open {
                    self.send_waiting();
                }
            };
            set_timeout(send, PAUSE);
        }
    }

    pub(super) fn on_message(self, message: &RoomMessage) {
        let is_own =
            self.known.with_value(|known| known.me.as_ref().is_some_and(|me| me.id == message.sender.id));
        if let Some(client_id) = message.client_id.as_deref().filter(|_| is_own) {
            self.forget_unsent(client_id);
        }
    }

    /// The timeline of the room, if it is open, learns of it by itself.
    pub(super) fn on_refused(self, code: Code, client_id: &str) {
        if is_temporary(code) {
            return self.send_waiting_later();
        }
        let refused = self
            .known
            .try_update_value(|known| known.outbox.set_failure(client_id, Some(Failure::new(code))).cloned());
        if let Some(message) = refused.flatten() {
            self.keep(&message);
            self.show_refused();
        }
    }

    fn forget_unsent(self, client_id: &str) {
        if self.known.try_update_value(|known| known.outbox.remove(client_id)) == Some(true) {
            if let Some(key) = self.key_of(client_id) {
                storage::set(&key, "");
            }
            self.show_refused();
        }
    }

    /// Writes an unsent message to the storage.
    fn keep(self, message: &UnsentMessage) {
        if let (Some(key), Ok(json)) = (self.key_of(&message.client_id), serde_json::to_string(message)) {
            storage::set(&key, &json);
        }
    }

    fn key_of(self, client_id: &str) -> Option<String> {
        self.known.with_value(|known| Some(unsent_of(known.me.as_ref()?.id) + client_id))
    }

    /// The list of rooms shows refused messages.
    pub(super) fn show_refused(self) {
        let refused = self.known.with_value(|known| known.outbox.refused());
        if self.rooms.with_untracked(|rooms| rooms.refused != refused) {
            self.rooms.update(|rooms| rooms.refused = refused);
        }
    }
}

/// Whether a message that was refused for this reason is sent again by itself.
pub(super) fn is_temporary(code: Code) -> bool {
    matches!(code, Code::Throttled | Code::Unavailable)
}
