//! The ref-counted topic subscriptions of this node, and whether each is active.
//!
//! A topic without references lingers for a while, since users switch between rooms, and reloading a page closes one
//! socket and opens another.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::Topic;

/// How long a topic stays subscribed after its last reference is released.
const LINGER: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Subscriptions {
    topics: HashMap<Topic, TopicState>,
    /// Topics added or removed since the session last asked.
    changed: HashSet<Topic>,
    /// When to drop topics that lost their last reference. They may have got a new one by then.
    lingering: VecDeque<(Instant, Topic)>,
}

struct TopicState {
    refs: usize,
    /// When the topic is dropped; `None` while it has references.
    linger_until: Option<Instant>,
    is_active: watch::Sender<bool>,
    was_active: bool,
}

impl Subscriptions {
    /// Adds a reference. True if the session has to change its subscriptions.
    pub(super) fn subscribe(&mut self, topic: Topic) -> bool {
        let changed = &mut self.changed;
        let state = self.topics.entry(topic).or_insert_with(|| {
            changed.insert(topic);
            TopicState {
                refs: 0,
                linger_until: None,
                is_active: watch::Sender::new(false),
                was_active: false,
            }
        });
        state.refs += 1;
        state.linger_until = None;
        changed.contains(&topic)
    }

    /// Releases a reference.
    pub(super) fn unsubscribe(&mut self, topic: Topic, now: Instant) {
        let Some(state) = self.topics.get_mut(&topic) else { return };
        state.refs = state.refs.saturating_sub(1);
        if state.refs == 0 {
            let linger_until = now + LINGER;
            state.linger_until = Some(linger_until);
            self.lingering.push_back((linger_until, topic));
        }
    }

    /// Drops topics whose linger time is over.
    pub(super) fn remove_expired(&mut self, now: Instant) {
        while let Some((_, topic)) = self.lingering.pop_front_if(|(linger_until, _)| *linger_until <= now) {
            let is_over = self
                .topics
                .get(&topic)
                .and_then(|state| state.linger_until)
                .is_some_and(|linger_until| linger_until <= now);
            if is_over {
                self.topics.remove(&topic);
                self.changed.insert(topic);
            }
        }
    }

    /// Topics added or removed since the last call.
    pub(super) fn take_changed(&mut self) -> HashSet<Topic> {
        std::mem::take(&mut self.changed)
    }

    /// All topics, lingering ones included.
    pub(super) fn all(&mut self) -> Vec<Topic> {
        self.changed.clear();
        self.topics.keys().copied().collect()
    }

    /// Whether the topic has references or lingers.
    pub(super) fn contains(&self, topic: Topic) -> bool {
        self.topics.contains_key(&topic)
    }

    /// The topic is subscribed on the connection. True if it had been before, so that messages in between may be
    /// lost.
    pub(super) fn set_active(&mut self, topic: Topic) -> bool {
        let Some(state) = self.topics.get_mut(&topic) else { return false };
        state.is_active.send_replace(true);
        std::mem::replace(&mut state.was_active, true)
    }

    /// The connection is gone: no topic is subscribed.
    pub(super) fn set_all_inactive(&self) {
        for state in self.topics.values() {
            state.is_active.send_replace(false);
        }
    }

    /// Whether the topic is subscribed on the connection, as it changes; `None` without references.
    pub(super) fn watch(&self, topic: Topic) -> Option<watch::Receiver<bool>> {
        self.topics.get(&topic).map(|state| state.is_active.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    const TEA: Topic = Topic::Room(RoomId(1));

    #[test]
    fn topic_subscribed_again_while_lingering_stays() {
        let (mut subscriptions, start) = (Subscriptions::default(), Instant::now());
        subscriptions.subscribe(TEA);
        assert_eq!(subscriptions.take_changed(), HashSet::from([TEA]));
        subscriptions.unsubscribe(TEA, start);
        subscriptions.subscribe(TEA);
        subscriptions.subscribe(TEA);
        subscriptions.unsubscribe(TEA, start);
        subscriptions.remove_expired(start + 2 * LINGER);
        assert!(subscriptions.contains(TEA) && subscriptions.take_changed().is_empty());
        // The linger time counts from the last release, not from the first.
        subscriptions.unsubscribe(TEA, start + 2 * LINGER);
        subscriptions.remove_expired(start + 2 * LINGER);
        assert!(subscriptions.contains(TEA));
        subscriptions.remove_expired(start + 3 * LINGER);
        assert!(!subscriptions.contains(TEA));
        assert_eq!(subscriptions.take_changed(), HashSet::from([TEA]));
    }
}
