//! A COMMIT whose answer was lost.
//!
//! The database may have stored the batch before it went away. A sender that is told to try again would store it twice
//! (unless it names its messages by `client_id`), so the batch's own rows are looked for before anybody is answered.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    error::Result,
    model::{Message, MessageId, Timestamp},
    store::{
        Store, StoreError, StoreResult,
        messages::{
            append::{self, NewMessage},
            change,
        },
        rooms,
    },
};

/// How long a database that is away is asked. The room's other messages wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// What a batch leaves in the database, and by which it is found.
pub(super) struct Evidence<'a> {
    pub(super) store: &'a Store,
    /// New messages.
    pub(super) rows: &'a [NewMessage<'a>],
    /// Older ones in their last state.
    pub(super) changed: &'a [Message],
    pub(super) now: Timestamp,
}

impl Evidence<'_> {
    /// The ids of the batch's messages, also where `committed` is an error and the batch is stored all the same.
    pub(super) async fn settle(&self, committed: StoreResult<Vec<MessageId>>) -> Result<Vec<MessageId>> {
        let error = match committed {
            Err(error @ StoreError::CommitUnknown(_)) => error,
            known => return Ok(known?),
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.find().await {
                Ok(Some(ids)) => {
                    tracing::warn!(%error, changes = ids.len(), "a batch turned out to be stored");
                    return Ok(ids);
                }
                Ok(None) => return Err(error.into()),
                Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
                Err(still) => {
                    tracing::error!(error = %still, "nobody knows whether a batch is stored");
                    return Err(error.into());
                }
            }
        }
    }

    /// The ids of its messages; `None` when it is not stored.
    async fn find(&self) -> StoreResult<Option<Vec<MessageId>>> {
        let mut tx = self.store.write().await?;
        // A transaction that is still under way holds the lock of each of its rooms: this waits for its end.
        let room = self.rows.first().map(|row| row.room);
        let room = room.or_else(|| self.changed.first().map(|message| message.room.id));
        if let Some(room) = room {
            rooms::lock(&mut tx, room).await?;
        }
        if self.rows.is_empty() {
            let Some(last) = self.changed.last() else { return Ok(Some(Vec::new())) };
            return Ok(change::is_stored(&mut tx, last).await?.then(Vec::new));
        }
        append::find(&mut tx, self.rows, self.now).await
    }
}
