//! A future in a task of its own, for owners that do not poll it all the time.
//!
//! A future that holds a connection of the pool and is not polled keeps the connection. The task of a socket may be busy
//! with a slow client for seconds, and a few such sockets would hold all connections. In a task of its own, a read ends and
//! gives its connection back whatever its owner does.

use std::{
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio_util::task::AbortOnDropHandle;

/// The output of a future that runs in a task. Dropping it ends the task.
pub struct OwnedTask<T>(AbortOnDropHandle<T>);

impl<T: Send + 'static> OwnedTask<T> {
    /// Starts the task.
    pub fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(AbortOnDropHandle::new(tokio::spawn(future)))
    }
}

impl<T> Future for OwnedTask<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(output) => Poll::Ready(output),
            // A panic of the task is one of its owner.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is shutting down.
                Err(_) => Poll::Pending,
            },
        }
    }
}
