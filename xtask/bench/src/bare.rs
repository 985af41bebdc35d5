//! The baseline: a broadcast server without a chat.
//!
//! It sends each text that a socket receives unchanged to every socket of the process. It has no database, JSON, accounts
//! or rooms, but the same HTTP and WebSocket crates, buffers, ring and batches as the server: the difference between the
//! two is the cost of the chat.

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    response::Response,
    routing::any,
    serve::ListenerExt as _,
};
use futures::SinkExt as _;
use tokio::sync::broadcast;

/// The capacity of the ring, as in the server's rooms.
const RING: usize = 512;
/// Frames written between two flushes.
const BURST: usize = 64;

type Ring = broadcast::Sender<Utf8Bytes>;

/// Serves until the process is killed.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let ready = format!("bare is at http://{}\n", listener.local_addr()?);
    std::io::Write::write_all(&mut std::io::stdout(), ready.as_bytes())?;
    let router = Router::new().route("/{*path}", any(upgrade)).with_state(Ring::new(RING));
    // No delay (TCP_NODELAY), as in the server.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

async fn upgrade(State(ring): State<Ring>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(512).write_buffer_size(16 * 1024).on_upgrade(move |mut socket| async move {
        // An error means that the peer is gone or too slow. Either way the connection ends.
        let _ = talk(&mut socket, &ring).await;
    })
}

async fn talk(socket: &mut WebSocket, ring: &Ring) -> Result<(), Box<dyn std::error::Error>> {
    let mut events = ring.subscribe();
    socket.send(Message::text(r#"{"type":"connection_established"}"#)).await?;
    loop {
        tokio::select! {
            event = events.recv() => {
                socket.feed(Message::Text(event?)).await?;
                for _ in 1..BURST {
                    match events.try_recv() {
                        Ok(event) => socket.feed(Message::Text(event)).await?,
                        Err(broadcast::error::TryRecvError::Empty) => break,
                        Err(error) => return Err(error.into()),
                    }
                }
                socket.flush().await?;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    // Fails only when there are no receivers.
                    let _ = ring.send(text);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}
