//! A stretch of a room's messages as one sees it: what is stored, in the room's order, and after it what one has
//! written and the server has not confirmed yet.
//!
//! Only a window of the history is kept, however long one reads or listens: what comes in at one end pushes out at the
//! other. Everything here may be heard twice (a resume overlaps, an echo follows an answer) and changes nothing the
//! second time.

use std::{collections::HashMap, sync::Arc};

use chat::model::{Failure, HistoryWindow, MessageId, RoomMessage, User, UserId};

use super::civil::{Civil, Zone};

mod pending;
mod receipts;
mod rows;
mod stretch;
#[cfg(test)]
mod tests;

use receipts::Receipts;
pub use rows::{Placement, Quote, Row};

/// So many messages are kept at most when one pages through them.
pub const KEPT: usize = 300;
/// So many more may gather by themselves before the oldest go, all at once.
const SLACK: usize = 100;

/// What a row is called for as long as it is shown: a stored message's id, or below zero what was written here,
/// which keeps its name when it is confirmed.
pub type Key = i64;

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Written here, not confirmed yet.
    Sending,
    /// Stored.
    Sent,
    /// Refused; it can be tried again.
    Failed(Failure),
}

#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    message: Arc<RoomMessage>,
    delivery: Delivery,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Timeline {
    me: User,
    stored: Vec<Entry>,
    pending: Vec<Entry>,
    places: HashMap<Key, usize>,
    has_earlier: bool,
    has_later: bool,
    /// Is the reader at the end, so that what is above may go?
    follows: bool,
    /// The newest message heard of, shown or not.
    newest: MessageId,
    /// Messages that are answered and not among the stored.
    quoted: HashMap<MessageId, Arc<RoomMessage>>,
    last_read: Option<MessageId>,
    receipts: Receipts,
    /// Found anew whenever something comes or goes.
    last_own: Option<MessageId>,
    first_new: Option<Key>,
    last_own_key: Key,
}

impl Timeline {
    /// A stretch of the history, for this reader.
    pub fn new(me: User, window: HistoryWindow) -> Self {
        let mut timeline = Self {
            me,
            stored: Vec::new(),
            pending: Vec::new(),
            places: HashMap::new(),
            has_earlier: false,
            has_later: false,
            follows: true,
            newest: MessageId::default(),
            quoted: HashMap::new(),
            last_read: window.last_read,
            receipts: Receipts::default(),
            last_own: None,
            first_new: None,
            last_own_key: 0,
        };
        timeline.replace(window);
        timeline
    }

    /// Whose page this is.
    pub fn me(&self) -> UserId {
        self.me.id
    }

    /// Is there older history than what is shown?
    pub fn has_earlier(&self) -> bool {
        self.has_earlier
    }

    /// Are there newer messages than what is shown?
    pub fn has_later(&self) -> bool {
        self.has_later
    }

    /// The oldest message shown.
    pub fn first_id(&self) -> Option<MessageId> {
        self.stored.first().map(|entry| entry.message.id)
    }

    /// The newest message shown.
    pub fn last_id(&self) -> Option<MessageId> {
        self.stored.last().map(|entry| entry.message.id)
    }

    /// The stored message of this id, if it is shown.
    pub fn message(&self, id: MessageId) -> Option<Arc<RoomMessage>> {
        self.find(id).ok().map(|place| Arc::clone(&self.stored[place].message))
    }

    /// The newest message of one's own that is shown and can be edited.
    pub fn last_own(&self) -> Option<MessageId> {
        self.last_own
    }

    /// The row of this message, if it is shown.
    pub fn key_of(&self, id: MessageId) -> Option<Key> {
        self.find(id).ok().map(|place| self.stored[place].key)
    }

    /// The stored message of this row.
    pub fn id_at(&self, key: Key) -> Option<MessageId> {
        self.stored.get(*self.places.get(&key)?).map(|entry| entry.message.id)
    }

    /// The row after this one, or before it.
    pub fn neighbour(&self, key: Key, is_after: bool) -> Option<Key> {
        let place = *self.places.get(&key)?;
        let place = if is_after { place.checked_add(1) } else { place.checked_sub(1) };
        self.entry(place?).map(|entry| entry.key)
    }

    /// The last row.
    pub fn last_key(&self) -> Option<Key> {
        self.entries().last().map(|entry| entry.key)
    }

    /// The reader is at the end, or no longer: then what they are looking at stays.
    pub fn follow(&mut self, follows: bool) {
        self.follows = follows;
    }

    /// A message was stored: somebody's, or one's own, which is thereby confirmed. False if it was known. Where the
    /// end of the history is not shown, or the reader is above and has enough below, it is only counted.
    pub fn receive(&mut self, message: RoomMessage) -> bool {
        let own = (message.sender.id == self.me.id)
            .then(|| self.pending.iter().position(|entry| entry.message.client_id == message.client_id))
            .flatten();
        let key = own.map_or(message.id.0, |place| self.pending.remove(place).key);
        let is_beyond = self.last_id().is_none_or(|last| message.id > last);
        let is_news = message.id > self.newest;
        self.newest = self.newest.max(message.id);
        self.has_later |= is_beyond && !self.follows && self.stored.len() >= KEPT + SLACK;
        let fresh = match self.find(message.id) {
            Ok(known) => {
                self.stored[known].message = Arc::new(message);
                false
            }
            Err(_) if is_beyond && self.has_later => is_news,
            // Before all that is shown: it will be there when one goes there.
            Err(0) if self.has_earlier && !self.stored.is_empty() => false,
            Err(place) => {
                let entry = Entry { key, message: Arc::new(message), delivery: Delivery::Sent };
                self.stored.insert(place, entry);
                true
            }
        };
        if self.follows && self.stored.len() > KEPT + SLACK {
            self.drop_oldest(KEPT);
        }
        self.index();
        fresh
    }

    /// A message has new words. One that is neither shown nor quoted stays away.
    pub fn edit(&mut self, message: RoomMessage) {
        if let Ok(place) = self.find(message.id) {
            self.stored[place].message = Arc::new(message);
        } else if let Some(quoted) = self.quoted.get_mut(&message.id) {
            *quoted = Arc::new(message);
        }
    }

    /// A message is gone.
    pub fn delete(&mut self, id: MessageId) {
        let message = match self.find(id) {
            Ok(place) => Some(&mut self.stored[place].message),
            Err(_) => self.quoted.get_mut(&id),
        };
        if let Some(message) = message {
            let message = Arc::make_mut(message);
            message.is_deleted = true;
            message.content.clear();
        }
        self.index();
    }

    /// `reader` has read this message and all before it. Does that change what is shown?
    pub fn read_by(&mut self, id: MessageId, reader: User) -> bool {
        reader.id != self.me.id && self.receipts.hear(id, reader, self.last_own)
    }

    /// The rows, from the oldest.
    pub fn keys(&self) -> Vec<Key> {
        self.entries().map(|entry| entry.key).collect()
    }

    /// One row; `None` when it is not shown (any more).
    pub fn row(&self, key: Key, zone: Zone) -> Option<Row> {
        let place = *self.places.get(&key)?;
        let entry = self.entry(place)?;
        let message = &entry.message;
        let before = place.checked_sub(1).and_then(|place| self.entry(place));
        let quote = message.reply_to.filter(|_| !message.is_deleted).map(|id| {
            let known = self.message(id).or_else(|| self.quoted.get(&id).cloned());
            known.map_or(Quote::Away(id), Quote::Known)
        });
        let readers =
            if self.last_own == Some(message.id) { self.receipts.of(message.id) } else { Vec::new() };
        Some(Row {
            key,
            message: Arc::clone(message),
            delivery: entry.delivery.clone(),
            is_own: message.sender.id == self.me.id,
            place: Placement::of(message, before.map(|entry| &*entry.message), zone),
            begins_new: self.first_new == Some(key),
            quote,
            readers,
            at: Civil::new(message.created_at, zone),
        })
    }

    /// The first of others' messages that the reader had not read when they came in.
    fn first_new(&self) -> Option<Key> {
        let last_read = self.last_read?;
        let is_new = |entry: &&Entry| entry.message.id > last_read && entry.message.sender.id != self.me.id;
        // Where the stretch begins later, it is further up.
        let has_it = !self.has_earlier || self.first_id().is_some_and(|first| first <= last_read);
        self.stored.iter().find(is_new).filter(|_| has_it).map(|entry| entry.key)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.stored.iter().chain(&self.pending)
    }

    fn entry(&self, place: usize) -> Option<&Entry> {
        self.stored.get(place).or_else(|| self.pending.get(place.checked_sub(self.stored.len())?))
    }

    /// Where the message is, or where it belongs.
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
        let places = self.entries().enumerate().map(|(place, entry)| (entry.key, place)).collect();
        self.places = places;
        self.newest = self.newest.max(self.last_id().unwrap_or_default());
        let is_own = |entry: &&Entry| entry.message.sender.id == self.me.id && !entry.message.is_deleted;
        self.last_own = self.stored.iter().rev().find(is_own).map(|entry| entry.message.id);
        self.first_new = self.first_new();
        if self.quoted.len() > KEPT {
            let answered: Vec<_> = self.entries().filter_map(|entry| entry.message.reply_to).collect();
            self.quoted.retain(|id, _| answered.contains(id));
        }
    }
}

fn stored_entry(message: RoomMessage) -> Entry {
    Entry { key: message.id.0, message: Arc::new(message), delivery: Delivery::Sent }
}
