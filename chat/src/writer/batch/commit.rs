//! Resolves a COMMIT whose response was lost.
//!
//! The database may have stored the batch before the connection failed. A sender that retried would store its message
//! twice (unless it uses `client_id`), so the batch's rows are looked up before any sender gets a response.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    error::Result,
    model::MessageId,
    store::{
        Store, StoreError, StoreResult,
        messages::{
            StoredMessage,
            append::{self, NewMessage},
            change,
        },
        rooms,
    },
};

/// How long to retry the look-up. The room's other messages wait meanwhile.
const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

/// The rows a batch writes, to look them up.
pub(super) struct BatchRows<'a> {
    pub(super) store: &'a Store,
    /// New messages.
    pub(super) rows: &'a [NewMessage<'a>],
    /// Changed older messages in their last state.
    pub(super) changed: &'a [StoredMessage],
}

impl BatchRows<'_> {
    /// The ids of the batch's messages, also if `committed` is an error and the batch turns out to be stored.
    pub(super) async fn resolve_commit(
        &self,
        committed: StoreResult<Vec<MessageId>>,
    ) -> Result<Vec<MessageId>> {
        let error = match committed {
            Err(error @ StoreError::CommitUnknown(_)) => error,
            known => return Ok(known?),
        };
        let deadline = Instant::now() + TIMEOUT;
        loop {
            match self.find().await {
                Ok(Some(ids)) => {
                    tracing::warn!(%error, changes = ids.len(), "a batch turned out to be stored");
                    return Ok(ids);
                }
                Ok(None) => return Err(error.into()),
                Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
                Err(still) => {
                    tracing::error!(error = %still, "cannot find out whether a batch is stored");
                    return Err(error.into());
                }
            }
        }
    }

    /// The ids of the batch's messages; `None` if it is not stored.
    async fn find(&self) -> StoreResult<Option<Vec<MessageId>>> {
        let mut tx = self.store.write().await?;
        // A transaction that is still running holds the locks of its rooms; locking one of them waits for its end.
        let room = self.rows.first().map(|row| row.room);
        let room = room.or_else(|| self.changed.first().map(|stored| stored.message.room.id));
        if let Some(room) = room {
            rooms::lock(&mut tx, room).await?;
        }
        if self.rows.is_empty() {
            let Some(last) = self.changed.last() else { return Ok(Some(Vec::new())) };
            return Ok(change::is_stored(&mut tx, &last.message).await?.then(Vec::new));
        }
        append::find(&mut tx, self.rows).await
    }
}
