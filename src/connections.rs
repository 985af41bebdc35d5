//! The HTTP server: accepts TCP connections, and enforces connection limits and timeouts.
//!
//! | module | does |
//! |---|---|
//! | [`limits`] | the timeouts and connection limits in force, from the settings and the limit on open files |
//! | [`admission`] | counts open connections, in total and by address, and rejects those over a limit |
//! | [`state`] | the state of one connection, shared by its stream, requests and task |
//! | [`registry`] | the connections that speak HTTP: drained at shutdown, or closed to make room |
//! | [`head_timeout`] | the timeout of a request's head, and of an idle keep-alive connection |
//! | [`body`] | the timeout of a request's body, and the end of a response |
//! | [`stream`] | the write timeout, and draining input after the close |
//! | [`deadline`] | timers |
//! | [`metrics`] | metrics |
//!
//! This replaces `axum::serve`, which has neither timeouts nor limits. An upgraded connection (a WebSocket) leaves the
//! HTTP server but keeps its [`stream::Stream`]: it still counts as open, and a stalled write still ends it.

use std::{convert::Infallible, future::poll_fn, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_util::task::TaskTracker;
use tower::Service as _;

pub mod admission;
pub mod body;
pub mod deadline;
pub mod head_timeout;
pub mod limits;
pub mod metrics;
pub mod registry;
pub mod state;
pub mod stream;

#[cfg(test)]
mod tests;

use admission::{Admission, ConnectionPermit};
use head_timeout::HeadTimeout;
use limits::{LimitReached, Limits};
use registry::Registry;
use state::{Command, ConnectionState};
use stream::Stream;

/// The largest request head, in bytes. Bounds the memory that clients with incomplete heads can take.
const HEAD_MAX: usize = 64 * 1024;

/// How long to wait before accepting again if no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The HTTP server on one listening socket.
pub struct HttpServer {
    router: Router,
    limits: Arc<Limits>,
    admission: Arc<Admission>,
    registry: Arc<Registry>,
    tasks: TaskTracker,
    http: http1::Builder,
}

impl HttpServer {
    pub fn new(router: Router, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.max_header_size(HEAD_MAX);
        Self {
            // Once here instead of once per request.
            router: router.with_state(()),
            admission: Arc::new(Admission::new(&limits)),
            limits: Arc::new(limits),
            registry: Arc::default(),
            tasks: TaskTracker::new(),
            http,
        }
    }

    /// Accepts connections for ever. Cancel-safe.
    pub async fn accept(&self, listener: &TcpListener) {
        let mut is_out_of_descriptors = false;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    is_out_of_descriptors = false;
                    self.take(stream, peer);
                }
                // The client disconnected before it was accepted.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Logged once and not for each attempt.
                    if !is_out_of_descriptors {
                        tracing::warn!(%error, "no connection can be accepted");
                    }
                    is_out_of_descriptors = true;
                    self.registry.close_idle();
                    time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Closes idle connections, lets the others finish their response, and waits until all have ended. Upgraded
    /// connections are not included.
    pub async fn drain(&self) {
        self.registry.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let permit = match self.admission.admit(peer.ip()) {
            Ok(permit) => permit,
            // An idle connection is closed to make room, so that silent clients cannot lock others out.
            Err(LimitReached::Total) if self.registry.close_idle() => {
                self.admission.admit_replacing(peer.ip())
            }
            Err(limit) => {
                metrics::rejected(limit);
                return;
            }
        };
        // Without TCP_NODELAY a frame waits until the peer has acknowledged the previous one. In a room of ten that
        // made the p99 of deliveries four times as slow.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps small frames back");
        }
        self.serve(stream, peer, permit);
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, permit: ConnectionPermit) {
        let connection = Arc::new(ConnectionState::new(self.limits.clone(), permit));
        let registered = self.registry.add(connection.clone());
        let io = TokioIo::new(Stream::new(stream, connection.clone()));
        let service = {
            let (router, connection) = (self.router.clone(), connection.clone());
            service_fn(move |request| answer(&router, &connection, peer, request))
        };
        let serving = self.http.serve_connection(io, service).with_upgrades();
        self.tasks.spawn(async move {
            let mut serving = pin!(serving);
            let mut head = HeadTimeout::default();
            loop {
                tokio::select! {
                    // hyper first: its progress decides which timeout applies.
                    biased;
                    ended = serving.as_mut() => {
                        if let Err(error) = ended {
                            tracing::trace!(%error, "a connection ended early");
                        }
                        break;
                    }
                    command = connection.next_command() => match command {
                        Command::Finish => serving.as_mut().graceful_shutdown(),
                        Command::Close => break,
                    },
                    reason = poll_fn(|context| head.poll(context, &connection)) => {
                        metrics::ended(reason);
                        break;
                    }
                }
            }
            drop(registered);
        });
    }
}

/// Passes one request to the router, and marks it as in progress until its response has been sent.
fn answer(
    router: &Router,
    connection: &Arc<ConnectionState>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> impl Future<Output = Result<axum::http::Response<body::ResponseBody>, Infallible>> + use<> {
    let request_in_progress = connection.begin();
    let mut request = request.map(|incoming| Body::new(body::TimedBody::new(incoming, connection.clone())));
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(connection.clone());
    let answering = router.clone().call(request);
    async move {
        let response = answering.await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            request_in_progress.upgrade();
        }
        Ok(response.map(|body| body::ResponseBody::new(body, request_in_progress)))
    }
}

/// Did only this connection fail, rather than the listener?
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
