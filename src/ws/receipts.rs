//! The messages of one socket that wait for their commit.

use chat::{service::Receipt, writer::Stored};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};

/// Messages of one socket that may wait for their commit. At this number the server stops reading from the client.
const MAX_IN_FLIGHT: usize = 128;

/// Receipts that did not arrive yet, each with the data `T` that its answer needs.
pub struct Receipts<T>(FuturesUnordered<BoxFuture<'static, (T, chat::Result<Stored>)>>);

impl<T: Send + 'static> Receipts<T> {
    pub fn new() -> Self {
        Self(FuturesUnordered::new())
    }

    pub fn push(&mut self, about: T, receipt: Receipt) {
        self.0.push(async move { (about, receipt.await) }.boxed());
    }

    /// Whether the server has to stop reading from the client.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_IN_FLIGHT
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one that arrives; `None` if none is awaited. Cancel-safe.
    pub async fn next(&mut self) -> Option<(T, chat::Result<Stored>)> {
        self.0.next().await
    }
}
