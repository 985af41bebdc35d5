//! Which of a socket's subscriptions is polled next.
//!
//! Each subscription is polled with a waker of its own, which puts it on the list of ready ones. So a wake-up costs the
//! same whether the socket has one subscription or two hundred. Ready subscriptions take turns of a few frames each.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::task::AtomicWaker;

use crate::model::RoomId;

/// Frames of one turn.
const TURN: usize = 16;

/// The subscriptions of one socket, by room.
#[derive(Default)]
pub(super) struct Turns {
    list: Arc<ReadyList>,
    wakers: HashMap<RoomId, Arc<RoomWaker>>,
    /// The room whose turn it is, and how many frames it may still send.
    current: Option<(RoomId, usize)>,
}

/// Each room is in it once at most, apart from rooms that were removed.
#[derive(Default)]
struct ReadyList {
    rooms: Mutex<VecDeque<RoomId>>,
    task: AtomicWaker,
}

impl ReadyList {
    /// A panic under the lock leaves at worst a room that is polled in vain.
    fn rooms(&self) -> MutexGuard<'_, VecDeque<RoomId>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct RoomWaker {
    room: RoomId,
    is_listed: AtomicBool,
    list: Arc<ReadyList>,
}

impl RoomWaker {
    fn list(&self) {
        if !self.is_listed.swap(true, Ordering::AcqRel) {
            self.list.rooms().push_back(self.room);
        }
    }
}

impl Wake for RoomWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.list();
        self.list.task.wake();
    }
}

impl Turns {
    /// Adds a room, which is ready. Replaces an earlier subscription to it.
    pub(super) fn add(&mut self, room: RoomId) {
        let waker = RoomWaker { room, is_listed: AtomicBool::new(false), list: Arc::clone(&self.list) };
        waker.list();
        self.wakers.insert(room, Arc::new(waker));
    }

    pub(super) fn remove(&mut self, room: RoomId) {
        self.wakers.remove(&room);
    }

    /// Polls the ready rooms, each with a waker of its own, until one has something.
    pub(super) fn poll<T>(
        &mut self,
        context: &Context<'_>,
        poll_room: impl FnMut(RoomId, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Before the list is read: a wake between the two then wakes the task.
        self.list.task.register(context.waker());
        self.try_poll(poll_room).map_or(Poll::Pending, Poll::Ready)
    }

    /// Like [`Self::poll`], for a task that does not wait.
    pub(super) fn try_poll<T>(
        &mut self,
        mut poll_room: impl FnMut(RoomId, &mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        loop {
            let (room, left) = if let Some(current) = self.current.take() {
                current
            } else {
                (self.list.rooms().pop_front()?, TURN)
            };
            let Some(waker) = self.wakers.get(&room) else { continue };
            if left == TURN {
                // Before the room is polled: what comes after that lists it again.
                waker.is_listed.store(false, Ordering::Release);
            }
            let task = Waker::from(Arc::clone(waker));
            if let Poll::Ready(found) = poll_room(room, &mut Context::from_waker(&task)) {
                if left > 1 {
                    self.current = Some((room, left - 1));
                } else {
                    waker.list();
                }
                return Some(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap, future::poll_fn};

    use futures::{FutureExt as _, StreamExt as _, channel::mpsc};

    use super::*;

    /// Rooms with so many frames each, and how often each was polled.
    struct Rooms {
        frames: BTreeMap<RoomId, usize>,
        polls: RefCell<BTreeMap<RoomId, usize>>,
    }

    #[test]
    fn ready_rooms_take_turns_and_idle_ones_are_not_polled() {
        let mut turns = Turns::default();
        let of = |busy: &[(i64, usize)]| busy.iter().map(|(room, frames)| (RoomId(*room), *frames)).collect();
        let mut rooms = Rooms { frames: of(&[(1, 40), (2, 3), (3, 20)]), polls: RefCell::default() };
        (1..=200).for_each(|room| turns.add(RoomId(room)));
        let mut sent: Vec<i64> = Vec::new();
        let mut drain = |turns: &mut Turns, rooms: &mut Rooms| {
            let Rooms { frames, polls } = rooms;
            while let Some(room) = turns.try_poll(|room, _| {
                *polls.borrow_mut().entry(room).or_default() += 1;
                match frames.get_mut(&room) {
                    Some(left) if *left > 0 => {
                        *left -= 1;
                        Poll::Ready(room)
                    }
                    _ => Poll::Pending,
                }
            }) {
                sent.push(room.0);
            }
            std::mem::take(&mut sent)
        };
        let lengths = |sent: Vec<i64>| -> Vec<(i64, usize)> {
            sent.chunk_by(|a, b| a == b).map(|turn| (turn[0], turn.len())).collect()
        };
        let first = lengths(drain(&mut turns, &mut rooms));
        assert_eq!(first, [(1, 16), (2, 3), (3, 16), (1, 16), (3, 4), (1, 8)]);

        rooms = Rooms { frames: of(&[(7, 1)]), polls: RefCell::default() };
        turns.wakers[&RoomId(7)].clone().wake();
        turns.wakers[&RoomId(7)].clone().wake();
        assert_eq!(drain(&mut turns, &mut rooms), [7]);
        assert_eq!(rooms.polls.borrow().keys().copied().collect::<Vec<_>>(), [RoomId(7)]);

        turns.remove(RoomId(7));
        turns.add(RoomId(7));
        turns.remove(RoomId(7));
        assert_eq!(drain(&mut turns, &mut rooms), Vec::<i64>::new(), "removed");
    }

    #[tokio::test]
    async fn a_waiting_task_is_woken_by_any_room() {
        let (senders, mut receivers): (Vec<_>, Vec<_>) = (0..50).map(|_| mpsc::unbounded::<char>()).unzip();
        let mut turns = Turns::default();
        (0..50).for_each(|room| turns.add(RoomId(room)));
        let mut poll = move |context: &mut Context<'_>| {
            turns.poll(context, |room, context| {
                let place = usize::try_from(room.0).expect("small");
                receivers[place].poll_next_unpin(context).map(|found| (room, found))
            })
        };
        assert_eq!(poll_fn(&mut poll).now_or_never(), None);
        let waiting = tokio::spawn(async move { poll_fn(poll).await });
        tokio::task::yield_now().await;
        senders[33].unbounded_send('a').expect("open");
        assert_eq!(waiting.await.expect("no panic"), (RoomId(33), Some('a')));
    }
}
