//! One room's ring of events and who is present in it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast;

use super::{Audience, Event, Frame, Hub, reads::Reads};
use crate::model::{RoomId, ServerFrame, UserId, UserRef};

/// The reader fell a whole ring behind and has missed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

/// What all listeners of a room share.
pub(super) struct Channel {
    ring: broadcast::Sender<Event>,
    pub(super) reads: Reads,
    /// Sockets of each user that count as here. Held while the change is announced,
    /// so that a join and a leave cannot overtake each other.
    present: Mutex<HashMap<UserId, usize>>,
}

impl Channel {
    pub(super) fn new(ring: usize) -> Self {
        Self { ring: broadcast::Sender::new(ring), reads: Reads::default(), present: Mutex::default() }
    }

    pub(super) fn send(&self, event: Event) {
        // An error says that nobody listens any more, which is fine.
        let _ = self.ring.send(event);
    }

    pub(super) fn listeners(&self) -> usize {
        self.ring.receiver_count()
    }

    pub(super) fn present(&self, people: impl Iterator<Item = UserId>) -> HashSet<UserId> {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        people.filter(|user| present.contains_key(user)).collect()
    }

    fn announce(&self, frame: &ServerFrame, user: UserId) {
        if let Some(frame) = Frame::new(frame, None, Audience::Others(user)) {
            self.send(Event::Frame(frame));
        }
    }

    fn arrive(&self, user: &UserRef) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let sockets = present.entry(user.id).or_default();
        *sockets += 1;
        if *sockets == 1 {
            self.announce(&ServerFrame::UserJoin { user: user.clone() }, user.id);
        }
    }

    fn depart(&self, user: &UserRef) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sockets) = present.get_mut(&user.id) else { return };
        *sockets -= 1;
        if *sockets == 0 {
            present.remove(&user.id);
            self.announce(&ServerFrame::UserLeave { user: user.clone() }, user.id);
        }
    }
}

/// One socket's place in a room. Dropping it leaves.
pub struct Subscription {
    hub: Hub,
    room: RoomId,
    user: UserRef,
    channel: Arc<Channel>,
    /// Always there until the drop.
    receiver: Option<broadcast::Receiver<Event>>,
    is_present: bool,
}

impl Subscription {
    pub(super) fn new(hub: Hub, room: RoomId, user: UserRef, channel: Arc<Channel>) -> Self {
        let receiver = Some(channel.ring.subscribe());
        Self { hub, room, user, channel, receiver, is_present: false }
    }

    /// The next event meant for this user. Cancel-safe: an event is either returned or
    /// still in the ring.
    ///
    /// # Errors
    /// [`Lagged`] once this reader missed something.
    pub async fn next(&mut self) -> Result<Event, Lagged> {
        let Some(receiver) = &mut self.receiver else { return Err(Lagged) };
        loop {
            // Closed cannot be: `channel` holds the sender.
            let event = receiver.recv().await.map_err(|_| Lagged)?;
            let is_mine = match &event {
                Event::Frame(frame) => match frame.audience {
                    Audience::Everyone => true,
                    Audience::Others(user) => user != self.user.id,
                },
                Event::Close { user, .. } => user.is_none_or(|user| user == self.user.id),
            };
            if is_mine {
                return Ok(event);
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
            self.channel.arrive(&self.user);
        } else {
            self.channel.depart(&self.user);
        }
    }

    /// Tells the others that this user is, or is no longer, writing.
    pub fn announce_typing(&self, is_typing: bool) {
        self.channel.announce(&ServerFrame::Typing { user: self.user.clone(), is_typing }, self.user.id);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.set_present(false);
        if let Some(receiver) = self.receiver.take() {
            self.hub.unsubscribe(self.room, receiver);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let hub = Hub::new(16);
        let mut watcher = hub.subscribe(RoomId(1), person(1));
        let mut first = hub.subscribe(RoomId(1), person(2));
        let mut second = hub.subscribe(RoomId(1), person(2));
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
        let hub = Hub::new(16);
        let mut alice = hub.subscribe(RoomId(1), person(1));
        let mut bob = hub.subscribe(RoomId(1), person(2));
        alice.announce_typing(true);
        bob.announce_typing(true);
        assert!(text(&bob.next().await.expect("event")).contains("user1"));
        assert!(text(&alice.next().await.expect("event")).contains("user2"));
    }

    #[tokio::test]
    async fn a_reader_that_falls_behind_is_told() {
        let hub = Hub::new(2);
        let mut slow = hub.subscribe(RoomId(1), person(1));
        for _ in 0..5 {
            hub.publish(RoomId(1), Event::Close { user: None, code: crate::model::Code::NotFound });
        }
        assert_eq!(slow.next().await.expect_err("it missed some"), Lagged);
    }

    #[test]
    fn a_room_without_listeners_is_forgotten() {
        let hub = Hub::new(16);
        let one = hub.subscribe(RoomId(1), person(1));
        let two = hub.subscribe(RoomId(1), person(1));
        drop(one);
        assert!(hub.is_listening(RoomId(1)));
        drop(two);
        assert!(!hub.is_listening(RoomId(1)));
    }
}
