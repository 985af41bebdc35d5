//! Gap backfill: fills a gap in a room's changes from the database.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Channel, ring::BYTES_MAX};
use crate::{event::Frame, hub::sequence::Sequence};

/// The size of one portion in events and bytes, how long the next one waits for slow readers, and how often the ring
/// is checked. A long gap must not push any reader out of the ring.
const PORTION: usize = 128;
const PORTION_BYTES: usize = BYTES_MAX / 4;
const PORTION_TIMEOUT: Duration = Duration::from_millis(200);
const RING_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// A running backfill of a gap, for all sockets of the room at once. New changes are held until this is dropped.
pub struct GapBackfill {
    channel: Arc<Channel>,
    after: i64,
}

impl GapBackfill {
    /// Begins, if there is still a gap.
    pub(in crate::hub) fn begin(channel: Arc<Channel>) -> Option<Self> {
        let after = channel.sequence().begin_backfill()?;
        Some(Self { channel, after })
    }

    /// The gap begins after this change.
    pub fn after(&self) -> i64 {
        self.after
    }

    /// Publishes the changes read from the database, ordered by `rev`, no faster than readers take them.
    pub async fn publish(&self, frames: Vec<(i64, Frame)>) {
        let mut frames = frames.into_iter().peekable();
        while frames.peek().is_some() {
            let deadline = Instant::now() + PORTION_TIMEOUT;
            while self.channel.ring.is_above(PORTION, PORTION_BYTES) && Instant::now() < deadline {
                sleep(RING_CHECK_INTERVAL).await;
            }
            let mut bytes = 0;
            let mut portion = Vec::new();
            while portion.len() < PORTION
                && bytes < PORTION_BYTES
                && let Some((rev, frame)) = frames.next()
            {
                bytes += frame.bytes();
                portion.push((rev, frame));
            }
            self.channel.advance(|sequence| sequence.backfill(portion));
        }
    }
}

impl Drop for GapBackfill {
    fn drop(&mut self) {
        self.channel.advance(Sequence::end_backfill);
    }
}
