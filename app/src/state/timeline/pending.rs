//! The user's unconfirmed messages.

use std::sync::Arc;

use chat::model::{Failure, MessageId, MessageType, RoomMessage};

use super::{Delivery, Timeline, TimelineEntry};
use crate::state::outbox::UnsentMessage;

impl Timeline {
    /// Shows a message that is not confirmed. False if the server's message is here already.
    pub fn add_pending(&mut self, unsent: &UnsentMessage) -> bool {
        let client_id = Some(unsent.client_id.as_str());
        if self.entries().any(|entry| entry.message.client_id.as_deref() == client_id) {
            return false;
        }
        self.last_own_key -= 1;
        // The quoted message may leave the window before the reply is confirmed.
        if let Some(answered) = unsent.reply_to.and_then(|id| self.message(id)) {
            self.quoted.insert(answered.id, answered);
        }
        let message = RoomMessage {
            id: MessageId::default(),
            content: unsent.content.clone(),
            message_type: MessageType::Text,
            timestamp: unsent.written_at,
            created_at: unsent.written_at,
            sender: self.me.clone(),
            reply_to: unsent.reply_to,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: Some(unsent.client_id.clone()),
        };
        self.pending.push(TimelineEntry {
            key: self.last_own_key,
            message: Arc::new(message),
            delivery: unsent.failure.clone().map_or(Delivery::Sending, Delivery::Failed),
        });
        self.index();
        true
    }

    /// The server refused the message with this `client_id`.
    pub fn mark_failed(&mut self, client_id: &str, failure: Failure) {
        self.set_delivery(client_id, Delivery::Failed(failure));
    }

    /// The message is sent again.
    pub fn retry(&mut self, client_id: &str) {
        self.set_delivery(client_id, Delivery::Sending);
    }

    /// The user gave up the message.
    pub fn discard(&mut self, client_id: &str) {
        self.pending.retain(|entry| entry.message.client_id.as_deref() != Some(client_id));
        self.index();
    }

    fn set_delivery(&mut self, client_id: &str, delivery: Delivery) {
        let mut pending = self.pending.iter_mut();
        if let Some(entry) = pending.find(|entry| entry.message.client_id.as_deref() == Some(client_id)) {
            entry.delivery = delivery;
        }
    }
}
