//! Drains request bodies that a handler did not read to their end.
//!
//! A client may still be sending its body when the response is sent. If the connection is closed then, it is reset, and
//! the client may lose the response. So the rest of the body is read and discarded.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::Request,
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _};
use tokio::{runtime::Handle, time::timeout};

/// How many bytes are discarded at most.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long draining may take.
pub const MAX_TIME: Duration = Duration::from_secs(10);

/// Middleware that drains the request body.
pub async fn drain(request: Request, next: Next) -> Response {
    // Most requests have no body.
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let request = request.map(|body| Body::from_stream(DrainOnDrop(Some(body.into_data_stream()))));
    next.run(request).await
}

/// A body whose unread rest is drained when it is dropped.
struct DrainOnDrop(Option<BodyDataStream>);

impl Stream for DrainOnDrop {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.0 else { return Poll::Ready(None) };
        let chunk = ready!(rest.poll_next_unpin(cx));
        if !matches!(chunk, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(chunk)
    }
}

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        // Without a runtime the connection is gone as well.
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(timeout(MAX_TIME, discard(rest)));
        }
    }
}

async fn discard(mut rest: BodyDataStream) {
    let mut left = MAX_BYTES;
    while let Some(Ok(chunk)) = rest.next().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => return,
        }
    }
}
