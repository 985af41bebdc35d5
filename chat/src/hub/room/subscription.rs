//! One socket's subscription to a room: its position in the ring and in the volatile lane, and whether its user is present.

use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use futures::future::BoxFuture;

use super::{Channel, Lagged, ring::RingReader, signal_limiter::UserSignal, volatile::LaneReader};
use crate::{
    event::Event,
    hub::{Hub, OnlineReader},
    model::{UserId, UserRef},
};

/// One socket's subscription to a room. Dropping it unsubscribes.
pub struct Subscription {
    hub: Hub,
    user: UserRef,
    channel: Arc<Channel>,
    /// `None` while it is in `waiting`, and after the drop.
    receiver: Option<RingReader>,
    /// Waits for the next event of the ring, for [`Self::poll_next`].
    waiting: Option<BoxFuture<'static, (RingReader, Result<Event, Lagged>)>>,
    volatile: LaneReader,
    is_present: bool,
}

impl Subscription {
    pub(in crate::hub) fn new(hub: Hub, user: UserRef, channel: Arc<Channel>) -> Self {
        let (receiver, volatile) = (Some(channel.ring.subscribe()), channel.volatile.subscribe());
        Self { hub, user, channel, receiver, waiting: None, volatile, is_present: false }
    }

    /// Requests the rosters of the other nodes, if this node has not yet.
    pub(in crate::hub) fn request_rosters(&self) {
        self.channel.request_rosters(self.hub.bus());
    }

    /// Starts the delivery of stored changes: those after the number that `rev` reads from the database. Only the first
    /// subscription of a room reads it, for all.
    ///
    /// # Errors
    /// Those of `rev`; the next subscription then tries again.
    pub async fn start<E>(&mut self, rev: impl AsyncFnOnce() -> Result<i64, E>) -> Result<(), E> {
        let read = async || {
            let rev = rev().await?;
            self.channel.advance(&self.hub, |sequence| sequence.start(rev));
            Ok(())
        };
        self.channel.started.get_or_try_init(read).await.copied()
    }

    /// The next event for this user, stored changes before volatile ones. Cancel-safe.
    ///
    /// # Errors
    /// [`Lagged`] if this reader missed events.
    pub async fn next(&mut self) -> Result<Event, Lagged> {
        let user = self.user.id;
        let Some(receiver) = &mut self.receiver else { return Err(Lagged) };
        tokio::select! {
            biased;
            event = receiver.next(user) => event,
            frame = poll_fn(|context| self.volatile.poll_next(context, user)) => Ok(Event::Frame(frame)),
        }
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Event, Lagged>> {
        let user = self.user.id;
        let stored = self.receiver.as_mut()?.try_next(user);
        stored.or_else(|| self.volatile.try_next(user).map(|frame| Ok(Event::Frame(frame))))
    }

    /// Like [`Self::next`], for a task that waits for many subscriptions, each with a waker of its own. The waker stays
    /// registered until an event is ready.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Lagged>> {
        if self.waiting.is_none() {
            if let Some(event) = self.try_next() {
                return Poll::Ready(event);
            }
            let Some(mut receiver) = self.receiver.take() else { return Poll::Ready(Err(Lagged)) };
            let user = self.user.id;
            self.waiting = Some(Box::pin(async move {
                let event = receiver.next(user).await;
                (receiver, event)
            }));
        }
        if let Some(waiting) = &mut self.waiting
            && let Poll::Ready((receiver, event)) = waiting.as_mut().poll(context)
        {
            (self.receiver, self.waiting) = (Some(receiver), None);
            return Poll::Ready(event);
        }
        self.volatile.poll_next(context, self.user.id).map(|frame| Ok(Event::Frame(frame)))
    }

    /// Continues behind the newest event, after [`Lagged`]. What was missed has to be read from the database after this.
    pub fn rejoin(&mut self) {
        (self.receiver, self.waiting) = (Some(self.channel.ring.subscribe()), None);
    }

    /// The ids of users who are present in the room, this one first, as far as this node knows.
    pub fn present(&self, limit: usize) -> Vec<UserId> {
        self.channel.present_ids(self.user.id, limit)
    }

    /// Follows which members are online.
    pub fn follow_online(&self) -> OnlineReader {
        OnlineReader::new(self.hub.clone(), self.channel.online.subscribe(), self.user.id)
    }

    /// How many membership changes of the room this node knows of.
    pub fn member_changes(&self) -> u64 {
        self.channel.member_changes.load(Ordering::Acquire)
    }

    /// Whether this socket counts as present.
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// Sets whether this socket counts as present. Others are notified of the user's first present socket and after
    /// the last one.
    pub fn set_present(&mut self, is_present: bool) {
        if is_present == self.is_present {
            return;
        }
        self.is_present = is_present;
        if is_present {
            self.channel.add_socket(&self.user, &self.hub);
        } else {
            self.channel.remove_socket(&self.user, &self.hub);
        }
    }

    /// Notifies the others that this user started or stopped typing, now or when the rate limit allows.
    pub fn announce_typing(&self, is_typing: bool) {
        self.channel.submit_signal(UserSignal::Typing { user: self.user.clone(), is_typing }, &self.hub);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.set_present(false);
        let reader = (self.receiver.take(), self.waiting.take());
        self.hub.unsubscribe(self.channel.room, reader);
    }
}
