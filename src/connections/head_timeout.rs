//! How long a connection waits for the head of a request.

use std::task::{Context, Poll};

use super::{
    deadline::Deadline,
    metrics::Reason,
    state::{ConnectionState, Phase},
};

/// The deadline of the head that a connection waits for. The connection's task polls it after hyper, which does not
/// read again where it knows that nothing has come, and so would not see a deadline of the stream.
#[derive(Debug, Default)]
pub struct HeadTimeout {
    deadline: Deadline,
    /// The phase_number that the deadline is about.
    phase_number: Option<usize>,
    /// Has some of the head come?
    has_begun: bool,
}

impl HeadTimeout {
    /// Ready when the connection has waited too long, with what it waited for.
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
        // Whoever has just connected is waited for from then on.
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
