//! A room's messages as one sees them: what is stored, in the room's order, and after it what one has
//! written and the server has not confirmed yet.
//!
//! Everything here may be heard twice (a resume overlaps, an echo follows an answer) and changes nothing the
//! second time.

use std::{collections::HashMap, sync::Arc};

use chat::model::{
    Failure, Message, MessageDraft, MessageId, MessageType, RoomMessage, Timestamp, User, UserId,
};

use super::civil::{Civil, Zone};

mod rows;
#[cfg(test)]
mod tests;

pub use rows::{Placement, Row};

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
    last_own_key: Key,
}

impl Timeline {
    /// The newest page of a room, `newest_first` as the server gives it.
    pub fn new(me: User, newest_first: &[Message], has_earlier: bool) -> Self {
        let stored: Vec<Entry> =
            newest_first.iter().rev().map(|message| stored_entry(message.into())).collect();
        let mut timeline =
            Self { me, stored, pending: Vec::new(), places: HashMap::new(), has_earlier, last_own_key: 0 };
        timeline.index();
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

    /// The oldest message shown.
    pub fn first_id(&self) -> Option<MessageId> {
        self.stored.first().map(|entry| entry.message.id)
    }

    /// The newest message stored.
    pub fn last_id(&self) -> Option<MessageId> {
        self.stored.last().map(|entry| entry.message.id)
    }

    /// Is there nothing to show?
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.pending.is_empty()
    }

    /// An older page, `newest_first`, goes above.
    pub fn prepend(&mut self, newest_first: &[Message], has_earlier: bool) {
        let oldest = self.first_id();
        let older: Vec<Entry> = newest_first
            .iter()
            .rev()
            .filter(|message| oldest.is_none_or(|oldest| message.id < oldest))
            .map(|message| stored_entry(message.into()))
            .collect();
        self.stored.splice(0..0, older);
        self.has_earlier = has_earlier;
        self.index();
    }

    /// Too much was missed to be replayed: the newest page takes the place of all that was stored.
    /// What one has written and not seen confirmed stays.
    pub fn replace(&mut self, newest_first: &[Message], has_earlier: bool) {
        self.stored.clear();
        self.has_earlier = has_earlier;
        for message in newest_first.iter().rev() {
            self.receive(message.into());
        }
        self.index();
    }

    /// Shows what one has written at once, and returns what is to be sent.
    pub fn write(&mut self, content: String, client_id: String, now: Timestamp) -> MessageDraft {
        self.last_own_key -= 1;
        let message = RoomMessage {
            id: MessageId::default(),
            content,
            message_type: MessageType::Text,
            timestamp: now,
            created_at: now,
            sender: self.me.clone(),
            reply_to: None,
            file_url: None,
            file_name: None,
            file_size: None,
            is_edited: false,
            is_deleted: false,
            client_id: Some(client_id),
        };
        let draft = draft(&message);
        self.pending.push(Entry {
            key: self.last_own_key,
            message: Arc::new(message),
            delivery: Delivery::Sending,
        });
        self.index();
        draft
    }

    /// A message was stored: somebody's, or one's own, which is thereby confirmed. False if it was known.
    pub fn receive(&mut self, message: RoomMessage) -> bool {
        let own = (message.sender.id == self.me.id)
            .then(|| self.pending.iter().position(|entry| entry.message.client_id == message.client_id))
            .flatten();
        let key = own.map_or(message.id.0, |place| self.pending.remove(place).key);
        let fresh = match self.find(message.id) {
            Ok(known) => {
                self.stored[known].message = Arc::new(message);
                false
            }
            Err(place) => {
                let entry = Entry { key, message: Arc::new(message), delivery: Delivery::Sent };
                self.stored.insert(place, entry);
                true
            }
        };
        self.index();
        fresh
    }

    /// A message has new words. One that is not shown stays away.
    pub fn edit(&mut self, message: RoomMessage) {
        if let Ok(place) = self.find(message.id) {
            self.stored[place].message = Arc::new(message);
        }
    }

    /// A message is gone.
    pub fn delete(&mut self, id: MessageId) {
        if let Ok(place) = self.find(id) {
            let message = Arc::make_mut(&mut self.stored[place].message);
            message.is_deleted = true;
            message.content.clear();
        }
    }

    /// The server refused what was written here under `client_id`.
    pub fn refuse(&mut self, client_id: &str, failure: Failure) {
        if let Some(entry) = self.own(client_id) {
            entry.delivery = Delivery::Failed(failure);
        }
    }

    /// Tries again what was refused; what is to be sent, if there is such.
    pub fn retry(&mut self, client_id: &str) -> Option<MessageDraft> {
        let entry = self.own(client_id)?;
        entry.delivery = Delivery::Sending;
        Some(draft(&entry.message))
    }

    /// All that is on its way and not confirmed: after a lost connection it goes out again. The server knows
    /// each by its `client_id` and stores it once.
    pub fn unconfirmed(&self) -> Vec<MessageDraft> {
        let sending = self.pending.iter().filter(|entry| entry.delivery == Delivery::Sending);
        sending.map(|entry| draft(&entry.message)).collect()
    }

    /// The rows, from the oldest.
    pub fn keys(&self) -> Vec<Key> {
        self.entries().map(|entry| entry.key).collect()
    }

    /// One row; `None` when it is not shown (any more).
    pub fn row(&self, key: Key, zone: Zone) -> Option<Row> {
        let place = *self.places.get(&key)?;
        let entry = self.entry(place)?;
        let before = place.checked_sub(1).and_then(|place| self.entry(place));
        Some(Row {
            message: Arc::clone(&entry.message),
            delivery: entry.delivery.clone(),
            is_own: entry.message.sender.id == self.me.id,
            place: Placement::of(&entry.message, before.map(|entry| &*entry.message), zone),
            at: Civil::new(entry.message.created_at, zone),
        })
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.stored.iter().chain(&self.pending)
    }

    fn entry(&self, place: usize) -> Option<&Entry> {
        self.stored.get(place).or_else(|| self.pending.get(place - self.stored.len()))
    }

    fn own(&mut self, client_id: &str) -> Option<&mut Entry> {
        self.pending.iter_mut().find(|entry| entry.message.client_id.as_deref() == Some(client_id))
    }

    /// Where the message is, or where it belongs.
    fn find(&self, id: MessageId) -> Result<usize, usize> {
        self.stored.binary_search_by_key(&id, |entry| entry.message.id)
    }

    fn index(&mut self) {
        let places = self.entries().enumerate().map(|(place, entry)| (entry.key, place)).collect();
        self.places = places;
    }
}

fn stored_entry(message: RoomMessage) -> Entry {
    Entry { key: message.id.0, message: Arc::new(message), delivery: Delivery::Sent }
}

fn draft(message: &RoomMessage) -> MessageDraft {
    MessageDraft {
        content: message.content.clone(),
        client_id: message.client_id.clone(),
        ..MessageDraft::default()
    }
}
