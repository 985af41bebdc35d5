//! The messages of a room that are shown: a window of the stored history, followed by the user's unconfirmed
//! messages.
//!
//! The window is bounded: messages that are added at one end push others out at the other. All updates are
//! idempotent, since resumed frames overlap and a response is followed by an echo.

use std::{collections::HashMap, sync::Arc};

use chat::model::{Failure, HistoryWindow, MessageId, RoomMessage, User, UserId};

use super::local_time::{LocalTime, Zone};

mod pending;
mod receipts;
mod row;
#[cfg(test)]
mod tests;
mod window;

use receipts::Receipts;
pub use row::{Placement, Quote, Row};

/// Maximum number of messages in the window while paging.
pub const MAX_KEPT: usize = 300;
/// Number of messages that a room is shown with again, beside the unread ones: a page of history.
const VISIT: usize = 50;
/// New messages may exceed the maximum by this number before the oldest are dropped at once.
const SLACK: usize = 100;

/// Key of a row: a stored message's id, or a negative number for a message written here, which keeps it after
/// confirmation.
pub type RowKey = i64;

/// Delivery state of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sending,
    Sent,
    /// Rejected; can be sent again.
    Failed(Failure),
}

#[derive(Clone, Debug)]
struct TimelineEntry {
    key: RowKey,
    message: Arc<RoomMessage>,
    delivery: Delivery,
}

#[derive(Clone, Debug)]
pub struct Timeline {
    me: User,
    stored: Vec<TimelineEntry>,
    pending: Vec<TimelineEntry>,
    positions: HashMap<RowKey, usize>,
    has_earlier: bool,
    has_later: bool,
    /// Whether the view is at the end, so that old messages may be dropped.
    at_end: bool,
    /// The newest message known, shown or not.
    newest: MessageId,
    /// Messages outside of the window that others reply to.
    quoted: HashMap<MessageId, Arc<RoomMessage>>,
    /// The last message that the user had read when the page was opened.
    last_read: Option<MessageId>,
    /// The last message that the user has read since.
    read_to: Option<MessageId>,
    receipts: Receipts,
    /// Derived by `index`.
    last_own: Option<MessageId>,
    first_new: Option<RowKey>,
    last_own_key: RowKey,
}

impl Timeline {
    /// The timeline of user `me` with its first page of history.
    pub fn new(me: User, window: HistoryWindow) -> Self {
        let mut timeline = Self {
            me,
            stored: Vec::new(),
            pending: Vec::new(),
            positions: HashMap::new(),
            has_earlier: false,
            has_later: false,
            at_end: true,
            newest: MessageId::default(),
            quoted: HashMap::new(),
            last_read: window.last_read,
            read_to: None,
            receipts: Receipts::default(),
            last_own: None,
            first_new: None,
            last_own_key: 0,
        };
        timeline.replace(window);
        timeline
    }

    pub fn me(&self) -> UserId {
        self.me.id
    }

    /// Whether there is history before the window.
    pub fn has_earlier(&self) -> bool {
        self.has_earlier
    }

    /// Whether there are messages after the window.
    pub fn has_later(&self) -> bool {
        self.has_later
    }

    /// The last message that the user had read when the page was opened, if the window does not reach back to it.
    pub fn read_before_window(&self) -> Option<MessageId> {
        self.last_read
            .filter(|last_read| self.has_earlier && self.first_id().is_some_and(|first| first > *last_read))
    }

    pub fn first_id(&self) -> Option<MessageId> {
        self.stored.first().map(|entry| entry.message.id)
    }

    pub fn last_id(&self) -> Option<MessageId> {
        self.stored.last().map(|entry| entry.message.id)
    }

    /// The stored message with this id, if it is in the window.
    pub fn message(&self, id: MessageId) -> Option<Arc<RoomMessage>> {
        self.find(id).ok().map(|index| Arc::clone(&self.stored[index].message))
    }

    /// The user's newest message in the window that can be edited.
    pub fn last_own(&self) -> Option<MessageId> {
        self.last_own
    }

    /// The row of this message, if it is in the window.
    pub fn key_of(&self, id: MessageId) -> Option<RowKey> {
        self.find(id).ok().map(|index| self.stored[index].key)
    }

    /// The stored message of this row.
    pub fn id_at(&self, key: RowKey) -> Option<MessageId> {
        self.stored.get(*self.positions.get(&key)?).map(|entry| entry.message.id)
    }

    /// The row after this one, or before it.
    pub fn neighbour(&self, key: RowKey, is_after: bool) -> Option<RowKey> {
        let index = *self.positions.get(&key)?;
        let index = if is_after { index.checked_add(1) } else { index.checked_sub(1) };
        self.entry(index?).map(|entry| entry.key)
    }

    pub fn last_key(&self) -> Option<RowKey> {
        self.entries().last().map(|entry| entry.key)
    }

    /// The view is at the end, or no longer; then no message that is shown may be dropped.
    pub fn set_at_end(&mut self, at_end: bool) {
        self.at_end = at_end;
    }

    /// Adds a stored message, or confirms the user's own. False if it was known. While the end of the history is not
    /// in the window, or the view is scrolled up and enough is below, the message is only counted.
    pub fn receive(&mut self, message: RoomMessage) -> bool {
        let own = (message.sender.id == self.me.id)
            .then(|| self.pending.iter().position(|entry| entry.message.client_id == message.client_id))
            .flatten();
        let key = own.map_or(message.id.0, |index| self.pending.remove(index).key);
        let is_beyond = self.last_id().is_none_or(|last| message.id > last);
        let is_newest = message.id > self.newest;
        self.newest = self.newest.max(message.id);
        self.has_later |= is_beyond && !self.at_end && self.stored.len() >= MAX_KEPT + SLACK;
        let is_new = match self.find(message.id) {
            Ok(known) => {
                self.stored[known].message = Arc::new(message);
                false
            }
            Err(_) if is_beyond && self.has_later => is_newest,
            // Before the window: it will be loaded with its page.
            Err(0) if self.has_earlier && !self.stored.is_empty() => false,
            Err(index) => {
                let entry = TimelineEntry { key, message: Arc::new(message), delivery: Delivery::Sent };
                self.stored.insert(index, entry);
                true
            }
        };
        if self.at_end && self.stored.len() > MAX_KEPT + SLACK {
            self.drop_oldest(MAX_KEPT);
        }
        self.index();
        is_new
    }

    /// Replaces an edited message, if it is in the window or quoted.
    pub fn edit(&mut self, message: RoomMessage) {
        if let Ok(index) = self.find(message.id) {
            self.stored[index].message = Arc::new(message);
        } else if let Some(quoted) = self.quoted.get_mut(&message.id) {
            *quoted = Arc::new(message);
        }
    }

    pub fn delete(&mut self, id: MessageId) {
        let message = match self.find(id) {
            Ok(index) => Some(&mut self.stored[index].message),
            Err(_) => self.quoted.get_mut(&id),
        };
        if let Some(message) = message {
            let message = Arc::make_mut(message);
            message.is_deleted = true;
            message.content.clear();
        }
        self.index();
    }

    /// `reader` has read up to this message. True if that changes what is shown.
    pub fn read_by(&mut self, id: MessageId, reader: User) -> bool {
        reader.id != self.me.id && self.receipts.record(id, reader, self.last_own)
    }

    pub fn keys(&self) -> Vec<RowKey> {
        self.entries().map(|entry| entry.key).collect()
    }

    /// A row; `None` when it is not in the window any more.
    pub fn row(&self, key: RowKey, zone: Zone) -> Option<Row> {
        let index = *self.positions.get(&key)?;
        let entry = self.entry(index)?;
        let message = &entry.message;
        let before = index.checked_sub(1).and_then(|index| self.entry(index));
        let quote = message.reply_to.filter(|_| !message.is_deleted).map(|id| {
            let known = self.message(id).or_else(|| self.quoted.get(&id).cloned());
            known.map_or(Quote::Missing(id), Quote::Loaded)
        });
        let readers =
            if self.last_own == Some(message.id) { self.receipts.of(message.id) } else { Vec::new() };
        Some(Row {
            key,
            message: Arc::clone(message),
            delivery: entry.delivery.clone(),
            is_own: message.sender.id == self.me.id,
            placement: Placement::of(message, before.map(|entry| &*entry.message), zone),
            begins_new: self.first_new == Some(key),
            quote,
            readers,
            at: LocalTime::new(message.created_at, zone),
        })
    }

    /// The first message of others that was unread when the page was opened.
    fn first_new(&self) -> Option<RowKey> {
        let last_read = self.last_read?;
        let is_new =
            |entry: &&TimelineEntry| entry.message.id > last_read && entry.message.sender.id != self.me.id;
        // If the window begins later, it is further up.
        let has_it = !self.has_earlier || self.first_id().is_some_and(|first| first <= last_read);
        self.stored.iter().find(is_new).filter(|_| has_it).map(|entry| entry.key)
    }

    fn entries(&self) -> impl Iterator<Item = &TimelineEntry> {
        self.stored.iter().chain(&self.pending)
    }

    fn entry(&self, index: usize) -> Option<&TimelineEntry> {
        self.stored.get(index).or_else(|| self.pending.get(index.checked_sub(self.stored.len())?))
    }

    /// The index of the message, or where it would be inserted.
    fn find(&self, id: MessageId) -> Result<usize, usize> {
        self.stored.binary_search_by_key(&id, |entry| entry.message.id)
    }

    fn drop_oldest(&mut self, keep: usize) {
        if let Some(surplus @ 1..) = self.stored.len().checked_sub(keep) {
            self.stored.drain(..surplus);
            self.has_earlier = true;
        }
    }

    fn index(&mut self) {
        let positions = self.entries().enumerate().map(|(index, entry)| (entry.key, index)).collect();
        self.positions = positions;
        self.newest = self.newest.max(self.last_id().unwrap_or_default());
        let is_own =
            |entry: &&TimelineEntry| entry.message.sender.id == self.me.id && !entry.message.is_deleted;
        self.last_own = self.stored.iter().rev().find(is_own).map(|entry| entry.message.id);
        self.first_new = self.first_new();
        if self.quoted.len() > MAX_KEPT {
            let answered: Vec<_> = self.entries().filter_map(|entry| entry.message.reply_to).collect();
            self.quoted.retain(|id, _| answered.contains(id));
        }
    }
}

fn stored_entry(message: RoomMessage) -> TimelineEntry {
    TimelineEntry { key: message.id.0, message: Arc::new(message), delivery: Delivery::Sent }
}
