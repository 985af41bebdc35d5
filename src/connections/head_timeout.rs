//! The timeout for the head of a request, and for idle connections.

use std::task::{Context, Poll};

use super::{
    deadline::Deadline,
    metrics::Reason,
    state::{ConnectionState, Phase},
};

/// The deadline of the request head that a connection waits for. The connection's task polls it after hyper: hyper does
/// not poll the stream again while no input is ready, so that a deadline in the stream would not fire.
#[derive(Debug, Default)]
pub struct HeadTimeout {
    deadline: Deadline,
    /// The phase that the deadline belongs to.
    phase_number: Option<usize>,
    /// Has a part of the head arrived?
    has_begun: bool,
}

impl HeadTimeout {
    /// Ready when the connection has waited too long, with the reason to close it.
    pub fn poll(&mut self, context: &mut Context<'_>, connection: &ConnectionState) -> Poll<Reason> {
        let phase_number = connection.phase_number();
        let phase = ConnectionState::phase_of(phase_number);
        if self.phase_number != Some(phase_number) {
            *self = Self {
                deadline: std::mem::take(&mut self.deadline),
                phase_number: Some(phase_number),
                has_begun: false,
            };
            self.deadline.clear();
        }
        if !matches!(phase, Phase::First | Phase::Next) || connection.is_writing() {
            self.deadline.clear();
            return Poll::Pending;
        }
        let limits = connection.limits();
        // The first head has its timeout from the connect, later ones from their first byte.
        if phase == Phase::Next && !self.has_begun && connection.has_begun(phase_number) {
            self.has_begun = true;
            self.deadline.set(limits.header);
        }
        let is_idle = phase == Phase::Next && !self.has_begun;
        if !self.deadline.is_set() {
            self.deadline.set(if is_idle { limits.keep_alive } else { limits.header });
        }
        self.deadline.poll(context).map(|()| if is_idle { Reason::KeepAlive } else { Reason::Header })
    }
}
