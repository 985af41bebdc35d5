//! Puts the inner service of a stack of middleware behind one `Arc`.
//!
//! axum clones a route for each request, and each `from_fn` middleware clones everything inside it again. With ten of
//! them, each request would clone its handler, its layers and its state ten times.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service, ServiceExt as _, util::Oneshot};

/// Layer that shares the inner service, and clones it once per call.
#[derive(Clone, Copy, Debug)]
pub struct SharedServiceLayer;

/// The service of [`SharedServiceLayer`].
#[derive(Debug)]
pub struct SharedService<S>(Arc<S>);

impl<S> Layer<S> for SharedServiceLayer {
    type Service = SharedService<S>;

    fn layer(&self, below: S) -> SharedService<S> {
        SharedService(Arc::new(below))
    }
}

impl<S> Clone for SharedService<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, Request> Service<Request> for SharedService<S>
where
    S: Service<Request> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, Request>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        // The clone made in `call` waits until it is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        S::clone(&self.0).oneshot(request)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::{Ready, ready},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Responds with the number of its clones.
    #[derive(Default)]
    struct Copied(Arc<AtomicUsize>);

    impl Clone for Copied {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Ordering::Relaxed);
            Self(Arc::clone(&self.0))
        }
    }

    impl Service<()> for Copied {
        type Response = usize;
        type Error = Infallible;
        type Future = Ready<Result<usize, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            ready(Ok(self.0.load(Ordering::Relaxed)))
        }
    }

    #[tokio::test]
    async fn the_inner_service_is_cloned_once_per_call() {
        let shared = SharedServiceLayer.layer(Copied::default());
        for call in 1..=2 {
            let mut copies = shared.clone();
            for _ in 0..10 {
                copies = copies.clone();
            }
            assert_eq!(copies.oneshot(()).await, Ok(call));
        }
    }
}
