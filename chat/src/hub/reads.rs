//! Telling a room who has read what, by the lane of what is volatile.
//!
//! In a room of few each reader has a slot there. In a room of thousands, where everybody reads
//! each message, that would be the square of them: there the first reading is told at once,
//! and of what follows, in one frame a second, a bounded number of marks. A reader's newer
//! mark takes the place of one that waits, so that everyone ends up knowing the last one.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use super::{
    Audience, Frame, Hub,
    room::{Channel, volatile::Slot},
};
use crate::model::{ReadMark, ServerFrame, UserId};

/// Up to so many sockets each reader has a slot.
const AT_ONCE: usize = 100;
/// Between two frames above that.
const PAUSE: Duration = Duration::from_secs(1);
/// Marks of one frame: about as large as a long message.
const MARKS: usize = 64;

/// What is still to be told. At most one mark for each reader.
#[derive(Default)]
pub(super) struct Reads {
    inner: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<UserId>,
    marks: HashMap<UserId, ReadMark>,
    /// Was something told so lately that what comes now has to wait?
    is_pausing: bool,
    /// How many frames about several readers there were.
    frames: u64,
}

impl Waiting {
    fn put(&mut self, mark: ReadMark) {
        let user = mark.user.id;
        match self.marks.get_mut(&user) {
            // Of two devices the one behind may be the later to say so.
            Some(known) if known.message_id >= mark.message_id => {}
            Some(known) => *known = mark,
            None => {
                self.order.push_back(user);
                self.marks.insert(user, mark);
            }
        }
    }

    fn take(&mut self) -> Vec<ReadMark> {
        let next: Vec<UserId> = self.order.drain(..self.order.len().min(MARKS)).collect();
        next.iter().filter_map(|user| self.marks.remove(user)).collect()
    }
}

impl Channel {
    /// Tells the room that somebody has read up to here, now or soon.
    pub(super) fn read(self: &Arc<Self>, mark: ReadMark, hub: &Hub) {
        let mut waiting = self.reads.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_pausing {
            return waiting.put(mark);
        }
        if self.listeners() > AT_ONCE {
            waiting.is_pausing = true;
            tokio::spawn(tell_the_rest(Arc::downgrade(self), hub.clone()));
        }
        // Of two devices the one behind may be the later to say so: the further mark stays.
        let (slot, rank) = (Slot::Read(mark.user.id), mark.message_id.0);
        // Under the lock, so that no older mark of theirs comes later.
        self.tell(slot, rank, mark, Vec::new(), hub);
    }

    fn tell(self: &Arc<Self>, slot: Slot, rank: i64, first: ReadMark, more: Vec<ReadMark>, hub: &Hub) {
        let ReadMark { message_id, user, read_at } = first;
        let frame = ServerFrame::MessageRead { message_id, user, read_at, more };
        if let Some(frame) = Frame::new(&frame, None, Audience::Everyone) {
            self.show(slot, rank, frame, hub);
        }
    }
}

/// Ends when nothing waits any more, or nobody listens.
async fn tell_the_rest(channel: Weak<Channel>, hub: Hub) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(channel) = channel.upgrade() else { return };
        let mut waiting = channel.reads.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = waiting.take().into_iter();
        let Some(first) = marks.next() else {
            waiting.is_pausing = false;
            return;
        };
        waiting.frames += 1;
        channel.tell(Slot::Reads(waiting.frames), 0, first, marks.collect(), &hub);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hub::{Event, Subscription},
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

    /// Who has read up to where, by the next frame.
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
    async fn a_room_of_few_is_told_each_readers_last_mark() {
        let (hub, _errands) = Hub::new(512, Duration::ZERO);
        let mut few = sockets(&hub, AT_ONCE).await;
        hub.publish_read(RoomId(1), mark(7, 1));
        assert_eq!(next(&mut few[0]).await, [(7, 1)], "the first at once");
        for message in 2..=150 {
            hub.publish_read(RoomId(1), mark(7, message));
            hub.publish_read(RoomId(1), mark(8, message));
            // One that comes late and is older.
            hub.publish_read(RoomId(1), mark(8, 1));
        }
        let last = [next(&mut few[0]).await, next(&mut few[0]).await];
        assert_eq!(last, [[(7, 150)], [(8, 150)]]);
    }

    #[tokio::test]
    async fn a_room_of_many_is_told_every_readers_last_mark_in_few_frames() {
        let (hub, _errands) = Hub::new(512, Duration::ZERO);
        let mut many = sockets(&hub, AT_ONCE + 1).await;
        for message in 1..=20 {
            for reader in 1..=100 {
                hub.publish_read(RoomId(1), mark(reader, message));
            }
            // One that comes late and is older.
            hub.publish_read(RoomId(1), mark(5, 1));
        }
        let mut known = HashMap::new();
        let mut sizes = Vec::new();
        while known.values().filter(|message| **message == 20).count() < 100 {
            let marks = next(&mut many[3]).await;
            sizes.push(marks.len());
            known.extend(marks);
        }
        assert_eq!(sizes, [1, MARKS, 100 - MARKS], "the first at once, then the last of each");
    }
}
