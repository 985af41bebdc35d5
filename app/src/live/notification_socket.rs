//! Client of `/ws/notifications/`, connected as long as the page is open.
//!
//! Reconnects with exponential backoff, and at once when the network or the user returns. A silent connection is
//! pinged, and dropped when there is no pong. Missed notifications are not sent again: callers reload the list on
//! `connection_established`.

use std::{pin::pin, time::Duration};

use futures::{FutureExt as _, SinkExt as _, StreamExt as _, channel::mpsc::UnboundedReceiver};
use gloo_net::websocket::{Message as Packet, WebSocketError, futures::WebSocket};
use gloo_timers::future::sleep;

use super::{
    backoff,
    notification_frames::{self, NotificationFrame},
    permanent_close_code,
    run_until_cleanup::run_until_cleanup,
};
use crate::browser::{document::socket_url, random::jitter};

/// A ping is sent after so much silence.
const PING_AFTER: Duration = Duration::from_secs(25);
/// A connection without a response to the ping is dropped after this.
const PONG_TIMEOUT: Duration = Duration::from_secs(8);

/// Calls `on_frame` with each frame until the current owner is cleaned up.
pub fn listen(on_frame: impl Fn(NotificationFrame) + 'static) {
    run_until_cleanup(|wakeups| reconnect_loop(wakeups, on_frame));
}

enum SocketEnd {
    /// Closed before the first frame.
    NeverOpened,
    /// Closed after at least one frame.
    Lost,
    /// Closed with a code after which a client must not reconnect.
    Rejected,
}

async fn reconnect_loop(mut wakeups: UnboundedReceiver<()>, on_frame: impl Fn(NotificationFrame)) {
    let mut failures = 0;
    loop {
        failures = match run_once(&mut wakeups, &on_frame).await {
            SocketEnd::Rejected => return,
            SocketEnd::Lost => 0,
            SocketEnd::NeverOpened => failures + 1,
        };
        let mut wait = pin!(sleep(backoff::wait(failures, jitter())).fuse());
        futures::select! {
            () = wait => {},
            _ = wakeups.next() => {},
        }
    }
}

/// Runs one connection until it ends.
async fn run_once(wakeups: &mut UnboundedReceiver<()>, on_frame: &impl Fn(NotificationFrame)) -> SocketEnd {
    let Ok(socket) = WebSocket::open(&socket_url("/ws/notifications/")) else {
        return SocketEnd::NeverOpened;
    };
    let (mut sink, stream) = socket.split();
    let mut stream = stream.fuse();
    let (mut end, mut is_pinged) = (SocketEnd::NeverOpened, false);
    loop {
        let mut silence = pin!(sleep(if is_pinged { PONG_TIMEOUT } else { PING_AFTER }).fuse());
        let ping = futures::select! {
            packet = stream.next() => match packet {
                Some(Ok(Packet::Text(text))) => {
                    (end, is_pinged) = (SocketEnd::Lost, false);
                    on_frame(notification_frames::decode(&text));
                    false
                }
                Some(Ok(Packet::Bytes(_))) => false,
                Some(Err(WebSocketError::ConnectionClose(close))) if permanent_close_code(close.code).is_some() => {
                    return SocketEnd::Rejected;
                }
                Some(Err(_)) | None => return end,
            },
            _ = wakeups.next() => true,
            () = silence => {
                if is_pinged {
                    return end;
                }
                true
            }
        };
        if ping {
            is_pinged = true;
            if sink.send(Packet::Text(r#"{"type":"ping"}"#.to_owned())).await.is_err() {
                return end;
            }
        }
    }
}
