//! The open sockets of this node by user and credential, so that ending a credential closes exactly the sockets
//! opened with it; and the sign-ins that have ended.
//!
//! Nothing here reads the database. The service calls [`OpenSockets::end`] when it ends a credential, and
//! `service::poll` does so for credentials that other processes ended or that expired.

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
    model::{Code, Timestamp, User, UserId},
};

/// All open sockets of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct OpenSockets {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    people: HashMap<UserId, Vec<Arc<SocketEntry>>>,
    /// The known expiry of each socket's credential, earliest first.
    expiring: BTreeSet<(Timestamp, u64, UserId)>,
    /// Ended sign-ins, with the time each ended.
    ended_sign_ins: HashMap<SignInId, Timestamp>,
}

/// One open socket.
pub struct SocketEntry {
    id: u64,
    user: UserId,
    credential: Credential,
    /// The known expiry of the credential, in microseconds; changed only under the lock of [`Inner`].
    expires_at: AtomicI64,
    /// The user's new names, if they changed since the socket was opened.
    renamed: Mutex<Option<Arc<User>>>,
    /// Set once the socket has to close.
    ended: OnceLock<Code>,
    /// Woken when `ended` is set.
    task: AtomicWaker,
}

/// A socket's registration; dropping it removes the socket.
pub struct OpenSocket {
    sockets: OpenSockets,
    entry: Arc<SocketEntry>,
}

impl OpenSockets {
    /// Registers a socket that `user` opened with `credential`. Call it before checking the credential: if the
    /// credential ends after the check, the socket is found here.
    pub fn register(&self, user: UserId, credential: Credential) -> OpenSocket {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        // The expiry of a session is set after the check, with `set_session_end`.
        let expires_at = match &credential {
            Credential::Token { expires_at, .. } => expires_at.0,
            Credential::Session(_) => i64::MAX,
        };
        inner.expiring.insert((Timestamp(expires_at), id, user));
        let expires_at = AtomicI64::new(expires_at);
        let (renamed, ended, task) = (Mutex::default(), OnceLock::new(), AtomicWaker::new());
        let entry = Arc::new(SocketEntry { id, user, credential, expires_at, renamed, ended, task });
        inner.people.entry(user).or_default().push(Arc::clone(&entry));
        drop(inner);
        OpenSocket { sockets: self.clone(), entry }
    }

    /// The sockets of `user` on this node.
    pub fn of(&self, user: UserId) -> Vec<Arc<SocketEntry>> {
        self.lock().people.get(&user).cloned().unwrap_or_default()
    }

    /// Closes the sockets of `user` whose credential matches, with `token_not_valid`.
    pub fn end(&self, user: UserId, is_meant: impl Fn(&Credential) -> bool) {
        for entry in self.of(user) {
            if is_meant(&entry.credential) {
                entry.end(Code::TokenNotValid);
            }
        }
    }

    /// Gives the sockets of this user their new names.
    pub fn rename(&self, user: &Arc<User>) {
        for entry in self.of(user.id) {
            *entry.renamed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(user));
        }
    }

    /// Closes the sockets whose token has expired by `now`. Returns the users with a session whose known expiry has
    /// passed: the session may have been extended, so the caller has to check it. They are returned again until
    /// [`Self::set_session_end`] is called.
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

    /// Sets the known expiry of the sockets that `user` opened with this session.
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

    /// Rejects the tokens of this sign-in, which ended at `at`, from now on.
    pub fn add_ended_sign_in(&self, sign_in: SignInId, at: Timestamp) {
        self.lock().ended_sign_ins.entry(sign_in).or_insert(at);
    }

    /// Whether this sign-in has ended.
    pub fn is_ended(&self, sign_in: &SignInId) -> bool {
        self.lock().ended_sign_ins.contains_key(sign_in)
    }

    /// Removes the sign-ins that ended before `until`, all of whose tokens have expired.
    pub fn forget_sign_ins(&self, until: Timestamp) {
        self.lock().ended_sign_ins.retain(|_, at| *at >= until);
    }

    /// A panic under the lock leaves at worst a stale entry.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketEntry {
    /// Whether the socket has to close.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// The credential that opened the socket.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Closes the socket with this reason.
    pub fn end(&self, code: Code) {
        if self.ended.set(code).is_ok() {
            self.task.wake();
        }
    }
}

impl OpenSocket {
    /// What is shared with those who end the credential.
    pub(in crate::hub) fn entry(&self) -> Arc<SocketEntry> {
        Arc::clone(&self.entry)
    }

    /// The user's new names, if they changed since the socket was opened.
    pub fn renamed(&self) -> Option<Arc<User>> {
        self.entry.renamed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the socket has to close, if its credential has ended. An expired credential counts as ended only after the
    /// next [`OpenSockets::expire`].
    pub fn ended(&self) -> Option<Code> {
        self.entry.ended.get().copied()
    }

    /// Like [`Self::ended`], but an expired token counts as ended at once.
    pub fn ended_by(&self, now: Timestamp) -> Option<Code> {
        let expired = match &self.entry.credential {
            Credential::Token { expires_at, .. } if *expires_at <= now => Some(Code::TokenNotValid),
            Credential::Token { .. } | Credential::Session(_) => None,
        };
        self.ended().or(expired)
    }

    /// Waits until the credential ends, and returns the reason. Only one task can wait at a time. Cancel-safe.
    pub async fn until_ended(&self) -> Code {
        poll_fn(|context| self.poll_ended(context)).await
    }

    fn poll_ended(&self, context: &Context<'_>) -> Poll<Code> {
        let ended = &self.entry.ended;
        if let Some(code) = ended.get() {
            return Poll::Ready(*code);
        }
        self.entry.task.register(context.waker());
        // It may have ended before the waker was registered.
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
    fn ended_credential_closes_only_its_own_sockets() {
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
    fn token_expires_by_time_and_session_is_checked() {
        let sockets = OpenSockets::default();
        let first = sockets.register(UserId(1), token("a", 10));
        let second = sockets.register(UserId(1), token("a", 20));
        let third = sockets.register(UserId(2), session("s"));
        sockets.set_session_end(UserId(2), &SessionId::of_secret("s"), Timestamp(10));
        assert_eq!(first.ended_by(Timestamp(9)), None);
        assert_eq!(first.ended_by(Timestamp(10)), Some(Code::TokenNotValid), "before the poll");
        assert_eq!(first.ended(), None);
        assert_eq!(sockets.expire(Timestamp(9)), []);
        assert_eq!(sockets.expire(Timestamp(10)), [UserId(2)]);
        assert_eq!(first.until_ended().now_or_never(), Some(Code::TokenNotValid));
        assert_eq!((second.until_ended().now_or_never(), third.until_ended().now_or_never()), (None, None));
    }

    #[test]
    fn closed_sockets_leave_no_entries() {
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
