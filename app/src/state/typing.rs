//! Who is typing. An entry expires after five seconds, since the frame that ends it may be lost.

use chat::model::{UserId, UserRef};

/// How long a `typing` frame is valid, in milliseconds.
pub const TYPING_TIMEOUT_MS: f64 = 5_000.0;

/// How often `typing` is sent while the user types, in milliseconds; less than the timeout.
pub const TYPING_REPEAT_MS: f64 = 2_500.0;

/// Users who are typing, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typists {
    people: Vec<(UserRef, f64)>,
}

impl Typists {
    /// Applies a `typing` frame received at `now_ms`.
    pub fn update(&mut self, user: &UserRef, is_typing: bool, now_ms: f64) {
        match self.people.iter_mut().find(|(person, _)| person.id == user.id) {
            Some(known) if is_typing => known.1 = now_ms + TYPING_TIMEOUT_MS,
            None if is_typing => self.people.push((user.clone(), now_ms + TYPING_TIMEOUT_MS)),
            _ => self.remove(user.id),
        }
    }

    /// The user sent a message or left.
    pub fn remove(&mut self, user: UserId) {
        self.people.retain(|(person, _)| person.id != user);
    }

    /// Removes expired entries; true if there were any.
    pub fn remove_expired(&mut self, now_ms: f64) -> bool {
        let before = self.people.len();
        self.people.retain(|(_, until)| *until > now_ms);
        self.people.len() != before
    }

    pub fn clear(&mut self) {
        self.people.clear();
    }

    pub fn people(&self) -> impl Iterator<Item = &UserRef> {
        self.people.iter().map(|(person, _)| person)
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> UserRef {
        UserRef { id: UserId(2), username: "bob".into() }
    }

    #[test]
    fn typist_expires_five_seconds_after_the_last_frame() {
        let mut typists = Typists::default();
        typists.update(&bob(), true, 0.0);
        typists.update(&bob(), true, 3_000.0);
        assert!(!typists.remove_expired(7_900.0), "heard of 4.9 s ago");
        assert!(typists.people().eq([&bob()]));
        assert!(typists.remove_expired(8_000.0));
        assert!(typists.is_empty());
    }

    #[test]
    fn stopped_typist_is_removed_at_once() {
        let mut typists = Typists::default();
        typists.update(&bob(), true, 0.0);
        typists.update(&bob(), false, 1.0);
        typists.update(&bob(), false, 2.0);
        assert!(typists.is_empty());
    }
}
