//! Messages that were written here and are not confirmed: kept in the browser's storage until the server has them, across
//! rooms, reloads and sign-ins. Each is stored once, since the server knows it by its `client_id`.

use chat::model::{Failure, MessageId, RoomId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Prefix of the storage keys of a user's unsent messages. Each has an entry of its own, so that two tabs do not
/// overwrite each other's.
pub fn unsent_of(user: UserId) -> String {
    format!("liao-unsent-{user}-")
}

/// A message that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsentMessage {
    pub client_id: String,
    pub room: RoomId,
    pub content: String,
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    pub written_at: Timestamp,
    /// Why the server refused it; it is sent again only when the user asks for it.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// The unsent messages of one user, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Outbox(Vec<UnsentMessage>);

impl Outbox {
    /// Adds a message, unless it is known.
    pub fn add(&mut self, message: UnsentMessage) {
        if self.find(&message.client_id).is_none() {
            let later = self.0.partition_point(|known| known.written_at <= message.written_at);
            self.0.insert(later, message);
        }
    }

    /// The server has it, or the user gave it up. False if it was not known.
    pub fn remove(&mut self, client_id: &str) -> bool {
        let known = self.0.len();
        self.0.retain(|message| message.client_id != client_id);
        self.0.len() < known
    }

    /// Sets why it was refused; `None` to send it again. Returns the message, if it is known.
    pub fn set_failure(&mut self, client_id: &str, failure: Option<Failure>) -> Option<&UnsentMessage> {
        let message = self.0.iter_mut().find(|message| message.client_id == client_id)?;
        message.failure = failure;
        Some(message)
    }

    /// Those of a room.
    pub fn of(&self, room: RoomId) -> impl Iterator<Item = &UnsentMessage> {
        self.0.iter().filter(move |message| message.room == room)
    }

    /// Those to send when there is a connection.
    pub fn waiting(&self) -> impl Iterator<Item = &UnsentMessage> {
        self.0.iter().filter(|message| message.failure.is_none())
    }

    /// The last refused message of each room.
    pub fn refused(&self) -> Vec<(RoomId, String)> {
        let mut refused: Vec<(RoomId, String)> = Vec::new();
        for message in self.0.iter().filter(|message| message.failure.is_some()) {
            refused.retain(|(room, _)| *room != message.room);
            refused.push((message.room, message.content.clone()));
        }
        refused
    }

    fn find(&self, client_id: &str) -> Option<&UnsentMessage> {
        self.0.iter().find(|message| message.client_id == client_id)
    }
}

#[cfg(test)]
pub mod tests {
    use chat::model::Code;

    use super::*;

    pub fn unsent(client_id: &str, room: i64, at: i64) -> UnsentMessage {
        UnsentMessage {
            client_id: client_id.into(),
            room: RoomId(room),
            content: format!("text of {client_id}"),
            reply_to: None,
            written_at: Timestamp(at),
            failure: None,
        }
    }

    fn ids<'a>(messages: impl Iterator<Item = &'a UnsentMessage>) -> Vec<&'a str> {
        messages.map(|message| message.client_id.as_str()).collect()
    }

    #[test]
    fn messages_are_sent_in_the_order_in_which_they_were_written() {
        let mut outbox = Outbox::default();
        // As the storage gives them: in any order, and this tab's own once more.
        for (id, room, at) in [("c", 1, 30), ("a", 1, 10), ("b", 2, 20), ("a", 1, 10), ("d", 1, 30)] {
            outbox.add(unsent(id, room, at));
        }
        assert_eq!(ids(outbox.waiting()), ["a", "b", "c", "d"]);
        assert_eq!(ids(outbox.of(RoomId(1))), ["a", "c", "d"]);
        assert!(outbox.remove("a") && !outbox.remove("a"));
        assert_eq!(ids(outbox.waiting()), ["b", "c", "d"]);
    }

    #[test]
    fn refused_messages_wait_for_the_user() {
        let mut outbox = Outbox::default();
        for (id, room, at) in [("a", 1, 10), ("b", 2, 20), ("c", 1, 30)] {
            outbox.add(unsent(id, room, at));
            outbox.set_failure(id, Some(Failure::new(Code::Muted)));
        }
        assert_eq!(ids(outbox.waiting()), [""; 0]);
        let refused = |room, text: &str| (RoomId(room), text.to_owned());
        assert_eq!(outbox.refused(), [refused(2, "text of b"), refused(1, "text of c")]);
        assert_eq!(outbox.set_failure("c", None), Some(&unsent("c", 1, 30)));
        assert_eq!(outbox.set_failure("z", None), None);
        assert_eq!(ids(outbox.waiting()), ["c"]);
        assert_eq!(outbox.refused(), [refused(1, "text of a"), refused(2, "text of b")]);
    }

    #[test]
    fn entries_of_the_storage_are_read_back() {
        let mut message = unsent("a", 1, 10);
        message.reply_to = Some(MessageId(7));
        message.failure = Some(Failure::new(Code::TooLarge));
        let json = serde_json::to_string(&message).expect("JSON");
        assert_eq!(serde_json::from_str::<UnsentMessage>(&json).expect("the message"), message);
        assert!(!unsent_of(UserId(12)).starts_with(&unsent_of(UserId(1))));
    }
}
