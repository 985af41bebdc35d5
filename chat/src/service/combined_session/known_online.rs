//! What a combined socket has told its client of who is online.

use std::collections::HashMap;

use crate::model::{ServerFrame, UserId};

/// The last `presence` frame of each user: who shares several rooms with the socket's user is in the lane of each.
#[derive(Default)]
pub(super) struct KnownOnline(HashMap<UserId, bool>);

impl KnownOnline {
    /// Users to remember. When there are more, all are forgotten, and frames may be sent again.
    const MAX: usize = 1_024;

    /// Whether a frame tells something that the client does not know.
    pub(super) fn is_news(&mut self, frame: &[u8]) -> bool {
        let Ok(ServerFrame::Presence { user_id, is_online }) = serde_json::from_slice(frame) else {
            return true;
        };
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        self.0.insert(user_id, is_online) != Some(is_online)
    }
}
