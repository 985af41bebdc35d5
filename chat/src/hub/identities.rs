//! Verified identities, cached so that a call does not read its caller's account again.
//!
//! Every end of a credential forgets the user's entries: at once on the node that ended it, and on every other one when
//! it reads the end. Entries also expire after a few seconds, which bounds how long a change that no end reports (a new
//! name, a group) stays unnoticed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    credential::{Claim, Credential},
    model::{Timestamp, User, UserId},
};

/// How long an entry is used, in microseconds.
const TTL: i64 = 10_000_000;
/// Maximum number of users; when more are cached, all are forgotten.
const USERS_MAX: usize = 50_000;
/// Maximum number of credentials of one user.
const CREDENTIALS_MAX: usize = 16;

/// The cached identities of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Identities {
    entries: Arc<Mutex<HashMap<UserId, Vec<Entry>>>>,
    /// Increases each time something is forgotten.
    generation: Arc<AtomicU64>,
}

struct Entry {
    credential: Credential,
    user: User,
    /// When the entry or the credential expires, whichever is first.
    good_until: Timestamp,
}

/// Taken before an identity is verified: if anything is forgotten meanwhile, the result is not cached.
#[derive(Clone, Copy, Debug)]
pub struct Generation(u64);

impl Identities {
    /// The user of this claim, if it was verified a moment ago.
    pub fn find(&self, claim: &Claim, now: Timestamp) -> Option<User> {
        let entries = self.entries();
        let mut entries = entries.get(&claim.user)?.iter();
        let entry = entries.find(|entry| entry.credential == claim.credential)?;
        (now < entry.good_until).then(|| entry.user.clone())
    }

    /// Call it before an identity is verified.
    pub fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Caches a verified identity.
    pub fn insert(
        &self,
        generation: Generation,
        credential: Credential,
        user: User,
        expires_at: Timestamp,
        now: Timestamp,
    ) {
        let mut entries = self.entries();
        if self.generation.load(Ordering::Acquire) != generation.0 {
            return;
        }
        if entries.len() >= USERS_MAX && !entries.contains_key(&user.id) {
            entries.clear();
        }
        let of_user = entries.entry(user.id).or_default();
        of_user.retain(|entry| entry.credential != credential && now < entry.good_until);
        if of_user.len() >= CREDENTIALS_MAX {
            of_user.remove(0);
        }
        let good_until = expires_at.min(now.plus_micros(TTL));
        of_user.push(Entry { credential, user, good_until });
    }

    /// Forgets everything about the user.
    pub fn forget(&self, user: UserId) {
        let mut entries = self.entries();
        self.generation.fetch_add(1, Ordering::Release);
        entries.remove(&user);
    }

    /// A panic cannot leave the map inconsistent, so a poisoned lock is ignored.
    fn entries(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::SessionId;

    const NOW: Timestamp = Timestamp(1_000);

    fn user() -> User {
        let (first_name, last_name) = (String::new(), String::new());
        User { id: UserId(1), username: "amy".into(), first_name, last_name }
    }

    fn claim(secret: &str) -> Claim {
        Claim { user: UserId(1), credential: Credential::Session(SessionId::of_secret(secret)) }
    }

    fn insert(identities: &Identities, secret: &str, expires_at: i64) {
        let generation = identities.generation();
        identities.insert(generation, claim(secret).credential, user(), Timestamp(expires_at), NOW);
    }

    #[test]
    fn an_identity_is_found_until_it_or_its_entry_expires() {
        let identities = Identities::default();
        insert(&identities, "long", i64::MAX);
        insert(&identities, "short", 2_000);
        assert_eq!(identities.find(&claim("long"), NOW), Some(user()));
        assert_eq!(identities.find(&claim("other"), NOW), None);
        assert_eq!(identities.find(&claim("short"), Timestamp(1_999)), Some(user()));
        assert_eq!(identities.find(&claim("short"), Timestamp(2_000)), None);
        assert_eq!(identities.find(&claim("long"), NOW.plus_micros(TTL)), None);
    }

    #[test]
    fn an_end_forgets_the_user_and_what_is_being_verified() {
        let identities = Identities::default();
        insert(&identities, "one", i64::MAX);
        let before = identities.generation();
        identities.forget(UserId(1));
        assert_eq!(identities.find(&claim("one"), NOW), None);
        // It was read from the database before the end.
        identities.insert(before, claim("one").credential, user(), Timestamp(i64::MAX), NOW);
        assert_eq!(identities.find(&claim("one"), NOW), None);
    }

    #[test]
    fn credentials_of_a_user_are_bounded() {
        let identities = Identities::default();
        for number in 0..100 {
            insert(&identities, &number.to_string(), i64::MAX);
        }
        assert_eq!(identities.entries().get(&UserId(1)).map(Vec::len), Some(CREDENTIALS_MAX));
        assert!(identities.find(&claim("99"), NOW).is_some());
    }
}
