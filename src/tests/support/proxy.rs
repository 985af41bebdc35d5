//! A TCP proxy that can simulate a network failure: it stops forwarding without closing connections.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use tokio_tungstenite::tungstenite::{client::IntoClientRequest as _, http::Request};

/// A proxy on a port of its own, which lives as long as the test.
pub struct Proxy {
    address: String,
    is_silent: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy that forwards to `server`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (is_silent, silence) = watch::channel(false);
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server");
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, silence.clone()));
                tokio::spawn(pass(from_server, to_client, silence.clone()));
            }
        });
        Self { address, is_silent }
    }

    /// Stops forwarding without closing connections.
    pub fn fall_silent(&self) {
        self.is_silent.send_replace(true);
    }

    /// An upgrade request for `path` through the proxy.
    pub fn upgrade(&self, path: &str) -> Request<()> {
        format!("ws://{}{path}", self.address).into_client_request().expect("a request")
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silence: watch::Receiver<bool>) {
    let mut buffer = [0; 4_096];
    loop {
        tokio::select! {
            is_silent = async { silence.wait_for(|is_silent| *is_silent).await.is_ok() } => {
                if is_silent {
                    // Keeps both halves open until the end of the test.
                    std::future::pending::<()>().await;
                }
                return;
            }
            count = from.read(&mut buffer) => match count {
                Ok(count @ 1..) if to.write_all(&buffer[..count]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}
