//! Which other nodes are alive, and what this one does to be known as alive.
//!
//! Each node says so every two seconds; one that has been silent for ten is dead to the
//! others, and so are its sockets. While Redis is away all others fall silent: then this node
//! knows of its own people alone, and of all again when Redis is back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Hub, room::Channel};
use crate::bus::{
    Topic,
    wire::{Message, NodeId, Signal},
};

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(2);
/// A node that was silent for so long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// Every how many beats a node tells, for each of its rooms, which change was its latest.
const ROUND: u32 = 6;

/// When each other node was last heard.
#[derive(Default)]
pub(super) struct Peers {
    heard: Mutex<HashMap<NodeId, Instant>>,
}

impl Peers {
    /// `node` said something.
    pub(super) fn hear(&self, node: NodeId, now: Instant) {
        self.heard().insert(node, now);
    }

    /// Takes out those who were silent for too long. `late`: for how long this node itself did
    /// not get to listen, which the others must not pay for.
    fn take_dead(&self, now: Instant, late: Duration) -> Vec<NodeId> {
        let mut heard = self.heard();
        for when in heard.values_mut() {
            *when += late;
        }
        heard
            .extract_if(|_, when| now.saturating_duration_since(*when) > DEAD_AFTER)
            .map(|(node, _)| node)
            .collect()
    }

    fn remove(&self, node: NodeId) {
        self.heard().remove(&node);
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, HashMap<NodeId, Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Keeps the other nodes informed, and forgets those who are gone, until `stopping`. To be
    /// run where there are others.
    pub(crate) async fn keep_company(self, stopping: CancellationToken) {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut beat) = (Instant::now(), 0_u32);
        while stopping.run_until_cancelled(beats.tick()).await.is_some() {
            let now = Instant::now();
            let late = now.saturating_duration_since(last + BEAT);
            last = now;
            self.tell_nodes(Signal::Alive);
            for node in self.inner.peers.take_dead(now, late) {
                self.forget(node);
            }
            beat = beat.wrapping_add(1);
            if beat.is_multiple_of(ROUND) {
                for channel in self.channels() {
                    channel.end_round(&self);
                }
            }
        }
        self.tell_nodes(Signal::Bye);
    }

    /// `node` has said that it ends.
    pub(super) fn part(&self, node: NodeId) {
        self.inner.peers.remove(node);
        self.forget(node);
    }

    fn forget(&self, node: NodeId) {
        for channel in self.channels() {
            channel.forget(node, self);
        }
    }

    fn channels(&self) -> Vec<Arc<Channel>> {
        self.rooms().values().cloned().collect()
    }

    fn tell_nodes(&self, signal: Signal) {
        if let Some(bus) = self.bus() {
            bus.publish(Topic::Nodes, Message::Signal(signal));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_for_too_long_is_dead_once() {
        let (peers, start) = (Peers::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        peers.hear(NodeId(1), start);
        peers.hear(NodeId(2), start);
        assert!(peers.take_dead(after(9), Duration::ZERO).is_empty());
        peers.hear(NodeId(2), after(9));
        assert_eq!(peers.take_dead(after(11), Duration::ZERO), [NodeId(1)]);
        assert!(peers.take_dead(after(12), Duration::ZERO).is_empty());
    }

    #[test]
    fn a_node_that_stood_still_itself_takes_nobody_for_dead() {
        let (peers, start) = (Peers::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        peers.hear(NodeId(1), start);
        assert!(peers.take_dead(after(60), Duration::from_secs(58)).is_empty());
        assert_eq!(peers.take_dead(after(80), Duration::ZERO), [NodeId(1)]);
    }
}
