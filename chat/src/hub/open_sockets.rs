//! The open sockets of this node, by the person and the credential that opened them, so that a credential which ends
//! closes exactly what it opened; and the sign-ins that have ended.
//!
//! Nothing here asks the database. Whoever ends a credential calls [`OpenSockets::end`]; the watch does the same for
//! what other processes ended, and for what expires.

use std::{
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

use crate::{
    credential::{Credential, SessionId, SignInId},
    model::{Code, Timestamp, UserId},
};

/// All open sockets of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct OpenSockets {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    people: HashMap<UserId, Vec<Arc<Entry>>>,
    /// When each credential expires, as far as is known: the next one first.
    expiring: BTreeSet<(Timestamp, u64, UserId)>,
    /// And when each of them ended.
    ended_sign_ins: HashMap<SignInId, Timestamp>,
}

/// One socket.
pub struct Entry {
    id: u64,
    user: UserId,
    credential: Credential,
    /// When the credential expires, as far as is known; changed under the lock of [`Inner`] alone.
    expires_at: AtomicI64,
    /// Why it has to close.
    ended: OnceLock<Code>,
    /// The task that waits for that.
    task: AtomicWaker,
}

/// One socket's registration. Dropping it ends the registration.
pub struct OpenSocket {
    sockets: OpenSockets,
    entry: Arc<Entry>,
}

impl OpenSockets {
    /// Registers a socket that `user` opened with `credential`. To be done before the credential is checked: one that
    /// ends after the check then finds the socket here.
    pub fn register(&self, user: UserId, credential: Credential) -> OpenSocket {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        // Until when a session is good, whoever checks it will say.
        let expires_at = match &credential {
            Credential::Token { expires_at, .. } => expires_at.0,
            Credential::Session(_) => i64::MAX,
        };
        inner.expiring.insert((Timestamp(expires_at), id, user));
        let expires_at = AtomicI64::new(expires_at);
        let (ended, task) = (OnceLock::new(), AtomicWaker::new());
        let entry = Arc::new(Entry { id, user, credential, expires_at, ended, task });
        inner.people.entry(user).or_default().push(Arc::clone(&entry));
        drop(inner);
        OpenSocket { sockets: self.clone(), entry }
    }

    /// The sockets that `user` has here now.
    pub fn of(&self, user: UserId) -> Vec<Arc<Entry>> {
        self.lock().people.get(&user).cloned().unwrap_or_default()
    }

    /// Ends `user`'s sockets here whose credential `is_meant`: it is not good any more.
    pub fn end(&self, user: UserId, is_meant: impl Fn(&Credential) -> bool) {
        for entry in self.of(user) {
            if is_meant(&entry.credential) {
                entry.end(Code::TokenNotValid);
            }
        }
    }

    /// Ends the sockets whose token has expired by `now`. Gives the people whose session should have: whether it was
    /// prolonged, the database says, and until somebody has looked they are given again.
    pub fn expire(&self, now: Timestamp) -> Vec<UserId> {
        let inner = self.lock();
        let Inner { people, expiring, .. } = &*inner;
        let mut to_check = BTreeSet::new();
        for (_, id, user) in expiring.range(..=(now, u64::MAX, UserId(i64::MAX))) {
            let entry = people.get(user).and_then(|of| of.iter().find(|entry| entry.id == *id));
            match entry.map(|entry| (entry, &entry.credential)) {
                Some((entry, Credential::Token { .. })) => entry.end(Code::TokenNotValid),
                Some((_, Credential::Session(_))) => drop(to_check.insert(*user)),
                None => {}
            }
        }
        to_check.into_iter().collect()
    }

    /// The sockets of `user` that were opened with this session are to be looked at again at `at`, when it expires.
    pub fn set_session_end(&self, user: UserId, session: &SessionId, at: Timestamp) {
        let mut inner = self.lock();
        let Inner { people, expiring, .. } = &mut *inner;
        for entry in people.get(&user).into_iter().flatten() {
            if matches!(&entry.credential, Credential::Session(id) if id == session) {
                let before = entry.expires_at.swap(at.0, Ordering::Relaxed);
                expiring.remove(&(Timestamp(before), entry.id, user));
                expiring.insert((at, entry.id, user));
            }
        }
    }

    /// Tokens of this sign-in, which ended at `at`, are worth nothing from now on.
    pub fn add_ended_sign_in(&self, sign_in: SignInId, at: Timestamp) {
        self.lock().ended_sign_ins.entry(sign_in).or_insert(at);
    }

    /// Has this sign-in ended?
    pub fn is_ended(&self, sign_in: &SignInId) -> bool {
        self.lock().ended_sign_ins.contains_key(sign_in)
    }

    /// Forgets the sign-ins that ended before `until`: all of their tokens have expired.
    pub fn forget_sign_ins(&self, until: Timestamp) {
        self.lock().ended_sign_ins.retain(|_, at| *at >= until);
    }

    /// A panic while the lock was held leaves at worst an entry too many.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// What the socket was opened with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Closes the socket, with this reason.
    pub fn end(&self, code: Code) {
        if self.ended.set(code).is_ok() {
            self.task.wake();
        }
    }
}

impl OpenSocket {
    /// Why the socket has to close, if its credential has ended. One that expires does so when [`OpenSockets::expire`]
    /// is next called.
    pub fn ended(&self) -> Option<Code> {
        self.entry.ended.get().copied()
    }

    /// The same, and an expired token has ended at once.
    pub fn ended_by(&self, now: Timestamp) -> Option<Code> {
        let expired = match &self.entry.credential {
            Credential::Token { expires_at, .. } if *expires_at <= now => Some(Code::TokenNotValid),
            Credential::Token { .. } | Credential::Session(_) => None,
        };
        self.ended().or(expired)
    }

    /// Waits until the credential ends, and says why. One task can wait at a time. Cancel-safe.
    pub async fn until_ended(&self) -> Code {
        poll_fn(|context| self.poll_ended(context)).await
    }

    fn poll_ended(&self, context: &Context<'_>) -> Poll<Code> {
        let ended = &self.entry.ended;
        if let Some(code) = ended.get() {
            return Poll::Ready(*code);
        }
        self.entry.task.register(context.waker());
        // It may have ended before the waker was there.
        ended.get().map_or(Poll::Pending, |code| Poll::Ready(*code))
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        let (id, user) = (self.entry.id, self.entry.user);
        let mut inner = self.sockets.lock();
        if let Some(entries) = inner.people.get_mut(&user) {
            entries.retain(|entry| entry.id != id);
            if entries.is_empty() {
                inner.people.remove(&user);
            }
        }
        let expires_at = Timestamp(self.entry.expires_at.load(Ordering::Relaxed));
        inner.expiring.remove(&(expires_at, id, user));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn token(sign_in: &str, expires_at: i64) -> Credential {
        let (issued_at, expires_at) = (Timestamp(0), Timestamp(expires_at));
        Credential::Token { sign_in: SignInId::new(sign_in), issued_at, expires_at }
    }

    fn session(secret: &str) -> Credential {
        Credential::Session(SessionId::of_secret(secret))
    }

    #[test]
    fn a_credential_that_ends_closes_what_it_opened_and_nothing_else() {
        let sockets = OpenSockets::default();
        let (one, two) = (UserId(1), UserId(2));
        let ended = sockets.register(one, session("a"));
        let others = [
            sockets.register(one, session("b")),
            sockets.register(one, token("a", 9)),
            sockets.register(two, session("a")),
        ];
        let gone = session("a");
        sockets.end(one, |credential| *credential == gone);
        assert_eq!(ended.until_ended().now_or_never(), Some(Code::TokenNotValid));
        assert!(others.iter().all(|other| other.until_ended().now_or_never().is_none()));
    }

    #[test]
    fn a_token_ends_at_its_time_and_a_session_is_asked_about() {
        let sockets = OpenSockets::default();
        let first = sockets.register(UserId(1), token("a", 10));
        let second = sockets.register(UserId(1), token("a", 20));
        let third = sockets.register(UserId(2), session("s"));
        sockets.set_session_end(UserId(2), &SessionId::of_secret("s"), Timestamp(10));
        assert_eq!(first.ended_by(Timestamp(9)), None);
        assert_eq!(first.ended_by(Timestamp(10)), Some(Code::TokenNotValid), "before the watch comes to it");
        assert_eq!(first.ended(), None);
        assert_eq!(sockets.expire(Timestamp(9)), []);
        assert_eq!(sockets.expire(Timestamp(10)), [UserId(2)]);
        assert_eq!(first.until_ended().now_or_never(), Some(Code::TokenNotValid));
        assert_eq!((second.until_ended().now_or_never(), third.until_ended().now_or_never()), (None, None));
    }

    #[test]
    fn what_has_closed_leaves_nothing_behind() {
        let sockets = OpenSockets::default();
        let open = [sockets.register(UserId(1), token("a", 10)), sockets.register(UserId(1), session("s"))];
        sockets.set_session_end(UserId(1), &SessionId::of_secret("s"), Timestamp(5));
        drop(open);
        let inner = sockets.lock();
        assert!(inner.people.is_empty() && inner.expiring.is_empty());
    }

    #[test]
    fn ended_sign_ins_are_known_until_their_tokens_have_expired() {
        let sockets = OpenSockets::default();
        sockets.add_ended_sign_in(SignInId::new("a"), Timestamp(10));
        assert!(sockets.is_ended(&SignInId::new("a")) && !sockets.is_ended(&SignInId::new("b")));
        sockets.forget_sign_ins(Timestamp(10));
        assert!(sockets.is_ended(&SignInId::new("a")));
        sockets.forget_sign_ins(Timestamp(11));
        assert!(!sockets.is_ended(&SignInId::new("a")));
    }
}
