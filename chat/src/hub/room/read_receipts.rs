//! Read receipts of a room, sent on the volatile lane.
//!
//! In a small room each reader has a slot. In a room of thousands, where everybody reads each message, the traffic
//! would grow with the square of the members. There the first mark is sent at once, and the following ones in one
//! frame a second with a bounded number of marks. A reader's newer mark replaces a pending one, so everybody receives
//! the last one eventually.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use super::{Channel, Hub, volatile::Slot};
use crate::{
    event::{Audience, Frame},
    model::{ReadMark, ServerFrame, UserId},
};

/// With up to this many sockets in the room, each mark is sent on its own.
const INDIVIDUAL_MAX: usize = 100;
/// Interval between two frames in larger rooms.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Marks of one frame: about the size of a long message.
const MARKS_PER_FRAME: usize = 64;

/// Marks to send, at most one per reader.
#[derive(Default)]
pub(super) struct ReadReceipts {
    inner: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    order: VecDeque<UserId>,
    marks: HashMap<UserId, ReadMark>,
    /// Whether a frame was sent less than [`FLUSH_INTERVAL`] ago.
    is_throttled: bool,
    /// Number of frames with several marks so far.
    frames: u64,
}

impl Pending {
    fn put(&mut self, mark: ReadMark) {
        let user = mark.user.id;
        match self.marks.get_mut(&user) {
            // Marks of a user's devices may arrive out of order.
            Some(known) if known.message_id >= mark.message_id => {}
            Some(known) => *known = mark,
            None => {
                self.order.push_back(user);
                self.marks.insert(user, mark);
            }
        }
    }

    fn take(&mut self) -> Vec<ReadMark> {
        let next: Vec<UserId> = self.order.drain(..self.order.len().min(MARKS_PER_FRAME)).collect();
        next.iter().filter_map(|user| self.marks.remove(user)).collect()
    }
}

impl Channel {
    /// Sends a user's read mark to the room, now or with a later frame.
    pub(in crate::hub) fn mark_read(self: &Arc<Self>, mark: ReadMark, hub: &Hub) {
        let mut pending = self.read_receipts.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.is_throttled {
            return pending.put(mark);
        }
        if self.listeners() > INDIVIDUAL_MAX {
            pending.is_throttled = true;
            tokio::spawn(flush_pending(Arc::downgrade(self), hub.clone()));
        }
        // Marks of a user's devices may arrive out of order: the further one wins.
        let (slot, rank) = (Slot::Read(mark.user.id), mark.message_id.0);
        // Under the lock, so that no older mark of the same user follows.
        self.publish_marks(slot, rank, mark, Vec::new(), hub);
    }

    fn publish_marks(
        self: &Arc<Self>,
        slot: Slot,
        rank: i64,
        first: ReadMark,
        more: Vec<ReadMark>,
        hub: &Hub,
    ) {
        let ReadMark { message_id, user, read_at } = first;
        let frame = ServerFrame::MessageRead { room_id: self.room, message_id, user, read_at, more };
        if let Some(frame) = Frame::volatile(&frame, Audience::Everyone) {
            self.put_volatile(slot, rank, frame, hub);
        }
    }
}

/// Runs until nothing is pending or the room is unused.
async fn flush_pending(channel: Weak<Channel>, hub: Hub) {
    loop {
        tokio::time::sleep(FLUSH_INTERVAL).await;
        let Some(channel) = channel.upgrade() else { return };
        let mut pending = channel.read_receipts.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = pending.take().into_iter();
        let Some(first) = marks.next() else {
            pending.is_throttled = false;
            return;
        };
        pending.frames += 1;
        channel.publish_marks(Slot::Reads(pending.frames), 0, first, marks.collect(), &hub);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Event,
        hub::Subscription,
        model::{MessageId, RoomId, Timestamp, User, UserRef},
    };

    fn mark(reader: i64, message: i64) -> ReadMark {
        let user = User {
            id: UserId(reader),
            username: format!("user{reader}"),
            first_name: String::new(),
            last_name: String::new(),
        };
        ReadMark { message_id: MessageId(message), user, read_at: Timestamp(0) }
    }

    async fn sockets(hub: &Hub, count: usize) -> Vec<Subscription> {
        let user = UserRef { id: UserId(0), username: "amy".into() };
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.push(hub.subscribe(RoomId(1), user.clone()).await);
        }
        sockets
    }

    /// The reader and message of each mark in the next frame.
    async fn next(socket: &mut Subscription) -> Vec<(i64, i64)> {
        let event = socket.next().await.expect("event");
        let Event::Frame(frame) = event else { panic!("not a frame") };
        match serde_json::from_slice(&frame.json).expect("a frame") {
            ServerFrame::MessageRead { message_id, user, more, .. } => [(user.id.0, message_id.0)]
                .into_iter()
                .chain(more.iter().map(|mark| (mark.user.id.0, mark.message_id.0)))
                .collect(),
            other => panic!("unexpected {other:?}"),
        }
    }

    #[tokio::test]
    async fn small_room_gets_each_readers_last_mark() {
        let (hub, _requests) = Hub::new(512, Duration::ZERO);
        let mut few = sockets(&hub, INDIVIDUAL_MAX).await;
        hub.publish_read(RoomId(1), mark(7, 1));
        assert_eq!(next(&mut few[0]).await, [(7, 1)], "the first at once");
        for message in 2..=150 {
            hub.publish_read(RoomId(1), mark(7, message));
            hub.publish_read(RoomId(1), mark(8, message));
            // A late mark that is older.
            hub.publish_read(RoomId(1), mark(8, 1));
        }
        let last = [next(&mut few[0]).await, next(&mut few[0]).await];
        assert_eq!(last, [[(7, 150)], [(8, 150)]]);
    }

    #[tokio::test]
    async fn large_room_gets_every_readers_last_mark_in_few_frames() {
        let (hub, _requests) = Hub::new(512, Duration::ZERO);
        let mut many = sockets(&hub, INDIVIDUAL_MAX + 1).await;
        for message in 1..=20 {
            for reader in 1..=100 {
                hub.publish_read(RoomId(1), mark(reader, message));
            }
            // A late mark that is older.
            hub.publish_read(RoomId(1), mark(5, 1));
        }
        let mut known = HashMap::new();
        let mut sizes = Vec::new();
        while known.values().filter(|message| **message == 20).count() < 100 {
            let marks = next(&mut many[3]).await;
            sizes.push(marks.len());
            known.extend(marks);
        }
        assert_eq!(
            sizes,
            [1, MARKS_PER_FRAME, 100 - MARKS_PER_FRAME],
            "the first at once, then the last of each"
        );
    }
}
