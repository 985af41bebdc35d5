//! Read receipts of other members.

use chat::model::{MessageId, User};

/// Maximum number of members kept; larger rooms show no names.
const MAX_PEOPLE: usize = 200;

#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    people: Vec<(User, MessageId)>,
}

impl Receipts {
    /// `reader` has read up to `id`. True when they have now read `of_interest` and had not before.
    pub(super) fn record(&mut self, id: MessageId, reader: User, of_interest: Option<MessageId>) -> bool {
        let index = self.people.iter().position(|(person, _)| person.id == reader.id);
        let before = match index {
            Some(index) => {
                let up_to = &mut self.people[index].1;
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

    /// Who has read this message, in the order of the receipts.
    pub(super) fn of(&self, id: MessageId) -> Vec<User> {
        let readers = self.people.iter().filter(|(_, up_to)| *up_to >= id);
        readers.map(|(person, _)| person.clone()).collect()
    }
}
