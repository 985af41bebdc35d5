//! Which topics this node wants to hear, and whether it does.
//!
//! A topic that nobody wants any more is kept for a while: people go from room to room, and
//! a page that is loaded anew closes its socket and opens another.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::Topic;

/// How long a topic is still listened to after the last one who wanted it has gone.
const LINGER: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Wishes {
    topics: HashMap<Topic, Wish>,
    /// Wanted or given up since the session last looked.
    touched: HashSet<Topic>,
    /// When to give up what nobody wanted at some time; it may be wanted again by then.
    fading: VecDeque<(Instant, Topic)>,
}

struct Wish {
    /// How many want it.
    count: usize,
    /// When it is given up, if nobody wants it.
    until: Option<Instant>,
    is_heard: watch::Sender<bool>,
    was_heard: bool,
}

impl Wishes {
    /// One more wants the topic. True when that changes what is listened to.
    pub(super) fn want(&mut self, topic: Topic) -> bool {
        let touched = &mut self.touched;
        let wish = self.topics.entry(topic).or_insert_with(|| {
            touched.insert(topic);
            Wish { count: 0, until: None, is_heard: watch::Sender::new(false), was_heard: false }
        });
        wish.count += 1;
        wish.until = None;
        touched.contains(&topic)
    }

    /// One less wants the topic.
    pub(super) fn release(&mut self, topic: Topic, now: Instant) {
        let Some(wish) = self.topics.get_mut(&topic) else { return };
        wish.count = wish.count.saturating_sub(1);
        if wish.count == 0 {
            let until = now + LINGER;
            wish.until = Some(until);
            self.fading.push_back((until, topic));
        }
    }

    /// Gives up what nobody has wanted for long enough.
    pub(super) fn fade(&mut self, now: Instant) {
        while let Some((_, topic)) = self.fading.pop_front_if(|(until, _)| *until <= now) {
            let is_over =
                self.topics.get(&topic).and_then(|wish| wish.until).is_some_and(|until| until <= now);
            if is_over {
                self.topics.remove(&topic);
                self.touched.insert(topic);
            }
        }
    }

    /// What has been wanted or given up since the last call.
    pub(super) fn take_touched(&mut self) -> HashSet<Topic> {
        std::mem::take(&mut self.touched)
    }

    /// Everything that is wanted or lingers.
    pub(super) fn all(&mut self) -> Vec<Topic> {
        self.touched.clear();
        self.topics.keys().copied().collect()
    }

    /// Is it wanted, or does it linger?
    pub(super) fn contains(&self, topic: Topic) -> bool {
        self.topics.contains_key(&topic)
    }

    /// What other nodes say of the topic arrives from now on. True when it did before, and what
    /// they said in between may be lost.
    pub(super) fn set_heard(&mut self, topic: Topic) -> bool {
        let Some(wish) = self.topics.get_mut(&topic) else { return false };
        wish.is_heard.send_replace(true);
        std::mem::replace(&mut wish.was_heard, true)
    }

    /// Nothing arrives any more.
    pub(super) fn set_deaf(&self) {
        for wish in self.topics.values() {
            wish.is_heard.send_replace(false);
        }
    }

    /// Tells whether what other nodes say of the topic arrives; `None` if it is not wanted.
    pub(super) fn watch(&self, topic: Topic) -> Option<watch::Receiver<bool>> {
        self.topics.get(&topic).map(|wish| wish.is_heard.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    const TEA: Topic = Topic::Room(RoomId(1));

    #[test]
    fn what_is_wanted_again_in_time_stays() {
        let (mut wishes, start) = (Wishes::default(), Instant::now());
        wishes.want(TEA);
        assert_eq!(wishes.take_touched(), HashSet::from([TEA]));
        wishes.release(TEA, start);
        wishes.want(TEA);
        wishes.want(TEA);
        wishes.release(TEA, start);
        wishes.fade(start + 2 * LINGER);
        assert!(wishes.contains(TEA) && wishes.take_touched().is_empty());
        // The time counts from the last going, not from the first.
        wishes.release(TEA, start + 2 * LINGER);
        wishes.fade(start + 2 * LINGER);
        assert!(wishes.contains(TEA));
        wishes.fade(start + 3 * LINGER);
        assert!(!wishes.contains(TEA));
        assert_eq!(wishes.take_touched(), HashSet::from([TEA]));
    }
}
