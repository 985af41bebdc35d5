//! One socket's subscription to a room: its position in the ring and in the volatile lane, and whether its user is present.

use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use super::{
    Channel, Lagged,
    ring::{DirectSink, RingReader},
    signal_limiter::UserSignal,
    volatile::LaneReader,
};
use crate::{
    event::Event,
    hub::{Hub, OnlineReader, OpenSocket},
    model::{UserId, UserRef},
};

/// One socket's subscription to a room. Dropping it unsubscribes.
pub struct Subscription {
    hub: Hub,
    user: UserRef,
    channel: Arc<Channel>,
    /// `None` after the drop.
    stored: Option<RingReader>,
    volatile: LaneReader,
    is_present: bool,
}

impl Subscription {
    pub(in crate::hub) fn new(hub: Hub, user: UserRef, channel: Arc<Channel>) -> Self {
        let (stored, volatile) = (RingReader::new(&channel.ring, user.id), channel.volatile.subscribe());
        Self { hub, user, channel, stored: Some(stored), volatile, is_present: false }
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

    /// From now on the frames of stored changes may be written to `sink`, while a task waits for the next event: those
    /// after `rev`, until the credential of `socket` ends.
    pub fn write_to(&self, sink: Arc<dyn DirectSink>, rev: i64, socket: &OpenSocket) {
        if let Some(stored) = &self.stored {
            stored.write_to(sink, rev, socket.entry());
        }
    }

    /// The next event for this user, stored changes before volatile ones. Cancel-safe. All events that were returned
    /// before must have been handed on to the socket.
    ///
    /// # Errors
    /// [`Lagged`] if this reader missed events.
    pub async fn next(&mut self) -> Result<Event, Lagged> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Like [`Self::next`], but returns `None` instead of waiting.
    pub fn try_next(&mut self) -> Option<Result<Event, Lagged>> {
        let stored = self.stored.as_ref()?.try_next();
        stored.or_else(|| self.volatile.try_next(self.user.id).map(|frame| Ok(Event::Frame(frame))))
    }

    /// Like [`Self::next`], for a task that waits for many subscriptions, each with a waker of its own. The waker stays
    /// registered until an event is ready.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Lagged>> {
        let Some(stored) = &self.stored else { return Poll::Ready(Err(Lagged)) };
        if let Some(event) = stored.try_next() {
            return Poll::Ready(event);
        }
        if let Poll::Ready(frame) = self.volatile.poll_next(context, self.user.id) {
            return Poll::Ready(Ok(Event::Frame(frame)));
        }
        // Last: from here on, events are written without this task.
        stored.poll_next(context)
    }

    /// Continues behind the newest event, after [`Lagged`]. What was missed has to be read from the database after this.
    pub fn rejoin(&mut self) {
        if let Some(stored) = &self.stored {
            stored.skip_to_end();
        }
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
        self.hub.unsubscribe(self.channel.room, self.stored.take());
    }
}
