//! Graceful shutdown within five seconds:
//!
//! 1. `/readyz` fails, so that a load balancer sends no new clients.
//! 2. The port is closed, so that a successor can open it.
//! 3. Sockets are closed with 1001, so that their clients reconnect to another node or to the successor.
//! 4. Requests in progress are completed, until a deadline.
//! 5. Queued writes are stored and the database is closed. This is done by the caller of [`Shutdown::serve`], which
//!    returns after step 4, since both sockets and requests write.
//!
//! Steps 1 to 3 start together, with [`Shutdown::token`]. A second signal ends the process at once; acknowledged
//! messages are on disk by then.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, time};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{
    connections::{HttpServer, limits::Limits},
    start_error::StartError,
};

/// How long requests and sockets may take to end. The rest of the five seconds is for the writer and the database.
pub const DRAIN: Duration = Duration::from_secs(3);

/// The shutdown token, and the sockets that a shutdown waits for. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    sockets: TaskTracker,
}

impl Shutdown {
    /// A shutdown that has not been requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests the shutdown, as a signal does.
    pub fn stop(&self) {
        self.token.cancel();
    }

    /// Was the shutdown requested?
    pub fn is_stopping(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Cancelled when the shutdown is requested. A socket's task then closes with 1001.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// A guard to be held by a socket's task: the shutdown waits until all are dropped, up to [`DRAIN`]. The HTTP
    /// server cannot wait for upgraded connections itself.
    pub fn hold(&self) -> TaskTrackerToken {
        self.sockets.token()
    }

    /// Spawns a task that requests the shutdown at the first SIGTERM or SIGINT, and ends the process at the second.
    ///
    /// # Errors
    /// [`StartError::System`] if no signal handler can be installed.
    pub fn on_signals(&self) -> Result<(), StartError> {
        let mut signals = Signals::new().map_err(|error| StartError::System(error.to_string()))?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            let name = signals.next().await;
            tracing::info!(signal = name, "stopping");
            shutdown.stop();
            signals.next().await;
            tracing::warn!("told to stop a second time: ending at once");
            std::process::exit(1);
        });
        Ok(())
    }

    /// Serves until the shutdown is requested, then waits for the last request and socket, up to [`DRAIN`]. Handlers
    /// get the peer's address as `ConnectInfo`.
    pub async fn serve(&self, listener: TcpListener, router: Router, limits: Limits) {
        let server = HttpServer::new(router, limits);
        tokio::select! {
            () = server.accept(&listener) => {}
            () = self.token.cancelled() => {}
        }
        drop(listener);
        self.sockets.close();
        let drained = async { tokio::join!(server.drain(), self.sockets.wait()) };
        if time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(sockets = self.sockets.len(), "some requests or sockets did not end in time");
        }
    }
}

/// Opens the port.
///
/// # Errors
/// [`StartError::AddressInUse`], [`StartError::AddressRefused`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::listening(address, &error))
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        task::JoinHandle,
    };

    use super::*;
    use crate::config::Config;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: liao\r\n\r\n";

    /// A server that takes `pace` to answer, and its address.
    async fn server(shutdown: &Shutdown, pace: Duration) -> (JoinHandle<()>, SocketAddr) {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().route("/", get(move || async move { time::sleep(pace).await }));
        let (shutdown, limits) = (shutdown.clone(), Limits::new(&Config::of(&[]), 1_000));
        (tokio::spawn(async move { shutdown.serve(listener, router, limits).await }), address)
    }

    async fn send(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(REQUEST).await.expect("sent");
        time::sleep(Duration::from_millis(50)).await;
        stream
    }

    #[tokio::test]
    async fn a_request_in_progress_is_completed_after_the_port_is_closed() {
        let shutdown = Shutdown::new();
        let (served, address) = server(&shutdown, Duration::from_millis(300)).await;
        let idle = TcpStream::connect(address).await.expect("connected");
        let mut stream = send(address).await;
        shutdown.stop();
        time::sleep(Duration::from_millis(50)).await;
        TcpStream::connect(address).await.expect_err("nobody listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered, then closed");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        served.await.expect("no panic");
        drop(idle);
    }

    #[tokio::test]
    async fn the_shutdown_waits_for_an_open_socket() {
        let shutdown = Shutdown::new();
        let (served, _) = server(&shutdown, Duration::ZERO).await;
        let (held, start) = (shutdown.hold(), Instant::now());
        let token = shutdown.token();
        tokio::spawn(async move {
            token.cancelled().await;
            time::sleep(Duration::from_millis(200)).await;
            drop(held);
        });
        shutdown.stop();
        served.await.expect("no panic");
        assert!((Duration::from_millis(200)..DRAIN).contains(&start.elapsed()));
    }

    #[tokio::test]
    async fn the_shutdown_does_not_wait_for_ever() {
        let shutdown = Shutdown::new();
        let (served, address) = server(&shutdown, Duration::from_hours(1)).await;
        let (_stream, _held, start) = (send(address).await, shutdown.hold(), Instant::now());
        shutdown.stop();
        served.await.expect("no panic");
        assert!((DRAIN..DRAIN + Duration::from_secs(1)).contains(&start.elapsed()));
    }
}
