//! Request bodies with a timeout, and response bodies whose end ends the request.

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

/// A request body. If it stalls while the handler waits for it, the connection is closed.
pub struct TimedBody {
    incoming: Incoming,
    connection: Arc<ConnectionState>,
    stall: Stall,
    has_stalled: bool,
}

impl TimedBody {
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
                    // Stays pending until the connection is closed. With an error, the handler would respond that the
                    // body is invalid.
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

/// A response body. The request is in progress until it was sent.
pub struct ResponseBody {
    body: Body,
    _request: RequestInProgress,
}

impl ResponseBody {
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
