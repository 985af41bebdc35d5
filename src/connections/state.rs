//! What is known of one connection. Its stream, its requests and its task share it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{admission::ConnectionPermit, limits::Limits};

/// The phase_number of a connection that was upgraded.
const UPGRADED: usize = usize::MAX;

/// One open connection. Handlers find it among a request's extensions.
#[derive(Debug)]
pub struct ConnectionState {
    limits: Arc<Limits>,
    /// Even while a request is waited for, odd while one is under way; each of both once.
    phase_number: AtomicUsize,
    /// The phase_number in which something came last while a request was waited for.
    head_began_in: AtomicUsize,
    is_writing: AtomicBool,
    command: AtomicU8,
    command_ready: Notify,
    drains: AtomicBool,
    /// Counts as open until all parts of the connection have gone.
    _permit: ConnectionPermit,
}

/// What the connection's task is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
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
pub struct RequestInProgress(Arc<ConnectionState>);

impl ConnectionState {
    /// A new one.
    pub fn new(limits: Arc<Limits>, permit: ConnectionPermit) -> Self {
        Self {
            limits,
            phase_number: AtomicUsize::new(0),
            head_began_in: AtomicUsize::new(0),
            is_writing: AtomicBool::new(false),
            command: AtomicU8::new(0),
            command_ready: Notify::new(),
            drains: AtomicBool::new(false),
            _permit: permit,
        }
    }

    /// What holds for it.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A request begins.
    pub fn begin(self: &Arc<Self>) -> RequestInProgress {
        self.phase_number.fetch_add(1, Ordering::AcqRel);
        RequestInProgress(self.clone())
    }

    /// The number of the phase it is in, which rises with each.
    pub fn phase_number(&self) -> usize {
        self.phase_number.load(Ordering::Acquire)
    }

    /// The phase of a phase_number.
    pub fn phase_of(phase_number: usize) -> Phase {
        match phase_number {
            0 => Phase::First,
            UPGRADED => Phase::Upgraded,
            phase_number if phase_number.is_multiple_of(2) => Phase::Next,
            _ => Phase::Busy,
        }
    }

    /// Is a request waited for?
    pub fn is_waiting(&self) -> bool {
        matches!(Self::phase_of(self.phase_number()), Phase::First | Phase::Next)
    }

    /// Something came; where a request is waited for, it is the beginning of one.
    pub fn head_begins(&self) {
        let phase_number = self.phase_number();
        if Self::phase_of(phase_number) == Phase::Next {
            self.head_began_in.store(phase_number, Ordering::Release);
        }
    }

    /// Has some of the request come that is waited for in this phase_number?
    pub fn has_begun(&self, phase_number: usize) -> bool {
        self.head_began_in.load(Ordering::Acquire) == phase_number
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
    pub fn send_command(&self, command: Command) {
        let number = match command {
            Command::Finish => 1,
            Command::Close => 2,
        };
        self.command.fetch_max(number, Ordering::AcqRel);
        self.command_ready.notify_one();
    }

    /// What the connection's task is told to do next. Cancel-safe.
    pub async fn next_command(&self) -> Command {
        self.command_ready.notified().await;
        if self.command.load(Ordering::Acquire) > 1 { Command::Close } else { Command::Finish }
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

impl RequestInProgress {
    /// The answer is an upgrade: no request follows.
    pub fn upgrade(&self) {
        self.0.phase_number.store(UPGRADED, Ordering::Release);
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let next = |phase_number: usize| (phase_number != UPGRADED).then(|| phase_number.wrapping_add(1));
        // Err where it was upgraded, which is for good.
        let _ = self.0.phase_number.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}
