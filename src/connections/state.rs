//! The state of one connection, shared by its stream, its requests and its task.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{admission::ConnectionPermit, limits::Limits};

/// The phase number of an upgraded connection.
const UPGRADED: usize = usize::MAX;

/// The state of one open connection. Handlers find it in the request's extensions.
#[derive(Debug)]
pub struct ConnectionState {
    limits: Arc<Limits>,
    /// Counts phases: even while waiting for a request, odd while one is in progress.
    phase_number: AtomicUsize,
    /// The phase in which input last arrived while waiting for another request.
    head_began_in: AtomicUsize,
    is_writing: AtomicBool,
    command: AtomicU8,
    command_ready: Notify,
    drains: AtomicBool,
    /// Counts the connection as open until all its parts are dropped.
    _permit: ConnectionPermit,
}

/// A command to the connection's task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Close after the current response, or at once if there is none.
    Finish,
    /// Close at once.
    Close,
}

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the first request.
    First,
    /// Waiting for another request.
    Next,
    /// A request is in progress.
    Busy,
    /// It no longer speaks HTTP.
    Upgraded,
}

/// Marks a request as in progress until it is dropped, which happens when its response has been sent.
pub struct RequestInProgress(Arc<ConnectionState>);

impl ConnectionState {
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

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Marks the begin of a request.
    pub fn begin(self: &Arc<Self>) -> RequestInProgress {
        self.phase_number.fetch_add(1, Ordering::AcqRel);
        RequestInProgress(self.clone())
    }

    /// The number of the current phase. It increases with each phase.
    pub fn phase_number(&self) -> usize {
        self.phase_number.load(Ordering::Acquire)
    }

    pub fn phase_of(phase_number: usize) -> Phase {
        match phase_number {
            0 => Phase::First,
            UPGRADED => Phase::Upgraded,
            phase_number if phase_number.is_multiple_of(2) => Phase::Next,
            _ => Phase::Busy,
        }
    }

    /// Is it waiting for a request?
    pub fn is_waiting(&self) -> bool {
        matches!(Self::phase_of(self.phase_number()), Phase::First | Phase::Next)
    }

    /// Records input, which is the begin of a request's head if it was waiting for another request.
    pub fn head_begins(&self) {
        let phase_number = self.phase_number();
        if Self::phase_of(phase_number) == Phase::Next {
            self.head_began_in.store(phase_number, Ordering::Release);
        }
    }

    /// Has a part of the request arrived that this phase waits for?
    pub fn has_begun(&self, phase_number: usize) -> bool {
        self.head_began_in.load(Ordering::Acquire) == phase_number
    }

    /// Sets whether a write is blocked by the peer.
    pub fn set_writing(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Release);
    }

    /// Is a write blocked by the peer?
    pub fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::Acquire)
    }

    /// Sends a command to the connection's task. `Close` overrides `Finish`.
    pub fn send_command(&self, command: Command) {
        let number = match command {
            Command::Finish => 1,
            Command::Close => 2,
        };
        self.command.fetch_max(number, Ordering::AcqRel);
        self.command_ready.notify_one();
    }

    /// Waits for the next command. Cancel-safe.
    pub async fn next_command(&self) -> Command {
        self.command_ready.notified().await;
        if self.command.load(Ordering::Acquire) > 1 { Command::Close } else { Command::Finish }
    }

    /// Makes the close drain the peer's input first. A connection that is closed with unread input is reset, and the
    /// peer may lose the last data that was sent to it.
    pub fn drain_on_close(&self) {
        self.drains.store(true, Ordering::Release);
    }

    /// Was [`Self::drain_on_close`] called?
    pub fn drains_on_close(&self) -> bool {
        self.drains.load(Ordering::Acquire)
    }
}

impl RequestInProgress {
    /// Marks the connection as upgraded: no request follows.
    pub fn upgrade(&self) {
        self.0.phase_number.store(UPGRADED, Ordering::Release);
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let next = |phase_number: usize| (phase_number != UPGRADED).then(|| phase_number.wrapping_add(1));
        // Err if it was upgraded, which is final.
        let _ = self.0.phase_number.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}
