//! The browser's half of the notifications: keeps their socket open for as long as the page is.
//!
//! A lost line is tried again with growing waits, at once when the network or the reader returns. A silent one is asked,
//! and given up when it does not answer. What was missed meanwhile is not sent again: whoever listens asks for the
//! list anew when the line stands.

use std::{pin::pin, time::Duration};

use futures::{FutureExt as _, SinkExt as _, StreamExt as _, channel::mpsc::UnboundedReceiver};
use gloo_net::websocket::{Message as Packet, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;

use super::{
    backoff, closed_for_good,
    notices::{self, Word},
    stay::stay,
};
use crate::browser::{document::socket_url, random::chance};

/// After so much silence the server is asked whether it is there.
const PATIENCE: Duration = Duration::from_secs(25);
/// And after so much more it is given up.
const LAST_PATIENCE: Duration = Duration::from_secs(8);

/// Hands every frame of the notifications' socket to `hear`, until the current owner goes.
pub fn listen(hear: impl Fn(Word) + 'static) {
    stay(|nudges| keep(nudges, hear));
}

/// How a socket ended.
enum End {
    /// It never stood.
    Refused,
    /// It stood and was lost.
    Lost,
    /// The server will not have us.
    Final,
}

async fn keep(mut nudges: UnboundedReceiver<()>, hear: impl Fn(Word)) {
    let mut failures = 0;
    loop {
        failures = match once(&mut nudges, &hear).await {
            End::Final => return,
            End::Lost => 0,
            End::Refused => failures + 1,
        };
        let mut wait = pin!(sleep(backoff::wait(failures, chance())).fuse());
        futures::select! {
            () = wait => {},
            _ = nudges.next() => {},
        }
    }
}

/// One socket, from opening to end.
async fn once(nudges: &mut UnboundedReceiver<()>, hear: &impl Fn(Word)) -> End {
    let Ok(socket) = WebSocket::open(&socket_url("/ws/notifications/")) else { return End::Refused };
    let (mut sink, stream) = socket.split();
    let mut stream = stream.fuse();
    let (mut end, mut is_asked) = (End::Refused, false);
    loop {
        let mut silence = pin!(sleep(if is_asked { LAST_PATIENCE } else { PATIENCE }).fuse());
        let ask = futures::select! {
            packet = stream.next() => match packet {
                Some(Ok(Packet::Text(text))) => {
                    (end, is_asked) = (End::Lost, false);
                    hear(notices::read(&text));
                    false
                }
                Some(Ok(Packet::Bytes(_))) => false,
                Some(Err(WebSocketError::ConnectionClose(close))) if closed_for_good(close.code).is_some() => {
                    return End::Final;
                }
                Some(Err(_)) | None => return end,
            },
            _ = nudges.next() => true,
            () = silence => {
                if is_asked {
                    return end;
                }
                true
            }
        };
        if ask {
            is_asked = true;
            if sink.send(Packet::Text(r#"{"type":"ping"}"#.to_owned())).await.is_err() {
                return end;
            }
        }
    }
}
