//! The bodies of requests, which must keep coming, and those of answers, whose end ends the request.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::{
    deadline::Stall,
    metrics::{self, Reason},
    state::{Command, ConnectionState, RequestInProgress},
};

/// A request's body. One that stops coming while it is waited for ends the connection: whoever waits for it would wait
/// for ever, and what was sent of it is of no use.
pub struct TimedBody {
    incoming: Incoming,
    connection: Arc<ConnectionState>,
    stall: Stall,
    has_stalled: bool,
}

impl TimedBody {
    /// The body of a request of this connection.
    pub fn new(incoming: Incoming, connection: Arc<ConnectionState>) -> Self {
        Self { incoming, connection, stall: Stall::default(), has_stalled: false }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                this.stall.transferred(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(axum::Error::new(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let limit = this.connection.limits().body;
                if !this.has_stalled && this.stall.poll(context, limit).is_ready() {
                    this.has_stalled = true;
                    metrics::ended(Reason::Body);
                    // It ends with the connection. A handler that was given an error would answer that the body was bad.
                    this.connection.send_command(Command::Close);
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// An answer's body. The request is under way until it was handed over.
pub struct ResponseBody {
    body: Body,
    _request: RequestInProgress,
}

impl ResponseBody {
    /// The answer to a request.
    pub fn new(body: Body, request: RequestInProgress) -> Self {
        Self { body, _request: request }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
