//! What is known of one connection. Its stream, its requests and its task share it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{admission::Place, limits::Limits};

/// The turn of a connection that was upgraded.
const UPGRADED: usize = usize::MAX;

/// One open connection. Handlers find it among a request's extensions.
#[derive(Debug)]
pub struct Connection {
    limits: Arc<Limits>,
    /// Even while a request is waited for, odd while one is under way; each of both once.
    turn: AtomicUsize,
    /// The turn in which something came last while a request was waited for.
    begun: AtomicUsize,
    is_writing: AtomicBool,
    order: AtomicU8,
    ordered: Notify,
    drains: AtomicBool,
    /// Counts as open until all parts of the connection have gone.
    _place: Place,
}

/// What the connection's task is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To end after the answer under way, or at once where there is none.
    Finish,
    /// To end at once.
    Close,
}

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first request is waited for.
    First,
    /// Another request is waited for.
    Next,
    /// A request is under way.
    Busy,
    /// It no longer speaks HTTP.
    Upgraded,
}

/// A request under way, until it is dropped: until its answer has been handed over.
pub struct RequestUnderWay(Arc<Connection>);

impl Connection {
    /// A new one.
    pub fn new(limits: Arc<Limits>, place: Place) -> Self {
        Self {
            limits,
            turn: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            is_writing: AtomicBool::new(false),
            order: AtomicU8::new(0),
            ordered: Notify::new(),
            drains: AtomicBool::new(false),
            _place: place,
        }
    }

    /// What holds for it.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A request begins.
    pub fn begin(self: &Arc<Self>) -> RequestUnderWay {
        self.turn.fetch_add(1, Ordering::AcqRel);
        RequestUnderWay(self.clone())
    }

    /// The number of the phase it is in, which rises with each.
    pub fn turn(&self) -> usize {
        self.turn.load(Ordering::Acquire)
    }

    /// The phase of a turn.
    pub fn phase_of(turn: usize) -> Phase {
        match turn {
            0 => Phase::First,
            UPGRADED => Phase::Upgraded,
            turn if turn.is_multiple_of(2) => Phase::Next,
            _ => Phase::Busy,
        }
    }

    /// Is a request waited for?
    pub fn is_waiting(&self) -> bool {
        matches!(Self::phase_of(self.turn()), Phase::First | Phase::Next)
    }

    /// Something came; where a request is waited for, it is the beginning of one.
    pub fn head_begins(&self) {
        let turn = self.turn();
        if Self::phase_of(turn) == Phase::Next {
            self.begun.store(turn, Ordering::Release);
        }
    }

    /// Has some of the request come that is waited for in this turn?
    pub fn has_begun(&self, turn: usize) -> bool {
        self.begun.load(Ordering::Acquire) == turn
    }

    /// The peer's buffers are full, or are no longer.
    pub fn set_writing(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Release);
    }

    /// Is there something that the peer has not taken yet?
    pub fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::Acquire)
    }

    /// Tells the connection's task what to do.
    pub fn order(&self, order: Order) {
        let number = match order {
            Order::Finish => 1,
            Order::Close => 2,
        };
        self.order.fetch_max(number, Ordering::AcqRel);
        self.ordered.notify_one();
    }

    /// What the connection's task is told to do next. Cancel-safe.
    pub async fn ordered(&self) -> Order {
        self.ordered.notified().await;
        if self.order.load(Ordering::Acquire) > 1 { Order::Close } else { Order::Finish }
    }

    /// When the connection is closed, what the peer is still sending is to be read away first: closed with input
    /// unread it would be reset, and the peer could lose what was said last.
    pub fn drain_on_close(&self) {
        self.drains.store(true, Ordering::Release);
    }

    /// Was [`Self::drain_on_close`] called?
    pub fn drains_on_close(&self) -> bool {
        self.drains.load(Ordering::Acquire)
    }
}

impl RequestUnderWay {
    /// The answer is an upgrade: no request follows.
    pub fn upgrade(&self) {
        self.0.turn.store(UPGRADED, Ordering::Release);
    }
}

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        let next = |turn: usize| (turn != UPGRADED).then(|| turn.wrapping_add(1));
        // Err where it was upgraded, which is for good.
        let _ = self.0.turn.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}
