//! Filling a hole in a room's changes from the database.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Channel, ring::BYTES_MAX};
use crate::hub::{Frame, sequence::Sequence};

/// How many of the events that fill a hole go out at once, and of how many bytes; and how long the next ones wait
/// for slow readers: a long hole must not push anybody out of the ring.
const FILL: usize = 128;
const FILL_BYTES: usize = BYTES_MAX / 4;
const FILL_PATIENCE: Duration = Duration::from_millis(200);
const FILL_LOOK: Duration = Duration::from_millis(5);

/// A hole in a room's changes, being filled from the database for all its sockets at once.
/// What comes meanwhile waits until this is dropped.
pub struct Filling {
    channel: Arc<Channel>,
    after: i64,
}

impl Filling {
    /// Begins, if there is still a hole.
    pub(in crate::hub) fn begin(channel: Arc<Channel>) -> Option<Self> {
        let after = channel.sequence().begin_filling()?;
        Some(Self { channel, after })
    }

    /// What is missing comes after this change.
    pub fn after(&self) -> i64 {
        self.after
    }

    /// Hands out what the database had, no faster than it is read.
    pub async fn fill(&self, frames: Vec<(i64, Frame)>) {
        let mut frames = frames.into_iter().peekable();
        while frames.peek().is_some() {
            let patience = Instant::now() + FILL_PATIENCE;
            while self.channel.ring.is_above(FILL, FILL_BYTES) && Instant::now() < patience {
                sleep(FILL_LOOK).await;
            }
            let mut bytes = 0;
            let mut portion = Vec::new();
            while portion.len() < FILL
                && bytes < FILL_BYTES
                && let Some((rev, frame)) = frames.next()
            {
                bytes += frame.bytes();
                portion.push((rev, frame));
            }
            self.channel.advance(|sequence| sequence.fill(portion));
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.channel.advance(Sequence::end_filling);
    }
}
