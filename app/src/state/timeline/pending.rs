//! The user's unconfirmed messages.

use std::sync::Arc;

use chat::model::{Failure, MessageDraft, MessageId, MessageType, RoomMessage, Timestamp};

use super::{Delivery, Timeline, TimelineEntry};

impl Timeline {
    /// Shows a new message at once and returns the draft to send.
    pub fn add_pending(
        &mut self,
        content: String,
        reply_to: Option<MessageId>,
        client_id: String,
        now: Timestamp,
    ) -> MessageDraft {
        self.last_own_key -= 1;
        // The quoted message may leave the window before the reply is confirmed.
        if let Some(answered) = reply_to.and_then(|id| self.message(id)) {
            self.quoted.insert(answered.id, answered);
        }
        let message = RoomMessage {
            id: MessageId::default(),
            content,
            message_type: MessageType::Text,
            timestamp: now,
            created_at: now,
            sender: self.me.clone(),
            reply_to,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: Some(client_id),
        };
        let draft = draft(&message);
        self.pending.push(TimelineEntry {
            key: self.last_own_key,
            message: Arc::new(message),
            delivery: Delivery::Sending,
        });
        self.index();
        draft
    }

    /// The server rejected the message with this `client_id`.
    pub fn mark_failed(&mut self, client_id: &str, failure: Failure) {
        if let Some(entry) = self.pending_entry(client_id) {
            entry.delivery = Delivery::Failed(failure);
        }
    }

    /// Resets a failed message and returns the draft to send again.
    pub fn retry(&mut self, client_id: &str) -> Option<MessageDraft> {
        let entry = self.pending_entry(client_id)?;
        entry.delivery = Delivery::Sending;
        Some(draft(&entry.message))
    }

    /// Messages that are being sent; after a reconnect they are sent again. The server recognises them by
    /// `client_id`.
    pub fn unconfirmed(&self) -> Vec<MessageDraft> {
        let sending = self.pending.iter().filter(|entry| entry.delivery == Delivery::Sending);
        sending.map(|entry| draft(&entry.message)).collect()
    }

    /// Whether there is no unconfirmed message.
    pub fn is_all_sent(&self) -> bool {
        self.pending.is_empty()
    }

    fn pending_entry(&mut self, client_id: &str) -> Option<&mut TimelineEntry> {
        self.pending.iter_mut().find(|entry| entry.message.client_id.as_deref() == Some(client_id))
    }
}

fn draft(message: &RoomMessage) -> MessageDraft {
    MessageDraft {
        content: message.content.clone(),
        reply_to: message.reply_to.map(|id| id.0),
        client_id: message.client_id.clone(),
        ..MessageDraft::default()
    }
}
