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
    backoff,
    notification_frames::{self, NotificationFrame},
    permanent_close_code,
    run_until_cleanup::run_until_cleanup,
};
use crate::browser::{document::socket_url, random::chance};

/// After so much silence the server is asked whether it is there.
const PING_AFTER: Duration = Duration::from_secs(25);
/// And after so much more it is given up.
const PONG_TIMEOUT: Duration = Duration::from_secs(8);

/// Hands every frame of the notifications' socket to `hear`, until the current owner goes.
pub fn listen(on_frame: impl Fn(NotificationFrame) + 'static) {
    run_until_cleanup(|wakeups| reconnect_loop(wakeups, on_frame));
}

/// How a socket ended.
enum SocketEnd {
    /// It never stood.
    NeverOpened,
    /// It stood and was lost.
    Lost,
    /// The server will not have us.
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
        let mut wait = pin!(sleep(backoff::wait(failures, chance())).fuse());
        futures::select! {
            () = wait => {},
            _ = wakeups.next() => {},
        }
    }
}

/// One socket, from opening to end.
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
