//! Who is refused before their body was read can still read why.
//!
//! An answer does not end the sending: a connection that is closed while more of the body arrives is reset, and then
//! the answer is lost on its way. What a handler leaves of a body is read to its end, and thrown away.

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

/// What is read at most; whoever sends more is cut off.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// For how long, at most.
pub const MAX_TIME: Duration = Duration::from_secs(10);

/// Middleware that sees to the request's body.
pub async fn drain(request: Request, next: Next) -> Response {
    // Most requests have none.
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let request = request.map(|body| Body::from_stream(DrainOnDrop(Some(body.into_data_stream()))));
    next.run(request).await
}

/// What is left of a body.
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
        // Without a runtime the connection is gone, too.
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
