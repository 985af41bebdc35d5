//! Gap backfill: fills a gap in a room's changes from the database.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Channel, Hub, ring::BYTES_MAX};
use crate::{event::StoredChange, hub::sequence::Sequence};

/// The size of one portion in events and bytes, how long the next one waits for slow readers, and how often the ring
/// is checked. A long gap must not push any reader out of the ring.
const PORTION: usize = 128;
const PORTION_BYTES: usize = BYTES_MAX / 4;
const PORTION_TIMEOUT: Duration = Duration::from_millis(200);
const RING_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// A running backfill of a gap, for all sockets of the room at once. New changes are held until this is dropped.
pub struct GapBackfill {
    channel: Arc<Channel>,
    hub: Hub,
    after: i64,
}

impl GapBackfill {
    /// Begins, if there is still a gap.
    pub(in crate::hub) fn begin(channel: Arc<Channel>, hub: Hub) -> Option<Self> {
        let after = channel.stream().sequence.begin_backfill()?;
        Some(Self { channel, hub, after })
    }

    /// The gap begins after this change.
    pub fn after(&self) -> i64 {
        self.after
    }

    /// Publishes the next changes read from the database, ordered by `rev`, no faster than readers take them.
    pub async fn publish(&self, changes: Vec<StoredChange>) {
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let deadline = Instant::now() + PORTION_TIMEOUT;
            while self.channel.ring.is_above(PORTION, PORTION_BYTES) && Instant::now() < deadline {
                sleep(RING_CHECK_INTERVAL).await;
            }
            let mut bytes = 0;
            let mut portion = Vec::new();
            while portion.len() < PORTION
                && bytes < PORTION_BYTES
                && let Some(change) = changes.next()
            {
                bytes += change.bytes();
                portion.push(change);
            }
            self.channel.advance(&self.hub, |sequence| sequence.backfill(portion));
        }
    }

    /// All changes up to `head` were published.
    pub fn complete(&self, head: i64) {
        self.channel.stream().sequence.complete_backfill(head);
    }
}

impl Drop for GapBackfill {
    fn drop(&mut self) {
        self.channel.advance(&self.hub, Sequence::end_backfill);
    }
}
