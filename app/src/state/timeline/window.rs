//! Changes of the window: pages of history before it, after it or in its place, and quoted messages.

use std::sync::Arc;

use chat::model::{HistoryWindow, MessageId, RoomMessage};

use super::{MAX_KEPT, Timeline, TimelineEntry, VISIT, stored_entry};

impl Timeline {
    /// Adds the page before the window. Surplus messages at the end are dropped and can be loaded again.
    pub fn prepend(&mut self, window: HistoryWindow) {
        let first = self.first_id();
        let older =
            window.messages.into_iter().filter(|message| first.is_none_or(|first| message.id < first));
        let older: Vec<TimelineEntry> = older.map(stored_entry).collect();
        self.stored.splice(0..0, older);
        self.has_earlier = window.has_earlier;
        self.add_quoted(window.quoted);
        if self.stored.len() > MAX_KEPT {
            self.stored.truncate(MAX_KEPT);
            self.has_later = true;
        }
        self.index();
    }

    /// Adds the page after the window; surplus messages at the beginning are dropped.
    pub fn append(&mut self, window: HistoryWindow) {
        let last = self.last_id();
        let newer = window.messages.into_iter().filter(|message| last.is_none_or(|last| message.id > last));
        self.stored.extend(newer.map(stored_entry));
        // Messages received meanwhile were only counted.
        self.has_later = window.has_later || self.last_id().is_some_and(|last| last < self.newest);
        self.add_quoted(window.quoted);
        self.drop_oldest(MAX_KEPT);
        self.index();
    }

    /// Replaces the window. Unconfirmed messages stay.
    pub fn replace(&mut self, window: HistoryWindow) {
        self.stored.clear();
        self.quoted.clear();
        self.has_earlier = window.has_earlier;
        self.has_later = false;
        self.add_quoted(window.quoted);
        for message in window.messages {
            self.receive(message);
        }
        // Messages received meanwhile were only counted.
        self.has_later = window.has_later || self.last_id().is_some_and(|last| last < self.newest);
        self.index();
    }

    /// More was missed than is sent: until a page of it is loaded, what comes now is after a gap.
    pub fn begin_gap(&mut self) {
        self.has_later = true;
    }

    /// More was missed than is sent: the window stays, and messages after it can be loaded, up to this newest page.
    pub fn mark_gap(&mut self, newest: &HistoryWindow) {
        let newest = newest.messages.last().map_or(self.newest, |message| message.id);
        self.newest = self.newest.max(newest);
        self.has_later |= self.last_id().is_some_and(|last| last < self.newest);
    }

    /// Another look at the room: new is what came since the last one, and no more is shown than on the first look, with
    /// room for what is unread.
    pub fn begin_visit(&mut self, unread: usize) {
        if unread == 0 {
            self.read_to = self.read_to.max(self.last_id());
        }
        self.last_read = self.last_read.max(self.read_to);
        self.at_end = true;
        self.drop_oldest((VISIT + unread).min(3 * VISIT));
        self.index();
    }

    /// The user has read up to this message.
    pub fn mark_read(&mut self, id: MessageId) {
        self.read_to = self.read_to.max(Some(id));
    }

    /// Messages of the window that others quote and that are not here.
    pub fn missing_quotes(&self) -> Vec<MessageId> {
        let answered = self.stored.iter().filter_map(|entry| entry.message.reply_to);
        answered.filter(|id| !self.has_quoted(*id)).collect()
    }

    /// Whether the message is available for a quote.
    pub fn has_quoted(&self, id: MessageId) -> bool {
        self.quoted.contains_key(&id) || self.find(id).is_ok()
    }

    /// Adds messages that others reply to.
    pub fn add_quoted(&mut self, messages: Vec<RoomMessage>) {
        self.quoted.extend(messages.into_iter().map(|message| (message.id, Arc::new(message))));
    }
}
