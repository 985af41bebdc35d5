//! One room's ring of events and who is present in it.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use tokio::sync::{
    OnceCell,
    broadcast::{self, error::TryRecvError},
    mpsc,
};

use super::{
    Audience, Errand, Event, Frame, Head, Hub, presence::Presence, reads::Reads, sequence::Sequence,
};
use crate::model::{RoomId, ServerFrame, UserId, UserRef};

mod filling;
mod people;

pub use filling::Filling;

/// The reader fell a whole ring behind and has missed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

/// What all listeners of a room share.
pub(super) struct Channel {
    room: RoomId,
    /// Shared, and not copied: a place of the ring is there for as long as the room, whether or not anybody ever spoke.
    ring: broadcast::Sender<Arc<Event>>,
    pub(super) reads: Reads,
    /// Has the database been asked how far the room is?
    started: OnceCell<()>,
    /// Held while stored changes enter the ring, so that they enter in order.
    sequence: Mutex<Sequence>,
    /// Those who lost the right to listen, up to this number, have been closed.
    checked: AtomicI64,
    /// Held while a change is announced, so that a join and a leave cannot overtake each other.
    presence: Mutex<Presence>,
    /// Were the other nodes asked who is there?
    has_asked: AtomicBool,
    errands: mpsc::UnboundedSender<Errand>,
}

impl Channel {
    pub(super) fn new(
        room: RoomId,
        ring: usize,
        errands: mpsc::UnboundedSender<Errand>,
        presence: Presence,
    ) -> Self {
        Self {
            room,
            ring: broadcast::Sender::new(ring),
            reads: Reads::default(),
            started: OnceCell::new(),
            sequence: Mutex::default(),
            checked: AtomicI64::new(0),
            presence: Mutex::new(presence),
            has_asked: AtomicBool::new(false),
            errands,
        }
    }

    /// Hands the event to the sockets here: a stored change when its turn comes, all else at once.
    pub(super) fn send(&self, event: Event) {
        match event {
            Event::Frame(frame) if let Some(rev) = frame.rev => {
                self.advance(|sequence| sequence.offer(rev, frame));
            }
            other => self.put(other),
        }
    }

    /// Has somebody read how far the room is? Whoever will do so later reads all of it.
    pub(super) fn is_started(&self) -> bool {
        self.started.initialized()
    }

    /// The database is so far. Gives the number up to which those who lost the right to listen
    /// were closed, if there are later ones.
    pub(super) fn learn(&self, head: Head) -> Option<i64> {
        // Before the first listener has read, there is nothing to compare with.
        if !self.is_started() {
            return None;
        }
        self.advance(|sequence| {
            sequence.learn(head.rev);
            Vec::new()
        });
        let checked = self.checked.load(Ordering::Relaxed);
        (head.access_rev > checked).then_some(checked)
    }

    /// Everybody who lost the right to listen up to this number was closed.
    pub(super) fn set_checked(&self, access_rev: i64) {
        self.checked.fetch_max(access_rev, Ordering::Relaxed);
    }

    fn advance(&self, step: impl FnOnce(&mut Sequence) -> Vec<Frame>) {
        let mut sequence = self.sequence();
        for frame in step(&mut sequence) {
            self.put(Event::Frame(frame));
        }
        if sequence.must_ask() {
            // An error says that nobody runs errands any more: the process stops.
            let _ = self.errands.send(Errand::Fill(self.room));
        }
    }

    fn put(&self, event: Event) {
        // An error says that nobody listens any more, which is fine.
        let _ = self.ring.send(Arc::new(event));
    }

    /// A panic while the lock was held leaves at worst a hole, which is then filled.
    fn sequence(&self) -> MutexGuard<'_, Sequence> {
        self.sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listeners(&self) -> usize {
        self.ring.receiver_count()
    }
}

fn is_for(user: UserId, event: &Event) -> bool {
    match event {
        Event::Frame(frame) => match frame.audience {
            Audience::Everyone => true,
            Audience::Others(author) => author != user,
        },
        Event::Close { user: whose, .. } => whose.is_none_or(|whose| whose == user),
    }
}

/// One socket's place in a room. Dropping it leaves.
pub struct Subscription {
    hub: Hub,
    user: UserRef,
    channel: Arc<Channel>,
    /// Always there until the drop.
    receiver: Option<broadcast::Receiver<Arc<Event>>>,
    is_present: bool,
}

impl Subscription {
    pub(super) fn new(hub: Hub, user: UserRef, channel: Arc<Channel>) -> Self {
        let receiver = Some(channel.ring.subscribe());
        Self { hub, user, channel, receiver, is_present: false }
    }

    /// Asks the other nodes who is in the room, if nobody here has.
    pub(super) fn ask_first(&self) {
        self.channel.ask_first(self.hub.bus());
    }

    /// Begins with stored changes: those after what `head` reads from the database reach this
    /// subscription. The first of a room's subscriptions reads, for all.
    ///
    /// # Errors
    /// What `head` says; the next one tries again.
    pub async fn begin<E>(&self, head: impl AsyncFnOnce() -> Result<Head, E>) -> Result<(), E> {
        let read = async || {
            let head = head().await?;
            self.channel.checked.store(head.access_rev, Ordering::Relaxed);
            self.channel.advance(|sequence| sequence.start(head.rev));
            Ok(())
        };
        self.channel.started.get_or_try_init(read).await.copied()
    }

    /// The next event meant for this user. Cancel-safe: an event is either returned or
    /// still in the ring.
    ///
    /// # Errors
    /// [`Lagged`] once this reader missed something.
    pub async fn next(&mut self) -> Result<Arc<Event>, Lagged> {
        let Some(receiver) = &mut self.receiver else { return Err(Lagged) };
        loop {
            // Closed cannot be: `channel` holds the sender.
            let event = receiver.recv().await.map_err(|_| Lagged)?;
            if is_for(self.user.id, &event) {
                return Ok(event);
            }
        }
    }

    /// The same if it is there already; `None` when it has to be waited for. Unlike a poll
    /// of [`Self::next`] it leaves no waker behind, for which the room's lock is taken twice.
    pub fn try_next(&mut self) -> Option<Result<Arc<Event>, Lagged>> {
        let receiver = self.receiver.as_mut()?;
        loop {
            match receiver.try_recv() {
                Ok(event) if is_for(self.user.id, &event) => return Some(Ok(event)),
                Ok(_) => {}
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return Some(Err(Lagged)),
            }
        }
    }

    /// This socket counts as here, or no longer; others are told when it is the user's
    /// first one here or the last one to go.
    pub fn set_present(&mut self, is_present: bool) {
        if is_present == self.is_present {
            return;
        }
        self.is_present = is_present;
        if is_present {
            self.channel.arrive(&self.user, self.hub.bus());
        } else {
            self.channel.depart(&self.user, self.hub.bus());
        }
    }

    /// Tells the others that this user is, or is no longer, writing.
    pub fn announce_typing(&self, is_typing: bool) {
        let frame = ServerFrame::Typing { user: self.user.clone(), is_typing };
        self.hub.publish_frame(self.channel.room, &frame, None, Audience::Others(self.user.id));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.set_present(false);
        if let Some(receiver) = self.receiver.take() {
            self.hub.unsubscribe(self.channel.room, receiver);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UserId;

    fn person(id: i64) -> UserRef {
        UserRef { id: UserId(id), username: format!("user{id}") }
    }

    fn text(event: &Event) -> String {
        match event {
            Event::Frame(frame) => String::from_utf8_lossy(&frame.json).into_owned(),
            Event::Close { code, .. } => format!("{code:?}"),
        }
    }

    #[tokio::test]
    async fn others_are_told_of_the_first_socket_and_of_the_last_one_only() {
        let (hub, _errands) = Hub::new(16);
        let mut watcher = hub.subscribe(RoomId(1), person(1)).await;
        let mut first = hub.subscribe(RoomId(1), person(2)).await;
        let mut second = hub.subscribe(RoomId(1), person(2)).await;
        first.set_present(true);
        second.set_present(true);
        drop(first);
        second.set_present(false);
        drop(second);
        hub.publish(RoomId(1), Event::Close { user: None, code: crate::model::Code::NotFound });
        assert!(text(&watcher.next().await.expect("event")).contains("user_join"));
        assert!(text(&watcher.next().await.expect("event")).contains("user_leave"));
        assert_eq!(text(&watcher.next().await.expect("event")), "NotFound");
    }

    #[tokio::test]
    async fn typing_reaches_others_and_not_oneself() {
        let (hub, _errands) = Hub::new(16);
        let mut alice = hub.subscribe(RoomId(1), person(1)).await;
        let mut bob = hub.subscribe(RoomId(1), person(2)).await;
        alice.announce_typing(true);
        bob.announce_typing(true);
        assert!(text(&bob.next().await.expect("event")).contains("user1"));
        assert!(text(&alice.next().await.expect("event")).contains("user2"));
    }

    #[tokio::test]
    async fn a_reader_that_falls_behind_is_told() {
        let (hub, _errands) = Hub::new(2);
        let mut slow = hub.subscribe(RoomId(1), person(1)).await;
        for _ in 0..5 {
            hub.publish(RoomId(1), Event::Close { user: None, code: crate::model::Code::NotFound });
        }
        assert_eq!(slow.next().await.expect_err("it missed some"), Lagged);
    }

    #[tokio::test]
    async fn a_room_without_listeners_is_forgotten() {
        let (hub, _errands) = Hub::new(16);
        let one = hub.subscribe(RoomId(1), person(1)).await;
        let two = hub.subscribe(RoomId(1), person(1)).await;
        drop(one);
        assert!(hub.is_listening(RoomId(1)));
        drop(two);
        assert!(!hub.is_listening(RoomId(1)));
    }
}
