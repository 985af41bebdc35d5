//! Heartbeats between nodes, and detection of dead nodes.
//!
//! Each node sends a heartbeat every two seconds. A node that was silent for ten seconds is dead, and its users
//! leave. While Redis is away all other nodes seem dead, so this node knows only its own users until Redis is back.

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
    wire::{BusMessage, NodeId, NodeSignal},
};

/// Heartbeat interval.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// A node that was silent for longer is dead.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// A tick is this many heartbeats. At each tick a node sends a presence digest for each of its rooms.
const HEARTBEATS_PER_TICK: u32 = 6;

/// When a message of each other node was last received.
#[derive(Default)]
pub(super) struct Peers {
    last_heard: Mutex<HashMap<NodeId, Instant>>,
}

impl Peers {
    pub(super) fn mark_alive(&self, node: NodeId, now: Instant) {
        self.last_heard().insert(node, now);
    }

    /// Removes and returns the dead nodes. `late`: how long this node itself was not running, which does not count as
    /// silence of the others.
    fn take_dead(&self, now: Instant, late: Duration) -> Vec<NodeId> {
        let mut last_heard = self.last_heard();
        for when in last_heard.values_mut() {
            *when += late;
        }
        last_heard
            .extract_if(|_, when| now.saturating_duration_since(*when) > DEAD_AFTER)
            .map(|(node, _)| node)
            .collect()
    }

    fn remove(&self, node: NodeId) {
        self.last_heard().remove(&node);
    }

    fn last_heard(&self) -> std::sync::MutexGuard<'_, HashMap<NodeId, Instant>> {
        self.last_heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Sends heartbeats and digests, and removes dead nodes, until `stopping`. Run it only when there is a bus.
    pub(crate) async fn run_heartbeat(self, stopping: CancellationToken) {
        let mut heartbeats = interval(HEARTBEAT);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut heartbeat) = (Instant::now(), 0_u32);
        while stopping.run_until_cancelled(heartbeats.tick()).await.is_some() {
            let now = Instant::now();
            let late = now.saturating_duration_since(last + HEARTBEAT);
            last = now;
            self.publish_to_nodes(NodeSignal::Heartbeat);
            for node in self.inner.peers.take_dead(now, late) {
                self.remove_node(node);
            }
            heartbeat = heartbeat.wrapping_add(1);
            if heartbeat.is_multiple_of(HEARTBEATS_PER_TICK) {
                for channel in self.channels() {
                    channel.end_tick(&self);
                }
                self.end_online_tick();
            }
        }
        self.publish_to_nodes(NodeSignal::Bye);
    }

    /// Handles the shutdown message of `node`.
    pub(super) fn peer_left(&self, node: NodeId) {
        self.inner.peers.remove(node);
        self.remove_node(node);
    }

    fn remove_node(&self, node: NodeId) {
        for channel in self.channels() {
            channel.remove_node(node, self);
        }
        self.remove_online_node(node);
    }

    fn channels(&self) -> Vec<Arc<Channel>> {
        self.rooms().values().cloned().collect()
    }

    fn publish_to_nodes(&self, signal: NodeSignal) {
        if let Some(bus) = self.bus() {
            bus.publish(Topic::Nodes, BusMessage::Signal(signal));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_node_is_taken_once() {
        let (peers, start) = (Peers::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        peers.mark_alive(NodeId(1), start);
        peers.mark_alive(NodeId(2), start);
        assert!(peers.take_dead(after(9), Duration::ZERO).is_empty());
        peers.mark_alive(NodeId(2), after(9));
        assert_eq!(peers.take_dead(after(11), Duration::ZERO), [NodeId(1)]);
        assert!(peers.take_dead(after(12), Duration::ZERO).is_empty());
    }

    #[test]
    fn frozen_node_considers_no_peer_dead() {
        let (peers, start) = (Peers::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        peers.mark_alive(NodeId(1), start);
        assert!(peers.take_dead(after(60), Duration::from_secs(58)).is_empty());
        assert_eq!(peers.take_dead(after(80), Duration::ZERO), [NodeId(1)]);
    }
}
