//! How far others have read, as far as one has heard.

use chat::model::{MessageId, User};

/// So many people are kept; a room of more has no use for their names.
const MAX_PEOPLE: usize = 200;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    people: Vec<(User, MessageId)>,
}

impl Receipts {
    /// `reader` has read up to `id`. True when that made them a reader of `of_interest`.
    pub(super) fn record(&mut self, id: MessageId, reader: User, of_interest: Option<MessageId>) -> bool {
        let place = self.people.iter().position(|(person, _)| person.id == reader.id);
        let before = match place {
            Some(place) => {
                let up_to = &mut self.people[place].1;
                std::mem::replace(up_to, id.max(*up_to))
            }
            None if self.people.len() < MAX_PEOPLE => {
                self.people.push((reader, id));
                MessageId::default()
            }
            None => return false,
        };
        of_interest.is_some_and(|message| before < message && message <= id)
    }

    /// Who has read this message, in the order in which they were first heard of.
    pub(super) fn of(&self, id: MessageId) -> Vec<User> {
        let readers = self.people.iter().filter(|(_, up_to)| *up_to >= id);
        readers.map(|(person, _)| person.clone()).collect()
    }
}
