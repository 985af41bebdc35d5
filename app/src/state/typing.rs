//! Who is writing just now. Their word holds for five seconds, since the word that they stopped may be lost.

use chat::model::{UserId, UserRef};

/// How long a `typing` frame holds, in milliseconds.
pub const TYPING_TIMEOUT_MS: f64 = 5_000.0;

/// How seldom one says so of oneself, in milliseconds: often enough to hold.
pub const TYPING_REPEAT_MS: f64 = 2_500.0;

/// Who is writing, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typists {
    people: Vec<(UserRef, f64)>,
}

impl Typists {
    /// `user` is, or is no longer, writing at `now_ms`.
    pub fn update(&mut self, user: &UserRef, is_typing: bool, now_ms: f64) {
        match self.people.iter_mut().find(|(person, _)| person.id == user.id) {
            Some(known) if is_typing => known.1 = now_ms + TYPING_TIMEOUT_MS,
            None if is_typing => self.people.push((user.clone(), now_ms + TYPING_TIMEOUT_MS)),
            _ => self.remove(user.id),
        }
    }

    /// Their message came, or they left.
    pub fn remove(&mut self, user: UserId) {
        self.people.retain(|(person, _)| person.id != user);
    }

    /// Drops whoever has not been heard of for too long; true when that changed anything.
    pub fn remove_expired(&mut self, now_ms: f64) -> bool {
        let before = self.people.len();
        self.people.retain(|(_, until)| *until > now_ms);
        self.people.len() != before
    }

    /// Nobody is heard of any more.
    pub fn clear(&mut self) {
        self.people.clear();
    }

    /// Who they are.
    pub fn people(&self) -> impl Iterator<Item = &UserRef> {
        self.people.iter().map(|(person, _)| person)
    }

    /// Is nobody writing?
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
    fn one_who_types_on_stays_and_one_who_fell_silent_goes_after_five_seconds() {
        let mut typists = Typists::default();
        typists.update(&bob(), true, 0.0);
        typists.update(&bob(), true, 3_000.0);
        assert!(!typists.remove_expired(7_900.0), "heard of 4.9 s ago");
        assert!(typists.people().eq([&bob()]));
        assert!(typists.remove_expired(8_000.0));
        assert!(typists.is_empty());
    }

    #[test]
    fn one_who_stops_goes_at_once() {
        let mut typists = Typists::default();
        typists.update(&bob(), true, 0.0);
        typists.update(&bob(), false, 1.0);
        typists.update(&bob(), false, 2.0);
        assert!(typists.is_empty());
    }
}
