//! The TCP connections of the HTTP server: how many there may be, and how long each may keep the server waiting.
//!
//! | module | does |
//! |---|---|
//! | [`limits`] | the deadlines and caps in force, from the settings and from what the system allows |
//! | [`admission`] | counts open connections, in all and by address, and refuses what is over a cap |
//! | [`state`] | what is known of one connection, shared by its parts |
//! | [`registry`] | the connections that speak HTTP: told to stop, or closed to make room |
//! | [`head_timeout`] | the deadline of the next request's head, and of idle keep-alive |
//! | [`body`] | the deadline of a request's body, and the end of an answer |
//! | [`stream`] | the deadline of a write, and reading on after the end |
//! | [`deadline`] | the timers of these |
//! | [`metrics`] | what is counted of all that |
//!
//! In place of `axum::serve`, which has no timer and no limit. An upgraded connection (a WebSocket) leaves the HTTP
//! server but keeps its [`stream::Stream`]: it goes on counting, and a stalled write ends it.

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

use admission::{Admission, ConnectionPermit, LimitReached};
use head_timeout::HeadTimeout;
use limits::Limits;
use registry::Registry;
use state::{Command, ConnectionState};
use stream::Stream;

/// The largest head of a request, in bytes: what 20,000 clients that send half a head each can make the server keep.
const HEAD_MAX: usize = 64 * 1024;

/// How long accepting rests when the system has no descriptor left.
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
    /// Serves `router`, within `limits`.
    pub fn new(router: Router, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.max_header_size(HEAD_MAX);
        Self {
            // Once here instead of for each request.
            router: router.with_state(()),
            admission: Arc::new(Admission::new(&limits)),
            limits: Arc::new(limits),
            registry: Arc::default(),
            tasks: TaskTracker::new(),
            http,
        }
    }

    /// Accepts connections for ever. Dropping the future loses none that was accepted.
    pub async fn accept(&self, listener: &TcpListener) {
        let mut is_out_of_descriptors = false;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    is_out_of_descriptors = false;
                    self.take(stream, peer);
                }
                // The client went before it was accepted.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Once, and not for each try: this can last.
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

    /// Has idle connections closed and the others end after the answer under way; waits until all have ended.
    /// Connections that were upgraded are no longer among them.
    pub async fn drain(&self) {
        self.registry.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let permit = match self.admission.admit(peer.ip()) {
            Ok(permit) => permit,
            // A connection without a request under way makes room: silent ones keep nobody out.
            Err(LimitReached::Total) if self.registry.close_idle() => {
                self.admission.admit_replacing(peer.ip())
            }
            Err(limit) => {
                metrics::rejected(limit);
                return;
            }
        };
        // A frame goes at once, and does not wait until the peer has acknowledged the one before: in a room of ten that
        // made the slowest of a hundred deliveries four times as slow.
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
                    // What hyper did decides what is waited for.
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

/// Has the router answer one request; the connection knows from when until when one is under way.
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

/// Is this the failure of one connection, rather than of accepting?
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
